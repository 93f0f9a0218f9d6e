-- Changes with whatever `code.sql` and the catalog's columns come from: the transactions that wrote it, added up.
SELECT pg_catalog.concat_ws(' ',
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_class WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_attribute
        WHERE attrelid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_proc WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_type WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_operator
        WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_cast WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_rewrite
        WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_constraint
        WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_statistic_ext),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_opclass
        WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_amproc
        WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_amop
        WHERE oid >= 16384),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_auth_members),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_namespace),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_inherits),
    (SELECT pg_catalog.count(*) || ':' || pg_catalog.sum(xmin::text::numeric) FROM pg_catalog.pg_extension)
)
