-- What the selection names and nothing answers to: a row each, of what it is and the text.
SELECT 'schema', s.name
FROM unnest($1::text[]) AS s (name)
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname::text = s.name AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'))
UNION ALL
SELECT 'pattern', p.name
FROM unnest($2::text[] || $3::text[]) AS p (name)
WHERE NOT EXISTS (SELECT FROM readable AS r WHERE r.relname LIKE p.name OR r.nspname || '.' || r.relname LIKE p.name)
