-- Primary sales of a lubricants manufacturer to its business customers, April to November 2025: twenty-one invoices and a
-- return that a person can check by hand. Four things are planted in them:
--
--   1. CUST004 (GHI Service Center, North) ordered 100 units every 14 days, nine times from 11 April to 1 August
--      (net 38,000 each, 342,000 in all), and never again; the data end on 28 November, 119 days later.
--   2. BATCH009 (Gear Oil, Plant-C): 300 units sold (INV011, INV014), 50 of them returned (RET015), which is 16.7%.
--      Nothing else was returned.
--   3. CUST006 gets 15% off gross (24,000 of 160,000); the others get 5% to 8%.
--   4. North has two customers. CUST003 still orders; CUST004 is the one who went silent.
--
-- Every discount is a whole percentage of gross. A unit costs 65% of its gross value: contribution is net sales value
-- 2 less that. Gross prices a unit: Engine Oil 400, Gear Oil 500, Hydraulic Oil 300.

BEGIN;

CREATE TABLE primary_sales (
    billing_date date NOT NULL,
    billing_code text NOT NULL,
    invoice_number text PRIMARY KEY,
    customer_code text NOT NULL,
    customer_name text NOT NULL,
    customer_segment text NOT NULL,
    region text NOT NULL,
    product text NOT NULL,
    business_unit text NOT NULL,
    quantity numeric(12,2) NOT NULL,
    gross_sales_value numeric(14,2) NOT NULL,
    net_sales_value_1 numeric(14,2) NOT NULL,
    net_sales_value_2 numeric(14,2) NOT NULL,
    trade_discount numeric(14,2) NOT NULL,
    volume_discount numeric(14,2) NOT NULL,
    cash_discount numeric(14,2) NOT NULL,
    contribution numeric(14,2) NOT NULL,
    batch text NOT NULL,
    plant text NOT NULL
);

COMMENT ON TABLE primary_sales IS 'Invoices and returns of lubricants sold to business customers, one line each; amounts in INR';
COMMENT ON COLUMN primary_sales.billing_date IS 'Day of the invoice or of the return';
COMMENT ON COLUMN primary_sales.billing_code IS 'SA is a sale; RE is a return, whose quantity and values are negative';
COMMENT ON COLUMN primary_sales.invoice_number IS 'Number of the document';
COMMENT ON COLUMN primary_sales.customer_code IS 'Identifies the customer';
COMMENT ON COLUMN primary_sales.customer_name IS 'Name of the customer';
COMMENT ON COLUMN primary_sales.customer_segment IS 'Trade of the customer';
COMMENT ON COLUMN primary_sales.region IS 'Sales region of the customer';
COMMENT ON COLUMN primary_sales.product IS 'Product line';
COMMENT ON COLUMN primary_sales.business_unit IS 'Business unit that owns the product';
COMMENT ON COLUMN primary_sales.quantity IS 'Units sold; negative for returns';
COMMENT ON COLUMN primary_sales.gross_sales_value IS 'List value before any discount, in INR';
COMMENT ON COLUMN primary_sales.net_sales_value_1 IS 'Gross less trade discount, in INR';
COMMENT ON COLUMN primary_sales.net_sales_value_2 IS 'Gross less all three discounts, in INR: what is earned';
COMMENT ON COLUMN primary_sales.trade_discount IS 'Discount agreed with the customer, in INR';
COMMENT ON COLUMN primary_sales.volume_discount IS 'Discount for the quantity, in INR';
COMMENT ON COLUMN primary_sales.cash_discount IS 'Discount for paying at once, in INR';
COMMENT ON COLUMN primary_sales.contribution IS 'Net sales value 2 less the cost of the goods, in INR';
COMMENT ON COLUMN primary_sales.batch IS 'Production batch that the goods came from';
COMMENT ON COLUMN primary_sales.plant IS 'Plant that made the batch';

INSERT INTO primary_sales VALUES
    ('2025-04-11', 'SA', 'INV001', 'CUST004', 'GHI Service Center', 'Workshop', 'North', 'Engine Oil', 'Automotive', 100, 40000, 38800, 38000, 1200, 400, 400, 12000, 'BATCH001', 'Plant-A'),
    ('2025-04-25', 'SA', 'INV002', 'CUST004', 'GHI Service Center', 'Workshop', 'North', 'Engine Oil', 'Automotive', 100, 40000, 38800, 38000, 1200, 400, 400, 12000, 'BATCH001', 'Plant-A'),
    ('2025-05-09', 'SA', 'INV003', 'CUST004', 'GHI Service Center', 'Workshop', 'North', 'Engine Oil', 'Automotive', 100, 40000, 38800, 38000, 1200, 400, 400, 12000, 'BATCH001', 'Plant-A'),
    ('2025-05-23', 'SA', 'INV004', 'CUST004', 'GHI Service Center', 'Workshop', 'North', 'Engine Oil', 'Automotive', 100, 40000, 38800, 38000, 1200, 400, 400, 12000, 'BATCH001', 'Plant-A'),
    ('2025-06-06', 'SA', 'INV005', 'CUST004', 'GHI Service Center', 'Workshop', 'North', 'Engine Oil', 'Automotive', 100, 40000, 38800, 38000, 1200, 400, 400, 12000, 'BATCH001', 'Plant-A'),
    ('2025-06-20', 'SA', 'INV006', 'CUST004', 'GHI Service Center', 'Workshop', 'North', 'Engine Oil', 'Automotive', 100, 40000, 38800, 38000, 1200, 400, 400, 12000, 'BATCH001', 'Plant-A'),
    ('2025-07-04', 'SA', 'INV007', 'CUST004', 'GHI Service Center', 'Workshop', 'North', 'Engine Oil', 'Automotive', 100, 40000, 38800, 38000, 1200, 400, 400, 12000, 'BATCH001', 'Plant-A'),
    ('2025-07-08', 'SA', 'INV008', 'CUST001', 'ABC Motors', 'Retailer', 'West', 'Engine Oil', 'Automotive', 200, 80000, 76800, 74400, 3200, 1600, 800, 22400, 'BATCH001', 'Plant-A'),
    ('2025-07-12', 'SA', 'INV009', 'CUST003', 'JKL Transport', 'Fleet', 'North', 'Hydraulic Oil', 'Industrial', 200, 60000, 58200, 57000, 1800, 600, 600, 18000, 'BATCH005', 'Plant-B'),
    ('2025-07-18', 'SA', 'INV010', 'CUST004', 'GHI Service Center', 'Workshop', 'North', 'Engine Oil', 'Automotive', 100, 40000, 38800, 38000, 1200, 400, 400, 12000, 'BATCH001', 'Plant-A'),
    ('2025-07-22', 'SA', 'INV011', 'CUST002', 'DEF Logistics', 'Fleet', 'South', 'Gear Oil', 'Automotive', 200, 100000, 96000, 92000, 4000, 3000, 1000, 27000, 'BATCH009', 'Plant-C'),
    ('2025-08-01', 'SA', 'INV012', 'CUST004', 'GHI Service Center', 'Workshop', 'North', 'Engine Oil', 'Automotive', 100, 40000, 38800, 38000, 1200, 400, 400, 12000, 'BATCH002', 'Plant-A'),
    ('2025-08-05', 'SA', 'INV013', 'CUST006', 'PQR Traders', 'Retailer', 'West', 'Engine Oil', 'Automotive', 200, 80000, 73600, 68000, 6400, 3200, 2400, 16000, 'BATCH002', 'Plant-A'),
    ('2025-08-20', 'SA', 'INV014', 'CUST005', 'MNO Industries', 'Industrial', 'East', 'Gear Oil', 'Automotive', 100, 50000, 48500, 47000, 1500, 1000, 500, 14500, 'BATCH009', 'Plant-C'),
    ('2025-09-05', 'RE', 'RET015', 'CUST002', 'DEF Logistics', 'Fleet', 'South', 'Gear Oil', 'Automotive', -50, -25000, -24000, -23000, -1000, -750, -250, -6750, 'BATCH009', 'Plant-C'),
    ('2025-09-10', 'SA', 'INV016', 'CUST001', 'ABC Motors', 'Retailer', 'West', 'Engine Oil', 'Automotive', 200, 80000, 76800, 74400, 3200, 1600, 800, 22400, 'BATCH002', 'Plant-A'),
    ('2025-09-15', 'SA', 'INV017', 'CUST003', 'JKL Transport', 'Fleet', 'North', 'Hydraulic Oil', 'Industrial', 200, 60000, 58200, 57000, 1800, 600, 600, 18000, 'BATCH005', 'Plant-B'),
    ('2025-10-07', 'SA', 'INV018', 'CUST006', 'PQR Traders', 'Retailer', 'West', 'Engine Oil', 'Automotive', 200, 80000, 73600, 68000, 6400, 3200, 2400, 16000, 'BATCH003', 'Plant-A'),
    ('2025-10-08', 'SA', 'INV019', 'CUST002', 'DEF Logistics', 'Fleet', 'South', 'Gear Oil', 'Automotive', 200, 100000, 96000, 92000, 4000, 3000, 1000, 27000, 'BATCH010', 'Plant-B'),
    ('2025-10-20', 'SA', 'INV020', 'CUST005', 'MNO Industries', 'Industrial', 'East', 'Hydraulic Oil', 'Industrial', 200, 60000, 58200, 56400, 1800, 1200, 600, 17400, 'BATCH006', 'Plant-B'),
    ('2025-11-12', 'SA', 'INV021', 'CUST001', 'ABC Motors', 'Retailer', 'West', 'Engine Oil', 'Automotive', 200, 80000, 76800, 74400, 3200, 1600, 800, 22400, 'BATCH003', 'Plant-A'),
    ('2025-11-28', 'SA', 'INV022', 'CUST003', 'JKL Transport', 'Fleet', 'North', 'Hydraulic Oil', 'Industrial', 200, 60000, 58200, 57000, 1800, 600, 600, 18000, 'BATCH006', 'Plant-B');

COMMIT;

ANALYZE primary_sales;
