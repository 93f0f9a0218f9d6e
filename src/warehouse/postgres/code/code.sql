-- What the database's users made that a SELECT could run without naming it: a row each, its kind and a JSON document that
-- `code.rs` reads. What PostgreSQL itself brings has an oid below 16384 (FirstNormalObjectId), wherever it stands.
-- $1: extensions whose code is taken for PostgreSQL's own; $2: the system's relations that may be read, as schema.name.
WITH RECURSIVE trusted AS MATERIALIZED (
    -- Functions, by oid. An extension's owner, who need be no superuser, can add his own to it, but none in C.
    SELECT d.objid AS function
    FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
    JOIN pg_catalog.pg_proc AS f ON f.oid = d.objid
    JOIN pg_catalog.pg_roles AS r ON r.oid = f.proowner
    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass
        AND d.deptype = 'e' AND e.extname::text = ANY ($1::text[])
        AND (f.prolang IN (12, 13) OR r.rolsuper) -- internal, C
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
    SELECT oid FROM relations WHERE relkind IN ('v', 'm') AND readable
    UNION
    SELECT r.relation
    FROM views AS v
    JOIN reads AS r ON r.view = v.oid
    JOIN relations AS c ON c.oid = r.relation AND c.relkind IN ('v', 'm')
), ancestors AS (
    -- Tables that reach another server through a partition or a child.
    SELECT oid FROM relations WHERE relkind = 'f'
    UNION
    SELECT i.inhparent FROM ancestors AS a JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = a.oid
), made AS MATERIALIZED (
    -- Functions that may do anything. Those in C and internal ones only a superuser can make.
    SELECT f.oid, s.nspname, f.proname, CASE WHEN f.prolang = 14 THEN f.prosrc END AS body
    FROM pg_catalog.pg_proc AS f
    JOIN schemas AS s ON s.oid = f.pronamespace
    WHERE f.oid >= 16384 AND f.prolang NOT IN (12, 13) AND f.oid NOT IN (SELECT function FROM trusted)
), runs AS MATERIALIZED (
    -- What runs them, and whether it does so without their names.
    SELECT 'pg_catalog.pg_proc'::regclass::oid AS class, oid AS object, oid AS function, false AS hidden FROM made
    UNION
    SELECT 'pg_catalog.pg_operator'::regclass, o.oid, m.oid, true
    FROM pg_catalog.pg_operator AS o
    JOIN made AS m ON m.oid = o.oprcode::oid
    UNION
    SELECT 'pg_catalog.pg_opclass'::regclass, c.oid, m.oid, true
    FROM pg_catalog.pg_opclass AS c
    JOIN pg_catalog.pg_amproc AS a ON a.amprocfamily = c.opcfamily
    JOIN made AS m ON m.oid = a.amproc::oid
), planned AS (
    -- What the planner reads of a relation, computing what is constant in it.
    SELECT i.indrelid AS relation, 'pg_catalog.pg_class'::regclass::oid AS class, i.indexrelid AS object
    FROM pg_catalog.pg_index AS i
    UNION ALL
    SELECT x.stxrelid, 'pg_catalog.pg_statistic_ext'::regclass, x.oid FROM pg_catalog.pg_statistic_ext AS x
    UNION ALL
    SELECT c.conrelid, 'pg_catalog.pg_constraint'::regclass, c.oid
    FROM pg_catalog.pg_constraint AS c
    WHERE c.contype = 'c' AND c.conrelid <> 0
    UNION ALL
    SELECT p.partrelid, 'pg_catalog.pg_class'::regclass, p.partrelid FROM pg_catalog.pg_partitioned_table AS p
), machinery AS MATERIALIZED (
    SELECT p.relation, p.class, p.object, pg_catalog.json_agg(pg_catalog.json_build_object(
        'function', pg_catalog.json_build_object('schema', m.nspname, 'name', m.proname),
        'hidden', r.hidden, 'body', m.body)) AS runs
    FROM planned AS p
    JOIN pg_catalog.pg_depend AS d ON d.classid = p.class AND d.objid = p.object
    JOIN runs AS r ON r.class = d.refclassid AND r.object = d.refobjid
    JOIN made AS m ON m.oid = r.function
    GROUP BY p.relation, p.class, p.object
), readers AS (
    -- Relations with it, and those that they are partitions or children of.
    SELECT relation, relation AS reader FROM machinery
    UNION
    SELECT r.relation, i.inhparent FROM readers AS r JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = r.reader
)
SELECT 'view' AS kind, pg_catalog.json_build_object(
    'schema', c.nspname,
    'name', c.relname,
    'body', pg_catalog.pg_get_viewdef(c.oid),
    'materialized', c.relkind = 'm',
    'columns', (
        SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY a.attnum), '[]'::json)
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    ),
    'reads', coalesce((
        SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
            'schema', d.nspname, 'name', d.relname, 'kind', d.relkind, 'visible', d.visible, 'columns', (
                SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum)
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
        nullif(pg_catalog.format_type(o.oprright, NULL), '-')),
    'compares', EXISTS (SELECT FROM pg_catalog.pg_amop AS a WHERE a.amopopr = o.oid AND a.amoppurpose = 's'
        AND a.amopmethod IN (SELECT oid FROM pg_catalog.pg_am WHERE amname IN ('btree', 'hash'))),
    -- PostgreSQL takes its own operator for a string beside a type of its own where there is one of that type twice.
    'literals', NOT EXISTS (
        SELECT FROM pg_catalog.pg_operator AS b
        WHERE b.oid < 16384 AND b.oprname = o.oprname AND b.oprkind = o.oprkind
            AND (o.oprleft = 0 OR o.oprleft >= 16384 OR (b.oprleft = o.oprleft AND b.oprright = o.oprleft))
            AND (o.oprright >= 16384 OR (b.oprleft = o.oprright AND b.oprright = o.oprright))
    )
)::text
FROM pg_catalog.pg_operator AS o
JOIN schemas AS s ON s.oid = o.oprnamespace
WHERE o.oid >= 16384
    AND o.oprcode::oid NOT IN (SELECT function FROM trusted)
UNION ALL
SELECT 'function', pg_catalog.json_build_object(
    'schema', s.nspname,
    'name', f.proname,
    'visible', s.nspname = ANY (pg_catalog.current_schemas(true)),
    'types', (SELECT coalesce(pg_catalog.json_agg(t::bigint), '[]'::json) FROM unnest(f.proargtypes) AS t),
    'signature', pg_catalog.pg_get_function_identity_arguments(f.oid),
    'definer', f.prosecdef,
    'trusted', f.oid IN (SELECT function FROM trusted),
    -- PostgreSQL prefers text for strings, or does not decide, where it has a function of as many arguments itself.
    'literals', f.pronargdefaults > 0 OR f.provariadic <> 0 OR NOT EXISTS (
        SELECT FROM pg_catalog.pg_proc AS b
        WHERE b.oid < 16384 AND b.pronamespace = 'pg_catalog'::regnamespace AND b.proname = f.proname
            AND b.pronargs = f.pronargs
    )
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
    AND f.oid NOT IN (SELECT function FROM trusted)
    -- A multirange comes with a cast of its range, which is PostgreSQL's own.
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_proc'::regclass
        AND d.objid = f.oid AND d.refclassid = 'pg_catalog.pg_type'::regclass AND d.deptype = 'i')
UNION ALL
SELECT 'type', pg_catalog.json_build_object(
    'oid', t.oid::bigint,
    'schema', s.nspname,
    'name', t.typname,
    'visible', pg_catalog.pg_type_is_visible(t.oid),
    'kind', t.typtype,
    'trusted', t.typtype = 'b' AND t.typelem = 0 AND t.typinput::oid IN (SELECT function FROM trusted),
    'is_array', t.typtype = 'b' AND t.typelem <> 0 AND t.typlen = -1,
    'fields', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(a.attname, a.atttypid::bigint) ORDER BY a.attnum),
            '[]'::json)
        FROM pg_catalog.pg_attribute AS a
        WHERE t.typrelid <> 0 AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ),
    -- Whether a value of another type becomes one without a word, or a string rather than text.
    'loose', EXISTS (SELECT FROM pg_catalog.pg_cast AS c WHERE c.casttarget = t.oid AND c.castsource <> t.oid
            AND c.castcontext = 'i')
        OR (t.typtype = 'b' AND t.typelem = 0 AND (t.typispreferred OR t.typcategory <> 'U')),
    -- What a value of it holds: of an array the element, of a domain its base, of a row its columns, of a range its bounds.
    'holds', (
        SELECT coalesce(pg_catalog.json_agg(h.oid::bigint), '[]'::json)
        FROM (
            SELECT t.typelem WHERE t.typelem >= 16384
            UNION SELECT t.typbasetype WHERE t.typbasetype >= 16384
            UNION SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
                WHERE t.typrelid <> 0 AND a.attrelid = t.typrelid AND a.attnum > 0 AND a.atttypid >= 16384
            UNION SELECT r.rngsubtype FROM pg_catalog.pg_range AS r WHERE r.rngtypid = t.oid AND r.rngsubtype >= 16384
            UNION SELECT d.refobjid FROM pg_catalog.pg_depend AS d -- of a multirange, the range
                WHERE t.typtype = 'm' AND d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid
                    AND d.refclassid = 'pg_catalog.pg_type'::regclass AND d.deptype = 'i'
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
    ),
    'columns', (
        SELECT coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(a.attname, a.atttypid::bigint)), '[]'::json)
        FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid >= 16384 AND NOT a.attisdropped
    )
)::text
FROM relations AS c
WHERE c.readable OR c.oid IN (SELECT relation FROM reads)
UNION ALL
SELECT 'columns', pg_catalog.json_build_object('schema', c.nspname, 'name', c.relname, 'columns', (
    SELECT coalesce(pg_catalog.json_agg(a.attname), '[]'::json)
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
))::text
FROM relations AS c
UNION ALL
-- A generated column, and one that it is computed from.
SELECT 'generated', pg_catalog.json_build_object('schema', c.nspname, 'name', c.relname, 'column', a.attname,
    'from', b.attname)::text
FROM pg_catalog.pg_attribute AS a
JOIN relations AS c ON c.oid = a.attrelid
JOIN pg_catalog.pg_attrdef AS e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
-- What it is computed from, the expression depends on; before PostgreSQL 15 the column does.
JOIN pg_catalog.pg_depend AS d ON (d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = e.oid
    OR d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum)
    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid > 0
JOIN pg_catalog.pg_attribute AS b ON b.attrelid = a.attrelid AND b.attnum = d.refobjsubid AND b.attnum <> a.attnum
WHERE a.attgenerated <> ''
UNION ALL
SELECT 'described', pg_catalog.json_build_object('schema', s.nspname, 'name', c.relname, 'columns', (
    SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
))::text
FROM pg_catalog.pg_class AS c
JOIN schemas AS s ON s.oid = c.relnamespace
WHERE s.nspname || '.' || c.relname = ANY ($2::text[])
UNION ALL
SELECT 'inherits', pg_catalog.json_build_object(
    'parent', pg_catalog.json_build_array(p.nspname, p.relname),
    'child', pg_catalog.json_build_array(c.nspname, c.relname)
)::text
FROM pg_catalog.pg_inherits AS i
JOIN relations AS p ON p.oid = i.inhparent
JOIN relations AS c ON c.oid = i.inhrelid
UNION ALL
SELECT 'support', pg_catalog.json_build_object(
    'function', pg_catalog.json_build_object('schema', m.nspname, 'name', m.proname),
    'type', u.type::bigint,
    'signature', pg_catalog.format_type(u.type, NULL)
)::text
FROM (
    SELECT c.opcintype AS type, a.amproc::oid AS function
    FROM pg_catalog.pg_opclass AS c
    JOIN pg_catalog.pg_amproc AS a ON a.amprocfamily = c.opcfamily
    WHERE c.opcdefault
    UNION
    SELECT r.rngtypid, f.function
    FROM pg_catalog.pg_range AS r
    LEFT JOIN pg_catalog.pg_opclass AS c ON c.oid = r.rngsubopc
    CROSS JOIN LATERAL (
        SELECT r.rngcanonical::oid UNION SELECT r.rngsubdiff::oid
        UNION SELECT a.amproc::oid FROM pg_catalog.pg_amproc AS a WHERE a.amprocfamily = c.opcfamily
    ) AS f (function)
) AS u
JOIN made AS m ON m.oid = u.function
UNION ALL
SELECT 'check', pg_catalog.json_build_object(
    'type', c.contypid::bigint,
    'signature', pg_catalog.format_type(c.contypid, NULL),
    'condition', pg_catalog.pg_get_expr(c.conbin, 0)
)::text
FROM pg_catalog.pg_constraint AS c
WHERE c.contypid >= 16384 AND c.contype = 'c'
UNION ALL
SELECT 'planned', pg_catalog.json_build_object(
    'schema', c.nspname,
    'name', c.relname,
    'definition', CASE m.class
        WHEN 'pg_catalog.pg_constraint'::regclass THEN pg_catalog.pg_get_constraintdef(m.object)
        WHEN 'pg_catalog.pg_statistic_ext'::regclass THEN pg_catalog.pg_get_statisticsobjdef(m.object)
        ELSE coalesce(pg_catalog.pg_get_partkeydef(m.object), pg_catalog.pg_get_indexdef(m.object))
    END,
    'columns', (SELECT pg_catalog.json_agg(a.attname) FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = m.relation AND a.attnum > 0 AND NOT a.attisdropped),
    'runs', m.runs
)::text
FROM machinery AS m
JOIN readers AS r ON r.relation = m.relation
JOIN relations AS c ON c.oid = r.reader
