{{ config(alias='fct_orders') }}
select * from {{ ref('stg_orders') }}
