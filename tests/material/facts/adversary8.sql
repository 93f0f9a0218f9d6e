SELECT setseed(0.42);
SET timezone='UTC';
CREATE TABLE site(site_id int PRIMARY KEY, name text NOT NULL, city text, opened_on date, settings jsonb);
INSERT INTO site VALUES (1,'Main House','Ghent','1998-04-01','{"floors":"4"}'),(2,'Annex','Ghent','2010-05-01','{"floors":"2"}'),
 (3,'Annex','Bruges','2012-05-01','{"floors":"10"}'),(4,'Tower','Bruges','2025-07-10','{"floors":"9"}'),(5,'Boathouse, North','Ostend','2001-01-01','{}'),(6,'Depot',NULL,'1990-01-01',NULL);
CREATE TABLE artist(artist_id int PRIMARY KEY, name text, country text, born int);
INSERT INTO artist SELECT i, CASE WHEN i%20=0 THEN 'Anonymous' ELSE 'Artist '||i END, (ARRAY['BE','NL','FR','be',NULL,'IT'])[1+(random()*5.99)::int%6], CASE WHEN i%7=0 THEN NULL ELSE 1500+(random()*450)::int END FROM generate_series(1,120) i;
CREATE TABLE object(object_id int PRIMARY KEY, accession_no text, title text, artist_id int REFERENCES artist, site_id int REFERENCES site, acquired_on date, value numeric(12,2), currency text, weight numeric(8,2), weight_unit text, condition text, insured boolean, deleted_at timestamptz);
INSERT INTO object SELECT i, i::text, 'Object '||i, CASE WHEN random()<0.15 THEN NULL ELSE 1+(random()*118)::int END, (ARRAY[1,1,1,2,3,5,6,4])[1+floor(random()*8)::int], date '1990-01-01'+(random()*12900)::int,
 CASE WHEN random()<0.1 THEN NULL ELSE round((exp(random()*6)*100)::numeric,2) END, (ARRAY['EUR','EUR','EUR','USD','BEF'])[1+floor(random()*5)::int], round((random()*80)::numeric,2), (ARRAY['kg','kg','lb','g'])[1+floor(random()*4)::int],
 (ARRAY['good','good','fair','poor','Good',NULL])[1+floor(random()*6)::int], (ARRAY[true,false,NULL])[1+floor(random()*3)::int], CASE WHEN random()<0.12 THEN timestamptz '2024-01-01'+random()*interval '600 days' END FROM generate_series(1,1500) i;
CREATE TABLE tag(tag_id int PRIMARY KEY, label text);
INSERT INTO tag VALUES (1,'portrait'),(2,'landscape'),(3,'bronze'),(4,'oil, large'),(5,'paper'),(6,'unused');
CREATE TABLE object_tag(object_id int REFERENCES object, tag_id int REFERENCES tag, PRIMARY KEY(object_id,tag_id));
INSERT INTO object_tag SELECT o, t FROM generate_series(1,1500) o, generate_series(1,5) t WHERE random()<0.3;
CREATE TABLE visit(visit_id bigint PRIMARY KEY, site_id int NOT NULL REFERENCES site, visited_at timestamptz NOT NULL, ticket_type text, channel text, group_size int NOT NULL, paid numeric(8,2), minutes int, voided boolean NOT NULL);
INSERT INTO visit SELECT i, CASE WHEN t>=timestamptz '2025-07-10' AND random()<0.25 THEN 4 ELSE (ARRAY[1,1,1,2,3,5])[1+floor(random()*6)::int] END, t, (ARRAY['adult','adult','child','senior','Adult',NULL,'free'])[1+floor(random()*7)::int], (ARRAY['web','desk','desk','partner',NULL])[1+floor(random()*5)::int], 1+floor(random()*random()*8)::int, CASE WHEN random()<0.15 THEN NULL ELSE round((random()*20)::numeric,2) END, CASE WHEN random()<0.3 THEN NULL ELSE 10+(random()*170)::int END, random()<0.06
 FROM (SELECT i, timestamptz '2024-01-01 09:00+00' + ((i/9000.0)*687 )*interval '1 day' + random()*interval '8 hours' t FROM generate_series(1,9000) i) x;
CREATE TABLE loan(loan_id int PRIMARY KEY, object_id int REFERENCES object, borrower text, out_on date, due_on date, back_on date, fee numeric(10,2), fee_currency text, status text);
INSERT INTO loan SELECT i, 1+(random()*1499)::int, (ARRAY['Louvre','Prado','Tate','tate','Uffizi','MAS'])[1+floor(random()*6)::int], d, d+60, CASE WHEN d+60+k<date '2025-11-18' AND random()<0.9 THEN d+60+k END, round((random()*3000)::numeric,2), (ARRAY['EUR','EUR','GBP'])[1+floor(random()*3)::int], (ARRAY['closed','open','cancelled','closed'])[1+floor(random()*4)::int]
 FROM (SELECT i, date '2023-01-10'+(random()*1035)::int d, (random()*90-30)::int k FROM generate_series(1,700) i) x;
CREATE TABLE loan_status(loan_id int REFERENCES loan, status text, changed_at timestamptz);
INSERT INTO loan_status SELECT loan_id, s, out_on+n*interval '5 days' FROM loan, unnest(ARRAY['requested','approved','shipped','returned']) WITH ORDINALITY u(s,n) WHERE random()<1.1-n*0.15;
INSERT INTO loan_status SELECT * FROM loan_status WHERE random()<0.05;
CREATE TABLE display_level(site_id int REFERENCES site, day date, on_display int, waiting int, PRIMARY KEY(site_id,day));
INSERT INTO display_level SELECT s, d::date, 100+s*20+(random()*20)::int, (random()*9)::int FROM generate_series(1,5) s, generate_series(date '2024-01-01', date '2025-11-18', interval '1 day') d WHERE (s<>4 OR d>='2025-07-10') AND NOT (s=5 AND extract(dow from d)=1);
CREATE TABLE climate(site_id int, read_at timestamp, quantity text, unit text, reading numeric(6,2));
INSERT INTO climate SELECT s, d, q, CASE WHEN q='temp' AND s=5 THEN 'F' WHEN q='temp' THEN 'C' ELSE '%' END, CASE WHEN q='temp' AND s=5 THEN 68+random()*6 WHEN q='temp' THEN 19+random()*4 ELSE 45+random()*15 END FROM generate_series(1,5) s, generate_series(timestamp '2025-06-01', timestamp '2025-11-18', interval '12 hours') d, unnest(ARRAY['temp','humidity']) q WHERE random()<0.95;
CREATE TABLE member(member_id text PRIMARY KEY, tier text, joined_on date NOT NULL, left_on date, birth_year int, is_test boolean DEFAULT false);
INSERT INTO member SELECT i::text, (ARRAY['gold','silver','silver','bronze',''])[1+floor(random()*5)::int], d, CASE WHEN random()<0.35 AND d+200<date '2025-11-18' THEN d+(random()*200)::int END, CASE WHEN random()<0.2 THEN NULL ELSE 1940+(random()*65)::int END, random()<0.03 FROM (SELECT i, date '2023-06-01'+(random()*900)::int d FROM generate_series(1,1200) i) x;
CREATE TABLE member_tier(member_id text REFERENCES member, tier text, valid_from date, valid_to date, annual_fee numeric(6,2));
INSERT INTO member_tier SELECT member_id, tier, joined_on, CASE WHEN random()<0.4 THEN joined_on+100 END, 40 FROM member;
INSERT INTO member_tier SELECT member_id, 'gold', valid_to, NULL, 80 FROM member_tier WHERE valid_to IS NOT NULL;
CREATE TABLE donation(donation_id int PRIMARY KEY, member_id text REFERENCES member, given_on date, amount numeric(10,2), currency text, refunded boolean, campaign text);
INSERT INTO donation SELECT i, (1+(random()*1199)::int)::text, d, round((5+random()*random()*500)::numeric,2), (ARRAY['EUR','EUR','EUR','EUR','GBP'])[1+floor(random()*5)::int], (ARRAY[false,false,false,true,NULL])[1+floor(random()*5)::int], (ARRAY['roof','roof','garden','O''Hara',NULL])[1+floor(random()*5)::int] FROM (SELECT i, date '2024-01-01'+(random()*687)::int d FROM generate_series(1,3000) i) x;
CREATE TABLE guide(guide_id int PRIMARY KEY, first_name text, last_name text, hired_on date);
INSERT INTO guide SELECT i, (ARRAY['An','Bo','Cas','Dirk'])[1+i%4], (ARRAY['Maes','Peeters','Claes'])[1+i%3], date '2015-01-01'+i*100 FROM generate_series(1,30) i;
CREATE TABLE tour(tour_id int PRIMARY KEY, guide_id int REFERENCES guide, backup_guide_id int REFERENCES guide, site_id int REFERENCES site, held_on date, capacity int, attended int, rating int, language text, minutes int);
INSERT INTO tour SELECT i, 1+floor(random()*28)::int, CASE WHEN random()<0.4 THEN 1+floor(random()*28)::int END, 1+floor(random()*5)::int, date '2024-01-01'+(i*687/2500), 10+5*floor(random()*4)::int, floor(random()*11)::int, CASE WHEN random()<0.4 THEN NULL ELSE 1+floor(random()*5)::int END, (ARRAY['nl','fr','en','NL'])[1+floor(random()*4)::int], 45+15*floor(random()*4)::int FROM generate_series(1,2500) i;
CREATE TABLE restoration(job_id int, object_id int, step text, started_at timestamp, ended_at timestamp, cost numeric(10,2), hours numeric(6,2));
INSERT INTO restoration SELECT i, CASE WHEN random()<0.05 THEN NULL ELSE 1+(random()*1499)::int END, (ARRAY['clean','frame','varnish'])[1+floor(random()*3)::int], t, CASE WHEN random()<0.8 THEN t+random()*interval '40 days' END, CASE WHEN random()<0.2 THEN NULL ELSE round((random()*900)::numeric,2) END, round((random()*30)::numeric,2) FROM (SELECT i, timestamp '2024-02-01'+random()*interval '650 days' t FROM generate_series(1,800) i) x;
INSERT INTO restoration SELECT * FROM restoration WHERE random()<0.04;
ANALYZE;
-- second part: loaded after the first; statements b1* ran before it
SELECT setseed(0.11);
TRUNCATE loan_status;
INSERT INTO loan_status SELECT loan_id, s, out_on+n*interval '5 days'+random()*interval '3 days' FROM loan CROSS JOIN LATERAL (VALUES ('requested',1),('approved',2),('shipped',3),('returned',4)) u(s,n) WHERE random()<1.1-n*0.15+loan_id*0;
INSERT INTO loan_status SELECT * FROM loan_status WHERE random()<0.05;
CREATE SCHEMA archive;
CREATE TABLE archive.tour(tour_id int PRIMARY KEY, guide_id int, site_id int, held_on date, attended int, language text);
INSERT INTO archive.tour SELECT i, 1+floor(random()*20)::int, 1+floor(random()*3)::int, date '2021-01-01'+(random()*1090)::int, floor(random()*15)::int, (ARRAY['nl','fr'])[1+floor(random()*2)::int] FROM generate_series(1,900) i;
CREATE TYPE mood AS ENUM ('bad','okay','great');
CREATE TABLE feedback(feedback_id int PRIMARY KEY, visit_id bigint, given_at timestamptz, "Mood" mood, "score %" numeric, source text, words text[], extra jsonb, spent interval, balance numeric);
INSERT INTO feedback SELECT i, 1+(random()*8999)::int, timestamptz '2024-03-05 22:30+00'+random()*interval '620 days', (ARRAY['bad','okay','great']::mood[])[1+floor(random()*3)::int], round((random()*100)::numeric,1), (ARRAY['app','app ','no value','NULL',NULL,'all others','kiosk'])[1+floor(random()*7)::int], CASE WHEN random()<0.2 THEN '{}' ELSE (ARRAY[ARRAY['quiet','big'],ARRAY['big','dark'],ARRAY['dark','cold']])[1+floor(random()*3)::int:1+floor(random()*3)::int] END, jsonb_build_object('lang',(ARRAY['nl','fr'])[1+floor(random()*2)::int],'stars',1+floor(random()*5)::int), random()*interval '3 hours', round((random()*200-110)::numeric,2) FROM generate_series(1,1800) i;
CREATE TABLE booth_rent(rent_id int PRIMARY KEY, tenant text, month date, rent numeric(9,2), vat_rate numeric(4,2), rent_cents int) ;
INSERT INTO booth_rent SELECT row_number() over (), t, m::date, round((400+random()*200)::numeric,2), (ARRAY[0.06,0.21])[1+floor(random()*2)::int], (random()*50000)::int FROM unnest(ARRAY['Cafe','Books','Post','Toys']) t, generate_series(date '2024-01-01', date '2025-11-01', interval '1 month') m WHERE NOT (t='Toys' AND m<'2025-02-01') AND NOT (t='Post' AND m>'2025-06-01') AND NOT (t='Books' AND m='2025-03-01');
CREATE TABLE ticket_event(event_id bigserial, visit_ref text, kind text, at timestamptz, qty int) PARTITION BY RANGE (at);
CREATE TABLE ticket_event_24 PARTITION OF ticket_event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE ticket_event_25 PARTITION OF ticket_event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO ticket_event(visit_ref,kind,at,qty) SELECT visit_id::text, k, visited_at, CASE k WHEN 'sold' THEN group_size WHEN 'refund' THEN -group_size ELSE 0 END FROM visit CROSS JOIN LATERAL (VALUES ('sold',1.0),('scan',0.8),('refund',0.1)) u(k,p) WHERE random()<p+visit_id*0;
ANALYZE;
-- third part: for b4*, b5*, b6*
SELECT setseed(0.77);
CREATE TABLE cloakroom(item_id int PRIMARY KEY, left_at date NOT NULL, kind text, grams int, pieces int, fee_cents int);
-- data from 11 January 2023 to 30 October 2025: first year 10 days short, last month 1 day short
INSERT INTO cloakroom SELECT i, date '2023-01-11' + (i*355/250), 'coat', (random()*900)::int, 1+(i%3), (random()*90)::int FROM generate_series(0,249) i;
INSERT INTO cloakroom SELECT 1000+i, date '2024-01-01' + (i*366/253), 'coat', (random()*900)::int, 1+(i%3), (random()*90)::int FROM generate_series(0,252) i;
INSERT INTO cloakroom SELECT 2000+i, date '2025-01-01' + (i*273/260), 'bag', (random()*900)::int, 1+(i%2), (random()*90)::int FROM generate_series(0,259) i;
INSERT INTO cloakroom SELECT 3000+i, date '2025-10-01' + (i*30/31), 'bag', 300, 1, 50 FROM generate_series(0,30) i;
INSERT INTO cloakroom SELECT 4000+i, date '2025-09-01' + i%30, 'cape', 300, 1, 50 FROM generate_series(0,100) i;
INSERT INTO cloakroom SELECT 5000+i, date '2025-10-01' + i%30, 'cape', 300, 1, 50 FROM generate_series(0,99) i;
ANALYZE cloakroom;
