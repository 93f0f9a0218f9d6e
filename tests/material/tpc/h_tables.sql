-- TPC-H's eight tables and a small set of data, the same at every run: each value is drawn from the row's number.

CREATE FUNCTION pick(salt text, key bigint, choices int) RETURNS int IMMUTABLE LANGUAGE sql AS
    $$ SELECT ('x' || substr(md5(salt || key), 1, 7))::bit(28)::int % choices $$;
CREATE FUNCTION pick(salt text, key bigint, choices text[]) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT choices[1 + pick(salt, key, cardinality(choices))] $$;

CREATE TABLE region (r_regionkey int PRIMARY KEY, r_name char(25) NOT NULL, r_comment varchar(152));
CREATE TABLE nation (
    n_nationkey int PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey int NOT NULL REFERENCES region,
    n_comment varchar(152));
CREATE TABLE supplier (
    s_suppkey int PRIMARY KEY, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL,
    s_nationkey int NOT NULL REFERENCES nation, s_phone char(15) NOT NULL, s_acctbal decimal(15, 2) NOT NULL,
    s_comment varchar(101) NOT NULL);
CREATE TABLE customer (
    c_custkey int PRIMARY KEY, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL,
    c_nationkey int NOT NULL REFERENCES nation, c_phone char(15) NOT NULL, c_acctbal decimal(15, 2) NOT NULL,
    c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL);
CREATE TABLE part (
    p_partkey int PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL,
    p_type varchar(25) NOT NULL, p_size int NOT NULL, p_container char(10) NOT NULL,
    p_retailprice decimal(15, 2) NOT NULL, p_comment varchar(23) NOT NULL);
CREATE TABLE partsupp (
    ps_partkey int NOT NULL REFERENCES part, ps_suppkey int NOT NULL REFERENCES supplier, ps_availqty int NOT NULL,
    ps_supplycost decimal(15, 2) NOT NULL, ps_comment varchar(199) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey));
CREATE TABLE orders (
    o_orderkey int PRIMARY KEY, o_custkey int NOT NULL REFERENCES customer, o_orderstatus char(1) NOT NULL,
    o_totalprice decimal(15, 2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL,
    o_clerk char(15) NOT NULL, o_shippriority int NOT NULL, o_comment varchar(79) NOT NULL);
CREATE TABLE lineitem (
    l_orderkey int NOT NULL REFERENCES orders, l_partkey int NOT NULL, l_suppkey int NOT NULL,
    l_linenumber int NOT NULL, l_quantity decimal(15, 2) NOT NULL, l_extendedprice decimal(15, 2) NOT NULL,
    l_discount decimal(15, 2) NOT NULL, l_tax decimal(15, 2) NOT NULL, l_returnflag char(1) NOT NULL,
    l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
    l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL,
    PRIMARY KEY (l_orderkey, l_linenumber), FOREIGN KEY (l_partkey, l_suppkey) REFERENCES partsupp);

INSERT INTO region
SELECT number - 1, name, 'region ' || number
FROM unnest(ARRAY['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST']) WITH ORDINALITY AS names(name, number);

INSERT INTO nation
SELECT number - 1, name, region, 'nation ' || number
FROM unnest(
    ARRAY['ALGERIA', 'ARGENTINA', 'BRAZIL', 'CANADA', 'EGYPT', 'ETHIOPIA', 'FRANCE', 'GERMANY', 'INDIA', 'INDONESIA',
        'IRAN', 'IRAQ', 'JAPAN', 'JORDAN', 'KENYA', 'MOROCCO', 'MOZAMBIQUE', 'PERU', 'CHINA', 'ROMANIA',
        'SAUDI ARABIA', 'VIETNAM', 'RUSSIA', 'UNITED KINGDOM', 'UNITED STATES'],
    ARRAY[0, 1, 1, 1, 4, 0, 3, 3, 2, 2, 4, 4, 2, 4, 0, 0, 0, 1, 2, 3, 4, 2, 3, 3, 1]
) WITH ORDINALITY AS names(name, region, number);

INSERT INTO supplier
SELECT key, 'Supplier#' || lpad(key::text, 9, '0'), 'Street ' || key, key % 25, (10 + key % 25) || '-555-' || key,
    pick('s_acctbal', key, 1100000) / 100.0 - 1000,
    CASE key % 10 WHEN 0 THEN 'slow Customer has many Complaints' ELSE 'nothing to say' END
FROM generate_series(1, 100) AS keys(key);

INSERT INTO customer
SELECT key, 'Customer#' || lpad(key::text, 9, '0'), 'Street ' || key, key % 25, (10 + key % 25) || '-555-' || key,
    pick('c_acctbal', key, 1100000) / 100.0 - 1000,
    pick('c_mktsegment', key, ARRAY['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'HOUSEHOLD', 'MACHINERY']), 'no comment'
FROM generate_series(1, 300) AS keys(key);

INSERT INTO part
SELECT key,
    pick('first', key, ARRAY['forest', 'green', 'azure', 'linen']) || ' '
        || pick('second', key, ARRAY['green', 'salmon', 'navy', 'rose']),
    'Manufacturer#' || 1 + key % 5, pick('p_brand', key, ARRAY['Brand#12', 'Brand#23', 'Brand#34', 'Brand#45']),
    pick('syllable', key, ARRAY['ECONOMY ANODIZED', 'PROMO BURNISHED', 'MEDIUM POLISHED', 'SMALL PLATED']) || ' '
        || pick('metal', key, ARRAY['STEEL', 'BRASS', 'COPPER']),
    pick('p_size', key, ARRAY['1', '3', '4', '9', '14', '15', '19', '23', '36', '45', '49'])::int,
    pick('p_container', key, ARRAY['SM CASE', 'SM BOX', 'MED BAG', 'MED BOX', 'LG CASE', 'LG PACK', 'LG BOX']),
    900 + key / 10.0, 'no comment'
FROM generate_series(1, 300) AS keys(key);

INSERT INTO partsupp
SELECT part, (part + supplier * 23) % 100 + 1, 1 + pick('ps_availqty', part * 10 + supplier, 9999),
    1 + pick('ps_supplycost', part * 10 + supplier, 99900) / 100.0, 'no comment'
FROM generate_series(1, 300) AS parts(part), generate_series(0, 3) AS suppliers(supplier);

-- A third of the customers never order.
INSERT INTO orders
SELECT key, 3 * pick('o_custkey', key, 100) + 1 + key % 2, pick('o_orderstatus', key, ARRAY['F', 'O', 'P', 'F']), 0,
    DATE '1992-01-01' + pick('o_orderdate', key, 2400),
    pick('o_orderpriority', key, ARRAY['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW']),
    'Clerk#' || lpad((key % 50)::text, 9, '0'), 0,
    CASE key % 20 WHEN 0 THEN 'special care, many requests' ELSE 'no comment' END
FROM generate_series(1, 1500) AS keys(key);

-- Every hundredth order is a large one, of seven lines.
INSERT INTO lineitem
SELECT key, part, (part + pick('supplier', line, 4) * 23) % 100 + 1, number, quantity, quantity * (900 + part / 10.0),
    pick('l_discount', line, 11) / 100.0, pick('l_tax', line, 9) / 100.0, pick('l_returnflag', line, ARRAY['R', 'A', 'N']),
    CASE WHEN shipped > DATE '1995-06-17' THEN 'O' ELSE 'F' END, shipped, ordered + 30 + pick('l_commitdate', line, 61),
    shipped + 1 + pick('l_receiptdate', line, 30),
    pick('l_shipinstruct', line, ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN']),
    pick('l_shipmode', line, ARRAY['AIR', 'AIR REG', 'MAIL', 'SHIP', 'TRUCK']), 'no comment'
FROM (
    SELECT o_orderkey AS key, number, o_orderkey * 10 + number AS line, o_orderdate AS ordered,
        1 + pick('l_partkey', o_orderkey * 10 + number, 300) AS part,
        CASE o_orderkey % 100 WHEN 0 THEN 50 ELSE 1 + pick('l_quantity', o_orderkey * 10 + number, 50) END AS quantity,
        o_orderdate + 1 + pick('l_shipdate', o_orderkey * 10 + number, 121) AS shipped
    FROM orders,
        generate_series(1, CASE o_orderkey % 100 WHEN 0 THEN 7 ELSE 1 + pick('lines', o_orderkey, 6) END) AS lines(number)
) AS items;

UPDATE orders SET o_totalprice = total
FROM (
    SELECT l_orderkey, sum(l_extendedprice * (1 + l_tax) * (1 - l_discount)) AS total FROM lineitem GROUP BY l_orderkey
) AS totals
WHERE l_orderkey = o_orderkey;

ANALYZE;
