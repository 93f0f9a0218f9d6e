create schema raw;
create table raw.customers (id int primary key, name text, country text, email text);
create table raw.orders (id int primary key, customer_id int, ordered_at timestamptz, shipped_at timestamptz, status text, amount numeric(12, 2), discount_rate numeric(4, 3));
insert into raw.customers select n, 'Customer ' || n, (array['FR', 'DE', 'IT'])[1 + n % 3], 'c' || n || '@example.org' from generate_series(1, 40) n;
insert into raw.orders select n, 1 + n % 40, timestamptz '2026-01-01' + n * interval '7 hours', timestamptz '2026-01-03' + n * interval '7 hours',
    (array['placed', 'shipped', 'returned', 'cancelled'])[1 + n % 4], 10 + n % 90, (n % 5) / 20.0 from generate_series(1, 400) n;
