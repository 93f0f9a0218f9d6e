-- What the database's users made that a SELECT could run without naming it: a row each, its kind and a JSON document that
-- `code.rs` reads. What PostgreSQL itself brings has an oid below 16384 (FirstNormalObjectId), wherever it stands.
-- $1: extensions whose code is taken for PostgreSQL's own.
WITH RECURSIVE trusted AS MATERIALIZED (
    SELECT d.classid, d.objid
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e' AND e.extname::text = ANY ($1::text[])
), schemas AS MATERIALIZED (
    SELECT oid, nspname
    FROM pg_catalog.pg_namespace
    WHERE nspname OPERATOR(pg_catalog.!~) '^pg_(toast|temp)'
), relations AS MATERIALIZED (
    SELECT c.oid, s.nspname, c.relname, c.relkind, c.reltype, pg_catalog.pg_table_is_visible(c.oid) AS visible,
        pg_catalog.has_schema_privilege(s.oid, 'USAGE')
        AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))
            AS readable
    FROM pg_catalog.pg_class AS c
    JOIN schemas AS s ON s.oid = c.relnamespace
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), reads AS MATERIALIZED (
    SELECT DISTINCT r.ev_class AS view, d.refobjid AS relation
    FROM pg_catalog.pg_rewrite AS r
    JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class
    WHERE r.ev_type = '1'
), views AS (
    -- The views that the role may read, and those that they read in turn.
    SELECT oid FROM relations WHERE relkind = 'v' AND readable
    UNION
    SELECT r.relation
    FROM views AS v
    JOIN reads AS r ON r.view = v.oid
    JOIN relations AS c ON c.oid = r.relation AND c.relkind = 'v'
), ancestors AS (
    -- Tables that reach another server through a partition or a child.
    SELECT oid FROM relations WHERE relkind = 'f'
    UNION
    SELECT i.inhparent FROM ancestors AS a JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = a.oid
)
SELECT 'view' AS kind, pg_catalog.json_build_object(
    'schema', c.nspname,
    'name', c.relname,
    'body', pg_catalog.pg_get_viewdef(c.oid),
    'reads', coalesce((
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', d.nspname, 'name', d.relname, 'kind', d.relkind, 'visible', d.visible, 'columns', (
                SELECT pg_catalog.json_agg(a.attname)
                FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = d.oid AND a.attnum > 0 AND NOT a.attisdropped
            )
        ))
        FROM reads AS r
        JOIN relations AS d ON d.oid = r.relation
        WHERE r.view = c.oid
    ), '[]'::json)
)::text AS document
FROM views AS v
JOIN relations AS c ON c.oid = v.oid
UNION ALL
SELECT 'foreign', pg_catalog.json_build_object('schema', c.nspname, 'name', c.relname)::text
FROM ancestors AS a
JOIN relations AS c ON c.oid = a.oid
UNION ALL
SELECT 'operator', pg_catalog.json_build_object(
    'schema', s.nspname,
    'name', o.oprname,
    'visible', s.nspname = ANY (pg_catalog.current_schemas(true)),
    'types', pg_catalog.json_build_array(o.oprleft::bigint, o.oprright::bigint),
    'signature', pg_catalog.concat_ws(', ', nullif(pg_catalog.format_type(o.oprleft, NULL), '-'),
        nullif(pg_catalog.format_type(o.oprright, NULL), '-'))
)::text
FROM pg_catalog.pg_operator AS o
JOIN schemas AS s ON s.oid = o.oprnamespace
WHERE o.oid >= 16384
    AND NOT EXISTS (SELECT FROM trusted AS t WHERE t.classid = 'pg_catalog.pg_operator'::regclass AND t.objid = o.oid)
UNION ALL
SELECT 'function', pg_catalog.json_build_object(
    'schema', s.nspname,
    'name', f.proname,
    'visible', s.nspname = ANY (pg_catalog.current_schemas(true)),
    'types', (SELECT coalesce(pg_catalog.json_agg(t::bigint), '[]'::json) FROM unnest(f.proargtypes) AS t),
    'signature', pg_catalog.pg_get_function_identity_arguments(f.oid),
    'definer', f.prosecdef,
    'trusted', EXISTS (SELECT FROM trusted AS t WHERE t.classid = 'pg_catalog.pg_proc'::regclass AND t.objid = f.oid)
)::text
FROM pg_catalog.pg_proc AS f
JOIN schemas AS s ON s.oid = f.pronamespace
WHERE f.oid >= 16384
UNION ALL
SELECT 'cast', pg_catalog.json_build_object(
    'function', pg_catalog.json_build_object('schema', s.nspname, 'name', f.proname),
    'source', c.castsource::bigint,
    'target', c.casttarget::bigint,
    'implicit', c.castcontext = 'i',
    'to_text', c.casttarget IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype),
    'signature', pg_catalog.format_type(c.castsource, NULL) || ' AS ' || pg_catalog.format_type(c.casttarget, NULL)
)::text
FROM pg_catalog.pg_cast AS c
JOIN pg_catalog.pg_proc AS f ON f.oid = c.castfunc
JOIN schemas AS s ON s.oid = f.pronamespace
WHERE c.oid >= 16384 AND f.oid >= 16384
    AND NOT EXISTS (SELECT FROM trusted AS t WHERE t.classid = 'pg_catalog.pg_cast'::regclass AND t.objid = c.oid)
UNION ALL
SELECT 'type', pg_catalog.json_build_object(
    'oid', t.oid::bigint,
    'schema', s.nspname,
    'name', t.typname,
    'visible', pg_catalog.pg_type_is_visible(t.oid),
    'kind', t.typtype,
    -- What a value of it holds: of an array the element, of a domain its base, of a row its columns, of a range its bounds.
    'holds', (
        SELECT coalesce(pg_catalog.json_agg(h.oid::bigint), '[]'::json)
        FROM (
            SELECT t.typelem WHERE t.typelem >= 16384
            UNION SELECT t.typbasetype WHERE t.typbasetype >= 16384
            UNION SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
                WHERE t.typrelid <> 0 AND a.attrelid = t.typrelid AND a.attnum > 0 AND a.atttypid >= 16384
            UNION SELECT r.rngsubtype FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid AND r.rngsubtype >= 16384
        ) AS h (oid)
    )
)::text
FROM pg_catalog.pg_type AS t
JOIN schemas AS s ON s.oid = t.typnamespace
WHERE t.oid >= 16384
UNION ALL
SELECT 'relation', pg_catalog.json_build_object(
    'schema', c.nspname,
    'name', c.relname,
    'types', (
        SELECT pg_catalog.json_agg(DISTINCT h.oid::bigint)
        FROM (
            SELECT c.reltype
            UNION ALL
            SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid >= 16384
        ) AS h (oid)
    )
)::text
FROM relations AS c
WHERE c.readable
