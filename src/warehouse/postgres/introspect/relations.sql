-- The relations that the role may read and the selection names. Other statements continue this WITH clause.
-- $1: schemas, all but the system's when empty; $2: LIKE patterns to include, all when empty; $3: to exclude.
WITH RECURSIVE readable AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltuples, c.relpages, c.relhassubclass
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT c.relispartition
      AND n.nspname OPERATOR(pg_catalog.!~) '^pg_'
      AND n.nspname <> 'information_schema'
      AND (pg_catalog.cardinality($1::text[]) = 0 OR n.nspname::text = ANY ($1::text[]))
      AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT'))
), chosen AS MATERIALIZED (
    SELECT *
    FROM readable AS r
    WHERE (pg_catalog.cardinality($2::text[]) = 0
           OR r.relname LIKE ANY ($2::text[]) OR r.nspname || '.' || r.relname LIKE ANY ($2::text[]))
      AND NOT (r.relname LIKE ANY ($3::text[]) OR r.nspname || '.' || r.relname LIKE ANY ($3::text[]))
)
