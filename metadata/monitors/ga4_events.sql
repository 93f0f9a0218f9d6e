SELECT day,
       channel,
       device,
       coalesce(sum(events) FILTER (WHERE event_name = 'session_start'), 0) AS session_start,
       coalesce(sum(events) FILTER (WHERE event_name = 'page_view'), 0) AS page_view,
       coalesce(sum(events) FILTER (WHERE event_name = 'user_engagement'), 0) AS user_engagement,
       coalesce(sum(events) FILTER (WHERE event_name = 'scroll'), 0) AS scroll,
       coalesce(sum(events) FILTER (WHERE event_name = 'view_item'), 0) AS view_item,
       coalesce(sum(events) FILTER (WHERE event_name = 'add_to_cart'), 0) AS add_to_cart,
       coalesce(sum(events) FILTER (WHERE event_name = 'begin_checkout'), 0) AS begin_checkout,
       coalesce(sum(events) FILTER (WHERE event_name = 'add_payment_info'), 0) AS add_payment_info,
       coalesce(sum(events) FILTER (WHERE event_name = 'purchase'), 0) AS purchase
FROM ga4_events_daily
WHERE day >= $1 AND day < $2
GROUP BY day, channel, device
