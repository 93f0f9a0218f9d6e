-- A container port (invented)
SELECT setseed(0.4217);
CREATE TABLE operators(operator_id int PRIMARY KEY, name text NOT NULL, alliance text, country char(2));
INSERT INTO operators SELECT i, (ARRAY['Nordlin','Maris','Oceanic','Hanjo','Evermore','Cosco-like','Blue Star','maris','Oceanic '])[i],
 (ARRAY['2M','2M','THE',NULL,'OCEAN','OCEAN',NULL,'2M','THE'])[i], (ARRAY['DK','CH','JP','KR','TW','CN','NL','CH','JP'])[i] FROM generate_series(1,9) i;
CREATE TABLE vessels(vessel_id int PRIMARY KEY, name text, vessel_type text, flag char(2), operator_id int REFERENCES operators, teu_capacity int, built int, deleted_at timestamptz);
INSERT INTO vessels SELECT i, 'MV '||(ARRAY['Alba','Bora','Cyra','Dora','Esma','Fenja','Gala','Hera','Iris','Juno'])[1+i%10]||CASE WHEN i>10 AND i%7<>0 THEN ' '||(i/10)::text ELSE '' END,
 (ARRAY['Container','Container','container','Feeder','Ro-Ro','Feeder ','Container','Bulk'])[1+i%8], (ARRAY['PA','LR','MH','NL',NULL])[1+i%5],
 CASE WHEN i%11=0 THEN NULL ELSE 1+i%9 END, CASE WHEN i%8=4 THEN NULL ELSE (random()*12000)::int+600 END, 1995+i%28,
 CASE WHEN i%13=0 THEN '2026-05-02 10:00+00'::timestamptz+ i*interval '1 day' END FROM generate_series(1,60) i;
CREATE TABLE port_calls(call_id int PRIMARY KEY, vessel_id int NOT NULL REFERENCES vessels, berth text, eta timestamptz, ata timestamptz, atd timestamptz, status text, is_cancelled boolean NOT NULL DEFAULT false, pilot_required boolean, delay_hours numeric);
INSERT INTO port_calls
 SELECT row_number() OVER (ORDER BY t), v, b, t, CASE WHEN NOT c THEN t+d END,
  CASE WHEN NOT c AND t+d+s < '2026-11-17 14:20+01' THEN t+d+s END,
  CASE WHEN c THEN 'cancelled' WHEN t+d+s < '2026-11-17 14:20+01' THEN 'departed' ELSE 'alongside' END, c, random()<.6,
  CASE WHEN c THEN NULL ELSE round((extract(epoch FROM d)/3600)::numeric,1) END
 FROM (SELECT t, 1+(random()*59)::int v, (ARRAY['N1','N1','N1','N2','N2','S1','S2','n1',NULL,'S1'])[1+(random()*9.4)::int] b,
   (random()*30-4)*interval '1 hour' d, (8+random()*40)*interval '1 hour' s, random()<.07 c
  FROM (SELECT '2024-10-09 00:00+02'::timestamptz + i*interval '10 hours' + (random()*9)*interval '1 hour' t FROM generate_series(0,1840) i) x
  WHERE t < '2026-11-17 09:00+01') y;
CREATE TABLE moves(move_id bigint PRIMARY KEY, call_id int REFERENCES port_calls, container_no text, kind text, moved_at timestamp, crane text, weight numeric, weight_unit text, teu int, is_test boolean, seconds int);
INSERT INTO moves SELECT row_number() OVER (), call_id, 'CONU'||(100000+(random()*9000)::int), k, ata::timestamp + (random()*20)*interval '1 hour', cr,
  CASE u WHEN 'kg' THEN round((2000+random()*24000)::numeric) WHEN 't' THEN round((2+random()*24)::numeric,2) WHEN 'lb' THEN round((4400+random()*52000)::numeric) END,
  u, CASE WHEN random()<.03 THEN NULL WHEN random()<.55 THEN 2 ELSE 1 END, random()<.01, (60+random()*150+CASE WHEN cr='C5' THEN 15 ELSE 0 END)::int
 FROM (SELECT call_id, ata, (ARRAY['discharge','load','load','discharge','LOAD','restow'])[1+(random()*5.3)::int] k,
   CASE WHEN ata>='2026-08-03' AND random()<.25 THEN 'C5' WHEN ata<'2026-05-10' AND random()<.15 THEN 'C4' ELSE (ARRAY['C1','C2','C3'])[1+(random()*2.4)::int] END cr,
   (ARRAY['kg','kg','kg','kg','t','lb',NULL])[1+(random()*6)::int] u
   FROM port_calls, generate_series(1, 4+(call_id*7919)%13) WHERE ata IS NOT NULL) z;
CREATE TABLE yard_stock(snapshot_date date, block text, containers int, reefers int, PRIMARY KEY(snapshot_date, block));
INSERT INTO yard_stock SELECT d::date, b, 300+ascii(b)*3+((d::date-'2025-01-01')*(CASE b WHEN 'A' THEN .4 ELSE .1 END))::int+(random()*40)::int, (random()*30)::int
 FROM generate_series('2025-01-01'::timestamp,'2026-11-17','1 day') d, unnest(ARRAY['A','B','C','D']) b WHERE NOT (b='D' AND d<'2026-02-10') AND random()>.02;
CREATE TABLE fuel_tank_levels(tank text, read_on date, litres numeric, note text); -- no key: stock
INSERT INTO fuel_tank_levels SELECT t, d::date, round((5000+random()*3000)::numeric), NULL FROM generate_series('2026-01-01'::timestamp,'2026-11-16','1 day') d, unnest(ARRAY['T1','T2','T3']) t;
INSERT INTO fuel_tank_levels SELECT tank, read_on, litres, 'resent' FROM fuel_tank_levels WHERE random()<.05;
CREATE TABLE customers(customer_id int PRIMARY KEY, name text, segment text, country text, credit_limit numeric, onboarded_on date, is_deleted boolean DEFAULT false, parent_id int);
INSERT INTO customers SELECT i, (ARRAY['Acme','ACME ','Bolt','Cargo One','Delta','Ebro','Fjord','Gamma','Helix','Inter'])[1+i%10]||CASE WHEN i>20 THEN ' '||i/10 ELSE '' END,
 (ARRAY['Forwarder','forwarder','Shipper','Line',NULL,'Shipper'])[1+i%6], (ARRAY['NL','DE','BE','FR','nl','GB'])[1+(i*5)%6], CASE WHEN i%4=0 THEN NULL ELSE 1000*(i%17) END,
 '2023-01-10'::date+i*12, i%19=0, CASE WHEN i%9=0 THEN 1+i%7 END FROM generate_series(1,90) i;
CREATE TABLE invoices(invoice_id int PRIMARY KEY, call_id int REFERENCES port_calls, customer_id int REFERENCES customers, doc_type text, currency char(3), amount numeric, vat_rate numeric, issued_on date, due_on date, paid_on date, voided_at timestamptz, status text);
INSERT INTO invoices SELECT row_number() OVER (ORDER BY atd), call_id, c, CASE WHEN r<.08 THEN 'credit' ELSE 'invoice' END, cur,
  round((CASE WHEN r<.08 THEN -1 ELSE 1 END*(200+random()*6000)*CASE cur WHEN 'JPY' THEN 150 ELSE 1 END)::numeric,2), CASE WHEN c%3=0 THEN 0 ELSE 0.21 END,
  i, i+30, CASE WHEN random()<.85 AND i+(20+c%30)<'2026-11-17' THEN i+(20+c%30)+(random()*20)::int END,
  CASE WHEN random()<.04 THEN atd+interval '3 days' END, NULL
 FROM (SELECT call_id, atd, atd::date+1+(random()*6)::int i, 1+(random()*89)::int c, (ARRAY['EUR','EUR','EUR','USD','JPY','EUR','GBP'])[1+(random()*6)::int] cur, random() r FROM port_calls, generate_series(1,2) WHERE atd IS NOT NULL) q WHERE i<='2026-11-17';
UPDATE invoices SET status=CASE WHEN voided_at IS NOT NULL THEN 'void' WHEN paid_on IS NOT NULL THEN 'paid' WHEN due_on<'2026-11-17' THEN 'overdue' ELSE 'open' END;
CREATE TABLE invoice_lines(invoice_id int, line_no int, service text, qty numeric, unit text, unit_price numeric, net numeric); -- no key, some lines twice
INSERT INTO invoice_lines SELECT invoice_id, l, (ARRAY['Stevedoring','Storage','Pilotage','Reefer','storage'])[1+(random()*4)::int], q, (ARRAY['move','day','call','hour'])[1+(random()*3)::int], p, round(q*p,2)
 FROM (SELECT invoice_id, l, (1+(random()*9)::int)::numeric q, round((20+random()*300)::numeric,2) p FROM invoices, generate_series(1,3) l WHERE random()<.7) x;
INSERT INTO invoice_lines SELECT * FROM invoice_lines WHERE random()<.03;
CREATE TABLE tariffs(customer_id int, service text, price numeric, currency char(3), valid_from date, valid_to date);
INSERT INTO tariffs SELECT c, s, round((50+random()*200)::numeric,2), (ARRAY['EUR','USD'])[1+c%2], d, CASE WHEN d<'2026-01-01' THEN d+364 END FROM generate_series(1,90) c, unnest(ARRAY['Stevedoring','Storage','Pilotage']) s, unnest(ARRAY['2024-01-01','2025-01-01','2026-01-01']::date[]) d WHERE random()<.9;
CREATE TABLE call_agents(call_id int, agent text, role text);
INSERT INTO call_agents SELECT call_id, a, (ARRAY['ship','cargo'])[1+(random()*1)::int] FROM port_calls, unnest(ARRAY['Van Dijk','Peeters','Kroon','Smit']) a WHERE random()<.42;
CREATE TABLE truck_visits(visit_id int PRIMARY KEY, gate text, haulier text, arrived_at timestamptz, left_at timestamptz, turn_minutes int, outcome text, booked boolean);
INSERT INTO truck_visits SELECT row_number() OVER (ORDER BY a), (ARRAY['East','West','East','West','South'])[1+(random()*4)::int], (ARRAY['Jansen','jansen','Vos','Mulder','Bakker','De Wit'])[1+(random()*5)::int], a,
  CASE WHEN random()<.93 THEN a+(20+random()*100)*interval '1 minute' END, NULL, (ARRAY['ok','ok','ok','refused','ok','no show',NULL])[1+(random()*6)::int], random()<.7
  FROM (SELECT '2026-03-16 05:00+01'::timestamptz+(i*37.5*interval '1 minute')+random()*interval '2 hours' a FROM generate_series(0,9400) i) x WHERE a<'2026-11-17 14:00+01' AND extract(dow FROM a)<>0;
UPDATE truck_visits SET turn_minutes=round(extract(epoch FROM left_at-arrived_at)/60);
CREATE TABLE crane_months(month text, crane text, moves int, hours numeric, moves_per_hour numeric, availability_pct numeric);
INSERT INTO crane_months SELECT to_char(d,'YYYY-MM'), c, m, h, round(m/h,2), round((80+random()*20)::numeric,1) FROM (SELECT d,c,(500+random()*900)::int m, round((30+random()*60)::numeric,1) h FROM generate_series('2025-01-01'::timestamp,'2026-11-01','1 month') d, unnest(ARRAY['C1','C2','C3','C4']) c WHERE NOT(c='C4' AND d>'2026-05-10')) x;
CREATE TABLE incidents(incident_id int PRIMARY KEY, happened_on date, reported_on date, berth text, severity text, cost_eur numeric, lost_days int, closed_on date, is_test boolean);
INSERT INTO incidents SELECT i, d, d+(random()*9)::int, (ARRAY['N1','N2','S1','S2','N1',NULL])[1+(random()*5)::int], (ARRAY['low','low','medium','High','high','low'])[1+(random()*5)::int], CASE WHEN random()<.5 THEN NULL ELSE round((random()*9000)::numeric) END, CASE WHEN random()<.4 THEN (random()*12)::int END, CASE WHEN random()<.8 THEN least(d+(random()*60)::int,'2026-11-17') END, random()<.05
 FROM (SELECT i, '2025-01-03'::date+(random()*680)::int d FROM generate_series(1,260) i) x WHERE NOT d BETWEEN '2026-02-01' AND '2026-02-28' AND d NOT BETWEEN '2025-08-01' AND '2025-08-31' ;
CREATE TABLE fx_rates(currency char(3), day date, eur_per_unit numeric, PRIMARY KEY(currency, day));
INSERT INTO fx_rates SELECT c, d::date, round((CASE c WHEN 'USD' THEN .92 WHEN 'GBP' THEN 1.17 WHEN 'JPY' THEN .0061 ELSE 1 END*(.98+random()*.04))::numeric,5) FROM unnest(ARRAY['EUR','USD','GBP','JPY']) c, generate_series('2024-10-01'::timestamp,'2026-11-17','1 day') d;
CREATE TABLE tide_readings(station text, read_at timestamptz, level_cm int, temp_c numeric, unit text);
INSERT INTO tide_readings SELECT s, t, (180*sin(extract(epoch FROM t)/7120))::int+(random()*20)::int, round((CASE WHEN s='Outer' THEN 50 ELSE 10 END+8*sin((extract(doy FROM t)-100)/58)+random()*3)::numeric,1), CASE s WHEN 'Outer' THEN 'F' ELSE 'C' END FROM unnest(ARRAY['Inner','Outer']) s, generate_series('2025-06-01 00:00+00'::timestamptz,'2026-11-17 12:00+00','6 hours') t WHERE random()>.03;
CREATE TABLE staff_shifts(shift_id int PRIMARY KEY, person text, team text, starts_at timestamp, hours numeric, overtime_hours numeric, deleted boolean);
INSERT INTO staff_shifts SELECT i, 'P'||(1+(random()*39)::int), (ARRAY['Red','Blue','Green'])[1+(random()*2)::int], '2025-12-20 06:00'::timestamp+(i%332)*interval '1 day'+(ARRAY[0,8,16])[1+i%3]*interval '1 hour', (ARRAY[8,8,8,12,4])[1+(random()*4)::int], CASE WHEN random()<.2 THEN round((random()*4)::numeric,1) END, random()<.03 FROM generate_series(1,3600) i;
CREATE TABLE budget(month date, berth text, planned_calls int, planned_revenue numeric, PRIMARY KEY(month, berth));
INSERT INTO budget SELECT d::date, b, 10+(random()*12)::int, round((50000+random()*30000)::numeric,-3) FROM generate_series('2026-01-01'::timestamp,'2026-12-01','1 month') d, unnest(ARRAY['N1','N2','S1','S2']) b;
CREATE TABLE survey(response_id int PRIMARY KEY, customer_id int, score int, answered_on date, wave text);
INSERT INTO survey SELECT i, 1+(random()*89)::int, CASE WHEN random()<.05 THEN 99 ELSE (random()*10)::int END, '2025-03-01'::date+(random()*620)::int, (ARRAY['2025H1','2025H2','2026H1','2026H2'])[1+(random()*3)::int] FROM generate_series(1,400) i;
CREATE VIEW v_open_calls AS SELECT * FROM port_calls WHERE NOT is_cancelled AND atd IS NULL;
CREATE VIEW v_invoice_agents AS SELECT i.*, a.agent FROM invoices i LEFT JOIN call_agents a USING (call_id);
CREATE VIEW v_revenue_eur AS SELECT i.invoice_id, i.issued_on, i.customer_id, i.amount*f.eur_per_unit AS eur FROM invoices i JOIN fx_rates f ON f.currency=i.currency AND f.day=i.issued_on WHERE i.voided_at IS NULL;
ANALYZE;
CREATE TABLE customs_holds(hold_id int PRIMARY KEY, code text, zone varchar(8), released text, held_on date, hours numeric, grade "char", ok boolean);
INSERT INTO customs_holds SELECT i, (ARRAY['t','f','01','1','1e3','NaN','2026-01','NULL','','yes'])[1+i%10], (ARRAY['1','2','10','true'])[1+(i*7)%4], (ARRAY['t','f',NULL,'t','y'])[1+i%5], '2026-01-01'::date+(i%300), (i*37%50)+0.5, (ARRAY['t','f','a'])[1+i%3]::"char", CASE WHEN i%6=0 THEN NULL ELSE i%4<>0 END FROM generate_series(1,900) i;
ANALYZE customs_holds;
CREATE TABLE claims_log(claim_id int PRIMARY KEY, claimant text, flag text, filed_on date, filed_text text, base numeric, extra numeric, fee numeric, currency text, started timestamptz, ended timestamptz, rank_no int);
INSERT INTO claims_log SELECT i, (ARRAY['O''Brien','Acme'' has the highest sum; ''Bolt','all others','no value','Total','X (p < 0.001)','N1','12'])[1+i%8], (ARRAY['t','f','true','on'])[1+i%4], '2025-11-01'::date+(i*7)%380, to_char('2025-11-01'::date+(i*7)%380,'DD.MM.YYYY'), 100+(i*13)%70, CASE WHEN i%3=0 THEN (i*5)%40 END, CASE WHEN i%4=0 THEN NULL ELSE 2+(i%3) END, (ARRAY['EUR','EUR','eur','USD'])[1+i%4], '2025-11-01 00:00+00'::timestamptz+i*interval '9 hours', '2025-11-01 00:00+00'::timestamptz+i*interval '9 hours'+(i%70)*interval '1 hour', i%5 FROM generate_series(1,1000) i;
ANALYZE claims_log;
CREATE TABLE badge_codes(code text, holder text, team text, active boolean, num text, n1 int, n2 int);
CREATE UNIQUE INDEX badge_active ON badge_codes(code) WHERE active;
CREATE UNIQUE INDEX badge_lower ON badge_codes(lower(holder));
CREATE UNIQUE INDEX badge_nn ON badge_codes(n1, n2);
INSERT INTO badge_codes SELECT 'B'||(i%40), 'H'||i, (ARRAY['Red','Blue'])[1+i%2], i<40, CASE WHEN i%2=0 THEN lpad((i/2)::text,3,'0') ELSE (i/2)::text END, CASE WHEN i%3=0 THEN NULL ELSE i END, 1 FROM generate_series(0,119) i;
CREATE UNIQUE INDEX badge_num ON badge_codes(num, holder);
CREATE TABLE gate_swipes(swipe_id int PRIMARY KEY, code text, n1 int, n2 int, num int, swiped_at timestamptz, seconds int, price money, dur interval, shift_start time, day_text text);
INSERT INTO gate_swipes SELECT i, 'B'||(i%45), CASE WHEN i%3=0 THEN NULL ELSE i%120 END, 1, i%60, '2026-03-01 00:00+00'::timestamptz + i*interval '100 minutes', 5+i%30, (i%10)::numeric::money, (i%90)*interval '1 minute', '06:00', to_char('2026-03-01'::timestamp + i*interval '100 minutes','YYYY-MM-DD') FROM generate_series(1,3000) i;
CREATE UNIQUE INDEX ON gate_swipes(swipe_id);
CREATE TABLE zone_months(month date UNIQUE, zone text, fee numeric);
INSERT INTO zone_months SELECT d::date, CASE WHEN extract(day FROM d)=1 THEN 'first' ELSE 'mid' END, 10+extract(month FROM d) FROM generate_series('2026-03-01'::timestamp,'2026-09-16','1 month') d UNION ALL SELECT d::date, 'mid', 20 FROM generate_series('2026-03-16'::timestamp,'2026-09-16','1 month') d;
CREATE TYPE lvl AS ENUM('low','mid','high','t','f');
CREATE TABLE base_events(id int, kind lvl, qty int, on_day date, code char(4));
CREATE TABLE base_events_old() INHERITS (base_events);
INSERT INTO base_events SELECT i, (ARRAY['low','mid','high','t','f'])[1+i%5]::lvl, i%9, '2026-01-01'::date+i%200, (ARRAY['a','bb','t'])[1+i%3] FROM generate_series(1,400) i;
INSERT INTO base_events_old SELECT i, 'low', i%9, '2025-06-01'::date+i%200, 'a' FROM generate_series(1,200) i;
CREATE MATERIALIZED VIEW mv_moves_day AS SELECT moved_at::date d, crane, count(*) n, avg(seconds) s FROM moves GROUP BY 1,2;
ANALYZE badge_codes; ANALYZE gate_swipes; ANALYZE zone_months; ANALYZE base_events; ANALYZE base_events_old; ANALYZE mv_moves_day;
