{{ config(materialized='view') }}
select id as order_id, customer_id, ordered_at, shipped_at, status, amount, discount_rate, status = 'returned' as is_returned
from {{ source('raw', 'orders') }}
