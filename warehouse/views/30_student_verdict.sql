-- Whether the student may speak: on the same test reviews it must beat the untuned base and every control, in METEOR
-- and in grounding at once (METEOR alone rewards a constant text, grounding alone rewards copying). Grain: role.
CREATE OR REPLACE VIEW student_verdict AS
WITH means AS (
    SELECT role, count(*) AS n, avg(meteor) AS meteor, avg(grounding) AS grounding FROM scores GROUP BY role
)
SELECT other.role, student.n,
       student.meteor AS student_meteor, other.meteor AS other_meteor,
       student.grounding AS student_grounding, other.grounding AS other_grounding,
       student.n >= 20 AND student.meteor > other.meteor AND student.grounding > other.grounding AS beaten
FROM means student JOIN means other ON student.role = 'student' AND other.role NOT IN ('student', 'teacher');
