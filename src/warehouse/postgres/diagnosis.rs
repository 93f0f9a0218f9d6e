//! The statements behind a diagnosis of a PostgreSQL: encryption, product, rights of everybody, running statements.

use super::protocol::{Postgres, own};
use crate::warehouse::{Encryption, Error, Product, PublicRights};

/// Functions that only one product has.
const FUNCTIONS: [&str; 1] = ["aurora_version"];
const PRODUCT: &str = "
    SELECT 'version', pg_catalog.version()
    UNION ALL SELECT 'extension', extname::text FROM pg_catalog.pg_extension
    UNION ALL SELECT 'function', proname::text FROM pg_catalog.pg_proc WHERE proname::text = ANY ($1)
    UNION ALL SELECT DISTINCT 'setting', pg_catalog.split_part(name, '.', 1) FROM pg_catalog.pg_settings WHERE name LIKE '%.%'";
const ENCRYPTION: &str = "
    SELECT CASE WHEN s.ssl THEN s.version ELSE '' END, coalesce(pg_catalog.host(pg_catalog.inet_server_addr()), 'socket'),
        coalesce(pg_catalog.inet_server_addr() <<= '127.0.0.0/8' OR pg_catalog.inet_server_addr() = '::1', true)
    FROM pg_catalog.pg_stat_ssl AS s WHERE s.pid = pg_catalog.pg_backend_pid()";
/// The mark is among the parameters, so it is not in the text of this statement itself.
const RUNNING: &str = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active' \
                       AND pid <> pg_catalog.pg_backend_pid() AND pg_catalog.strpos(query, $1[1]) > 0";
const CLUSTER: &str = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()";
const PUBLIC_RIGHTS: &str = include_str!("diagnosis/ground.sql");

pub(in crate::warehouse) async fn is_running(database: &dyn Postgres, mark: &str) -> Result<bool, Error> {
    let table = own(database, RUNNING, &[&[mark.to_owned()]]).await?;
    Ok(table.cell(0, 0) != Some("0"))
}

async fn rows(
    database: &dyn Postgres,
    statement: &'static str,
    parameters: &[&[String]],
) -> Result<Vec<Vec<String>>, Error> {
    let rows = own(database, statement, parameters).await?.rows;
    Ok(rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect())
}

pub(in crate::warehouse) async fn cluster(database: &dyn Postgres) -> Result<Option<String>, Error> {
    match own(database, CLUSTER, &[]).await {
        Ok(table) => Ok(table.cell(0, 0).map(str::to_owned)),
        // The role may not call the function, or the product has none.
        Err(Error::Statement { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(in crate::warehouse) async fn encryption(database: &dyn Postgres) -> Result<Encryption, Error> {
    let first = rows(database, ENCRYPTION, &[]).await?.into_iter().next().unwrap_or_default();
    let Ok([version, address, is_local]) = <[String; 3]>::try_from(first) else {
        return Err(Error::Statement { message: "the server does not list this connection in pg_stat_ssl".to_owned() });
    };
    Ok(Encryption {
        version: Some(version).filter(|version| !version.is_empty()),
        address,
        is_local: is_local == "true",
    })
}

pub(in crate::warehouse) async fn product(database: &dyn Postgres) -> Result<Product, Error> {
    let mut product = Product::default();
    for row in rows(database, PRODUCT, &[&FUNCTIONS.map(str::to_owned)]).await? {
        let Ok([kind, value]) = <[String; 2]>::try_from(row) else { continue };
        match kind.as_str() {
            "version" => product.version = value,
            "extension" => product.extensions.push(value),
            "function" => product.functions.push(value),
            _ => product.setting_prefixes.push(value),
        }
    }
    Ok(product)
}

pub(in crate::warehouse) async fn public_rights(database: &dyn Postgres) -> Result<PublicRights, Error> {
    let rows = rows(database, PUBLIC_RIGHTS, &[]).await?;
    let of = |kind: &str| rows.iter().filter(|row| row[0] == kind).map(|row| row[1].clone()).collect();
    Ok(PublicRights {
        schemas: of("schema"),
        open_schemas: of("open"),
        written: of("written"),
        definers: of("definer"),
    })
}
