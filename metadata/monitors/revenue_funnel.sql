SELECT day,
       channel,
       sum(visitors) AS visitors,
       sum(returning_visitors) AS returning_visitors,
       sum(requests) AS requests,
       sum(projects) AS projects,
       sum(contacts) AS contacts,
       sum(revenue) AS revenue
FROM funnel_daily
WHERE day >= $1 AND day < $2
GROUP BY day, channel
