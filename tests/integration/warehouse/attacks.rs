//! The whole attack list through the executor, as a superuser, as the owner of the tables and as a role that may only
//! read: nothing that should be refused runs, and whatever ran, the server is afterwards as it was.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use explore::app::doctor::attack::{Attack, attacks};
use explore::warehouse::Limits;
use explore::warehouse::executor::{Executor, Rules};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::support::server::{execute, fresh, url, variable};

const LIMITS: Limits = Limits {
    timeout: Duration::from_millis(300),
    rows_max: 50,
    cell_characters_max: 200,
    bytes_max: 1 << 20,
    plan_cost_max: Some(1e9),
};

pub(crate) const ATTACKED: &str = "
CREATE TABLE t (id int PRIMARY KEY, a text, secret text);
INSERT INTO t SELECT g, 'row' || g, 'secret' || g FROM generate_series(1, 1000) g;
CREATE TABLE u (id int, b text);
INSERT INTO u SELECT g / 100, 'b' FROM generate_series(1, 10000) g;
CREATE SEQUENCE s;
CREATE FUNCTION writer() RETURNS int LANGUAGE plpgsql AS
  'begin insert into t values ((random() * 1e9)::int + 2000); return 1; end';
CREATE FUNCTION stable_liar() RETURNS int STABLE LANGUAGE plpgsql AS 'begin perform setval(''s'', 99); return 1; end';
CREATE FUNCTION raised() RETURNS int SECURITY DEFINER LANGUAGE plpgsql AS
  'begin insert into t values (-1); return 1; end';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE VIEW v AS SELECT writer() AS n;";

/// Everything that a statement could leave behind, as one text: rows, sequences, schema, temporary tables, roles, settings
/// for later sessions, large objects, prepared transactions, replication, files of the server. Roles and databases are those whose
/// names no other test has, as tests share the server.
pub(crate) const STATE: &str = "
SELECT concat_ws(' ', (SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM t),
  (SELECT md5(string_agg(u::text, ',' ORDER BY id, b)) FROM u), (SELECT last_value || is_called::text FROM s),
  (SELECT md5(string_agg(c.oid || relname || relkind::text || coalesce(relacl::text, ''), ',' ORDER BY c.oid)) FROM pg_class c
     JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname !~ '^pg_toast'),
  (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_type WHERE typtype <> 'c'), (SELECT count(*) FROM pg_operator),
  (SELECT count(*) FROM pg_extension), (SELECT count(*) FROM pg_namespace),
  (SELECT md5(string_agg(a::text, ',' ORDER BY rolname)) FROM pg_authid a WHERE rolname !~ '_'),
  (SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database WHERE datname !~ '_' AND length(datname) < 5),
  (SELECT md5(string_agg(x::text, ',' ORDER BY x::text)) FROM pg_db_role_setting x LEFT JOIN pg_roles r ON r.oid = setrole
     WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND r.rolname ~ '_' IS NOT TRUE),
  (SELECT md5(string_agg(coalesce(f::text, ''), ',' ORDER BY sourcefile, sourceline)) FROM pg_file_settings f),
  (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_prepared_xacts),
  (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_subscription), (SELECT count(*) FROM pg_publication),
  (SELECT string_agg(x, ',' ORDER BY x) FROM pg_ls_dir('.') x))";

/// What a session of the database, but for this one, still holds or does beside sitting idle, whatever it calls itself. The
/// statement that cleans a connection after a failure runs after the answer, so that this may take a moment to become 0.
pub(crate) const HELD: &str = "
SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND backend_type IN ('client backend', 'parallel worker') AND state IS DISTINCT FROM 'idle')
     + (SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE a.datname = current_database() AND a.backend_type IN ('client backend', 'parallel worker')
          AND pid <> pg_backend_pid() AND l.locktype <> 'virtualxid')
     + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

/// The program's own session: its settings, the role, what it listens to, what it has prepared, its cursors.
const SETTINGS: &str = "
SELECT md5(string_agg(name || '=' || coalesce(setting, ''), ',' ORDER BY name)), current_user, session_user,
  (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_prepared_statements WHERE from_sql),
  (SELECT count(*) FROM pg_cursors WHERE is_holdable)
FROM pg_settings";

/// Channels that strings of the list notify.
const CHANNELS: [&str; 6] = ["c", "ch", "x", "a", "chan", "channel"];

/// A session that hears of notifications.
struct Listener {
    client: Client,
    messages: tokio::sync::mpsc::UnboundedReceiver<String>,
}

impl Listener {
    async fn start(url: &str) -> Self {
        let (client, mut connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let (sender, messages) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut events = stream::poll_fn(move |context| connection.poll_message(context));
            while let Some(Ok(event)) = events.next().await {
                if let AsyncMessage::Notification(notification) = event {
                    let _ = sender.send(notification.channel().to_owned());
                }
            }
        });
        for channel in CHANNELS {
            client.batch_execute(&format!("LISTEN {channel}")).await.unwrap();
        }
        Self { client, messages }
    }

    /// A notification that came, after a round trip that would have brought it.
    async fn heard(&mut self) -> Option<String> {
        self.client.batch_execute("SELECT 1").await.unwrap();
        self.messages.recv().now_or_never().flatten()
    }
}

/// A folder that the server may write, in place of the one that strings of the list name.
struct Folder(tempfile::TempDir);

impl Folder {
    const NAMED: &str = "/srv/lab";

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        Self(folder)
    }

    fn path(&self) -> String {
        self.0.path().display().to_string()
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.0.path()).unwrap().count()
    }
}

/// Waits until the program's sessions hold nothing any more.
async fn until_idle(side: &Client, attack: &Attack) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while side.query_one(HELD, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(Instant::now() < deadline, "{}: {} is still held after it", attack.id, attack.sql);
        tokio::task::yield_now().await;
    }
}

/// Fires the list at `database` as the role of `login`.
async fn check(database: &str, login: &str) {
    let owner = url(database);
    let side = crate::support::server::client(&owner).await;
    let mut listener = Listener::start(&owner).await;
    let options = explore::warehouse::postgres::Options { connections_max: 1, ..Default::default() };
    let connected = Arc::new(explore::warehouse::postgres::connect(login, &options).await.unwrap());
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let (executor, _) = Executor::open(connected.clone(), rules, LIMITS).await.unwrap();
    let state = async || side.query_one(STATE, &[]).await.unwrap().get::<_, String>(0);
    let settings = async || connected.own(SETTINGS, &[]).await.unwrap();
    let (before, settings_before) = (state().await, settings().await);
    let (mut refused, mut ran) = (0, 0);
    let folder = Folder::new();
    for mut attack in attacks() {
        attack.sql = attack.sql.replace(Folder::NAMED, &folder.path());
        match executor.validate(&attack.sql).await {
            Err(_) => refused += 1,
            Ok(select) => {
                let outcome = executor.run(&select, LIMITS.timeout).await;
                assert!(outcome.is_err() || attack.should != "reject", "{} ran: {}", attack.id, attack.sql);
                ran += 1;
            }
        }
        until_idle(&side, &attack).await;
        assert_eq!(state().await, before, "{} changed the server: {}", attack.id, attack.sql);
        assert_eq!(settings().await, settings_before, "{} changed the session: {}", attack.id, attack.sql);
        assert_eq!(listener.heard().await, None, "{} notified: {}", attack.id, attack.sql);
        assert_eq!(folder.files(), 0, "{} wrote a file: {}", attack.id, attack.sql);
    }
    assert_eq!(refused + ran, 205, "of the strings, {refused} were refused and {ran} ran");
    assert!(refused >= 170 && ran > 20, "of the strings, {refused} were refused and {ran} ran");
}

#[tokio::test]
async fn none_escapes_as_a_superuser() {
    let url = fresh("attacks_superuser", ATTACKED).await;
    check("attacks_superuser", &url).await;
}

#[tokio::test]
async fn none_escapes_as_the_owner_of_the_tables() {
    let url = fresh("attacks_owner", ATTACKED).await;
    let owner = "DROP ROLE IF EXISTS attacks_owner; CREATE ROLE attacks_owner LOGIN PASSWORD 'p';
        ALTER TABLE t OWNER TO attacks_owner; ALTER TABLE u OWNER TO attacks_owner; ALTER SEQUENCE s OWNER TO attacks_owner;
        ALTER FUNCTION writer OWNER TO attacks_owner; ALTER VIEW v OWNER TO attacks_owner;
        GRANT CREATE ON SCHEMA public TO attacks_owner";
    execute(&url, owner).await;
    let login = format!("postgres://attacks_owner:p@{}:{}/attacks_owner", variable("PGHOST"), variable("PGPORT"));
    check("attacks_owner", &login).await;
}

#[tokio::test]
async fn none_escapes_as_a_role_that_may_only_read() {
    let url = fresh("attacks_reader", ATTACKED).await;
    let reader = "DROP ROLE IF EXISTS attacks_reader; CREATE ROLE attacks_reader LOGIN PASSWORD 'p';
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO attacks_reader";
    execute(&url, reader).await;
    let login = format!("postgres://attacks_reader:p@{}:{}/attacks_reader", variable("PGHOST"), variable("PGPORT"));
    check("attacks_reader", &login).await;
}
