//! `explore monitor run` as a user runs it: the binary, a database that is measured, the state on a server, channels that
//! are real listeners.

mod afterwards;
mod investigated;
mod killed;
mod restated;

use serde_json::Value;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::program::{Outcome, Program};
use crate::support::server;

/// Visits of two channels for two months up to a day.
const DATA: &str = "
CREATE TABLE visits (day date, channel text, visits bigint);
INSERT INTO visits
SELECT day::date, channel, 900 + 100 * extract(isodow FROM day)::int + (hashtext(day::date || channel) % 40)
FROM generate_series('{last}'::date - 58, '{last}', '1 day') AS day, unnest(ARRAY['paid', 'email']) AS channel;
ANALYZE;";
/// Visits of one channel collapse.
const COLLAPSE: &str = "UPDATE visits SET visits = 90 WHERE channel = 'paid' AND day = '{day}'";

const TOML: &str = "label = \"Shop\"
dimensions = [\"channel\"]
channels = [\"folder\", \"hook\", \"team\"]
[forecast]
yearly = false
[measures.visits]
direction = \"up_is_good\"
";

const SQL: &str = "SELECT day, channel, visits FROM visits WHERE day >= $1 AND day < $2";

const CHANNELS: &str = "[channels.folder]
kind = \"file\"
directory = \"alerts\"
[channels.hook]
kind = \"webhook\"
url_env = \"HOOK_URL\"
secret_env = \"HOOK_SECRET\"
[channels.team]
kind = \"slack\"
url_env = \"SLACK_URL\"
";

/// A shop that is watched: the program with its files, and the listeners that its channels lead to.
struct Shop {
    program: Program,
    source: String,
    state: String,
    listeners: MockServer,
}

impl Shop {
    /// With a collapse on the last day.
    async fn new(name: &str) -> Self {
        let shop = Self::until(name, "2025-03-31").await;
        server::execute(&shop.source, &COLLAPSE.replace("{day}", "2025-03-31")).await;
        shop
    }

    /// With nothing out of the ordinary up to a day.
    async fn until(name: &str, last: &str) -> Self {
        let source = server::fresh(name, &DATA.replace("{last}", last)).await;
        let state = server::fresh(&format!("{name}_state"), "").await;
        let listeners = MockServer::start().await;
        let program = Program::new();
        std::fs::create_dir_all(program.path("metadata/monitors")).unwrap();
        let program = program
            .file("metadata/monitors/shop.toml", TOML)
            .file("metadata/monitors/shop.sql", SQL)
            .file("explore.toml", CHANNELS)
            .variable("DATABASE_URL", &source)
            .variable("HOOK_URL", &format!("{}/hook", listeners.uri()))
            .variable("HOOK_SECRET", "whsec_aHVudGVyMmh1bnRlcjI=")
            .variable("SLACK_URL", &format!("{}/slack", listeners.uri()));
        let shop = Self { program, source, state, listeners };
        shop.listen().await;
        shop
    }

    /// Makes the listeners take what comes.
    async fn listen(&self) {
        for place in ["/hook", "/slack"] {
            let answer = ResponseTemplate::new(200).set_body_string("ok");
            Mock::given(method("POST")).and(path(place)).respond_with(answer).mount(&self.listeners).await;
        }
    }

    /// Runs the monitor with its state at `state`.
    fn run(&self, state: &str, arguments: &[&str]) -> Outcome {
        let output = self.command(state, arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Outcome { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    fn command(&self, state: &str, arguments: &[&str]) -> std::process::Command {
        let mut command = self.program.command();
        command.args(["monitor", "run", "--allow-writable-role", "--no-ai", "--format", "json"]).args(arguments);
        command.env("EXPLORE_STATE_URL", state);
        command
    }

    /// The requests that came for a path.
    async fn received(&self, place: &str) -> Vec<wiremock::Request> {
        let requests = self.listeners.received_requests().await.unwrap();
        requests.into_iter().filter(|request| request.url.path() == place).collect()
    }
}

/// One line a row of what the state says of days, for comparison.
async fn remembered(state: &str) -> Vec<String> {
    let statement = "
        SELECT 'observation ' || dimensions::text || at || measures::text
            FROM explore.observations JOIN explore.series USING (series)
        UNION ALL SELECT 'judgement ' || document::text FROM explore.judgements
        UNION ALL SELECT 'incident ' || document::text FROM explore.incidents
        UNION ALL SELECT 'analysis ' || document::text FROM explore.analyses
        UNION ALL SELECT 'message ' || incident || channel || recipient FROM explore.outbox
        ORDER BY 1";
    let rows = server::client(state).await.query(statement, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What became of each channel's message.
async fn delivered(state: &str) -> Vec<(String, String)> {
    let statement = "SELECT channel, state FROM explore.outbox ORDER BY channel";
    let rows = server::client(state).await.query(statement, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn sent() -> Vec<(String, String)> {
    ["folder", "hook", "team"].map(|channel| (channel.to_owned(), "sent".to_owned())).into()
}

const DAY: [&str; 2] = ["--date", "2025-03-31"];

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_goes_to_each_channel_once_however_often_the_day_is_run() {
    let shop = Shop::new("monitor_run_once").await;
    for _ in 0..3 {
        let outcome = shop.run(&shop.state, &DAY);
        assert_eq!(outcome.code, 10, "{}", outcome.stderr);
        let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
        let incident = &report["days"][0]["day"]["incidents"][0];
        assert_eq!(incident["id"], "shop:visits:fall:2025-03-31:channel = paid", "{report:#}");
    }
    assert_eq!(delivered(&shop.state).await, sent());
    assert_eq!((shop.received("/hook").await.len(), shop.received("/slack").await.len()), (1, 1));
    assert_eq!(std::fs::read_dir(shop.program.path("alerts")).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_come_to_what_one_comes_to() {
    let shop = Shop::new("monitor_run_two").await;
    let mut first = shop.command(&shop.state, &DAY);
    let mut second = shop.command(&shop.state, &DAY);
    let quiet = |command: &mut std::process::Command| {
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let (mut first, mut second) = (quiet(&mut first), quiet(&mut second));
    assert_eq!((first.wait().unwrap().code(), second.wait().unwrap().code()), (Some(10), Some(10)));
    assert_eq!(delivered(&shop.state).await, sent());
    assert_eq!((shop.received("/hook").await.len(), shop.received("/slack").await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn days_one_by_one_come_to_what_they_come_to_together() {
    let shop = Shop::new("monitor_run_days").await;
    let other = server::fresh("monitor_run_days_other", "").await;
    for day in ["2025-03-29", "2025-03-30", "2025-03-31"] {
        shop.run(&other, &["--date", day]);
    }
    let together = shop.run(&shop.state, &["--from", "2025-03-29", "--to", "2025-03-31"]);
    assert_eq!(together.code, 10, "{}", together.stderr);
    let mut expected = remembered(&other).await;
    expected.retain(|line| !line.starts_with("message"));
    assert_eq!(remembered(&shop.state).await, expected, "of days so old nobody is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_old_days_nobody_is_told_unless_one_of_them_is_asked_for() {
    let shop = Shop::new("monitor_run_old").await;
    let several = ["--from", "2025-03-30", "--to", "2025-03-31"];
    let unsent = "shop: alerts that were not sent because their days are before ";
    let backfill = shop.run(&shop.state, &several);
    assert_eq!(backfill.code, 10, "{}", backfill.stderr);
    assert!(backfill.stderr.contains(unsent) && backfill.stderr.contains(": 1; --date sends"), "{}", backfill.stderr);
    assert_eq!(delivered(&shop.state).await, []);

    let one = shop.run(&shop.state, &DAY);
    assert!(!one.stderr.contains(unsent), "{}", one.stderr);
    assert_eq!(delivered(&shop.state).await, sent());

    let again = shop.run(&shop.state, &several);
    assert!(!again.stderr.contains(unsent), "it was sent: {}", again.stderr);
    assert_eq!(delivered(&shop.state).await, sent());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_changes_before_others_that_were_judged_says_so() {
    let shop = Shop::new("monitor_run_before").await;
    shop.run(&shop.state, &DAY);
    let note = "shop: days after 2025-03-29 were judged before and stand as they are; run --from 2025-03-30 \
                --to 2025-03-31 to judge them again";
    for is_new in [true, false] {
        let outcome = shop.run(&shop.state, &["--date", "2025-03-29"]);
        assert_eq!(outcome.stderr.contains(note), is_new, "{}", outcome.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_came_late_are_judged_by_the_next_run_of_the_day() {
    let shop = Shop::new("monitor_run_late").await;
    let source = server::url("monitor_run_late");
    server::execute(&source, "CREATE TABLE late AS SELECT * FROM visits WHERE day = '2025-03-31'").await;
    server::execute(&source, "DELETE FROM visits WHERE day = '2025-03-31'").await;
    let gap = shop.run(&shop.state, &DAY);
    assert_eq!(gap.code, 10, "data that do not come are told: {}", gap.stdout);
    server::execute(&source, "INSERT INTO visits SELECT * FROM late").await;
    let again = shop.run(&shop.state, &DAY);
    assert_eq!(again.code, 10);
    let report: Value = serde_json::from_str(&again.stdout).unwrap();
    let incidents = report["days"][0]["day"]["incidents"].as_array().unwrap().clone();
    let told = incidents.iter().map(|one| (one["kind"]["type"].as_str().unwrap(), one["is_closed"] == true));
    assert_eq!(told.collect::<Vec<_>>(), [("deviation", false), ("no_data", true)]);
    assert_eq!(delivered(&shop.state).await.len(), 6, "the absence, and the collapse");
    assert_eq!(shop.run(&shop.state, &DAY).stdout, again.stdout, "however often it is run");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_that_stop_are_told_once_until_they_come() {
    let shop = Shop::until("monitor_run_silent", "2025-03-31").await;
    server::execute(&shop.source, "DELETE FROM visits WHERE day IN ('2025-03-28', '2025-03-29', '2025-03-30')").await;
    let mut codes = Vec::new();
    for day in ["2025-03-27", "2025-03-28", "2025-03-29", "2025-03-30", "2025-03-31"] {
        codes.push(shop.run(&shop.state, &["--date", day]).code);
    }
    assert_eq!(codes, [0, 10, 0, 0, 0]);
    assert_eq!(delivered(&shop.state).await, sent());
    let request = shop.received("/hook").await.remove(0);
    let alert: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        alert["data"]["subject"],
        "[P0] Shop: no data since 2025-03-27; those of 2025-03-28 were due 2025-03-29 06:00"
    );
    let outcome = shop.run(&shop.state, &["--date", "2025-03-31"]);
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let incident = &report["days"][0]["day"]["incidents"][0];
    assert_eq!((&incident["kind"]["type"], &incident["is_closed"]), (&"no_data".into(), &true.into()), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_select_that_fails_is_told_once_until_it_runs_again() {
    let shop = Shop::until("monitor_run_fails", "2025-03-31").await;
    server::execute(&shop.source, "ALTER TABLE visits RENAME COLUMN channel TO source").await;
    let dry = shop.run(&shop.state, &["--date", "2025-03-29", "--dry-run"]);
    assert_eq!((dry.code, remembered(&shop.state).await.len()), (10, 0), "{}", dry.stderr);
    for (day, code) in [("2025-03-29", 10), ("2025-03-29", 10), ("2025-03-30", 2)] {
        let outcome = shop.run(&shop.state, &["--date", day]);
        assert_eq!(outcome.code, code, "{}", outcome.stderr);
        assert!(outcome.stderr.contains("error: shop: column \"channel\" does not exist"), "{}", outcome.stderr);
        assert!(outcome.stdout.contains("shop:visits:failed:2025-03-29"), "{}", outcome.stdout);
    }
    assert_eq!(delivered(&shop.state).await, sent());
    let why = shop
        .program
        .command()
        .args(["monitor", "why", "shop", "visits", "2025-03-29"])
        .env("EXPLORE_STATE_URL", &shop.state)
        .output();
    let why = String::from_utf8(why.unwrap().stdout).unwrap();
    assert!(why.contains("Not judged") && why.contains("cannot be run"), "{why}");

    server::execute(&shop.source, "ALTER TABLE visits RENAME COLUMN source TO channel").await;
    let outcome = shop.run(&shop.state, &["--date", "2025-03-30"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let incident = &report["days"][0]["day"]["incidents"][0];
    assert_eq!((&incident["is_closed"], &incident["id"]), (&true.into(), &"shop:visits:failed:2025-03-29".into()));
    assert_eq!(report["days"][0]["headline"], "0 alerts, 1 over, 1 metric as expected");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_keeps_nothing_and_tells_nobody() {
    let shop = Shop::new("monitor_run_dry").await;
    let outcome = shop.run(&shop.state, &["--date", "2025-03-31", "--dry-run"]);
    assert_eq!(outcome.code, 10, "{}", outcome.stderr);
    assert_eq!(remembered(&shop.state).await, Vec::<String>::new());
    assert_eq!(shop.received("/hook").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_that_no_monitor_takes_is_told_once() {
    let shop = Shop::new("monitor_run_thresholds").await;
    shop.run(&shop.state, &DAY);
    let rows = "INSERT INTO explore.monitor_config (monitor, metric, enabled) VALUES ('shp', 'visits', false)";
    server::execute(&shop.state, rows).await;
    let outcome = shop.run(&shop.state, &DAY);
    assert_eq!(
        outcome.stderr.matches("warning: monitor_config: there is no monitor `shp`").count(),
        1,
        "{}",
        outcome.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_goes_without_an_alert_because_something_else_goes_wrong() {
    let shop = Shop::new("monitor_run_beside").await;
    let metadata = shop.program.path("metadata/monitors");
    std::fs::write(metadata.join("other.toml"), TOML).unwrap();
    std::fs::write(metadata.join("other.sql"), SQL.replace("visits FROM", "visitors FROM")).unwrap();
    let outcome = shop.run(&shop.state, &[&DAY[..], &["--output", "/dev/full"]].concat());
    assert_eq!(outcome.code, 10, "{}", outcome.stderr);
    for told in ["error: other: column \"visitors\" does not exist", "error: cannot write to /dev/full"] {
        assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    }
    let both = sent().into_iter().flat_map(|sent| [sent.clone(), sent]).collect::<Vec<_>>();
    assert_eq!(delivered(&shop.state).await, both, "of the fall, and of the monitor that cannot be run");
}

#[cfg(feature = "embedded")]
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_leaves_the_state_alone_that_is_configured() {
    let state = server::fresh("monitor_run_demo", "").await;
    let program = Program::new().variable("EXPLORE_STATE_URL", &state);
    let outcome = program.run(&["monitor", "run", "--demo", "--no-ai", "--quiet", "revenue_funnel"]);
    assert_eq!(outcome.code, 10, "{}", outcome.stderr);
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'explore'";
    assert_eq!(server::client(&state).await.query_one(schemas, &[]).await.unwrap().get::<_, i64>(0), 0);
}
