-- TPC-DS's 24 tables and a small set of data, the same at every run: each value is drawn from the row's number, out of
-- the values that the queries ask for, so that most of them find something.

CREATE FUNCTION pick(salt text, key bigint, choices int) RETURNS int IMMUTABLE LANGUAGE sql AS
    $$ SELECT ('x' || substr(md5(salt || key), 1, 7))::bit(28)::int % choices $$;
CREATE FUNCTION pick(salt text, key bigint, choices text[]) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT choices[1 + pick(salt, key, cardinality(choices))] $$;

CREATE TABLE date_dim (
    d_date_sk int PRIMARY KEY, d_date_id char(16) NOT NULL, d_date date, d_month_seq int, d_week_seq int,
    d_quarter_seq int, d_year int, d_dow int, d_moy int, d_dom int, d_qoy int, d_fy_year int, d_fy_quarter_seq int,
    d_fy_week_seq int, d_day_name char(9), d_quarter_name char(6), d_holiday char(1), d_weekend char(1),
    d_following_holiday char(1), d_first_dom int, d_last_dom int, d_same_day_ly int, d_same_day_lq int,
    d_current_day char(1), d_current_week char(1), d_current_month char(1), d_current_quarter char(1),
    d_current_year char(1));
CREATE TABLE time_dim (
    t_time_sk int PRIMARY KEY, t_time_id char(16) NOT NULL, t_time int, t_hour int, t_minute int, t_second int,
    t_am_pm char(2), t_shift char(20), t_sub_shift char(20), t_meal_time char(20));
CREATE TABLE income_band (ib_income_band_sk int PRIMARY KEY, ib_lower_bound int, ib_upper_bound int);
CREATE TABLE reason (r_reason_sk int PRIMARY KEY, r_reason_id char(16) NOT NULL, r_reason_desc char(100));
CREATE TABLE ship_mode (
    sm_ship_mode_sk int PRIMARY KEY, sm_ship_mode_id char(16) NOT NULL, sm_type char(30), sm_code char(10),
    sm_carrier char(20), sm_contract char(20));
CREATE TABLE warehouse (
    w_warehouse_sk int PRIMARY KEY, w_warehouse_id char(16) NOT NULL, w_warehouse_name varchar(20),
    w_warehouse_sq_ft int, w_street_number char(10), w_street_name varchar(60), w_street_type char(15),
    w_suite_number char(10), w_city varchar(60), w_county varchar(30), w_state char(2), w_zip char(10),
    w_country varchar(20), w_gmt_offset decimal(5, 2));
CREATE TABLE household_demographics (
    hd_demo_sk int PRIMARY KEY, hd_income_band_sk int REFERENCES income_band, hd_buy_potential char(15),
    hd_dep_count int, hd_vehicle_count int);
CREATE TABLE customer_demographics (
    cd_demo_sk int PRIMARY KEY, cd_gender char(1), cd_marital_status char(1), cd_education_status char(20),
    cd_purchase_estimate int, cd_credit_rating char(10), cd_dep_count int, cd_dep_employed_count int,
    cd_dep_college_count int);
CREATE TABLE customer_address (
    ca_address_sk int PRIMARY KEY, ca_address_id char(16) NOT NULL, ca_street_number char(10),
    ca_street_name varchar(60), ca_street_type char(15), ca_suite_number char(10), ca_city varchar(60),
    ca_county varchar(30), ca_state char(2), ca_zip char(10), ca_country varchar(20), ca_gmt_offset decimal(5, 2),
    ca_location_type char(20));
CREATE TABLE customer (
    c_customer_sk int PRIMARY KEY, c_customer_id char(16) NOT NULL,
    c_current_cdemo_sk int REFERENCES customer_demographics,
    c_current_hdemo_sk int REFERENCES household_demographics, c_current_addr_sk int REFERENCES customer_address,
    c_first_shipto_date_sk int, c_first_sales_date_sk int, c_salutation char(10), c_first_name char(20),
    c_last_name char(30), c_preferred_cust_flag char(1), c_birth_day int, c_birth_month int, c_birth_year int,
    c_birth_country varchar(20), c_login char(13), c_email_address char(50), c_last_review_date char(10));
CREATE TABLE item (
    i_item_sk int PRIMARY KEY, i_item_id char(16) NOT NULL, i_rec_start_date date, i_rec_end_date date,
    i_item_desc varchar(200), i_current_price decimal(7, 2), i_wholesale_cost decimal(7, 2), i_brand_id int,
    i_brand char(50), i_class_id int, i_class char(50), i_category_id int, i_category char(50), i_manufact_id int,
    i_manufact char(50), i_size char(20), i_formulation char(20), i_color char(20), i_units char(10),
    i_container char(10), i_manager_id int, i_product_name char(50));
CREATE TABLE store (
    s_store_sk int PRIMARY KEY, s_store_id char(16) NOT NULL, s_rec_start_date date, s_rec_end_date date,
    s_closed_date_sk int, s_store_name varchar(50), s_number_employees int, s_floor_space int, s_hours char(20),
    s_manager varchar(40), s_market_id int, s_geography_class varchar(100), s_market_desc varchar(100),
    s_market_manager varchar(40), s_division_id int, s_division_name varchar(50), s_company_id int,
    s_company_name varchar(50), s_street_number varchar(10), s_street_name varchar(60), s_street_type char(15),
    s_suite_number char(10), s_city varchar(60), s_county varchar(30), s_state char(2), s_zip char(10),
    s_country varchar(20), s_gmt_offset decimal(5, 2), s_tax_precentage decimal(5, 2));
CREATE TABLE call_center (
    cc_call_center_sk int PRIMARY KEY, cc_call_center_id char(16) NOT NULL, cc_rec_start_date date,
    cc_rec_end_date date, cc_closed_date_sk int, cc_open_date_sk int, cc_name varchar(50), cc_class varchar(50),
    cc_employees int, cc_sq_ft int, cc_hours char(20), cc_manager varchar(40), cc_mkt_id int, cc_mkt_class char(50),
    cc_mkt_desc varchar(100), cc_market_manager varchar(40), cc_division int, cc_division_name varchar(50),
    cc_company int, cc_company_name char(50), cc_street_number char(10), cc_street_name varchar(60),
    cc_street_type char(15), cc_suite_number char(10), cc_city varchar(60), cc_county varchar(30), cc_state char(2),
    cc_zip char(10), cc_country varchar(20), cc_gmt_offset decimal(5, 2), cc_tax_percentage decimal(5, 2));
CREATE TABLE catalog_page (
    cp_catalog_page_sk int PRIMARY KEY, cp_catalog_page_id char(16) NOT NULL, cp_start_date_sk int,
    cp_end_date_sk int, cp_department varchar(50), cp_catalog_number int, cp_catalog_page_number int,
    cp_description varchar(100), cp_type varchar(100));
CREATE TABLE web_site (
    web_site_sk int PRIMARY KEY, web_site_id char(16) NOT NULL, web_rec_start_date date, web_rec_end_date date,
    web_name varchar(50), web_open_date_sk int, web_close_date_sk int, web_class varchar(50), web_manager varchar(40),
    web_mkt_id int, web_mkt_class varchar(50), web_mkt_desc varchar(100), web_market_manager varchar(40),
    web_company_id int, web_company_name char(50), web_street_number char(10), web_street_name varchar(60),
    web_street_type char(15), web_suite_number char(10), web_city varchar(60), web_county varchar(30),
    web_state char(2), web_zip char(10), web_country varchar(20), web_gmt_offset decimal(5, 2),
    web_tax_percentage decimal(5, 2));
CREATE TABLE web_page (
    wp_web_page_sk int PRIMARY KEY, wp_web_page_id char(16) NOT NULL, wp_rec_start_date date, wp_rec_end_date date,
    wp_creation_date_sk int, wp_access_date_sk int, wp_autogen_flag char(1), wp_customer_sk int, wp_url varchar(100),
    wp_type char(50), wp_char_count int, wp_link_count int, wp_image_count int, wp_max_ad_count int);
CREATE TABLE promotion (
    p_promo_sk int PRIMARY KEY, p_promo_id char(16) NOT NULL, p_start_date_sk int, p_end_date_sk int, p_item_sk int,
    p_cost decimal(15, 2), p_response_target int, p_promo_name char(50), p_channel_dmail char(1),
    p_channel_email char(1), p_channel_catalog char(1), p_channel_tv char(1), p_channel_radio char(1),
    p_channel_press char(1), p_channel_event char(1), p_channel_demo char(1), p_channel_details varchar(100),
    p_purpose char(15), p_discount_active char(1));
CREATE TABLE inventory (
    inv_date_sk int NOT NULL, inv_item_sk int NOT NULL REFERENCES item,
    inv_warehouse_sk int NOT NULL REFERENCES warehouse, inv_quantity_on_hand int,
    PRIMARY KEY (inv_date_sk, inv_item_sk, inv_warehouse_sk));
CREATE TABLE store_sales (
    ss_sold_date_sk int, ss_sold_time_sk int, ss_item_sk int NOT NULL REFERENCES item, ss_customer_sk int,
    ss_cdemo_sk int, ss_hdemo_sk int, ss_addr_sk int, ss_store_sk int, ss_promo_sk int, ss_ticket_number int NOT NULL,
    ss_quantity int, ss_wholesale_cost decimal(7, 2), ss_list_price decimal(7, 2), ss_sales_price decimal(7, 2),
    ss_ext_discount_amt decimal(7, 2), ss_ext_sales_price decimal(7, 2), ss_ext_wholesale_cost decimal(7, 2),
    ss_ext_list_price decimal(7, 2), ss_ext_tax decimal(7, 2), ss_coupon_amt decimal(7, 2), ss_net_paid decimal(7, 2),
    ss_net_paid_inc_tax decimal(7, 2), ss_net_profit decimal(7, 2), PRIMARY KEY (ss_item_sk, ss_ticket_number));
CREATE TABLE store_returns (
    sr_returned_date_sk int, sr_return_time_sk int, sr_item_sk int NOT NULL REFERENCES item, sr_customer_sk int,
    sr_cdemo_sk int, sr_hdemo_sk int, sr_addr_sk int, sr_store_sk int, sr_reason_sk int,
    sr_ticket_number int NOT NULL, sr_return_quantity int, sr_return_amt decimal(7, 2), sr_return_tax decimal(7, 2),
    sr_return_amt_inc_tax decimal(7, 2), sr_fee decimal(7, 2), sr_return_ship_cost decimal(7, 2),
    sr_refunded_cash decimal(7, 2), sr_reversed_charge decimal(7, 2), sr_store_credit decimal(7, 2),
    sr_net_loss decimal(7, 2), PRIMARY KEY (sr_item_sk, sr_ticket_number));
CREATE TABLE catalog_sales (
    cs_sold_date_sk int, cs_sold_time_sk int, cs_ship_date_sk int, cs_bill_customer_sk int, cs_bill_cdemo_sk int,
    cs_bill_hdemo_sk int, cs_bill_addr_sk int, cs_ship_customer_sk int, cs_ship_cdemo_sk int, cs_ship_hdemo_sk int,
    cs_ship_addr_sk int, cs_call_center_sk int, cs_catalog_page_sk int, cs_ship_mode_sk int, cs_warehouse_sk int,
    cs_item_sk int NOT NULL REFERENCES item, cs_promo_sk int, cs_order_number int NOT NULL, cs_quantity int,
    cs_wholesale_cost decimal(7, 2), cs_list_price decimal(7, 2), cs_sales_price decimal(7, 2),
    cs_ext_discount_amt decimal(7, 2), cs_ext_sales_price decimal(7, 2), cs_ext_wholesale_cost decimal(7, 2),
    cs_ext_list_price decimal(7, 2), cs_ext_tax decimal(7, 2), cs_coupon_amt decimal(7, 2),
    cs_ext_ship_cost decimal(7, 2), cs_net_paid decimal(7, 2), cs_net_paid_inc_tax decimal(7, 2),
    cs_net_paid_inc_ship decimal(7, 2), cs_net_paid_inc_ship_tax decimal(7, 2), cs_net_profit decimal(7, 2),
    PRIMARY KEY (cs_item_sk, cs_order_number));
CREATE TABLE catalog_returns (
    cr_returned_date_sk int, cr_returned_time_sk int, cr_item_sk int NOT NULL REFERENCES item,
    cr_refunded_customer_sk int, cr_refunded_cdemo_sk int, cr_refunded_hdemo_sk int, cr_refunded_addr_sk int,
    cr_returning_customer_sk int, cr_returning_cdemo_sk int, cr_returning_hdemo_sk int, cr_returning_addr_sk int,
    cr_call_center_sk int, cr_catalog_page_sk int, cr_ship_mode_sk int, cr_warehouse_sk int, cr_reason_sk int,
    cr_order_number int NOT NULL, cr_return_quantity int, cr_return_amount decimal(7, 2), cr_return_tax decimal(7, 2),
    cr_return_amt_inc_tax decimal(7, 2), cr_fee decimal(7, 2), cr_return_ship_cost decimal(7, 2),
    cr_refunded_cash decimal(7, 2), cr_reversed_charge decimal(7, 2), cr_store_credit decimal(7, 2),
    cr_net_loss decimal(7, 2), PRIMARY KEY (cr_item_sk, cr_order_number));
CREATE TABLE web_sales (
    ws_sold_date_sk int, ws_sold_time_sk int, ws_ship_date_sk int, ws_item_sk int NOT NULL REFERENCES item,
    ws_bill_customer_sk int, ws_bill_cdemo_sk int, ws_bill_hdemo_sk int, ws_bill_addr_sk int, ws_ship_customer_sk int,
    ws_ship_cdemo_sk int, ws_ship_hdemo_sk int, ws_ship_addr_sk int, ws_web_page_sk int, ws_web_site_sk int,
    ws_ship_mode_sk int, ws_warehouse_sk int, ws_promo_sk int, ws_order_number int NOT NULL, ws_quantity int,
    ws_wholesale_cost decimal(7, 2), ws_list_price decimal(7, 2), ws_sales_price decimal(7, 2),
    ws_ext_discount_amt decimal(7, 2), ws_ext_sales_price decimal(7, 2), ws_ext_wholesale_cost decimal(7, 2),
    ws_ext_list_price decimal(7, 2), ws_ext_tax decimal(7, 2), ws_coupon_amt decimal(7, 2),
    ws_ext_ship_cost decimal(7, 2), ws_net_paid decimal(7, 2), ws_net_paid_inc_tax decimal(7, 2),
    ws_net_paid_inc_ship decimal(7, 2), ws_net_paid_inc_ship_tax decimal(7, 2), ws_net_profit decimal(7, 2),
    PRIMARY KEY (ws_item_sk, ws_order_number));
CREATE TABLE web_returns (
    wr_returned_date_sk int, wr_returned_time_sk int, wr_item_sk int NOT NULL REFERENCES item,
    wr_refunded_customer_sk int, wr_refunded_cdemo_sk int, wr_refunded_hdemo_sk int, wr_refunded_addr_sk int,
    wr_returning_customer_sk int, wr_returning_cdemo_sk int, wr_returning_hdemo_sk int, wr_returning_addr_sk int,
    wr_web_page_sk int, wr_reason_sk int, wr_order_number int NOT NULL, wr_return_quantity int,
    wr_return_amt decimal(7, 2), wr_return_tax decimal(7, 2), wr_return_amt_inc_tax decimal(7, 2), wr_fee decimal(7, 2),
    wr_return_ship_cost decimal(7, 2), wr_refunded_cash decimal(7, 2), wr_reversed_charge decimal(7, 2),
    wr_account_credit decimal(7, 2), wr_net_loss decimal(7, 2), PRIMARY KEY (wr_item_sk, wr_order_number));

-- 1998 to 2003; the keys and sequences are those of the specification's calendar, which begins in 1900.
INSERT INTO date_dim
SELECT 2450815 + day, 'D' || day, date, (year - 1900) * 12 + moy - 1, (date - DATE '1899-12-31') / 7 + 1,
    (year - 1900) * 4 + qoy - 1, year, dow, moy, dom, qoy, year, (year - 1900) * 4 + qoy - 1,
    (date - DATE '1899-12-31') / 7 + 1, trim(to_char(date, 'Day')), year || 'Q' || qoy, 'N',
    CASE WHEN dow IN (0, 6) THEN 'Y' ELSE 'N' END, 'N', 2450815 + day - dom + 1, 2450815 + day - dom + 28,
    2450815 + day - 365, 2450815 + day - 91, 'N', 'N', 'N', 'N', 'N'
FROM (
    SELECT day, DATE '1998-01-01' + day AS date, extract(year FROM DATE '1998-01-01' + day)::int AS year,
        extract(quarter FROM DATE '1998-01-01' + day)::int AS qoy, extract(month FROM DATE '1998-01-01' + day)::int AS moy,
        extract(day FROM DATE '1998-01-01' + day)::int AS dom, extract(dow FROM DATE '1998-01-01' + day)::int AS dow
    FROM generate_series(0, 2190) AS days(day)
) AS calendar;

INSERT INTO time_dim
SELECT minute * 60, 'T' || minute, minute * 60, minute / 60, minute % 60, 0, CASE WHEN minute < 720 THEN 'AM' ELSE 'PM' END,
    'first', 'morning',
    CASE WHEN minute / 60 IN (7, 8) THEN 'breakfast' WHEN minute / 60 IN (12, 13) THEN 'lunch'
        WHEN minute / 60 IN (18, 19, 20) THEN 'dinner' END
FROM generate_series(0, 1439) AS minutes(minute);

INSERT INTO income_band SELECT key, (key - 1) * 10000 + 1, key * 10000 FROM generate_series(1, 20) AS keys(key);
INSERT INTO reason SELECT key, 'R' || key, 'reason ' || key FROM generate_series(1, 35) AS keys(key);
INSERT INTO ship_mode
SELECT key, 'SM' || key, (ARRAY['EXPRESS', 'NEXT DAY', 'OVERNIGHT', 'REGULAR'])[1 + key % 4], 'AIR',
    (ARRAY['DHL', 'BARIAN', 'UPS', 'FEDEX'])[1 + key % 4], 'contract ' || key
FROM generate_series(1, 12) AS keys(key);
INSERT INTO warehouse
SELECT key, 'W' || key, 'Warehouse ' || key, 100000 + key * 1000, key::text, 'Main', 'Street', 'Suite 1', 'Fairview',
    'Williamson County', (ARRAY['TN', 'GA', 'IL'])[1 + key % 3], '31904', 'United States', -5
FROM generate_series(1, 4) AS keys(key);
INSERT INTO household_demographics
SELECT key, 1 + key % 20, (ARRAY['>10000', 'unknown', 'Unknown', '1001-5000'])[1 + key % 4], key % 10, key / 4 % 6
FROM generate_series(1, 240) AS keys(key);
INSERT INTO customer_demographics
SELECT key, pick('cd_gender', key, ARRAY['M', 'F']), (ARRAY['S', 'M', 'W', 'D', 'M', 'M'])[1 + key % 6],
    (ARRAY['College', 'Advanced Degree', '2 yr Degree', '2 yr Degree', '4 yr Degree', 'Unknown'])[1 + key % 6],
    500 * (1 + key % 4), (ARRAY['Good', 'Low Risk', 'High Risk'])[1 + key % 3], key % 3, key % 2, key % 2
FROM generate_series(1, 120) AS keys(key);
INSERT INTO customer_address
SELECT key, 'A' || key, key::text, 'Main', 'Street', 'Suite ' || key,
    pick('ca_city', key, ARRAY['Fairview', 'Midway', 'Edgewood', 'Oakland']),
    pick('ca_county', key, ARRAY['Williamson County', 'Rush County', 'Toole County', 'Jefferson County', 'Bronx County',
        'Dona Ana County', 'La Porte County', 'Orange County']),
    pick('ca_state', key, ARRAY['TN', 'GA', 'TX', 'OH', 'KY', 'IN', 'CA', 'NM', 'VA', 'MS', 'IL']),
    pick('ca_zip', key, ARRAY['31904', '24128', '85669', '35709']), 'United States', -5 - 2 * pick('ca_gmt_offset', key, 2),
    'apartment'
FROM generate_series(1, 200) AS keys(key);
INSERT INTO customer
SELECT key, 'C' || lpad(key::text, 15, '0'), 1 + pick('c_current_cdemo_sk', key, 120),
    1 + pick('c_current_hdemo_sk', key, 240), 1 + pick('c_current_addr_sk', key, 200), 2450815 + pick('ship', key, 700),
    2450815 + pick('sale', key, 700), 'Dr.', pick('c_first_name', key, ARRAY['Ann', 'Bob', 'Cy', 'Dee', 'Eve']),
    'Name ' || key % 40, (ARRAY['Y', 'N'])[1 + key % 2], 1 + key % 28,
    (ARRAY[1, 6, 8, 9, 12, 2, 4, 11])[1 + key % 8], 1930 + key % 60,
    pick('c_birth_country', key, ARRAY['CHAD', 'PERU', 'UNITED STATES']), 'login' || key, key || '@example.org', '2452500'
FROM generate_series(1, 150) AS keys(key);

-- Each kind of item that a query names, some with a price it asks for.
INSERT INTO item
SELECT key, 'I' || lpad((key / 2)::text, 15, '0'), DATE '1997-10-27', NULL, 'item of kind ' || key % 60, price,
    price * 0.6, 1001000 + kind, brand, 1 + kind % 16, class, 1 + kind % 10, category, manufacturer,
    'manufacturer ' || manufacturer % 50, size, 'formula', color, unit, 'Unknown',
    (ARRAY[1, 8, 28, 1, 40])[1 + key % 5], 'product ' || key
FROM (
    SELECT key, kind, category, class, brand, size, color, unit,
        (ARRAY[1.25, 65.5, 70, 68.25, 85, 9.5, 12, 55])[1 + pick('i_current_price', key, 8)] AS price,
        (ARRAY[128, 977, 677, 129, 350, 940, 742, 750, 270])[1 + pick('i_manufact_id', key, 9)] AS manufacturer
    FROM generate_series(1, 240) AS keys(key),
        unnest(
            ARRAY['Books', 'Electronics', 'Women', 'Music', 'Men', 'Sports', 'Jewelry', 'Women', 'Home', 'Men', 'Books',
                'Women'],
            ARRAY['reference', 'portable', 'fragrances', 'classical', 'pants', 'football', 'birdal', 'maternity',
                'bedding', 'shirts', 'computers', 'dresses'],
            ARRAY['scholaramalgamalg #14', 'exportiunivamalg #9', 'amalgimporto #1', 'edu packscholar #1',
                'exportiimporto #1', 'corpmaxi #1', 'amalgcorp #2', 'importoamalg #1', 'univbrand #3', 'namelessmaxi #4',
                'scholaramalgamalg #7', 'importoedu #2'],
            ARRAY['medium', 'small', 'medium', 'large', 'petite', 'N/A', 'small', 'small', 'large', 'petite', 'economy',
                'medium'],
            ARRAY['peach', 'slate', 'powder', 'burnished', 'floral', 'purple', 'spring', 'brown', 'medium', 'floral',
                'burlywood', 'khaki'],
            ARRAY['Oz', 'Each', 'Ounce', 'Box', 'Dozen', 'Ton', 'Cup', 'Bunch', 'Lb', 'N/A', 'Tbl', 'Oz']
        ) WITH ORDINALITY AS kinds(category, class, brand, size, color, unit, kind)
    WHERE kind = 1 + pick('kind', key, 12)
) AS items;

INSERT INTO store
SELECT key, 'S' || key, DATE '1997-03-13', NULL, NULL, (ARRAY['ese', 'able', 'ation', 'ought'])[1 + key % 4], 200 + key * 10,
    5000000, '8AM-8PM', 'manager', (ARRAY[8, 5])[1 + key % 2], 'Unknown', 'a market', 'manager', 1, 'Unknown', 1, 'Unknown',
    key::text, 'Main', 'Street', 'Suite 1', (ARRAY['Fairview', 'Midway'])[1 + key % 2],
    (ARRAY['Williamson County', 'Bronx County'])[1 + key % 2], 'TN', (ARRAY['31904', '24128'])[1 + key % 2],
    'United States', -5, 0.03
FROM generate_series(1, 8) AS keys(key);
INSERT INTO call_center
SELECT key, 'CC' || key, DATE '1998-01-01', NULL, NULL, 2450815, 'center ' || key, 'large', 100, 1000, '8AM-8PM', 'manager',
    1, 'a market', 'a market', 'manager', 1, 'a division', 1, 'a company', key::text, 'Main', 'Street', 'Suite 1', 'Midway',
    'Williamson County', 'TN', '31904', 'United States', -5, 0.03
FROM generate_series(1, 4) AS keys(key);
INSERT INTO catalog_page
SELECT key, 'P' || key, 2450815, 2453005, 'DEPARTMENT', 1, key, 'a page', 'monthly' FROM generate_series(1, 20) AS keys(key);
INSERT INTO web_site
SELECT key, 'WS' || key, DATE '1997-08-16', NULL, 'site_' || key, 2450815, NULL, 'Unknown', 'manager', 1, 'a market',
    'a market', 'manager', 1, (ARRAY['pri', 'able'])[1 + key % 2], key::text, 'Main', 'Street', 'Suite 1', 'Midway',
    'Williamson County', 'TN', '31904', 'United States', -5, 0.03
FROM generate_series(1, 6) AS keys(key);
INSERT INTO web_page
SELECT key, 'WP' || key, DATE '1997-09-03', NULL, 2450815, 2452600, 'N', NULL, 'http://example.org', 'general',
    5000 + key * 40, 10, 3, 1
FROM generate_series(1, 8) AS keys(key);
INSERT INTO promotion
SELECT key, 'PR' || key, 2450815, 2453005, key, 1000, 1, 'promotion ' || key, (ARRAY['Y', 'N'])[1 + key % 2], 'N', 'N', 'N',
    'N', 'N', (ARRAY['N', 'Y'])[1 + key % 2], 'N', 'no details', 'Unknown', 'N'
FROM generate_series(1, 20) AS keys(key);

-- Once a month, and each Thursday around the weeks that are asked for.
INSERT INTO inventory
SELECT d_date_sk, i_item_sk, w_warehouse_sk,
    CASE pick('stock', d_date_sk * 1000::bigint + i_item_sk * 4 + w_warehouse_sk, 4) WHEN 0 THEN 5
        ELSE 100 + pick('quantity', d_date_sk * 1000::bigint + i_item_sk * 4 + w_warehouse_sk, 400) END
FROM date_dim, item, warehouse
WHERE i_item_sk % 4 = w_warehouse_sk % 4
    AND (d_dow = 4 AND d_date BETWEEN '2000-02-01' AND '2000-04-15' OR d_dow = 4 AND d_date BETWEEN '1999-09-01' AND '1999-11-15'
        OR d_date IN ('2000-06-01', '2000-07-06') OR d_date BETWEEN '2001-01-10' AND '2001-01-12'
        OR d_date BETWEEN '2001-02-10' AND '2001-02-12');
-- Few in stock in most places, many in one: what query 39 looks for.
UPDATE inventory
SET inv_quantity_on_hand = CASE WHEN inv_date_sk % 3 = 0 THEN 900 ELSE 1 + inv_date_sk % 2 END
WHERE inv_date_sk >= 2451911 AND inv_item_sk % 3 = 0;

-- What the three channels have in common: a customer buys an item on a day, half of the time in a month that is asked for.
-- Every seventh sale of one channel is repeated in the next, so that they meet.
CREATE FUNCTION sale(channel text, orders int, lines int)
RETURNS TABLE (
    number int, line int, key bigint, day int, minute int, item int, customer int, cdemo int, hdemo int, address int,
    quantity int, wholesale numeric, list numeric, price numeric, coupon numeric)
LANGUAGE sql AS $$
    SELECT number, line, key,
        2450815 + CASE pick('favoured', seed, 2)
            WHEN 0 THEN (ARRAY['1998-04-10', '1998-08-25', '1998-11-02', '1998-12-01', '1999-01-25', '1999-02-20', '1999-09-01',
                    '1999-11-01', '1999-12-15', '2000-01-02', '2000-02-01', '2000-03-01', '2000-08-20', '2000-11-01',
                    '2001-01-02', '2001-02-01', '2001-04-01', '2001-11-01', '2001-12-01', '2002-01-25', '2002-03-01'
                ]::date[])[1 + pick('month', seed, 21)] - DATE '1998-01-01' + pick('day', seed, 30)
            ELSE pick('any day', seed, 1825) END,
        60 * (ARRAY[500, 520, 550, 580, 610, 640, 670, 700, 730, 1130, 1180, 1240])[1 + pick('minute', seed, 12)]
            + 60 * pick('minutes', seed, 25),
        1 + pick('item', CASE WHEN key % 7 = 0 THEN key ELSE key + length(channel) * 100003 END, 120) * 2 % 240,
        1 + pick('customer', seed, 150), 1 + pick('cdemo', seed, 120), 1 + pick('hdemo', seed, 240),
        1 + pick('address', seed, 200), 1 + pick('quantity', key + length(channel), 100), cost,
        cost * (1 + pick('markup', key + length(channel), 200) / 100.0),
        cost * (1 + pick('markup', key + length(channel), 200) / 100.0) * (1 - pick('off', key, 40) / 100.0),
        pick('coupon', key, 3) * 10
    FROM (
        SELECT number, line, number * 20::bigint + line AS key,
            CASE WHEN number % 7 = 0 THEN number ELSE number + length(channel) * 100003::bigint END AS seed,
            10 + pick('wholesale', number * 20::bigint + line, 80) AS cost
        FROM generate_series(1, orders) AS numbers(number), generate_series(1, lines) AS lines(line)
    ) AS keys
$$;

INSERT INTO store_sales
SELECT day, minute, item, customer, cdemo, hdemo, CASE pick('ss_addr_sk', key, 20) WHEN 0 THEN NULL ELSE address END,
    CASE pick('no store', number, 30) WHEN 0 THEN NULL ELSE 1 + pick('ss_store_sk', number, 8) END,
    1 + pick('ss_promo_sk', key, 20), number, quantity, wholesale, list, price, (list - price) * quantity / 10,
    price * quantity, wholesale * quantity, list * quantity, price * quantity * 0.03, coupon, price * quantity - coupon,
    price * quantity * 1.03 - coupon, CASE WHEN key % 3 = 0 THEN 100 + pick('profit', key, 150)
        ELSE (price - wholesale) * quantity - coupon END
FROM sale('store', 2000, 3)
ON CONFLICT DO NOTHING;
-- Large tickets, and days when an item sells often.
INSERT INTO store_sales
SELECT 2451181 + number * 30 % 900 / 30 * 31, 31200, line * 3, 1 + number % 150, 1 + number % 120,
    1 + (ARRAY[8, 16, 28, 36])[1 + number % 4] % 240, 1 + number % 200, 2 + number % 4 * 2, 1, 10000 + number, line, 20, 30, 25, 10,
    25 * line, 20 * line, 30 * line, 1, 0, 25 * line, 26 * line, 5 * line
FROM generate_series(1, 40) AS numbers(number), generate_series(1, 16) AS lines(line);
INSERT INTO store_sales
SELECT 2451604, 36000, line * 12 + 1, 1 + number % 30, 1, 1, 1, 4, 1, 20000 + number, 100, 20, 190, 180, 10, 18000, 2000, 19000, 1, 0,
    18000, 18100, 16000
FROM generate_series(1, 30) AS numbers(number), generate_series(0, 9) AS lines(line);

INSERT INTO catalog_sales
SELECT day, minute, day + 2 + pick('cs_ship_date_sk', key, 130), customer, cdemo, hdemo, address, customer, cdemo, hdemo,
    CASE pick('cs_ship_addr_sk', key, 30) WHEN 0 THEN NULL ELSE address END, 1 + pick('cs_call_center_sk', number, 4),
    1 + pick('cs_catalog_page_sk', key, 20), 1 + pick('cs_ship_mode_sk', key, 12), 1 + pick('cs_warehouse_sk', key, 4), item,
    CASE pick('no promotion', key, 3) WHEN 0 THEN NULL ELSE 1 + pick('cs_promo_sk', key, 20) END, number, quantity,
    wholesale, list, price, (list - price) * quantity, price * quantity, wholesale * quantity, list * quantity,
    price * quantity * 0.03, coupon, quantity, price * quantity - coupon, price * quantity * 1.03 - coupon,
    price * quantity - coupon + quantity, price * quantity * 1.03 - coupon + quantity,
    (price - wholesale) * quantity - coupon
FROM sale('catalog', 1200, 3)
ON CONFLICT DO NOTHING;
-- A customer who brought an item back to the store buys it from the catalog.
INSERT INTO catalog_sales (cs_sold_date_sk, cs_sold_time_sk, cs_ship_date_sk, cs_bill_customer_sk, cs_ship_customer_sk,
    cs_call_center_sk, cs_item_sk, cs_order_number, cs_quantity, cs_wholesale_cost, cs_list_price, cs_sales_price,
    cs_ext_sales_price, cs_net_paid, cs_net_profit)
SELECT ss_sold_date_sk + 40, 36000, ss_sold_date_sk + 50, ss_customer_sk, ss_customer_sk, 1, ss_item_sk,
    30000 + ss_ticket_number, ss_quantity, 10, 20, 15, 15 * ss_quantity, 15 * ss_quantity, 5 * ss_quantity
FROM store_sales
WHERE ss_ticket_number % 10 = 0 AND ss_ticket_number < 10000;
INSERT INTO web_sales
SELECT day, minute, day + 2 + pick('ws_ship_date_sk', key, 130), item, customer, cdemo, hdemo, address,
    CASE pick('no customer', key, 30) WHEN 0 THEN NULL ELSE customer END, cdemo, hdemo, address,
    1 + pick('ws_web_page_sk', key, 8), 1 + pick('ws_web_site_sk', number, 6), 1 + pick('ws_ship_mode_sk', key, 12),
    1 + pick('ws_warehouse_sk', key, 4), 1 + pick('ws_promo_sk', key, 20), number, quantity, wholesale, list, price,
    (list - price) * quantity, price * quantity, wholesale * quantity, list * quantity, price * quantity * 0.03, coupon,
    quantity, price * quantity - coupon, price * quantity * 1.03 - coupon, price * quantity - coupon + quantity,
    price * quantity * 1.03 - coupon + quantity, CASE WHEN key % 3 = 0 THEN 100 + pick('profit', key, 150)
        ELSE (price - wholesale) * quantity - coupon END
FROM sale('web', 1200, 3)
ON CONFLICT DO NOTHING;

-- One sale in ten comes back, and every one of the large tickets' first lines.
INSERT INTO store_returns
SELECT ss_sold_date_sk + 1 + pick('sr_returned_date_sk', ss_ticket_number, 140), 40000, ss_item_sk, ss_customer_sk, ss_cdemo_sk,
    ss_hdemo_sk, ss_addr_sk, ss_store_sk, 1 + pick('sr_reason_sk', ss_ticket_number, 35), ss_ticket_number,
    1 + ss_quantity / 2, ss_ext_sales_price, 1, ss_ext_sales_price + 1, 5, 3, ss_ext_sales_price / 4,
    ss_ext_sales_price / 8, ss_ext_sales_price / 8, ss_ext_sales_price / 10
FROM store_sales
WHERE ss_ticket_number % 10 = 0;
INSERT INTO catalog_returns
SELECT cs_sold_date_sk + 1 + pick('cr_returned_date_sk', cs_order_number, 140), 40000, cs_item_sk, cs_bill_customer_sk,
    cs_bill_cdemo_sk, cs_bill_hdemo_sk, cs_bill_addr_sk, cs_bill_customer_sk, cs_bill_cdemo_sk, cs_bill_hdemo_sk,
    cs_bill_addr_sk, cs_call_center_sk, cs_catalog_page_sk, cs_ship_mode_sk, cs_warehouse_sk,
    1 + pick('cr_reason_sk', cs_order_number, 35), cs_order_number, 1 + cs_quantity / 2, cs_ext_sales_price, 1,
    cs_ext_sales_price + 1, 5, 3, cs_ext_sales_price / 8, cs_ext_sales_price / 16, cs_ext_sales_price / 16,
    cs_ext_sales_price / 10
FROM catalog_sales
WHERE cs_order_number % 8 = 0 AND cs_order_number < 30000;
INSERT INTO web_returns
SELECT ws_sold_date_sk + 1 + pick('wr_returned_date_sk', ws_order_number, 140), 40000, ws_item_sk, ws_bill_customer_sk,
    ws_bill_cdemo_sk, ws_bill_hdemo_sk, ws_bill_addr_sk, ws_bill_customer_sk, ws_bill_cdemo_sk, ws_bill_hdemo_sk,
    ws_bill_addr_sk, ws_web_page_sk, 1 + pick('wr_reason_sk', ws_order_number, 35), ws_order_number, 1 + ws_quantity / 2,
    ws_ext_sales_price, 1, ws_ext_sales_price + 1, 5, 3, ws_ext_sales_price / 4, ws_ext_sales_price / 8,
    ws_ext_sales_price / 8, ws_ext_sales_price / 10
FROM web_sales
WHERE ws_order_number % 6 = 0;

-- One week's sale in all three channels at one price, and one week's returns in all three.
INSERT INTO store_sales (ss_sold_date_sk, ss_item_sk, ss_ticket_number, ss_ext_sales_price)
VALUES (2451548, 8, 40000, 80000);
INSERT INTO catalog_sales (cs_sold_date_sk, cs_item_sk, cs_order_number, cs_ext_sales_price)
VALUES (2451549, 8, 40000, 85000);
INSERT INTO web_sales (ws_sold_date_sk, ws_item_sk, ws_order_number, ws_ext_sales_price)
VALUES (2451550, 8, 40000, 86000);
INSERT INTO store_returns (sr_returned_date_sk, sr_item_sk, sr_ticket_number, sr_return_quantity)
VALUES (2451726, 8, 40000, 3);
INSERT INTO catalog_returns (cr_returned_date_sk, cr_item_sk, cr_order_number, cr_return_quantity)
VALUES (2451815, 8, 40000, 4);
INSERT INTO web_returns (wr_returned_date_sk, wr_item_sk, wr_order_number, wr_return_quantity)
VALUES (2451866, 8, 40000, 5);

-- What chance leaves out: queries 13 and 91.
INSERT INTO store_sales (ss_sold_date_sk, ss_item_sk, ss_store_sk, ss_ticket_number, ss_cdemo_sk, ss_hdemo_sk, ss_addr_sk,
    ss_quantity, ss_sales_price, ss_ext_sales_price, ss_ext_wholesale_cost, ss_net_profit)
SELECT 2452000, 9, 1, 50000, cd_demo_sk, hd_demo_sk, ca_address_sk, 10, 120, 1200, 1000, 150
FROM customer_demographics, household_demographics, customer_address
WHERE cd_marital_status = 'M' AND cd_education_status = 'Advanced Degree' AND hd_dep_count = 3 AND ca_state = 'TX'
ORDER BY cd_demo_sk, hd_demo_sk, ca_address_sk
LIMIT 1;
INSERT INTO catalog_returns (cr_returned_date_sk, cr_item_sk, cr_order_number, cr_returning_customer_sk, cr_call_center_sk,
    cr_net_loss)
SELECT 2451130, 9, 50000 + c_customer_sk, c_customer_sk, 1, 10
FROM customer, customer_demographics, household_demographics, customer_address
WHERE cd_demo_sk = c_current_cdemo_sk AND hd_demo_sk = c_current_hdemo_sk AND ca_address_sk = c_current_addr_sk
    AND cd_education_status = 'Unknown' AND hd_buy_potential = 'Unknown' AND ca_gmt_offset = -7;

ANALYZE;
