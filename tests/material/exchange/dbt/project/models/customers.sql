{{ config(contract={'enforced': true}) }}
select id as customer_id, name, country, date '2025-06-01' + id as joined_on from {{ source('raw', 'customers') }}
