-- What a role may do beyond reading: kind and name, a row each. `grade` in role.rs puts the role in place of WHO.
WITH me AS MATERIALIZED (
    SELECT * FROM pg_catalog.pg_roles WHERE rolname = WHO
), schemas AS MATERIALIZED (
    SELECT oid, nspname
    FROM pg_catalog.pg_namespace
    WHERE nspname OPERATOR(pg_catalog.!~) '^pg_' AND nspname <> 'information_schema'
), relations AS MATERIALIZED (
    SELECT c.oid, c.relkind, c.relowner, pg_catalog.format('%I.%I', s.nspname, c.relname) AS name
    FROM pg_catalog.pg_class AS c
    JOIN schemas AS s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
)
SELECT 'superuser' AS kind, rolname::text AS name FROM me WHERE rolsuper
UNION ALL
SELECT 'power', p.name
FROM me, LATERAL (VALUES ('CREATEROLE', rolcreaterole), ('CREATEDB', rolcreatedb), ('REPLICATION', rolreplication))
    AS p (name, has)
WHERE p.has
UNION ALL
SELECT 'power', rolname::text
FROM pg_catalog.pg_roles
WHERE rolname IN ('pg_write_server_files', 'pg_execute_server_program', 'pg_write_all_data', 'pg_signal_backend',
        'pg_checkpoint', 'pg_maintain', 'pg_create_subscription', 'pg_signal_autovacuum_worker')
    AND pg_catalog.pg_has_role(WHO, oid, 'USAGE')
UNION ALL
SELECT 'read', rolname::text
FROM pg_catalog.pg_roles
WHERE rolname IN ('pg_read_server_files', 'pg_monitor', 'pg_read_all_settings', 'pg_read_all_stats')
    AND pg_catalog.pg_has_role(WHO, oid, 'USAGE')
UNION ALL
SELECT 'read', 'BYPASSRLS' FROM me WHERE rolbypassrls
UNION ALL
SELECT 'write', name
FROM relations
WHERE relkind <> 'S'
    AND (pg_catalog.pg_has_role(WHO, relowner, 'USAGE')
        OR relkind <> 'm' AND (pg_catalog.has_table_privilege(WHO, oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
            OR pg_catalog.has_any_column_privilege(WHO, oid, 'INSERT, UPDATE')))
UNION ALL
SELECT 'create', 'schema ' || nspname::text FROM schemas WHERE pg_catalog.has_schema_privilege(WHO, oid, 'CREATE')
UNION ALL
SELECT 'create', 'database ' || datname::text
FROM pg_catalog.pg_database
WHERE datname = pg_catalog.current_database() AND pg_catalog.has_database_privilege(WHO, oid, 'CREATE')
UNION ALL
SELECT 'become', r.rolname::text
FROM pg_catalog.pg_roles AS r
WHERE pg_catalog.pg_has_role(WHO, r.oid, 'MEMBER') AND NOT pg_catalog.pg_has_role(WHO, r.oid, 'USAGE')
    AND (r.rolsuper OR r.rolcreaterole OR EXISTS (
        SELECT FROM relations AS t
        WHERE t.relkind <> 'S'
            AND (pg_catalog.pg_has_role(r.oid, t.relowner, 'USAGE')
                OR pg_catalog.has_table_privilege(r.oid, t.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))))
UNION ALL
SELECT 'sequence', name
FROM relations
WHERE relkind = 'S' AND pg_catalog.has_sequence_privilege(WHO, oid, 'USAGE, UPDATE')
UNION ALL
SELECT 'definer', pg_catalog.format('%I.%I', s.nspname, f.proname)
FROM pg_catalog.pg_proc AS f
JOIN schemas AS s ON s.oid = f.pronamespace
WHERE f.prosecdef
    AND f.prorettype NOT IN ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype)
    AND pg_catalog.has_schema_privilege(WHO, s.oid, 'USAGE')
    AND pg_catalog.has_function_privilege(WHO, f.oid, 'EXECUTE')
ORDER BY 1, 2
