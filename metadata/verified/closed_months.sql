-- question: What were the net sales of each closed month, and how many rows are behind them?
-- expect: net_sales, invoices never move by month
-- expect: net_sales > 0
-- expect: rows >= 6
SELECT date_trunc('month', billing_date)::date AS month,
       sum(net_sales_value_2) AS net_sales,
       count(*) AS invoices
FROM primary_sales
WHERE billing_date < (SELECT date_trunc('month', max(billing_date)) FROM primary_sales)
GROUP BY 1
ORDER BY 1
