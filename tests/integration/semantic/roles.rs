use std::fmt::Write as _;

use explore::semantic::roles;

use crate::support::catalog::catalog_of;

/// The roles guessed in the tables that `sql` makes, a line a table: `table: column role, column role`; columns without
/// a role have `-`.
async fn check(sql: &str, expected: &str) {
    let mut catalog = catalog_of(&format!("SELECT setseed(0.5); {sql}; ANALYZE")).await;
    roles::guess(&mut catalog);
    let mut text = String::new();
    for table in &catalog.tables {
        text.push_str(&table.name);
        text.push(':');
        for column in &table.columns {
            assert!(column.role.is_none() || column.role_guessed);
            let role = column.role.map(|role| serde_json::to_value(role).unwrap());
            let role = role.as_ref().and_then(|role| role.as_str()).unwrap_or("-");
            write!(text, "\n  {} {role}", column.name).unwrap();
        }
        text.push('\n');
    }
    assert_eq!(text, expected);
}

#[tokio::test]
async fn roles_of_invoices_with_net_and_gross_values() {
    let sample = include_str!("../../../data/sample_data.sql");
    check(
        sample,
        "primary_sales:
  billing_date date
  billing_code event_type
  invoice_number identifier
  customer_code entity
  customer_name entity_name
  customer_segment dimension
  region region
  product product
  business_unit dimension
  quantity quantity
  gross_sales_value gross_measure
  net_sales_value_1 measure
  net_sales_value_2 net_measure
  trade_discount discount
  volume_discount discount
  cash_discount discount
  contribution margin
  batch batch
  plant dimension
",
    )
    .await;
}

#[tokio::test]
async fn roles_of_retail_invoices_named_in_camel_case() {
    check(r#"CREATE TABLE online_retail AS SELECT (489434 + n / 5)::text AS "Invoice", (85000 + n % 300)::text AS "StockCode",
        'GIFT ' || n % 320 AS "Description", n % 12 AS "Quantity", timestamp '2010-01-01' + n * interval '1 hour' AS "InvoiceDate",
        (n % 70) * 0.35 AS "Price", (12000 + n % 400)::float8 AS "Customer ID", 'Country ' || n % 9 AS "Country"
        FROM generate_series(1, 5000) AS n"#,
    "online_retail:
  Invoice identifier
  StockCode product
  Description ignore
  Quantity quantity
  InvoiceDate date
  Price unit_price
  Customer ID entity
  Country region
").await;
}

#[tokio::test]
async fn roles_of_service_desk_incidents() {
    check("CREATE TABLE incidents AS SELECT 'INC' || n AS number, timestamp '2023-01-01' + n * interval '1 hour' AS opened_at,
        timestamp '2023-01-05' + n * interval '1 hour' AS closed_at, timestamp '2023-01-05' + n * interval '1 hour' AS sys_updated_on,
        (array['Closed', 'Resolved'])[1 + n % 2] AS state, 'Caller ' || n % 40 AS caller_id, 'Agent ' || n % 6 AS assigned_to,
        (array['system', 'admin'])[1 + n % 2] AS sys_updated_by, (array['UK', 'India'])[1 + n % 2] AS location,
        (array['Hardware', 'Database'])[1 + n % 2] AS category, (array['1 - Critical', '2 - High'])[1 + n % 2] AS priority,
        'It broke ' || n AS short_description, n % 5 AS user_satisfaction_score, n % 900 AS users_affected, n * 3.7 AS estimated_cost
        FROM generate_series(1, 2000) AS n",
    "incidents:
  number identifier
  opened_at date
  closed_at -
  sys_updated_on -
  state dimension
  caller_id entity
  assigned_to dimension
  sys_updated_by dimension
  location region
  category dimension
  priority dimension
  short_description ignore
  user_satisfaction_score rate
  users_affected quantity
  estimated_cost measure
").await;
}

#[tokio::test]
async fn roles_across_the_foreign_keys_of_a_shop() {
    check("CREATE TABLE customers (id int PRIMARY KEY, full_name text, email text, date_of_birth date, created_at timestamptz, state text, city text);
        CREATE TABLE products (product_id int PRIMARY KEY, name text, category text, list_price numeric(10,2));
        CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id int REFERENCES customers, status text, order_date date,
            updated_at timestamptz, total_amount numeric(12,2), tax numeric(12,2), discount_pct numeric(5,2), currency char(3), order_year int);
        CREATE TABLE order_items (order_id bigint REFERENCES orders, product_id int REFERENCES products, qty int,
            unit_price numeric(10,2), discount numeric(4,2), line_total numeric(12,2));
        INSERT INTO customers SELECT n, 'Name ' || n, n || '@x.y', '1990-01-01', now(), 'NY', 'City' FROM generate_series(1, 50) AS n;
        INSERT INTO products SELECT n, 'Product ' || n, 'c', n FROM generate_series(1, 20) AS n;
        INSERT INTO orders SELECT n, 1 + n % 50, (array['completed', 'returned'])[1 + n % 2], '2024-01-01'::date + n % 300, now(), n, n, 5, 'EUR', 2024
            FROM generate_series(1, 1000) AS n;
        INSERT INTO order_items SELECT 1 + n % 1000, 1 + n % 20, n % 4, n % 7, (n % 4) * 5, n FROM generate_series(1, 3000) AS n",
    "customers:
  id entity
  full_name entity_name
  email ignore
  date_of_birth -
  created_at date
  state region
  city dimension
order_items:
  order_id identifier
  product_id product
  qty quantity
  unit_price unit_price
  discount rate
  line_total measure
orders:
  order_id identifier
  customer_id entity
  status event_type
  order_date date
  updated_at -
  total_amount measure
  tax measure
  discount_pct rate
  currency currency
  order_year dimension
products:
  product_id identifier
  name product
  category dimension
  list_price unit_price
").await;
}

#[tokio::test]
async fn roles_where_no_name_is_known() {
    check("CREATE TABLE maschinen (id int PRIMARY KEY, name text, baujahr int);
        CREATE TABLE messungen (id bigserial PRIMARY KEY, maschine_id int REFERENCES maschinen, zeit timestamptz, druck float8, stufe int, gut boolean);
        INSERT INTO maschinen SELECT n, 'M' || n, 2000 + n FROM generate_series(1, 30) AS n;
        INSERT INTO messungen (maschine_id, zeit, druck, stufe, gut) SELECT 1 + n % 30, now() + n * interval '1 second', random(), n % 4, true
            FROM generate_series(1, 1000) AS n",
    "maschinen:
  id entity
  name entity_name
  baujahr identifier
messungen:
  id identifier
  maschine_id entity
  zeit date
  druck measure
  stufe dimension
  gut dimension
").await;
}

#[tokio::test]
async fn numbers_that_are_no_measures() {
    check("CREATE TABLE t (zip int, phone bigint, month int, margin_pct numeric, gross_weight numeric, net_price numeric, latitude float8,
        num_orders int, number_of_items int, invoice_number int, account_balance numeric, exchange_rate numeric, avg_basket numeric,
        is_new int, gross_profit numeric, net_revenue numeric, volume_discount numeric, days_open int, customers int, data json)",
    "t:
  zip ignore
  phone ignore
  month dimension
  margin_pct rate
  gross_weight measure
  net_price unit_price
  latitude ignore
  num_orders quantity
  number_of_items measure
  invoice_number identifier
  account_balance rate
  exchange_rate rate
  avg_basket rate
  is_new measure
  gross_profit margin
  net_revenue net_measure
  volume_discount discount
  days_open measure
  customers measure
  data ignore
").await;
}

#[tokio::test]
async fn a_constant_is_no_measure() {
    let sql = "CREATE TABLE bills AS SELECT date '2026-01-01' + n AS bill_date, 1::bigint AS number_of_records, n * 1.5 AS sales
        FROM generate_series(1, 100) n";
    check(sql, "bills:\n  bill_date date\n  number_of_records ignore\n  sales measure\n").await;
}

#[tokio::test]
async fn what_there_is_on_each_day_is_a_level_and_what_is_sold_on_it_is_not() {
    let sql = "CREATE TABLE shelf (day date, shop int, stock int, units_sold int, PRIMARY KEY (day, shop));
        INSERT INTO shelf SELECT date '2026-01-01' + n / 5, n % 5, n * 7 % 90, n * 11 % 300 FROM generate_series(1, 400) n";
    check(sql, "shelf:\n  day date\n  shop dimension\n  stock level\n  units_sold quantity\n").await;
}
