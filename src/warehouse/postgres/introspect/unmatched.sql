-- What the selection names and nothing answers to: a row each, of what it is and the text.
SELECT 'schema', s.name
FROM unnest($1::text[]) AS s (name)
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname::text = s.name AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'))
UNION ALL
SELECT 'pattern', p.name
FROM unnest($2::text[]) AS p (name)
WHERE NOT EXISTS (SELECT FROM readable AS r WHERE r.relname LIKE p.name OR r.nspname || '.' || r.relname LIKE p.name)
UNION ALL
-- What is kept out need not be readable, nor a table by itself.
SELECT 'exclusion', p.name
FROM unnest($3::text[]) AS p (name)
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND (c.relname LIKE p.name OR n.nspname || '.' || c.relname LIKE p.name))
