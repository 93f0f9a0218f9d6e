{{ config(materialized='ephemeral') }}
select order_id, is_returned from {{ ref('stg_orders') }}
