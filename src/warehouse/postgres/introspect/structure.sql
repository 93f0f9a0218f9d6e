-- One row a relation: a JSON document that `introspect` reads as `Relation`.
, base_types AS (
    -- What a domain is made of, so that its values can be told from its type.
    SELECT t.oid AS domain, t.typbasetype AS base, t.typtypmod AS modifier
    FROM pg_catalog.pg_type AS t
    WHERE t.typtype = 'd'
    UNION ALL
    SELECT b.domain, t.typbasetype, t.typtypmod
    FROM base_types AS b
    JOIN pg_catalog.pg_type AS t ON t.oid = b.base AND t.typtype = 'd'
), columns AS (
    SELECT a.attrelid, pg_catalog.json_agg(pg_catalog.json_build_object(
        'name', a.attname,
        'type_name', pg_catalog.format_type(coalesce(b.base, a.atttypid), coalesce(b.modifier, a.atttypmod)),
        'nullable', NOT a.attnotnull,
        'enum_values', coalesce(e.labels, '[]'::json),
        'description', left(d.description, 1000)
    ) ORDER BY a.attnum) AS document
    FROM chosen AS c
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN LATERAL (
        SELECT b.base, b.modifier
        FROM base_types AS b
        JOIN pg_catalog.pg_type AS t ON t.oid = b.base AND t.typtype <> 'd'
        WHERE b.domain = a.atttypid
    ) AS b ON true
    LEFT JOIN (
        SELECT enumtypid, pg_catalog.json_agg(enumlabel ORDER BY enumsortorder) AS labels
        FROM pg_catalog.pg_enum
        GROUP BY enumtypid
    ) AS e ON e.enumtypid = coalesce(b.base, a.atttypid)
    LEFT JOIN pg_catalog.pg_description AS d
        ON d.objoid = a.attrelid AND d.objsubid = a.attnum AND d.classoid = 'pg_catalog.pg_class'::regclass
    WHERE pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')
    GROUP BY a.attrelid
), keys AS (
    SELECT k.conrelid, k.conname, k.contype, k.confrelid, k.convalidated, (
            SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
            FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
            JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number
        ) AS names, (
            SELECT pg_catalog.json_agg(a.attname ORDER BY u.place)
            FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
            JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.number
        ) AS referred
    FROM chosen AS c
    JOIN pg_catalog.pg_constraint AS k ON k.conrelid = c.oid AND k.contype IN ('p', 'f') AND k.conparentid = 0
    -- A query on a table reads those that inherit from it too, and they are under none of its keys.
    WHERE c.relkind <> 'r' OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid)
), primary_keys AS (
    SELECT conrelid, names FROM keys WHERE contype = 'p'
), foreign_keys AS (
    SELECT k.conrelid, pg_catalog.json_agg(pg_catalog.json_build_object(
        'columns', k.names, 'schema', r.nspname, 'table', r.relname, 'referred', k.referred, 'is_valid', k.convalidated
    ) ORDER BY k.conname) AS document
    FROM keys AS k
    JOIN chosen AS r ON r.oid = k.confrelid
    WHERE k.contype = 'f'
    GROUP BY k.conrelid
), estimates AS (
    -- A partitioned table's own estimate is often missing, so its leaves' are added up. Before PostgreSQL 14, a table
    -- that was never analysed has 0 rows in 0 pages.
    SELECT c.oid, CASE c.relkind WHEN 'v' THEN NULL WHEN 'p' THEN (
            SELECT sum(l.reltuples) FILTER (WHERE l.reltuples > 0)
            FROM pg_catalog.pg_partition_tree(c.oid) AS p
            JOIN pg_catalog.pg_class AS l ON l.oid = p.relid
            WHERE p.isleaf
        )
        WHEN 'f' THEN nullif(greatest(c.reltuples, 0), 0)
        ELSE CASE WHEN c.reltuples < 0 THEN NULL
            WHEN c.reltuples = 0 AND c.relpages = 0
                AND pg_catalog.current_setting('server_version_num')::int < 140000 THEN NULL
            ELSE c.reltuples END
        END AS rows
    FROM chosen AS c
)
SELECT pg_catalog.json_build_object(
    'schema', c.nspname,
    'name', c.relname,
    'kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned' WHEN 'v' THEN 'view'
        WHEN 'm' THEN 'materialized_view' ELSE 'foreign' END,
    'rows_estimate', e.rows::bigint,
    'description', left(pg_catalog.obj_description(c.oid, 'pg_class'), 2000),
    'columns', coalesce(a.document, '[]'::json),
    'primary_key', coalesce(p.names, '[]'::json),
    'foreign_keys', coalesce(f.document, '[]'::json)
)::text
FROM chosen AS c
JOIN estimates AS e ON e.oid = c.oid
LEFT JOIN columns AS a ON a.attrelid = c.oid
LEFT JOIN primary_keys AS p ON p.conrelid = c.oid
LEFT JOIN foreign_keys AS f ON f.conrelid = c.oid
ORDER BY c.nspname, c.relname
