CREATE TYPE channel AS ENUM ('web', 'store', 'phone');
CREATE TYPE place AS (street text, zip text, at point);
CREATE TYPE stop AS (arrived timestamptz, via channel, place place);
CREATE DOMAIN cents AS int CHECK (VALUE >= 0);
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, region text, country char(2), signup date, phone text,
  home place, tags text[], prefs jsonb, ip inet, uid uuid, credit numeric(12,2), seen timestamptz, mac macaddr);
INSERT INTO customers SELECT g, 'Cust ' || g, (ARRAY['North', 'South', NULL])[1 + g % 3], 'DE', date '2024-01-01' + g, '+49 ' || g,
  ROW('Road ' || g, '0' || g, point(g, g))::place, ARRAY['t' || g % 3, 'u'], jsonb_build_object('lang', 'de', 'n', g, 'list', jsonb_build_array(g, g + 1)),
  '10.0.0.1/24', md5(g::text)::uuid, g * 3.5, timestamptz '2025-03-30 00:30+00' + g * interval '3 hours', '08:00:2b:01:02:03'
  FROM generate_series(1, 40) g;
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int REFERENCES customers, channel channel, qty int, amount numeric,
  discount double precision, ordered_at timestamptz, delivered_at timestamp, note text, returned boolean DEFAULT false, price cents);
INSERT INTO orders SELECT g, 1 + g % 40, (ARRAY['web', 'store', 'phone'])[1 + g % 3]::channel, 1 + g % 5, g * 1.25, g / 100.0,
  timestamptz '2025-01-01 08:00+00' + g * interval '2 hours', CASE WHEN g % 9 > 0 THEN timestamp '2025-01-02' + g * interval '1 hour' END,
  CASE WHEN g % 5 = 0 THEN 'late, "quoted"' END, g % 11 = 0, g FROM generate_series(1, 200) g;
CREATE TABLE products (id int PRIMARY KEY, sku text, category text, price numeric, attrs jsonb, valid tsrange, dims int[], weight real, grid int[][]);
INSERT INTO products SELECT g, 'SKU-' || g, (ARRAY['A', 'B', 'C/D'])[1 + g % 3], g * 9.99, '{"color": "red", "sizes": ["S", "M"]}',
  tsrange('2025-01-01', '2025-02-01'), ARRAY[g, g * 2], g / 7.0, ARRAY[[1, 2], [3, 4]] FROM generate_series(1, 20) g;
CREATE TABLE docs (id int, body text, vector tsvector, page xml, raw bytea, bits bit varying(8), codes "char", spans nummultirange, during tstzrange,
  plan interval, opens time, closes timetz, cost money, area box);
INSERT INTO docs VALUES (1, 'fat cats ate rats', 'fat:1 cat:2', '<a><b k="1">x</b></a>', '\xdeadbeef', b'1011', 'x', '{[1,2],[5,9)}',
  '[2025-01-01,2025-02-01)', '1 day 02:00', '09:00', '17:00+01', 12.5, '(1,1),(0,0)');
CREATE TABLE nodes (id int PRIMARY KEY, parent_id int, name text, v numeric);
INSERT INTO nodes SELECT g, CASE WHEN g > 1 THEN g / 2 END, 'n' || g, g * 1.5 FROM generate_series(1, 15) g;
CREATE TABLE "Mixed Case" ("Id" int, "Total Sales" numeric, "select" text);
INSERT INTO "Mixed Case" VALUES (1, 10.5, 'a');
CREATE TABLE stops (id int, last stop, all_of stop[]);
INSERT INTO stops VALUES (1, ROW('2025-01-01', 'web', ROW('Road', '1', '(1,2)'))::stop, '{}');
CREATE TABLE parent (id int, day date); CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (1, '2025-01-01');
