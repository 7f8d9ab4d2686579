-- Intervals for shares, so that small numbers stay honest. k of n; NULL where there is nothing to divide by.

-- Wilson's 95 % interval of a share (Wilson 1927).
CREATE OR REPLACE MACRO wilson_low(k, n) AS
    CASE WHEN n > 0 THEN greatest(0.0, (k + 1.920729410347062 - 1.959963984540054 * sqrt(k * (n - k) / n + 0.960364705173531)) / (n + 3.841458820694124)) END;
CREATE OR REPLACE MACRO wilson_high(k, n) AS
    CASE WHEN n > 0 THEN least(1.0, (k + 1.920729410347062 + 1.959963984540054 * sqrt(k * (n - k) / n + 0.960364705173531)) / (n + 3.841458820694124)) END;

-- Newcombe's 95 % interval of the difference k1/n1 - k2/n2 of two independent shares (Newcombe 1998, method 10).
CREATE OR REPLACE MACRO newcombe_low(k1, n1, k2, n2) AS
    k1 / n1 - k2 / n2 - sqrt((k1 / n1 - wilson_low(k1, n1)) ** 2 + (wilson_high(k2, n2) - k2 / n2) ** 2);
CREATE OR REPLACE MACRO newcombe_high(k1, n1, k2, n2) AS
    k1 / n1 - k2 / n2 + sqrt((wilson_high(k1, n1) - k1 / n1) ** 2 + (k2 / n2 - wilson_low(k2, n2)) ** 2);

-- How much weight a number of mentions carries.
CREATE OR REPLACE MACRO weight_of(mentions) AS
    CASE WHEN mentions < 4 THEN 'hint' WHEN mentions < 10 THEN 'some' ELSE 'pattern' END;

-- A change of share in words, according to its interval.
CREATE OR REPLACE MACRO trend_of(k1, n1, k2, n2) AS
    CASE WHEN n1 = 0 OR n2 = 0 THEN 'nothing to compare with'
         WHEN k1 + k2 < 4 THEN 'too few to tell'
         WHEN newcombe_low(k1, n1, k2, n2) > 0 THEN 'getting worse'
         WHEN newcombe_high(k1, n1, k2, n2) < 0 THEN 'getting better'
         ELSE 'no clear change' END;
