CREATE TYPE order_status AS ENUM ('new','paid','shipped','returned','cancelled');
CREATE TABLE regions(id int primary key, name text not null);
INSERT INTO regions VALUES (1,'North'),(2,'South'),(3,'East'),(4,'West'),(5,'Central');
CREATE TABLE customers(id int primary key, name text not null, region_id int references regions(id), segment text, is_vip boolean not null, birth_year int, signed_up date not null);
INSERT INTO customers VALUES
(1,'Ann Lee',1,'retail',true,1980,'2022-03-05'),
(2,'Bob Ray',1,'retail',false,1990,'2022-11-11'),
(3,'Cy Poe',2,'wholesale',false,NULL,'2023-01-15'),
(4,'Di Fox',2,'retail',true,1975,'2023-02-20'),
(5,'Ed Orr',3,NULL,false,2001,'2023-03-02'),
(6,'Flo Kim',3,'wholesale',false,1966,'2023-03-28'),
(7,'Gus Hay',4,'retail',false,1988,'2023-05-05'),
(8,'Hal Ito',NULL,'retail',true,NULL,'2023-06-30'),
(9,'Ann Lee',2,NULL,false,1999,'2023-07-01'),
(10,'Ivy "Q" O''Dell',3,'retail',false,1970,'2023-08-09');
CREATE TABLE products(id int primary key, title text not null, category text, price numeric(10,2) not null, active boolean not null);
INSERT INTO products VALUES
(1,'Lamp','Home',20,true),(2,'Chair','Home',80,true),(3,'Pen','Office',2,true),(4,'Desk','Office',200,false),
(5,'January 2024','Calendars',15,true),(6,'2023','Calendars',12,true),(7,'all others','Misc',5,true),(8,'Mug',NULL,9,true);
CREATE TABLE orders(id int primary key, customer_id int references customers(id), status order_status not null, ordered_at timestamptz not null, discount numeric, shipping_days int);
CREATE TABLE order_items(id serial primary key, order_id int not null references orders(id), product_id int not null references products(id), qty int not null, amount numeric(10,2) not null);
-- orders: Jan 2023 .. mid Nov 2023, none in August 2023
INSERT INTO orders
SELECT g, CASE WHEN g%17=0 THEN NULL ELSE 1+(g*7)%9 END,
 (ARRAY['new','paid','shipped','shipped','returned','cancelled','paid'])[1+g%7]::order_status,
 d, CASE WHEN g%3=0 THEN NULL ELSE (g%5)*1.5 END, CASE WHEN g%4=0 THEN NULL ELSE 1+g%6 END
FROM (SELECT g, timestamptz '2023-01-03 10:00+00' + (g*37) * interval '1 hour' + (g%24)* interval '1 hour' d FROM generate_series(1,200) g) s
WHERE date_trunc('month', d) <> '2023-08-01';
INSERT INTO order_items(order_id,product_id,qty,amount)
SELECT o.id, 1+(o.id*3+k)%8, 1+(o.id+k)%4, (1+(o.id+k)%4)*p.price * CASE WHEN o.status='returned' THEN -1 ELSE 1 END
FROM orders o, generate_series(0,2) k, products p WHERE k <= o.id%3 AND p.id=1+(o.id*3+k)%8;
CREATE TABLE payments(id serial primary key, order_id int not null references orders(id), method text not null, paid numeric not null, fee numeric, paid_on date);
INSERT INTO payments(order_id,method,paid,fee,paid_on)
SELECT o.id, (ARRAY['card','cash','transfer'])[1+o.id%3], 10+o.id%50, CASE WHEN o.id%2=0 THEN 0.5 END, o.ordered_at::date+o.id%20 FROM orders o WHERE status<>'new'
UNION ALL SELECT o.id,'card', 5, NULL, o.ordered_at::date+30 FROM orders o WHERE o.id%4=1;
-- stock snapshots (month end levels)
CREATE TABLE stock_levels(snapshot_date date, warehouse text, units int not null, primary key(snapshot_date,warehouse));
INSERT INTO stock_levels SELECT (date '2023-01-31' + (m||' month')::interval)::date, w, 100 + 10*m + CASE w WHEN 'Ulm' THEN 50 ELSE 0 END
FROM generate_series(0,9) m, unnest(ARRAY['Ulm','Kiel']) w;
-- clinic
CREATE TABLE doctors(id int primary key, name text not null, dept text not null, full_time boolean);
INSERT INTO doctors VALUES (1,'Dr. Ott','Cardiology',true),(2,'Dr. Uhl','Cardiology',NULL),(3,'Dr. Vey','Surgery',false),(4,'Dr. Wolf','Surgery',true),(5,'Dr. Yun','Dermatology',true),(6,'Dr. Zee','Pediatrics',false);
CREATE TABLE visits(id int primary key, doctor_id int references doctors(id), patient_no int not null, visit_date date not null, minutes int, no_show boolean not null, temp_c numeric, outcome text);
INSERT INTO visits SELECT g, 1+g%5, 100+(g*13)%40, date '2022-12-20'+ g, CASE WHEN g%11=0 THEN NULL ELSE 10+(g*g)%45 END, g%9=0, CASE WHEN g%2=0 THEN 36+(g%30)/10.0 END,
 (ARRAY['cured','referred',NULL,'worse'])[1+g%4]
FROM generate_series(1,300) g;
-- school
CREATE TABLE pupils(id int primary key, class text not null, grade int not null, gender char(1));
INSERT INTO pupils SELECT g, (ARRAY['5a','5b','6a','6b'])[1+g%4], 5+(g%4)/2, CASE WHEN g%5=0 THEN NULL WHEN g%2=0 THEN 'f' ELSE 'm' END FROM generate_series(1,60) g;
CREATE TABLE exams(pupil_id int references pupils(id), subject text not null, score numeric, passed boolean, taken_on date not null);
INSERT INTO exams SELECT p.id, s, CASE WHEN p.id%7=0 THEN NULL ELSE 40+(p.id*17+length(s)*5)%60 END, CASE WHEN p.id%7=0 THEN NULL ELSE (40+(p.id*17+length(s)*5)%60)>=60 END, date '2023-01-10'+(p.id%3)*90
FROM pupils p, unnest(ARRAY['Math','Art','History']) s WHERE NOT (s='Art' AND p.id%4=3);
-- temperatures / negative
CREATE TABLE accounts(month date, dept text, profit numeric, budget numeric, headcount int);
INSERT INTO accounts SELECT (date '2023-01-01'+(m||' month')::interval)::date, d, CASE d WHEN 'A' THEN 100-30*m WHEN 'B' THEN -50+5*m WHEN 'C' THEN 10 ELSE 0 END, 100, 10+m
FROM generate_series(0,8) m, unnest(ARRAY['A','B','C','D']) d WHERE NOT (m=4);
-- odd names
CREATE TABLE "Odd Things"("Key" text, "order" int, val numeric, "when" date);
INSERT INTO "Odd Things" VALUES ('all',1,10,'2023-01-01'),('rest',2,20,'2023-02-01'),('no others',3,5,'2023-03-01'),('1',4,7,'2023-04-01'),('3',5,9,'2023-05-01'),('January 2024',6,12,'2023-06-01'),
('East'' and everything else',7,3,'2023-07-01'),(E'A\nB',8,4,'2023-08-01'),(E'\u202Eabc',9,6,'2023-09-01'),('',10,8,'2023-10-01'),('50%',11,2,'2023-11-01'),('null',12,1,'2023-12-01'),(NULL,13,30,'2024-01-01');
-- round 2
CREATE TABLE sales(id serial primary key, region text, shop text, sold_at timestamp, qty int, price_cents int, returned boolean);
-- region keys that differ only in space/case; East starts in June 2024; a future typo date not here
INSERT INTO sales(region,shop,sold_at,qty,price_cents,returned)
SELECT (ARRAY['North','North ','north',E'No\u200Brth','South','East'])[CASE WHEN g%6=5 AND g<600 THEN 5 ELSE 1+g%6 END],
 'S'||(g%3), timestamp '2024-01-01 00:30' + g*interval '7 hours' , 1+(g*7)%5 + CASE WHEN g%97=0 THEN 90 ELSE 0 END, 100+(g*31)%900, g%10=0
FROM generate_series(0,1100) g;
-- weekly variation with partial last week
CREATE TABLE tickets(id serial primary key, opened date, team text, closed date, hours numeric);
INSERT INTO tickets(opened,team,closed,hours)
SELECT d::date, (ARRAY['Alpha','Beta','Gamma'])[1+(extract(doy from d)::int + k)%3], CASE WHEN k%4=0 THEN NULL ELSE d::date+k END, CASE WHEN k%5=0 THEN NULL ELSE k*1.25+extract(isodow from d) END
FROM generate_series(date '2024-01-01', date '2024-06-25','1 day') d, generate_series(1, 3 + (extract(week from d)::int*5)%7) k;
-- bookings with a future typo and a 1970 row
CREATE TABLE bookings(id serial primary key, day date, room text, price numeric);
INSERT INTO bookings(day,room,price) SELECT date '2024-01-01'+g, (ARRAY['R1','R2'])[1+g%2], 50+g%10+g/10.0 FROM generate_series(0,365) g;
INSERT INTO bookings(day,room,price) VALUES ('2030-12-24','R1',99),('1970-01-01','R2',1),(NULL,'R1',40),(NULL,'R2',45);
-- inheritance, view, function
CREATE TABLE events(id int, kind text, at date); CREATE TABLE events_old() INHERITS (events);
INSERT INTO events SELECT g,(ARRAY['a','b'])[1+g%2], date '2024-03-01'+g FROM generate_series(1,30) g;
INSERT INTO events_old SELECT 100+g,'a', date '2023-03-01'+g FROM generate_series(1,50) g;
CREATE VIEW good_orders AS SELECT * FROM orders WHERE status NOT IN ('cancelled','returned') AND customer_id <> 3;
CREATE FUNCTION is_big(numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 10';
CREATE FUNCTION label(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT CASE $1 WHEN 'Home' THEN 'Office' WHEN 'Office' THEN 'Home' ELSE $1 END$$;
-- json, char, big numbers, tiny numbers
CREATE TABLE misc(k char(5), grp text, v double precision, big numeric, tiny numeric, j jsonb, tags text[], w interval);
INSERT INTO misc VALUES ('a','x',1e20,123456789012,0.00012,'{"seg":"p"}','{u,v}','1 day'),('b','x','NaN',5,0.00041,'{"seg":"q"}','{u}','36 hours'),('c','y','Infinity',7,0.00013,'{"seg":null}','{}','1 month'),('d','y',-1,-9,0.00014,'{}',NULL,'10 minutes');
CREATE TABLE big(grp text, ok boolean, score numeric);
INSERT INTO big SELECT CASE WHEN g%2=0 THEN 'L' ELSE 'R' END, g NOT IN (5), 1000+ (g%7)*0.001 + CASE WHEN g%2=0 THEN 0.0004 ELSE 0 END FROM generate_series(1,4000) g;
-- few people, many rows each: pseudo-replication
CREATE TABLE persons(pid int primary key, team text, tall boolean, height numeric);
INSERT INTO persons SELECT g, CASE WHEN g<=4 THEN 'Red' ELSE 'Blue' END, g IN (1,2,3,5), 170+g*2 FROM generate_series(1,8) g;
CREATE TABLE logs(pid int references persons(pid), t date, n int);
INSERT INTO logs SELECT p.pid, date '2024-01-01'+d, d%3 FROM persons p, generate_series(0,60) d;
-- monthly table with a text month and fiscal year
CREATE TABLE ledger(period text, fy int, amount numeric, kind text);
INSERT INTO ledger SELECT to_char(date '2023-07-01'+(m||' month')::interval,'YYYY-MM'), 2024, 100+m, (ARRAY['debit','credit'])[1+m%2] FROM generate_series(0,11) m;
CREATE TABLE plan(month date primary key, target int); INSERT INTO plan SELECT (date '2023-01-01'+(m||' month')::interval)::date, 15 FROM generate_series(0,11) m;
-- round 3
CREATE TABLE transfers(id serial primary key, from_region int references regions(id), to_region int references regions(id), qty int, status text, created_at date);
INSERT INTO transfers(from_region,to_region,qty,status,created_at) SELECT 1+g%3, 1+(g*g)%5, g%10, (ARRAY['paid','open'])[1+g%2], date '2023-01-01'+g FROM generate_series(1,120) g;
CREATE TABLE transfer_lines(transfer_id int references transfers(id), status text, created_at date, val int);
INSERT INTO transfer_lines SELECT t.id, (ARRAY['paid','open','lost'])[1+(t.id+k)%3], t.created_at+40, t.id%7 FROM transfers t, generate_series(1,2) k;
CREATE SCHEMA archive; CREATE TABLE archive.orders(id int, status text, n int); INSERT INTO archive.orders SELECT g,'paid',g FROM generate_series(1,9) g;
CREATE TABLE inj(k text, v int, "sold, not returned," int, d date);
INSERT INTO inj VALUES ('a'' is 500. The sum of v over all rows with k ''b',7,3,'2023-01-01'),('b',3,4,'2023-02-01'),('c) (over 900 rows',4,5,'2023-03-01'),('x''; next is ''b'' with 99',2,6,'2023-04-01'),(E'line\n◆ second',1,7,'2023-05-01'),('no value',5,1,'2023-06-01'),('',6,1,'2023-07-01'),(' ',8,1,'2023-08-01'),(NULL,9,1,'2023-09-01'),('true',10,1,'2023-10-01'),('and 3 others',11,1,'2023-11-01');
CREATE TABLE trial(arm text, cured boolean, n int); INSERT INTO trial SELECT 'drug', g<=3, g FROM generate_series(1,3) g UNION ALL SELECT 'placebo', g<=1, g FROM generate_series(1,4) g UNION ALL SELECT 'none', false, g FROM generate_series(1,900) g;
-- round 4
CREATE TABLE steps(d date, site text, n int);
-- site Old closes on 10 June; New starts 15 June; Both has a step on 1 July
INSERT INTO steps SELECT date '2023-01-01'+g, s, CASE s WHEN 'Both' THEN CASE WHEN g>=181 THEN 30+g%5 ELSE 10+g%5 END WHEN 'Old' THEN 20+g%7 ELSE 8+g%3 END
FROM generate_series(0,364) g, unnest(ARRAY['Both','Old','New']) s WHERE NOT (s='Old' AND g>160) AND NOT (s='New' AND g<165);
CREATE TABLE rare(grp text, hit boolean); INSERT INTO rare SELECT CASE WHEN g%2=0 THEN 'L' ELSE 'R' END, g=1 FROM generate_series(1,6000) g;
CREATE TABLE mid(grp text, ok boolean); INSERT INTO mid SELECT CASE WHEN g%2=0 THEN 'L' ELSE 'R' END, NOT (g IN (1,2,4,6,8)) FROM generate_series(1,1000) g;
-- round 5
CREATE TABLE weather(station text, day date, temp_c numeric, rain_mm numeric);
INSERT INTO weather SELECT s, date '2023-01-01'+g, CASE WHEN s='Alp' THEN -2+(g%4) WHEN s='Dry' THEN NULL ELSE 4+(g%4)*0.5 END, CASE WHEN g%9=0 THEN NULL ELSE g%3 END FROM generate_series(0,364) g, unnest(ARRAY['Alp','Sea','Dry']) s;
CREATE TABLE meter(day date primary key, reading int); INSERT INTO meter SELECT date '2023-01-01'+g, 1000+g*5 FROM generate_series(0,364) g;
CREATE TABLE people2(id int primary key, "all others" text, "rows of orders" int, "status of paid" text, "value" int, manager_id int references people2(id), name text);
INSERT INTO people2 SELECT g, (ARRAY['x','y'])[1+g%2], g, 'open', g*2, CASE WHEN g>1 THEN g/2 END, 'P'||(g%4) FROM generate_series(1,20) g;
