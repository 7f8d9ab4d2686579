-- Whether the student's text may be shown. On the same test reviews it must beat every control in both METEOR and grounding
-- (METEOR alone rewards a constant text, grounding alone rewards copying) by more than chance: both 95 % intervals of the
-- paired difference lie above 0, on at least 20 test reviews. It need only not fall behind its own base, since a base that
-- was distilled before leaves little to gain. What imitates the playbook is never shown: the playbook costs nothing, and its
-- imitation can be no better. `beaten`: the student beats this role; `passed`: that suffices; `shown`: its text enters
-- `insights`, as it passed beside every role. Grain: role.
CREATE OR REPLACE VIEW student_verdict AS
WITH latest AS (
    SELECT * FROM comparisons
    WHERE run_id = (SELECT run_id FROM runs WHERE run_id IN (SELECT run_id FROM comparisons) ORDER BY number DESC NULLS LAST, started_at DESC LIMIT 1)
)
SELECT meteor.other AS role, meteor.n,
       meteor.mean AS student_meteor, meteor.other_mean AS other_meteor,
       meteor.ci_low AS meteor_low, meteor.ci_high AS meteor_high,
       grounding.mean AS student_grounding, grounding.other_mean AS other_grounding,
       grounding.ci_low AS grounding_low, grounding.ci_high AS grounding_high,
       meteor.n >= 20 AND meteor.ci_low > 0 AND grounding.ci_low > 0 AS beaten,
       beaten OR (meteor.n >= 20 AND meteor.other = 'student_base' AND meteor.ci_high >= 0 AND grounding.ci_high >= 0)
           AS passed,
       bool_and(passed) OVER () AND EXISTS (
           SELECT 1 FROM store.feedback JOIN store.current c USING (fingerprint) WHERE c.stage = 'feedback' AND role = 'teacher' AND model <> 'playbook') AS shown
FROM latest meteor
JOIN latest grounding ON grounding.other = meteor.other AND grounding.metric = 'grounding'
WHERE meteor.metric = 'meteor';
