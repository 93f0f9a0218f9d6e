{{ config(contract={'enforced': true}) }}
select id as order_id, line as line_number, amount / 2 as amount
from {{ source('raw', 'orders') }} cross join generate_series(1, 2) line
