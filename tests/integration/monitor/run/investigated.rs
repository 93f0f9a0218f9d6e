//! `investigate = true`: what lies behind an alert follows it, to those who got it, once.

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::program::{Outcome, Program};
use crate::support::scripted_server::{ScriptedServer, calls, says};
use crate::support::server;

/// Orders of two months. On the last day most of those from France by phone are missing, which the monitor cannot see.
const DATA: &str = "
CREATE TABLE orders (order_id int PRIMARY KEY, ordered_at timestamp NOT NULL, channel text, country text, device text);
INSERT INTO orders
SELECT number, '2025-02-01'::timestamp + day * interval '1 day' + number * interval '7 seconds',
    (ARRAY['web', 'app'])[1 + number % 2],
    (ARRAY['FR', 'DE', 'IT'])[1 + number / 2 % 3],
    (ARRAY['phone', 'desk'])[1 + number / 6 % 2]
FROM generate_series(0, 58) AS day, generate_series(day * 1000, day * 1000 + 299 + hashtext(day::text) % 8) AS number;
DELETE FROM orders WHERE ordered_at >= '2025-03-31' AND country = 'FR' AND device = 'phone' AND order_id / 12 % 10 <> 0;
ANALYZE;";

const TOML: &str = "dimensions = [\"channel\"]
channels = [\"folder\", \"hook\", \"team\"]
investigate = true
[forecast]
yearly = false
[measures.orders]
direction = \"up_is_good\"
[severity]
medium = 0.05
high = 0.08
critical = 0.1
";

const SQL: &str = "SELECT ordered_at::date AS day, channel, count(*) AS orders
FROM orders WHERE ordered_at >= $1 AND ordered_at < $2 GROUP BY 1, 2";

const CHANNELS: &str = "[channels.folder]
kind = \"file\"
directory = \"alerts\"
[channels.hook]
kind = \"webhook\"
url_env = \"HOOK_URL\"
secret_env = \"HOOK_SECRET\"
[channels.team]
kind = \"slack\"
token_env = \"SLACK_TOKEN\"
channel = \"C1\"
api_url = \"{api}\"
";

struct Shop {
    program: Program,
    source: String,
    listeners: MockServer,
}

impl Shop {
    async fn new(name: &str, data: &str, toml: &str) -> Self {
        Self::with(name, data, toml, SQL).await
    }

    async fn with(name: &str, data: &str, toml: &str, sql: &str) -> Self {
        let source = server::fresh(name, data).await;
        let state = server::fresh(&format!("{name}_state"), "").await;
        let listeners = MockServer::start().await;
        let program = Program::new();
        std::fs::create_dir_all(program.path("metadata/monitors")).unwrap();
        let program = program
            .file("metadata/monitors/orders.toml", toml)
            .file("metadata/monitors/orders.sql", sql)
            .file("explore.toml", &CHANNELS.replace("{api}", &format!("{}/api", listeners.uri())))
            .variable("DATABASE_URL", &source)
            .variable("EXPLORE_STATE_URL", &state)
            .variable("HOOK_URL", &format!("{}/hook", listeners.uri()))
            .variable("HOOK_SECRET", "whsec_aHVudGVyMmh1bnRlcjI=")
            .variable("SLACK_TOKEN", "xoxb-1");
        let shop = Self { program, source, listeners };
        let posted = ResponseTemplate::new(200).set_body_json(json!({ "ok": true, "channel": "C1", "ts": "17.42" }));
        Mock::given(method("POST"))
            .and(path("/api/chat.postMessage"))
            .respond_with(posted)
            .mount(&shop.listeners)
            .await;
        shop
    }

    /// Makes the webhook answer from now on.
    async fn hook_answers(&self, status: u16) {
        let answer = Mock::given(method("POST")).and(path("/hook"));
        answer.respond_with(ResponseTemplate::new(status)).mount(&self.listeners).await;
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        let run = ["monitor", "run", "--allow-writable-role", "--date", "2025-03-31"];
        self.program.run(&[&run, arguments].concat())
    }

    /// The bodies that came to a path, in their order.
    async fn received(&self, place: &str) -> Vec<Value> {
        let requests = self.listeners.received_requests().await.unwrap();
        let here = requests.into_iter().filter(|request| request.url.path() == place);
        here.map(|request| request.body_json().unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_monitor_cannot_see_follows_the_alert_in_its_thread_once() {
    let shop = Shop::new("monitor_behind_alert", DATA, TOML).await;
    shop.hook_answers(200).await;
    for _ in 0..2 {
        let outcome = shop.run(&["--no-ai"]);
        assert_eq!(outcome.code, 10, "{}", outcome.stderr);
    }
    let hook = shop.received("/hook").await;
    let types = hook.iter().map(|body| body["type"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(types, ["alert", "investigation"]);
    let (alert, found) = (&hook[0]["data"], &hook[1]["data"]);
    assert_eq!(found["subject"], format!("Re: {}", alert["subject"].as_str().unwrap()));
    assert_eq!(alert["incident"]["segments"], json!([]), "the monitor knows no country");
    let fact = found["findings"][0]["facts"][0]["sentence"].as_str().unwrap();
    assert!(fact.contains("country 'FR'") && fact.contains("device 'phone'") && fact.contains(" fell from "), "{fact}");

    let slack = shop.received("/api/chat.postMessage").await;
    assert_eq!(slack.len(), 2);
    assert_eq!((&slack[0]["thread_ts"], &slack[1]["thread_ts"]), (&Value::Null, &json!("17.42")));
    assert!(slack[1]["blocks"].to_string().contains("device 'phone'"), "{:#}", slack[1]);
    assert_eq!(std::fs::read_dir(shop.program.path("alerts")).unwrap().count(), 2);
    let list = shop.program.run(&["monitor", "outbox", "list", "--all"]);
    assert!(list.stdout.contains("investigation") && list.stdout.contains("alert"), "{}", list.stdout);
    let id = found["run_id"].as_str().unwrap();
    let latest = shop.program.run(&["replay", "latest"]);
    assert!(latest.stdout.contains("device 'phone'"), "where there is no other run: {}", latest.stderr);
    let replayed = shop.program.run(&["replay", id]);
    assert!(replayed.stdout.contains("device 'phone'"), "{} {}", replayed.stdout, replayed.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_investigation_waits_for_its_alert() {
    let shop = Shop::new("monitor_behind_unsent", DATA, TOML).await;
    let unheard = shop.run(&["--no-ai"]);
    assert_eq!(unheard.code, 10, "{}", unheard.stderr);
    let types = |bodies: Vec<Value>| bodies.iter().map(|body| body["type"].clone()).collect::<Vec<_>>();
    let tried = types(shop.received("/hook").await);
    assert!(!tried.is_empty() && tried.iter().all(|one| one == "alert"), "{tried:?}");
    assert_eq!(shop.received("/api/chat.postMessage").await.len(), 2, "the others do not wait");

    shop.hook_answers(200).await;
    let list = shop.program.run(&["monitor", "outbox", "list", "--json"]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    let unsent = list.as_array().unwrap().iter().find(|entry| entry["part"] == "alert").unwrap();
    let retried = shop.program.run(&["monitor", "outbox", "retry", &unsent["id"].to_string()]);
    assert_eq!(retried.code, 0, "{}", retried.stderr);
    assert_eq!(
        types(shop.received("/hook").await)[tried.len()..],
        ["alert"],
        "nobody looked for whom it did not reach"
    );
    assert_eq!(shop.run(&["--no-ai"]).code, 10);
    let sent = types(shop.received("/hook").await);
    assert_eq!(sent[tried.len()..], ["alert", "investigation"], "{sent:?}");
    assert_eq!(shop.received("/api/chat.postMessage").await.len(), 2, "others are told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_looked_into_unless_the_monitor_asks_for_it() {
    let shop = Shop::new("monitor_behind_none", DATA, &TOML.replace("investigate = true\n", "")).await;
    shop.hook_answers(200).await;
    assert_eq!(shop.run(&["--no-ai"]).code, 10);
    assert_eq!(shop.received("/hook").await.len(), 1);
    assert!(!shop.program.path("runs").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn that_nothing_was_found_is_said() {
    let whole = DATA.replace("country = 'FR' AND device = 'phone'", "true");
    let shop = Shop::new("monitor_behind_nothing", &whole, TOML).await;
    shop.hook_answers(200).await;
    assert_eq!(shop.run(&["--no-ai"]).code, 10);
    let hook = shop.received("/hook").await;
    assert_eq!(hook[1]["data"]["findings"], json!([]), "all of the day's orders are gone alike");
    let slack = shop.received("/api/chat.postMessage").await;
    let blocks = slack[1]["blocks"].to_string();
    assert!(blocks.contains("looked behind the alert with") && blocks.contains("no part went another way"), "{blocks}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_about_a_person_is_sent_with_a_token_and_so_is_what_lies_behind_it() {
    let data = DATA.replace("channel text", "email text").replace("'web', 'app'", "'ann@x.org', 'bob@y.org'");
    // Those of one person are missing, which is a segment of the alert.
    let data = data.replace("country = 'FR' AND device = 'phone'", "email = 'ann@x.org'");
    let toml = TOML.replace("[\"channel\"]", "[\"email\"]");
    let shop = Shop::with("monitor_behind_person", &data, &toml, &SQL.replace("channel", "email")).await;
    shop.hook_answers(200).await;
    assert_eq!(shop.run(&["--no-ai"]).code, 10);
    let hook = shop.received("/hook").await;
    assert_eq!(hook.len(), 2, "{hook:#?}");
    for body in &hook {
        let text = body.to_string();
        assert!(text.contains("mail_") && !text.contains("ann@x.org"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_table_whose_columns_nobody_knows_it_is_said_that_no_part_was_looked_at() {
    let data =
        DATA.replace("ANALYZE;", "ALTER TABLE orders RENAME TO kept; CREATE VIEW orders AS TABLE kept; ANALYZE;");
    let shop = Shop::new("monitor_behind_view", &data, TOML).await;
    shop.hook_answers(200).await;
    assert_eq!(shop.run(&["--no-ai"]).code, 10);
    let slack = shop.received("/api/chat.postMessage").await;
    let blocks = slack[1]["blocks"].to_string();
    assert!(blocks.contains("not looked at by parts: no column is known to have few values"), "{blocks}");
}

/// Drops the orders when the alert has come, before it answers.
struct Drops(String);

impl wiremock::Respond for Drops {
    fn respond(&self, _: &wiremock::Request) -> ResponseTemplate {
        let drop = ["-q", "-c", "DROP TABLE IF EXISTS orders", self.0.as_str()];
        assert!(std::process::Command::new("psql").args(drop).status().unwrap().success());
        ResponseTemplate::new(200)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn that_nobody_could_look_is_said_in_the_thread() {
    let shop = Shop::new("monitor_behind_gone", DATA, TOML).await;
    Mock::given(method("POST"))
        .and(path("/hook"))
        .respond_with(Drops(shop.source.clone()))
        .mount(&shop.listeners)
        .await;
    let outcome = shop.run(&["--no-ai"]);
    assert_eq!(outcome.code, 10, "{}", outcome.stderr);
    let slack = shop.received("/api/chat.postMessage").await;
    assert_eq!(slack.len(), 2, "{}", outcome.stderr);
    let blocks = slack[1]["blocks"].to_string();
    assert!(blocks.contains("could not look behind the alert"), "{blocks}");
    assert!(!blocks.contains("relation") && outcome.stderr.contains("nobody could look"), "{}", outcome.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_gets_the_alert_as_data_and_five_queries() {
    let shop = Shop::new("monitor_behind_model", DATA, TOML).await;
    shop.hook_answers(200).await;
    let model = ScriptedServer::start([
        says("NOT_INFLUENCED"),
        calls([("finish", json!({}))]),
        calls([("change", json!({ "table": "orders", "days": 1, "measure": "count", "by": ["country", "device"] }))]),
        calls([("finish", json!({ "answers": [] }))]),
        calls([("finish", json!({ "answers": [] }))]),
    ]);
    let mut command = shop.program.command();
    let base_url = model.base_url();
    command.env("OPENAI_BASE_URL", &base_url).env("OPENAI_API_KEY", "key").env("EXPLORE_MODEL", "scripted");
    command.args(["monitor", "run", "--allow-writable-role", "--date", "2025-03-31"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(10), "{}", String::from_utf8_lossy(&output.stderr));
    let hook = shop.received("/hook").await;
    assert_eq!(hook.len(), 2, "{hook:#?}");
    let asked = model.requests();
    let asked = asked.iter().map(|request| String::from_utf8_lossy(&request.sent).into_owned()).collect::<Vec<_>>();
    let briefed = asked.iter().find(|text| text.contains("An alert was sent")).unwrap();
    let expected = ["kind=", "below expected on 2025-03-31", "public.orders", "2025-03-31 to 2025-03-31", "5 queries"];
    for part in expected {
        assert!(briefed.contains(part), "{part}: {briefed}");
    }
    assert!(asked.last().unwrap().contains("country 'FR'"), "{asked:?}");
}
