-- Does the tuned student beat the base and every control? Paired differences with their intervals. Grain: role.
SELECT * FROM student_verdict ORDER BY role;
