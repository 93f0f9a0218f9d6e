SELECT setseed(0.42);
CREATE TYPE stay_status AS ENUM ('requested','confirmed','in_house','checked_out','cancelled','no_show');
CREATE TABLE hotels (id int PRIMARY KEY, name text NOT NULL, city text, country text NOT NULL, currency char(3) NOT NULL,
  stars int, rooms int NOT NULL, opened date NOT NULL, closed_on date, time_zone text NOT NULL, manager text);
INSERT INTO hotels VALUES
 (1,'Grand','Berlin','DE','EUR',4,120,'2012-04-01',NULL,'Europe/Berlin','Weber'),
 (2,'Grand','Vienna','AT','EUR',5,80,'2015-06-01',NULL,'Europe/Vienna','Huber'),
 (3,'Harbour','Hamburg','DE','EUR',3,200,'2010-01-01',NULL,'Europe/Berlin','Weber'),
 (4,'Plaza','New York','US','USD',4,300,'2008-09-01',NULL,'America/New_York','Jones'),
 (5,'Bayview','Boston','US','USD',3,90,'2018-05-01','2026-03-31','America/New_York',NULL),
 (6,'Sakura','Tokyo','JP','JPY',4,150,'2019-02-01',NULL,'Asia/Tokyo','Sato'),
 (7,'Alpine','Zurich','CH','CHF',5,60,'2025-09-15',NULL,'Europe/Zurich','Meier'),
 (8,'Lagoon','Venice','IT','EUR',NULL,70,'2016-03-01',NULL,'Europe/Rome',NULL);
CREATE TABLE guests (id int PRIMARY KEY, name text NOT NULL, email text, country text, tier text, born date, joined date NOT NULL, referred_by int REFERENCES guests);
INSERT INTO guests SELECT i, 'Guest '||(i%700), CASE WHEN i%9<>0 THEN 'g'||(i%1150)||'@x.org' END,
  CASE WHEN i%11=0 THEN NULL ELSE (ARRAY['DE','DE','AT','US','US','JP','CH','de','IT','FR'])[1+i%10] END,
  CASE WHEN i%4=0 THEN NULL ELSE (ARRAY['basic','basic','silver','gold'])[1+i%4] END,
  CASE WHEN i%5<>0 THEN date '1950-01-01'+(random()*20000)::int END, date '2023-01-01'+(i*1350/1200),
  CASE WHEN i>50 AND i%3=0 THEN 1+(i%50) END FROM generate_series(1,1200) i;
CREATE TABLE bookings (id int PRIMARY KEY, hotel_id int NOT NULL REFERENCES hotels, guest_id int REFERENCES guests,
  booked_at timestamptz NOT NULL, check_in date NOT NULL, check_out date NOT NULL, status stay_status NOT NULL, channel text,
  amount numeric(12,2), currency char(3) NOT NULL, adults int NOT NULL, children int, room_no text, discount_pct numeric(5,2),
  cancelled_at timestamptz, deleted_at timestamptz, tags text[], extra jsonb);
INSERT INTO bookings
SELECT i, h, CASE WHEN random()<0.9 THEN 1+floor(power(random(),1.6)*1199)::int END, t, ci, ci+n,
  CASE WHEN can THEN 'cancelled' WHEN r5<0.03 THEN 'no_show' WHEN ci+n<=date '2026-10-13' THEN 'checked_out'
       WHEN ci<=date '2026-10-13' THEN 'in_house' WHEN r5<0.3 THEN 'requested' ELSE 'confirmed' END::stay_status,
  (ARRAY['web','web','web','agency','agency','phone','corporate','Web',NULL])[1+floor(r6*9)::int],
  CASE WHEN r7<0.05 THEN NULL ELSE round((n*(ARRAY[140,220,90,260,150,21000,310,180])[h]*(0.7+0.6*r8))::numeric,2) END,
  (ARRAY['EUR','EUR','EUR','USD','USD','JPY','CHF','EUR'])[h], 1+floor(r9*3)::int, CASE WHEN r10<0.5 THEN floor(r10*6)::int END,
  (1+floor(r11*12)::int)::text, CASE WHEN r12<0.3 THEN (ARRAY[5,10,15,20])[1+floor(r12*13)::int%4] END,
  CASE WHEN can THEN t+ (least((ci - t::date), date '2026-10-13'-t::date)*r13)*interval '1 day' END,
  CASE WHEN r14<0.04 THEN t+interval '1 day' END,
  CASE WHEN r15<0.2 THEN NULL WHEN r15<0.5 THEN ARRAY['business'] WHEN r15<0.8 THEN ARRAY['family','pool'] ELSE ARRAY['business','spa','vip'] END,
  CASE WHEN r16<0.1 THEN NULL WHEN r16<0.4 THEN jsonb_build_object('breakfast',true,'source','app','age', (r8*60+18)::int) WHEN r16<0.7 THEN jsonb_build_object('breakfast',false,'source','desk') ELSE jsonb_build_object('source',null,'age','n/a') END
FROM (SELECT i, t, (t::date + least(floor(-ln(1-random()*0.999)*35)::int,200)) ci, 1+floor(random()*random()*9)::int n, h,
   random()<(CASE WHEN h=4 THEN 0.28 ELSE 0.14 END) can, random() r5, random() r6, random() r7, random() r8, random() r9, random() r10, random() r11, random() r12, random() r13, random() r14, random() r15, random() r16
 FROM (SELECT i, timestamptz '2024-01-01 00:00+00'+ (power(random(),0.85)*1016)*interval '1 day' t, CASE WHEN random()<0.02 THEN 7 ELSE (ARRAY[1,2,3,3,4,4,4,5,6,8])[1+floor(random()*10)::int] END h FROM generate_series(1,9000) i) a
 ) b WHERE NOT (h=7 AND t<'2025-09-01') AND NOT (h=5 AND ci>'2026-03-31');
CREATE INDEX ON bookings(hotel_id);
CREATE TABLE payments (id int PRIMARY KEY, booking_id int NOT NULL REFERENCES bookings, paid_at timestamptz NOT NULL, amount numeric(12,2) NOT NULL, method text NOT NULL, kind text NOT NULL);
INSERT INTO payments SELECT row_number() OVER (), b.id, b.booked_at+k*interval '3 days', CASE WHEN k=3 THEN -round(b.amount*0.8,2) ELSE round(b.amount*0.5,2) END,
  (ARRAY['card','card','cash','voucher'])[1+(b.id+k)%4], CASE WHEN k=3 THEN 'refund' WHEN k=1 THEN 'deposit' ELSE 'balance' END
 FROM bookings b, generate_series(1,3) k WHERE b.amount IS NOT NULL AND (k=1 OR (k=2 AND b.status NOT IN ('cancelled','requested') AND b.id%5<>0) OR (k=3 AND b.status='cancelled'));
CREATE TABLE reviews (id int PRIMARY KEY, booking_id int NOT NULL REFERENCES bookings, score int, lang text, submitted_at timestamptz NOT NULL, answered_at timestamptz);
INSERT INTO reviews SELECT row_number() OVER (), id, s, l, t, CASE WHEN random()<0.6 THEN t+random()*interval '40 days' END FROM (
 SELECT b.id, CASE WHEN random()<0.08 THEN NULL ELSE greatest(1,least(10, round(7+(CASE hotel_id WHEN 4 THEN -1 WHEN 2 THEN 1 ELSE 0 END)+(random()-0.5)*6)))::int END s, (ARRAY['en','de','en','ja'])[1+b.id%4] l, b.check_out::timestamptz+(k*random()*30)*interval '1 day' t
 FROM bookings b, generate_series(1,2) k WHERE b.status='checked_out' AND (k=1 AND b.id%3<>0 OR k=2 AND b.id%10=1)) x WHERE t<'2026-10-14';
UPDATE reviews SET answered_at=NULL WHERE answered_at>'2026-10-14';
CREATE TABLE occupancy (hotel_id int NOT NULL REFERENCES hotels, day date NOT NULL, rooms_available int NOT NULL, rooms_sold int NOT NULL, avg_rate numeric(10,2), on_hand int, PRIMARY KEY(hotel_id, day));
INSERT INTO occupancy SELECT h.id, d::date, h.rooms, floor(h.rooms*(0.45+0.35*random()+0.12*(extract(month from d) in (7,8))::int))::int, CASE WHEN random()<0.97 THEN (ARRAY[140,220,90,260,150,21000,310,180])[h.id]*(0.8+0.4*random()) END, 1000+floor(random()*400)::int
 FROM hotels h, generate_series(date '2025-01-01', date '2026-10-13', interval '1 day') d WHERE d>=h.opened AND (h.closed_on IS NULL OR d<=h.closed_on) AND NOT (h.id=8 AND extract(month from d) IN (11,12,1));
CREATE TABLE points_balance (id serial PRIMARY KEY, guest_id int NOT NULL REFERENCES guests, as_of date NOT NULL, points int NOT NULL, level text);
INSERT INTO points_balance(guest_id, as_of, points, level) SELECT g.id, d::date, (g.id%40)*50+(random()*300)::int + (extract(epoch from d-timestamp '2026-01-01')/86400)::int, g.tier FROM guests g, generate_series(date '2026-01-31', date '2026-09-30', interval '1 month') d WHERE g.joined<=d;
CREATE TABLE tariffs (id int PRIMARY KEY, hotel_id int NOT NULL REFERENCES hotels, season text NOT NULL, price numeric(10,2) NOT NULL, currency char(3) NOT NULL, valid_from date NOT NULL, valid_to date);
INSERT INTO tariffs SELECT row_number() OVER (), h.id, s, (ARRAY[140,220,90,260,150,21000,310,180])[h.id]*(CASE s WHEN 'high' THEN 1.3 ELSE 0.9 END)*(1+0.05*(y-2024)), h.currency, make_date(y,1,1), CASE WHEN y<2026 THEN make_date(y,12,31) END FROM hotels h, unnest(ARRAY['high','low']) s, generate_series(2024,2026) y;
CREATE TABLE shifts (id int PRIMARY KEY, hotel_id int NOT NULL REFERENCES hotels, employee text NOT NULL, starts timestamptz NOT NULL, ends timestamptz, hours_paid numeric(5,2), overtime boolean);
INSERT INTO shifts SELECT i, 1+i%8, 'E'||(i%60), t, CASE WHEN random()<0.93 THEN t+(5+random()*6)*interval '1 hour' END, CASE WHEN random()<0.95 THEN 8 END, CASE WHEN random()<0.2 THEN NULL ELSE random()<0.15 END FROM (SELECT i, timestamptz '2026-03-01 06:00+00'+(i*226/3000)*interval '1 day'+(i%3)*interval '8 hours' t FROM generate_series(1,3000) i) x;
CREATE TABLE door_events (id int PRIMARY KEY, hotel_id int NOT NULL REFERENCES hotels, at timestamptz NOT NULL, kind text);
INSERT INTO door_events SELECT i, 1+i%8, timestamptz '2026-06-01 00:00+00' + i*interval '30 minutes', (ARRAY['open','close','alarm','open'])[1+i%4] FROM generate_series(1,5922) i;
CREATE TABLE invoices (id int PRIMARY KEY, hotel_id int NOT NULL REFERENCES hotels, issued_on date NOT NULL, net numeric(12,2) NOT NULL, supplier text, paid_on date);
INSERT INTO invoices SELECT row_number() OVER (), h, d::date, 1000+(h*37+extract(month from d)*11)::int, CASE WHEN h%4<>0 THEN 'S'||(h%3) END, CASE WHEN (h+extract(month from d)::int)%6<>0 THEN d::date+20+h END FROM generate_series(1,8) h, generate_series(0,44) k, LATERAL (SELECT date '2024-01-31') z, LATERAL (SELECT (date_trunc('month', date '2023-02-15'+ k*interval '1 month')+interval '1 month - 1 day') d) y, generate_series(1,3) c WHERE d<'2026-10-13';
