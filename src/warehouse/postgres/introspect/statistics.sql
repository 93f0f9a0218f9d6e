-- One row a relation that was analysed: a JSON document that `introspect` reads as `Analysed`. Where a table has
-- children, what counts is the statistics with them. Values that no filter would name (json, bytea) are left out.
, analysed AS MATERIALIZED (
    SELECT s.schemaname, s.tablename, s.attname, s.null_frac, s.n_distinct, s.avg_width,
        CASE WHEN t.typcategory IN ('B', 'D', 'E', 'N', 'S', 'T') THEN s.most_common_vals::text::text[] END AS common,
        s.most_common_freqs AS shares,
        CASE WHEN t.typcategory IN ('D', 'N', 'S') THEN s.histogram_bounds::text::text[] END AS bounds
    FROM chosen AS c
    JOIN pg_catalog.pg_stats AS s ON s.schemaname = c.nspname AND s.tablename = c.relname
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = s.attname
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE s.inherited = c.relhassubclass
), cut AS (
    -- Without a histogram the common values are all there are, and the range is told from them.
    SELECT schemaname, tablename, attname, null_frac, n_distinct, avg_width,
        CASE WHEN bounds IS NULL THEN common ELSE common[1:12] END AS common, shares[1:12] AS shares,
        left(bounds[1], 81) AS lowest, left(bounds[cardinality(bounds)], 81) AS highest
    FROM analysed
)
SELECT pg_catalog.json_build_object(
    'schema', schemaname,
    'name', tablename,
    'columns', pg_catalog.json_agg(pg_catalog.json_build_object(
        'name', attname,
        'null_fraction', null_frac,
        'distinct', n_distinct,
        'common_values', CASE WHEN avg_width <= 40 THEN common ELSE (
            SELECT pg_catalog.array_agg(left(v, 81) ORDER BY n) FROM unnest(common) WITH ORDINALITY AS u (v, n)) END,
        'common_shares', shares,
        'lowest', lowest,
        'highest', highest
    ))
)::text
FROM cut
GROUP BY schemaname, tablename
