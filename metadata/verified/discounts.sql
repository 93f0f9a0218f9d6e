-- question: Are the discounts the whole way from list value to net sales, in each region?
-- expect: gross - trade - volume - cash = net within 0.01
-- expect: trade + volume + cash between 0 and gross
SELECT region,
       sum(gross_sales_value) AS gross,
       sum(trade_discount) AS trade,
       sum(volume_discount) AS volume,
       sum(cash_discount) AS cash,
       sum(net_sales_value_2) AS net
FROM primary_sales
GROUP BY region
ORDER BY region
