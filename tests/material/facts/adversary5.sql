SET timezone='UTC';
CREATE SCHEMA archive;
CREATE TYPE prio AS ENUM ('low','medium','high','urgent');
CREATE TYPE substatus AS ENUM ('active','paused','ended');
CREATE TABLE towers(id int PRIMARY KEY, code text NOT NULL, town text, height numeric, height_unit text, signal_dbm numeric, built date, operator text);
INSERT INTO towers SELECT i, 'T'||lpad(i::text,3,'0'), (ARRAY['Aston','Brook','Corby','Dale','Elm',NULL])[1+i%6], CASE WHEN i%3=0 THEN 90+i ELSE 30+i%7 END, CASE WHEN i%3=0 THEN 'ft' ELSE 'm' END, -60-(i*7)%40, date '2005-01-01'+i*97, (ARRAY['Own','own','Leased'])[1+i%3] FROM generate_series(1,48) i;
CREATE TABLE plans(id int PRIMARY KEY, name text NOT NULL, kind text, monthly_fee numeric, currency char(3), data_gb int);
INSERT INTO plans VALUES (1,'Basic','prepaid',9.90,'EUR',2),(2,'Basic','postpaid',14.90,'EUR',5),(3,'Plus','postpaid',24.90,'EUR',20),(4,'Pro','postpaid',39.90,'CHF',NULL),(5,'Kids','prepaid',5,'CHF',1),(6,'Fleet','business',19,'EUR',10),(7,'Retired','prepaid',7,'EUR',1);
CREATE TABLE customers(id int PRIMARY KEY, name text NOT NULL, city text, region text, segment text, signup date NOT NULL, closed_on date, deleted_at timestamptz, is_test boolean, referred_by int REFERENCES customers(id), tags text[], profile jsonb, score text, email text);
INSERT INTO customers SELECT i,
 (ARRAY['Ann','Bob','Cho','Dan','Eva','Fay','Gil','Hal'])[1+i%8]||' '||(i%190),
 (ARRAY['Aston','Brook','Corby','Dale','Elm',NULL,'Ford','Aston'])[1+(i*7)%8],
 (ARRAY['North','South','East','West',NULL,'North'])[1+(i*5)%6],
 (ARRAY['home','home','home','firm','Firm'])[1+i%5],
 date '2022-01-03'+ (i*13)%1300,
 CASE WHEN i%4=0 THEN date '2022-01-03'+ (i*13)%1300 + 60+(i*11)%400 END,
 CASE WHEN i%23=0 THEN timestamptz '2024-05-01 10:00+00' + (i%300)*interval '1 day' END,
 CASE WHEN i%40=0 THEN true WHEN i%9=0 THEN NULL ELSE false END,
 CASE WHEN i>50 AND i%3=0 THEN 1+(i*i)%50 END,
 CASE i%5 WHEN 0 THEN ARRAY['vip','late'] WHEN 1 THEN ARRAY['late'] WHEN 2 THEN '{}'::text[] WHEN 3 THEN NULL ELSE ARRAY['vip','vip','news'] END,
 CASE WHEN i%7=0 THEN NULL WHEN i%7=1 THEN '{"age":null,"channel":"web"}'::jsonb ELSE jsonb_build_object('age',18+i%60,'channel',(ARRAY['web','shop','phone'])[1+i%3],'score',CASE WHEN i%2=0 THEN '"9"'::jsonb ELSE '10'::jsonb END) END,
 ((i*37)%120)::text,
 CASE WHEN i%6=0 THEN NULL ELSE 'u'||(i%900)||'@x.org' END
 FROM generate_series(1,1200) i;
UPDATE customers SET closed_on=LEAST(closed_on,date '2025-08-20') WHERE closed_on IS NOT NULL;
CREATE TABLE subscriptions(id int PRIMARY KEY, customer_id int REFERENCES customers(id), plan_id int REFERENCES plans(id), sold_by int REFERENCES customers(id), start_date date NOT NULL, end_date date, status substatus, fee_cents int, replaced_by int);
INSERT INTO subscriptions SELECT i, 1+(i*17)%1100, CASE WHEN i%97=0 THEN NULL ELSE 1+(i*i)%6 END, CASE WHEN i%5=0 THEN 1+(i*3)%1200 END,
 date '2022-02-01'+(i*7)%1300, CASE WHEN i%3=0 THEN date '2022-02-01'+(i*7)%1300+30+(i*5)%500 END,
 (ARRAY['active','active','paused','ended'])[1+i%4]::substatus, 490+100*(i%37), NULL FROM generate_series(1,2400) i;
CREATE UNIQUE INDEX one_active ON subscriptions(customer_id,id) WHERE status='active';
CREATE TABLE contacts(customer_id int REFERENCES customers(id), kind text, value text, is_primary boolean, deleted boolean NOT NULL DEFAULT false);
INSERT INTO contacts SELECT 1+(i%800), CASE WHEN i%2=0 THEN 'phone' ELSE 'mail' END, 'v'||i, i<=800, i>800 FROM generate_series(1,1600) i;
CREATE UNIQUE INDEX contacts_one ON contacts(customer_id) WHERE NOT deleted;
CREATE TABLE calls(id int PRIMARY KEY, caller_id int NOT NULL REFERENCES customers(id), callee_id int REFERENCES customers(id), tower_id int REFERENCES towers(id), started_at timestamptz NOT NULL, local_start timestamp, seconds int, dropped boolean, cost numeric, currency char(3), quality numeric);
INSERT INTO calls SELECT i, 1+(i*31)%1150, CASE WHEN i%4<>0 THEN 1+(i*43)%1180 END, CASE WHEN i%50<>0 THEN 1+(i*i)%40 END,
 timestamptz '2024-01-01 00:00+00' + (i*interval '101 minutes') + ((i*7919)%1440)*interval '1 minute',
 timestamp '2024-01-01 00:00' + (i*interval '101 minutes') + ((i*7919)%1440)*interval '1 minute' + interval '3 hours',
 CASE WHEN i%11=0 THEN NULL ELSE (i*i*13)%900 END, CASE WHEN i%13=0 THEN NULL ELSE (i*i)%9=0 END,
 CASE WHEN i%6=0 THEN 0 WHEN i%77=0 THEN -2.5 ELSE round(((i*i)%300)/100.0,2) END, CASE WHEN i%10=0 THEN 'CHF' ELSE 'EUR' END,
 CASE WHEN i%8=0 THEN NULL WHEN i%1500=7 THEN 'NaN'::numeric ELSE 1+(i*i)%5 END FROM generate_series(1,8600) i;
CREATE TABLE archive.calls(id int PRIMARY KEY, caller_id int, started_at timestamptz, seconds int, dropped boolean);
INSERT INTO archive.calls SELECT i, 1+(i*29)%1150, timestamptz '2022-06-01 00:00+00'+i*interval '260 minutes', (i*i*7)%700, i%4=0 FROM generate_series(1,3000) i;
CREATE TABLE invoices(id int PRIMARY KEY, customer_id int REFERENCES customers(id), issued_on date NOT NULL, due_on date, paid_on date, amount numeric, currency char(3), state text, kind text);
INSERT INTO invoices SELECT i, 1+(i*19)%1000, date '2023-01-01'+(i*961/4000), date '2023-01-01'+(i*961/4000)+30, CASE WHEN i%5<>0 THEN date '2023-01-01'+(i*961/4000)+(i*i)%60 END,
 CASE WHEN i%41=0 THEN -round(((i*i)%200)::numeric,2) ELSE round(10+((i*i)%333)/3.0,2) END, CASE WHEN i%7=0 THEN 'CHF' ELSE 'EUR' END, (ARRAY['open','paid','Paid','cancelled','paid'])[1+i%5], CASE WHEN i%41=0 THEN 'credit' ELSE 'invoice' END FROM generate_series(1,4000) i;
CREATE TABLE invoice_lines(invoice_id int REFERENCES invoices(id), line int, plan_id int REFERENCES plans(id), qty int, unit_price numeric, discount numeric, PRIMARY KEY(invoice_id,line));
INSERT INTO invoice_lines SELECT i, l, 1+(i*l)%6, 1+(i+l)%4, round(3+((i*l)%50)/2.0,2), CASE WHEN (i+l)%3=0 THEN NULL ELSE ((i*l)%20)/100.0 END FROM generate_series(1,4000) i, generate_series(1,3) l WHERE (i+l)%4<>0;
CREATE TABLE balances(customer_id int REFERENCES customers(id), as_of date, balance numeric, PRIMARY KEY(customer_id,as_of));
INSERT INTO balances SELECT c, (date '2025-01-31'+ (m||' month')::interval)::date, round(100*sin(c+m)::numeric+20,2) FROM generate_series(1,200) c, generate_series(0,6) m;
CREATE TABLE plan_prices(plan_id int REFERENCES plans(id), price numeric, valid_from date, valid_to date, PRIMARY KEY(plan_id,valid_from));
INSERT INTO plan_prices SELECT p, 5*p+y, make_date(2021+y,1,1), CASE WHEN y<4 THEN make_date(2022+y,1,1) END FROM generate_series(1,6) p, generate_series(1,4) y;
CREATE TABLE tickets(id int PRIMARY KEY, customer_id int REFERENCES customers(id), opened_at timestamptz NOT NULL, closed_at timestamptz, priority prio, rating int, topic text, minutes_text text, agent text, reopened_of int REFERENCES tickets(id));
INSERT INTO tickets SELECT i, 1+(i*23)%1200, timestamptz '2023-03-01 00:00+00'+i*interval '8 hours'+((i*37)%480)*interval '1 minute',
 CASE WHEN i%6<>0 THEN timestamptz '2023-03-01 00:00+00'+i*interval '8 hours'+((i*37)%480)*interval '1 minute'+((i*i*17)%9000)*interval '1 minute' END,
 (ARRAY['low','medium','high','urgent','low'])[1+(i*3)%5]::prio, CASE WHEN i%3=0 THEN 1+(i*i)%5 WHEN i%50=1 THEN 0 END, (ARRAY['bill','network','device','other',NULL])[1+(i*7)%5], (5*((i*7)%40))::text, (ARRAY['Kim','Lee','Moe','Ned'])[1+(i*i/3)%4], CASE WHEN i>100 AND i%20=0 THEN i-37 END FROM generate_series(1,2700) i;
CREATE VIEW live_customers AS SELECT * FROM customers WHERE deleted_at IS NULL AND is_test IS NOT TRUE;
CREATE MATERIALIZED VIEW mv_daily AS SELECT started_at::date AS day, count(*) AS n, sum(cost) AS cost FROM calls GROUP BY 1;
CREATE TABLE readings(id int, tower_id int, at timestamp, watts numeric, temp_c numeric);
CREATE TABLE readings_2024() INHERITS (readings);
INSERT INTO readings SELECT i, 1+i%48, timestamp '2025-01-01'+i*interval '3 hours', 100+i%50, -10+(i*7)%35 FROM generate_series(1,1000) i;
INSERT INTO readings_2024 SELECT i, 1+i%48, timestamp '2024-01-01'+i*interval '3 hours', 200+i%50, -10+(i*5)%35 FROM generate_series(1,2000) i;
CREATE TABLE contracts(id int PRIMARY KEY, customer_id int REFERENCES customers(id), signed date, until date, term interval, monthly numeric, annual numeric, discount_pct numeric, paying boolean, currency char(3), weekly_hours numeric);
INSERT INTO contracts SELECT i, 1+(i*3)%1200, date '2023-01-01'+(i*3)%900, CASE WHEN i%9=0 THEN 'infinity'::date ELSE date '2023-01-01'+(i*3)%900+180+(i*5)%700 END, make_interval(months=>(i%4)*6), 10+i%30, 12*(10+i%30), CASE WHEN i%4=0 THEN 0.1 WHEN i%4=1 THEN 15 ELSE NULL END, CASE WHEN i%7=0 THEN NULL ELSE i%2=0 END, 'EUR', i%40 FROM generate_series(1,1500) i;
CREATE VIEW calls_each AS SELECT k.*, t.value FROM calls k JOIN contacts t ON t.customer_id=k.caller_id;
CREATE TABLE rentals(id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers(id), handed_by int NOT NULL REFERENCES customers(id), device text, rented_on date NOT NULL, returned_on date, damaged boolean, length_value numeric, length_unit text, deposit numeric);
INSERT INTO rentals SELECT i, 1+(i*7)%1200, 1+(i*i)%900, (ARRAY['modem','phone','dongle'])[1+i%3], date '2024-01-01'+i/5, CASE WHEN date '2024-01-01'+i/5+(i*13)%400 <= date '2025-08-20' THEN date '2024-01-01'+i/5+(i*13)%400 END, CASE WHEN i%4=0 THEN NULL ELSE i%5=0 END, CASE WHEN i%2=0 THEN 1+i%9 ELSE 30*(1+i%9) END, CASE WHEN i%2=0 THEN 'months' ELSE 'days' END, 20+i%7 FROM generate_series(0,2989) i;
CREATE TABLE repairs(id int PRIMARY KEY, customer_id int NOT NULL, done_on date NOT NULL, hours numeric, agent text);
INSERT INTO repairs SELECT i, CASE WHEN i%4=0 THEN 5000+i ELSE 1+(i*7)%1200 END, date '2024-01-01'+i/3, 1+(i%5), (ARRAY['Kim','Lee','Moe'])[1+i%3] FROM generate_series(1,1500) i;
ALTER TABLE repairs ADD CONSTRAINT repairs_customer FOREIGN KEY (customer_id) REFERENCES customers(id) NOT VALID;
CREATE TABLE assets(id int PRIMARY KEY, label text, maker text);
CREATE TABLE assets_old() INHERITS (assets);
INSERT INTO assets SELECT i, 'A'||i, (ARRAY['Nok','Eri'])[1+i%2] FROM generate_series(1,100) i;
INSERT INTO assets_old SELECT i, 'O'||i, 'Sie' FROM generate_series(1,60) i;
CREATE TABLE checks(id int PRIMARY KEY, asset_id int NOT NULL REFERENCES assets(id), done_at timestamptz NOT NULL, minutes int, ok boolean NOT NULL);
INSERT INTO checks SELECT i, 1+i%100, timestamptz '2024-01-01 00:00+00'+i*interval '7 hours', 5+i%40, i%6<>0 FROM generate_series(1,1800) i;
CREATE TABLE tariffs(code numeric PRIMARY KEY, title text, rate numeric);
INSERT INTO tariffs SELECT i+d/10.0, 'R'||i||d, i FROM generate_series(1,6) i, generate_series(0,3) d;
CREATE TABLE outages(at timestamptz PRIMARY KEY, town text, minutes int);
INSERT INTO outages SELECT timestamptz '2023-01-01 02:00+00'+i*interval '9 hours', (ARRAY['Aston','Brook','Corby'])[1+i%3], 5+i%90 FROM generate_series(1,2500) i;
CREATE TABLE skus(code varchar(8) PRIMARY KEY, title text);
INSERT INTO skus SELECT chr(65+i%6)||i, 's'||i FROM generate_series(1,60) i;
CREATE TABLE pickups(id int PRIMARY KEY, sku char(1) NOT NULL, plan_no int NOT NULL, day date NOT NULL, kg numeric);
INSERT INTO pickups SELECT i, chr(65+i%6), 1+i%6, date '2024-01-01'+i/4, 1+i%17 FROM generate_series(1,1200) i;
