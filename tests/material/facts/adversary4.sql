SELECT setseed(0.42);
CREATE TABLE ports (port_id int PRIMARY KEY, name text NOT NULL, country text, region text, closed boolean DEFAULT false);
INSERT INTO ports VALUES (1,'Rotterdam','Netherlands','Europe',false),(2,'Hamburg','Germany','Europe',false),(3,'Antwerp','Belgium','Europe',false),(4,'Singapore','Singapore','Asia',false),(5,'Busan','Korea','Asia',false),(6,'Santos','Brazil','Americas',false),(7,'Houston','USA','Americas',false),(8,'Durban','South Africa',NULL,true),(9,'TEST PORT',NULL,NULL,false);
CREATE TABLE vessels (vessel_id int PRIMARY KEY, name text, type text, flag text, capacity_teu int, built date, retired_on date);
INSERT INTO vessels VALUES (1,'Aurora','feeder','NL',900,'2004-05-01',NULL),(2,'Borealis','feeder','NL',1100,'2009-03-01','2023-08-31'),(3,'Calypso','panamax','PA',4200,'2012-07-01',NULL),(4,'Dione','panamax','PA',4500,'2014-01-01',NULL),(5,'Electra','ultra','LR',14000,'2018-11-01',NULL),(6,'Fortuna','ultra','LR',15500,'2020-02-01',NULL),(7,'Galene','feeder','MT',800,'1999-06-01','2023-03-31'),(8,'Helios','ro-ro','MT',NULL,'2016-09-01',NULL);
CREATE TABLE customers (customer_id int PRIMARY KEY, name text, segment text, country text, is_test boolean NOT NULL DEFAULT false, parent_id int REFERENCES customers, signed_on date, credit_limit numeric);
INSERT INTO customers SELECT g, 'Customer '||g, (ARRAY['Retail','Chemicals','Automotive','Food',NULL])[1+(g*7)%5], (ARRAY['Netherlands','Germany','Brazil','USA'])[1+g%4], g%20=0, CASE WHEN g>10 AND g%3=0 THEN g%10+1 END, date '2020-01-15'+(random()*1400)::int, CASE WHEN g%4<>0 THEN round((random()*100000)::numeric,-3) END FROM generate_series(1,80) g;
UPDATE customers SET name='Customer 7' WHERE customer_id=27;
CREATE TABLE status_codes (code char(1) PRIMARY KEY, label text);
INSERT INTO status_codes VALUES ('Q','quoted'),('B','booked'),('S','sailed'),('A','arrived'),('X','cancelled');
CREATE TABLE bookings (booking_id int PRIMARY KEY, customer_id int REFERENCES customers, vessel_id int REFERENCES vessels, origin_id int REFERENCES ports, dest_id int REFERENCES ports, booked_at timestamptz NOT NULL, sailed_at timestamptz, arrived_at timestamptz, status char(1) REFERENCES status_codes, teu int, amount numeric(12,2), currency char(3), deleted_at timestamptz, tags text[], meta jsonb);
INSERT INTO bookings SELECT g, 1+(random()*79)::int, CASE WHEN g%17=0 THEN NULL ELSE 1+floor(power(random(),1.5)*8)::int END, 1+(random()*7)::int, 1+(random()*7)::int,
 timestamptz '2023-01-01 00:10+00' + (random()*348)*interval '1 day', NULL,NULL, (ARRAY['Q','B','S','A','A','A','A','X'])[1+floor(random()*8)::int], CASE WHEN random()<.06 THEN NULL ELSE 1+floor(random()*random()*40)::int END, NULL, (ARRAY['EUR','EUR','USD','BRL'])[1+floor(random()*4)::int], CASE WHEN random()<.04 THEN timestamptz '2023-12-10' END,
 CASE WHEN random()<.5 THEN ARRAY['reefer'] WHEN random()<.5 THEN ARRAY['reefer','hazardous'] WHEN random()<.3 THEN ARRAY['urgent','oversize'] END,
 jsonb_build_object('channel',(ARRAY['web','phone','broker'])[1+floor(random()*3)::int],'discount',(random()*20)::int) FROM generate_series(1,2400) g;
UPDATE bookings SET amount=round((coalesce(teu,10)*(CASE currency WHEN 'BRL' THEN 5200 WHEN 'USD' THEN 1090 ELSE 1000 END)*(0.6+random()*0.8))::numeric,2) WHERE status<>'Q' ;
UPDATE bookings SET sailed_at=booked_at+(2+random()*20)*interval '1 day' WHERE status IN ('S','A');
UPDATE bookings SET arrived_at=sailed_at+(5+random()*random()*45)*interval '1 day' WHERE status='A';
UPDATE bookings SET booked_at = timestamptz '2023-03-31 23:30+00' WHERE booking_id%60=0;
UPDATE bookings SET amount=-amount WHERE booking_id%97=0;
CREATE TABLE status_history (id serial PRIMARY KEY, booking_id int REFERENCES bookings, status char(1), changed_at timestamptz);
INSERT INTO status_history(booking_id,status,changed_at) SELECT booking_id,'Q',booked_at-interval '3 day' FROM bookings UNION ALL SELECT booking_id,'B',booked_at FROM bookings WHERE status<>'Q' UNION ALL SELECT booking_id,'S',sailed_at FROM bookings WHERE sailed_at IS NOT NULL UNION ALL SELECT booking_id,'A',arrived_at FROM bookings WHERE arrived_at IS NOT NULL UNION ALL SELECT booking_id,'X',booked_at+interval '4 day' FROM bookings WHERE status='X';
CREATE TABLE containers (container_id serial PRIMARY KEY, booking_id int NOT NULL REFERENCES bookings, kind text, weight_kg int, damaged boolean, checked_on date);
INSERT INTO containers(booking_id,kind,weight_kg,damaged,checked_on) SELECT booking_id,(ARRAY['dry','dry','reefer','tank'])[1+floor(random()*4)::int], CASE WHEN random()<.1 THEN NULL ELSE 2000+(random()*24000)::int END, CASE WHEN random()<.3 THEN NULL ELSE random()<.05 END, (booked_at+interval '10 day')::date FROM bookings, generate_series(1,1+booking_id%4) WHERE booking_id%9<>0;
CREATE TABLE invoices (invoice_id serial PRIMARY KEY, booking_id int REFERENCES bookings, amount_cents bigint, currency char(3), issued_on date, due_on date, paid_on date, kind text);
INSERT INTO invoices(booking_id,amount_cents,currency,issued_on,due_on,paid_on,kind) SELECT booking_id,(amount*100)::bigint,currency,(booked_at+interval '5 day')::date,(booked_at+interval '35 day')::date, CASE WHEN random()<.8 THEN (booked_at+(10+random()*50)*interval '1 day')::date END,'freight' FROM bookings WHERE amount IS NOT NULL;
INSERT INTO invoices(booking_id,amount_cents,currency,issued_on,due_on,paid_on,kind) SELECT booking_id,25000,currency,(booked_at+interval '15 day')::date,(booked_at+interval '45 day')::date,NULL,'demurrage' FROM bookings WHERE booking_id%7=0;
INSERT INTO invoices(booking_id,amount_cents,currency,issued_on,due_on,paid_on,kind) SELECT booking_id,-10000,currency,(booked_at+interval '20 day')::date,NULL,NULL,'credit note' FROM bookings WHERE booking_id%31=0;
CREATE TABLE fx_rates (currency char(3), month date, eur numeric, PRIMARY KEY(currency,month));
INSERT INTO fx_rates SELECT c, m::date, CASE c WHEN 'EUR' THEN 1 WHEN 'USD' THEN 0.92 ELSE 0.19 END FROM unnest(ARRAY['EUR','USD','BRL']) c, generate_series(date '2023-01-01',date '2023-11-01','1 month') m;
CREATE TABLE port_temps (port_id int REFERENCES ports, day date, temp_c numeric, crane_hours numeric);
INSERT INTO port_temps SELECT p, d::date, round((10+p+10*sin(extract(doy from d)/58.0)+random()*3)::numeric,1), CASE WHEN random()<.9 THEN round((random()*24)::numeric,1) END FROM generate_series(1,4) p, generate_series(date '2023-01-01', date '2023-06-20','1 day') d;
UPDATE invoices SET paid_on=NULL WHERE paid_on>'2023-12-18';
CREATE TABLE crew_hours (vessel_id int REFERENCES vessels, week date, crew int, hours numeric, incidents int);
INSERT INTO crew_hours SELECT v, w::date, 10+v, round((200+random()*100)::numeric,1), CASE WHEN random()<.8 THEN floor(random()*3)::int END FROM generate_series(1,5) v, generate_series(date '2023-10-02', date '2023-11-27','7 day') w WHERE NOT (v=2 AND w IN (date '2023-10-16', date '2023-10-23'));
