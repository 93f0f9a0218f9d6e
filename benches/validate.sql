-- Customers who bought every month and then stopped, with what they were worth.
WITH monthly AS (
    SELECT s.customer_code, date_trunc('month', s.billed_on) AS month,
           sum(s.net) AS net, sum(s.gross) AS gross, sum(s.quantity) AS quantity,
           count(*) FILTER (WHERE s.net < 0) AS returns
    FROM sales s
    WHERE s.billed_on >= DATE '2024-01-01' AND s.billed_on < DATE '2026-01-01'
    GROUP BY s.customer_code, date_trunc('month', s.billed_on)
), gaps AS (
    SELECT m.customer_code, m.month, m.net, m.gross, m.quantity, m.returns,
           lag(m.month) OVER (PARTITION BY m.customer_code ORDER BY m.month) AS previous_month,
           avg(m.net) OVER (PARTITION BY m.customer_code ORDER BY m.month ROWS BETWEEN 5 PRECEDING AND 1 PRECEDING) AS usual
    FROM monthly m
), last_seen AS (
    SELECT g.customer_code, max(g.month) AS last_month, round(avg(g.net)::numeric, 2) AS average_net,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(day FROM g.month - g.previous_month)) AS usual_gap,
           sum(CASE WHEN g.net < 0.5 * g.usual THEN 1 ELSE 0 END) AS weak_months
    FROM gaps g
    GROUP BY g.customer_code
    HAVING count(*) >= 6 AND sum(g.net) > 0
)
SELECT c.customer_code, c.name, c.segment, l.last_month::date AS last_month, l.average_net, l.usual_gap,
       coalesce(l.weak_months, 0) AS weak_months,
       round(100.0 * l.average_net / nullif(sum(l.average_net) OVER (), 0), 2) AS share_percent,
       rank() OVER (ORDER BY l.average_net DESC) AS rank,
       CASE WHEN l.last_month < DATE '2025-08-01' THEN 'silent' WHEN l.weak_months > 2 THEN 'fading' ELSE 'steady' END AS state
FROM last_seen l
JOIN customers c ON c.customer_code = l.customer_code
LEFT JOIN LATERAL (
    SELECT s.product FROM sales s WHERE s.customer_code = c.customer_code ORDER BY s.net DESC LIMIT 1
) p ON true
WHERE c.segment IN ('retail', 'fleet', 'industry') AND c.name NOT ILIKE '%test%'
ORDER BY l.average_net DESC NULLS LAST, c.customer_code
LIMIT 50
