//! Parses a connection string as libpq does into an [`Address`]: hosts, user, database, password and TLS options.
//!
//! tokio-postgres parses URLs and `key=value` strings. The options that it does not support (`sslmode=verify-*`,
//! `sslrootcert`, `passfile`) are removed first and handled here. Values that the string leaves out come from the `PG*`
//! environment variables, and a missing password comes from `PGPASSWORD` or the passfile.

use std::path::{Path, PathBuf};
use std::time::Duration;

use deadpool_postgres::tokio_postgres::Config;
use deadpool_postgres::tokio_postgres::config::{Host, SslMode as Encryption};

use super::failure::{self, Place};
use super::tls::SslMode;
use crate::warehouse::Error;

/// Options that this client ignores. Connection strings of managed services contain them.
const IGNORED: [&str; 4] = ["gssencmode", "client_encoding", "fallback_application_name", "sslsni"];

/// A parsed connection string, completed from the environment and the passfile.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) ssl_mode: SslMode,
    pub(super) root_certificates: Option<PathBuf>,
    pub(super) place: Place,
}

/// A function that looks up an environment variable by its name.
pub(super) type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Address {
    /// Parses `text`, which is a URL or `key=value` pairs. `connect_timeout` applies if the string contains none.
    pub(super) fn parse(text: &str, variable: Variable<'_>, connect_timeout: Duration) -> Result<Self, Error> {
        check_authority(text.trim())?;
        let (rest, mut options) = take_options(text.trim())?;
        let mut option = |name: &str, fallback: &str| {
            let place = options.iter().position(|(key, _)| key == name);
            place.map(|place| options.swap_remove(place).1).or_else(|| variable(fallback))
        };
        let ssl_mode = option("sslmode", "PGSSLMODE").map_or(Ok(SslMode::Prefer), |mode| SslMode::parse(&mode))?;
        let root_certificates = option("sslrootcert", "PGSSLROOTCERT").map(PathBuf::from);
        let passfile = option("passfile", "PGPASSFILE").map(PathBuf::from);

        let mut config = rest
            .parse::<Config>()
            .map_err(|error| Error::Connect(format!("cannot parse the database URL: {}", failure::describe(&error))))?;
        fill_from_environment(&mut config, variable)?;
        config.ssl_mode(match ssl_mode {
            SslMode::Disable => Encryption::Disable,
            SslMode::Prefer => Encryption::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Encryption::Require,
        });
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(connect_timeout);
        }
        let place = place(&config);
        if config.get_password().is_none() {
            let home = variable("HOME").map(|home| Path::new(&home).join(".pgpass"));
            let port = config.get_ports().first().copied().unwrap_or(5432);
            let password = variable("PGPASSWORD")
                .or_else(|| passfile.or(home).and_then(|file| password_from(&file, &config, port, &place)));
            if let Some(password) = password {
                config.password(password);
            }
        }
        Ok(Self { config, ssl_mode, root_certificates, place })
    }
}

/// Refuses a URL in which a character of the password would end it early, so that a part of the password would be taken
/// for the host and shown.
fn check_authority(text: &str) -> Result<(), Error> {
    let Some((_, rest)) = text.split_once("://") else { return Ok(()) };
    let base = rest.split('?').next().unwrap_or_default();
    let authority = base.split('/').next().unwrap_or_default();
    let port = authority.rsplit(':').next().unwrap_or_default();
    let is_port = port == authority || port.bytes().all(|byte| byte.is_ascii_digit());
    let ends_early = base.contains('@') || !is_port && rest.contains('@');
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let goes_on = query.split('&').any(|pair| pair.contains('@') && !pair.contains('='));
    if goes_on || base.matches('@').count() > 1 || !authority.contains('@') && ends_early {
        return Err(Error::Connect(
            "cannot parse the database URL: its password has an @, /, ? or # that ends it early; write %40, %2F, %3F or \
             %23, or put the password into PGPASSWORD"
                .to_owned(),
        ));
    }
    Ok(())
}

const TAKEN: [&str; 3] = ["sslmode", "sslrootcert", "passfile"];

/// Removes the options in [`TAKEN`] and [`IGNORED`] from `text`. Returns the rest, and the values of those in
/// [`TAKEN`].
fn take_options(text: &str) -> Result<(String, Vec<(String, String)>), Error> {
    let mut taken = Vec::new();
    let mut take = |key: &str, value: String| {
        if TAKEN.contains(&key) {
            taken.push((key.to_owned(), value));
        }
        TAKEN.contains(&key) || IGNORED.contains(&key)
    };
    if !(text.starts_with("postgres://") || text.starts_with("postgresql://")) {
        let mut pairs = Vec::new();
        for (key, value) in key_values(text)? {
            if !take(&key, value.clone()) {
                pairs.push(format!("{key}='{}'", value.replace('\\', "\\\\").replace('\'', "\\'")));
            }
        }
        return Ok((pairs.join(" "), taken));
    }
    let Some((base, query)) = text.split_once('?') else { return Ok((text.to_owned(), taken)) };
    let keep = |pair: &&str| match pair.split_once('=') {
        Some((key, value)) => !take(key, decode(value)),
        None => true,
    };
    let query = query.split('&').filter(keep).collect::<Vec<_>>().join("&");
    let rest = if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") };
    Ok((rest, taken))
}

/// Parses `host=localhost password='it\'s'` into pairs, and undoes libpq's quotes and backslashes.
fn key_values(text: &str) -> Result<Vec<(String, String)>, Error> {
    let unreadable = || {
        let wanted = "write postgres://user@host:5432/database, or host=... user=... dbname=...";
        Error::Connect(format!("cannot parse the database URL: {wanted}"))
    };
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(unreadable)?;
        let key = key.trim();
        if key.is_empty() || !key.chars().all(|character| character.is_ascii_lowercase() || character == '_') {
            return Err(unreadable());
        }
        let after = after.trim_start();
        let quoted = after.starts_with('\'');
        let mut value = String::new();
        let mut characters = after.char_indices().skip(usize::from(quoted));
        let end = loop {
            match characters.next() {
                Some((_, '\\')) => value.extend(characters.next().map(|(_, escaped)| escaped)),
                Some((index, '\'')) if quoted => break index + 1,
                Some((index, character)) if !quoted && character.is_whitespace() => break index,
                Some((_, character)) => value.push(character),
                None if quoted => return Err(unreadable()),
                None => break after.len(),
            }
        };
        pairs.push((key.to_owned(), value));
        rest = after[end..].trim_start();
    }
    Ok(pairs)
}

/// Decodes `%XX` escapes. An invalid escape stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = code.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn fill_from_environment(config: &mut Config, variable: Variable<'_>) -> Result<(), Error> {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        let sockets = "/var/run/postgresql";
        let local = || if Path::new(sockets).is_dir() { sockets } else { "localhost" }.to_owned();
        config.host(variable("PGHOST").unwrap_or_else(local));
    }
    if config.get_ports().is_empty()
        && let Some(port) = variable("PGPORT")
    {
        config.port(port.parse().map_err(|_| Error::Connect(format!("PGPORT {port:?} is not a port number")))?);
    }
    if config.get_user().is_none()
        && let Some(user) = variable("PGUSER").or_else(|| variable("USER"))
    {
        config.user(user);
    }
    if config.get_dbname().is_none()
        && let Some(database) = variable("PGDATABASE")
    {
        config.dbname(database);
    }
    Ok(())
}

fn place(config: &Config) -> Place {
    let ports = config.get_ports();
    let host = |(index, host): (usize, &Host)| {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(directory) => format!("{}:{port}", directory.display()),
        }
    };
    let mut hosts = config.get_hosts().iter().enumerate().map(host).collect::<Vec<_>>();
    if hosts.is_empty() {
        hosts = config.get_hostaddrs().iter().map(ToString::to_string).collect();
    }
    let user = config.get_user().unwrap_or_default().to_owned();
    let database = config.get_dbname().map_or_else(|| user.clone(), ToOwned::to_owned);
    Place { address: hosts.join(","), user, database }
}

/// Returns the password of the passfile's first matching line. Like libpq, ignores a file that the group or others can
/// access.
fn password_from(file: &Path, config: &Config, port: u16, place: &Place) -> Option<String> {
    if is_open_to_others(file) {
        tracing::warn!(file = %file.display(), "passfile ignored: the group or others can access it; run chmod 600 on it");
        return None;
    }
    let host = match config.get_hosts().first()? {
        Host::Tcp(name) => name.clone(),
        Host::Unix(_) => "localhost".to_owned(),
    };
    let port = port.to_string();
    let wanted = [host.as_str(), &port, &place.database, &place.user];
    let text = std::fs::read_to_string(file).ok()?;
    let fits = |line: &str| {
        let mut fields = fields(line);
        let matches = fields.len() == 5 && wanted.iter().zip(&fields).all(|(want, has)| has == "*" || has == want);
        if matches { fields.pop() } else { None }
    };
    text.lines().filter(|line| !line.starts_with('#')).find_map(fits)
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (character, fields.len()) {
            ('\\', _) => fields.last_mut().into_iter().for_each(|field| field.extend(characters.next())),
            (':', 1..5) => fields.push(String::new()),
            _ => fields.last_mut().into_iter().for_each(|field| field.push(character)),
        }
    }
    fields
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, environment: &[(&str, &str)], expected: &str) {
        let variable =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let read = match Address::parse(text, &variable, Duration::from_secs(1)) {
            Ok(address) => {
                let password = address.config.get_password().map(String::from_utf8_lossy);
                let roots = address.root_certificates.map(|path| path.display().to_string());
                let Place { address: hosts, user, database } = address.place;
                format!("{hosts} {user} {database} {password:?} {:?} {roots:?}", address.ssl_mode)
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn connection_strings_read_as_in_libpq() {
        check("postgres://ann:s%40fe@db:6543/sales", &[], r#"db:6543 ann sales Some("s@fe") Prefer None"#);
        check(
            "postgresql://ann@db/sales?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&gssencmode=disable",
            &[],
            r#"db:5432 ann sales None VerifyFull Some("/etc/ca.pem")"#,
        );
        check(
            r"host=db user=ann password='it\'s' sslmode = verify-ca",
            &[],
            r#"db:5432 ann ann Some("it's") VerifyCa None"#,
        );
        check(
            "postgres://",
            &[("PGHOST", "/run/pg"), ("PGPORT", "7"), ("PGUSER", "bob"), ("PGPASSWORD", "p"), ("PGSSLMODE", "disable")],
            r#"/run/pg:7 bob bob Some("p") Disable None"#,
        );
        check("postgres://a:b,c@h1:1,h2/d", &[], r#"h1:1,h2:5432 a d Some("b,c") Prefer None"#);
    }

    #[test]
    fn a_password_that_ends_early_is_not_taken_for_the_host() {
        let refused = "cannot parse the database URL: its password has an @, /, ? or # that ends it early; write %40, \
                       %2F, %3F or %23, or put the password into PGPASSWORD";
        for password in ["p@ss/wo#rd", "se@cret", "sec/ret", "sec?ret", "4/2", "a@b?c"] {
            check(&format!("postgres://ann:{password}@db:6543/sales"), &[], refused);
        }
    }

    #[test]
    fn an_unreadable_string_is_refused_without_its_password() {
        let wanted = "write postgres://user@host:5432/database, or host=... user=... dbname=...";
        check("secret", &[], &format!("cannot parse the database URL: {wanted}"));
        check("password='secret", &[], &format!("cannot parse the database URL: {wanted}"));
        check(
            "postgres://ann:secret@db/sales?sslmode=on",
            &[],
            r#"sslmode "on" is unknown; write disable, prefer, require, verify-ca or verify-full"#,
        );
        check(
            "postgres://ann:secret@db:x/sales",
            &[],
            "cannot parse the database URL: invalid connection string: invalid value for option `port`",
        );
    }

    #[test]
    fn a_passfile_gives_the_password_of_its_first_line_that_fits() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(".pgpass");
        std::fs::write(&file, "# a comment\nother:*:*:*:no\ndb:5432:sales:ann:se\\:cr:et\n*:*:*:*:last\n").unwrap();
        let home = directory.path().to_str().unwrap().to_owned();
        let mode = |mode| {
            #[cfg(unix)]
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        };
        mode(0o600);
        check("postgres://ann@db/sales", &[("HOME", &home)], r#"db:5432 ann sales Some("se:cr:et") Prefer None"#);
        check("postgres://bob@db/sales", &[("HOME", &home)], r#"db:5432 bob sales Some("last") Prefer None"#);
        mode(0o644);
        check("postgres://ann@db/sales", &[("HOME", &home)], "db:5432 ann sales None Prefer None");
    }
}
