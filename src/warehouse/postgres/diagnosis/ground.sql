-- Schemas with tables in them, and what everybody may do beyond reading: kind and name, a row each.
WITH schemas AS MATERIALIZED (
    SELECT oid, nspname
    FROM pg_catalog.pg_namespace
    WHERE nspname OPERATOR(pg_catalog.!~) '^pg_' AND nspname <> 'information_schema'
)
SELECT 'schema' AS kind, nspname::text AS name
FROM schemas
WHERE EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = schemas.oid AND relkind IN ('r', 'p', 'v', 'm', 'f'))
UNION ALL
SELECT 'open', nspname::text FROM schemas WHERE pg_catalog.has_schema_privilege('public', oid, 'CREATE')
UNION ALL
SELECT 'written', CASE WHEN c.relkind = 'S' THEN 'ALL ON SEQUENCE ' ELSE 'INSERT, UPDATE, DELETE, TRUNCATE ON ' END
    || pg_catalog.format('%I.%I', s.nspname, c.relname)
FROM pg_catalog.pg_class AS c
JOIN schemas AS s ON s.oid = c.relnamespace
WHERE CASE c.relkind
    WHEN 'S' THEN pg_catalog.has_sequence_privilege('public', c.oid, 'USAGE, UPDATE')
    ELSE c.relkind IN ('r', 'p', 'v', 'f')
        AND (pg_catalog.has_table_privilege('public', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
            OR pg_catalog.has_any_column_privilege('public', c.oid, 'INSERT, UPDATE'))
    END
UNION ALL
SELECT 'definer',
    pg_catalog.format('%I.%I(%s)', s.nspname, f.proname, pg_catalog.pg_get_function_identity_arguments(f.oid))
FROM pg_catalog.pg_proc AS f
JOIN schemas AS s ON s.oid = f.pronamespace
WHERE f.prosecdef
    AND f.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
    AND pg_catalog.has_function_privilege('public', f.oid, 'EXECUTE')
ORDER BY 1, 2
