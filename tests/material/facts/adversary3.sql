SELECT setseed(0.42);
CREATE TABLE airports(code text PRIMARY KEY, city text, country text, hub boolean NOT NULL DEFAULT false);
INSERT INTO airports VALUES ('FRA','Frankfurt','Germany',true),('MUC','Munich','Germany',true),('HAM','Hamburg','Germany',false),('CDG','Paris','France',true),('ORY','Paris','France',false),('LHR','London','United Kingdom',false),('LGW','London','United Kingdom',false),('MAD','Madrid','Spain',false),('BCN','Barcelona','Spain',false),('JFK','New York',NULL,false);
CREATE TABLE aircraft(tail text PRIMARY KEY, model text, seats int, commissioned date, retired date, empty_weight_kg int);
INSERT INTO aircraft SELECT 'D-A'||chr(65+g%26)||chr(65+(g*7)%26), (ARRAY['A320','A321','B737','E190','ATR 72'])[1+g%5], (ARRAY[180,220,189,100,70])[1+g%5], date '2005-01-01'+g*200, CASE WHEN g%4=0 THEN date '2023-06-01'+g*10 END, 40000+g*500 FROM generate_series(1,20) g;
CREATE TABLE flights(id serial PRIMARY KEY, flight_no text, tail text REFERENCES aircraft, origin text REFERENCES airports(code), destination text REFERENCES airports(code), departs_at timestamp, delay_minutes int, status text, fuel_kg numeric(10,1), passengers int);
INSERT INTO flights(flight_no,tail,origin,destination,departs_at,delay_minutes,status,fuel_kg,passengers)
SELECT 'LX'||(100+g%37), (SELECT tail FROM aircraft ORDER BY tail OFFSET (g%20) LIMIT 1), o, d, ts,
 CASE WHEN st='cancelled' THEN NULL WHEN r<0.1 THEN -(r*100)::int ELSE ((r-0.1)^3*150*(1+ (o='CDG')::int))::int END, st, CASE WHEN g%29=0 THEN NULL ELSE 2000+ (r2*4000)::int END, CASE WHEN st='cancelled' THEN 0 ELSE 40+(r2*140)::int END
FROM (SELECT g, (ARRAY['FRA','FRA','FRA','MUC','MUC','CDG','CDG','HAM','LHR','MAD'])[1+(random()*9.99)::int%10] o, (ARRAY['FRA','ORY','LGW','BCN','MAD','JFK','HAM'])[1+(random()*6.99)::int%7] d, timestamp '2022-11-10 05:00' + (g*interval '5 hours 17 minutes') ts, random() r, random() r2, CASE WHEN random()<0.06 THEN 'cancelled' WHEN random()<0.05 THEN 'diverted' ELSE 'flown' END st FROM generate_series(1,1800) g) x;
CREATE TABLE bookings(id serial PRIMARY KEY, flight_id int REFERENCES flights, passenger_name text, booked_on date, cabin text, fare numeric(9,2), currency char(3), refunded boolean, bags int, loyalty_tier text);
INSERT INTO bookings(flight_id,passenger_name,booked_on,cabin,fare,currency,refunded,bags,loyalty_tier)
SELECT f, (ARRAY['Ana Ruiz','Bo Lind','Chen Wei','Dora Nagy','Eli Roth','Ana Ruiz'])[1+g%6], (SELECT departs_at::date FROM flights WHERE id=f)-(random()*60)::int, (ARRAY['economy','economy','economy','economy','business','first'])[1+(random()*5.99)::int%6], (50+random()*600)::numeric(9,2)*(CASE WHEN random()<0.03 THEN -1 ELSE 1 END), (ARRAY['EUR','EUR','GBP','USD'])[1+g%4], CASE WHEN random()<0.1 THEN NULL ELSE random()<0.08 END, (random()*3)::int, (ARRAY['gold','silver',NULL,NULL,'none'])[1+g%5]
FROM (SELECT g, 1+(random()*1799)::int f FROM generate_series(1,6000) g) x;
CREATE TABLE crew(id serial PRIMARY KEY, name text, role text, base text REFERENCES airports(code), hired date, left_on date, salary numeric, manager_id int REFERENCES crew);
INSERT INTO crew(name,role,base,hired,left_on,salary,manager_id) SELECT 'Crew '||g, (ARRAY['captain','first officer','cabin','cabin','cabin'])[1+g%5], (ARRAY['FRA','MUC','CDG',NULL])[1+g%4], date '2015-01-01'+g*20, CASE WHEN g%6=0 THEN date '2022-01-01'+g*5 END, 30000+ (random()*90000)::int, CASE WHEN g>5 THEN 1+g%5 END FROM generate_series(1,150) g;
CREATE TABLE lab_samples(sample_id serial PRIMARY KEY, ward text, analyte text, drawn_at timestamptz, reported_at timestamptz, value numeric, unit text, abnormal boolean, rejected boolean NOT NULL, priority smallint);
INSERT INTO lab_samples(ward,analyte,drawn_at,reported_at,value,unit,abnormal,rejected,priority)
SELECT w, a, t, CASE WHEN r<0.05 THEN NULL ELSE t+ (20+r*200)*interval '1 minute'*(CASE WHEN w='ICU' THEN 0.5 ELSE 1 END) END, CASE a WHEN 'glucose' THEN 5+r*3 WHEN 'sodium' THEN 130+r*15 WHEN 'potassium' THEN 3+r*2 ELSE -2+r*4 END, CASE a WHEN 'base excess' THEN 'mmol/L' WHEN 'glucose' THEN (CASE WHEN r<.5 THEN 'mmol/L' ELSE 'mg/dL' END) ELSE 'mmol/L' END, CASE WHEN r2<0.1 THEN NULL ELSE r2<0.3 END, r2>0.95, 1+(r*3)::int%3
FROM (SELECT (ARRAY['ICU','Surgery','Ward 3, East','Maternity','ER','ER'])[1+(random()*5.99)::int%6] w, (ARRAY['glucose','sodium','potassium','base excess'])[1+g%4] a, timestamptz '2023-01-01 00:00+00' + g*interval '97 minutes' t, random() r, random() r2 FROM generate_series(1,5000) g) x;
CREATE TABLE sensors(sensor_id int PRIMARY KEY, room text, kind text);
INSERT INTO sensors VALUES (1,'Lobby','temp'),(2,'Lobby','humidity'),(3,'Cold store','temp'),(4,'Roof','temp'),(5,'Server room','temp'),(6,'Attic','temp');
CREATE TABLE readings(sensor_id int REFERENCES sensors, day date, celsius numeric(6,2), battery_pct int);
INSERT INTO readings SELECT s, date '2023-03-01'+g, CASE s WHEN 3 THEN -18+((g*7)%5)*0.3-0.05*g WHEN 4 THEN 5+g*0.2 WHEN 5 THEN 21+((g*3)%4)*0.2+CASE WHEN g>60 THEN 6 ELSE 0 END WHEN 6 THEN 12+(g*5)%7 ELSE 20+(g%7)*0.5 END, 100-g FROM generate_series(0,90) g, unnest(ARRAY[1,3,4,5,6]) s WHERE NOT (s=4 AND g BETWEEN 20 AND 35);
CREATE SCHEMA archive;
CREATE TABLE archive.flights AS SELECT * FROM public.flights WHERE id<=100;
CREATE TABLE events(id int, kind text, happened_at timestamp, cost numeric);
CREATE TABLE events_old() INHERITS (events);
INSERT INTO events SELECT g, (ARRAY['all','rest','','null'])[1+g%4], timestamp '2022-12-20'+g*interval '13 hours', g FROM generate_series(1,300) g;
INSERT INTO events_old SELECT g, (ARRAY['all','rest'])[1+g%2], timestamp '2021-12-20'+g*interval '13 hours', g FROM generate_series(1,200) g;
CREATE VIEW punctual AS SELECT * FROM flights WHERE delay_minutes <= 15 AND status='flown';
CREATE TABLE stays(id serial, guest text, checked_in timestamp, checked_out timestamp, nights int, rate numeric, room_type text);
INSERT INTO stays(guest,checked_in,checked_out,nights,rate,room_type) SELECT 'g'||g%50, timestamp '2022-12-15 15:00'+g*interval '9 hours', timestamp '2022-12-15 15:00'+g*interval '9 hours'+ (1+g%4)*interval '1 day' + (CASE WHEN g%3=0 THEN 10 ELSE -4 END)*interval '1 hour' + (CASE WHEN g%3=0 THEN 0 ELSE 2 END) * interval '1 day', 1+g%4, 80+(g*37)%90, CASE WHEN g%3=0 THEN 'suite' ELSE 'single' END FROM generate_series(1,900) g;

