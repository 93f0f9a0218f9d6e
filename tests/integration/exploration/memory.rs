//! What is remembered from night to night, through the binary: a real server, a state on it, and a model that follows a
//! script.

mod at_once;
mod full;
mod killed;
mod private;

use serde_json::{Value, json};

use crate::support::program::{Outcome, Program};
use crate::support::scripted_server::{ScriptedServer, Turn, calls, computed, is_silent, raw};
use crate::support::server;

/// Tickets of two channels over sixty days; those of the shop double from the day 41 on.
const TICKETS: &str = "
    CREATE TABLE tickets (id bigint PRIMARY KEY, opened_on date NOT NULL, channel text NOT NULL);
    INSERT INTO tickets
    SELECT 100 * day + number, DATE '2026-09-01' + day, channel
    FROM generate_series(0, 59) AS day, (VALUES ('shop', 4), ('mail', 5)) AS channels (channel, usual),
        generate_series(1, usual * CASE WHEN channel = 'shop' AND day >= 40 THEN 2 ELSE 1 END
            + CASE WHEN channel = 'shop' THEN 50 ELSE 0 END) AS number
    WHERE number <= usual * CASE WHEN channel = 'shop' AND day >= 40 THEN 2 ELSE 1 END
    ON CONFLICT DO NOTHING;
    ANALYZE;";
/// What the model asks: whole dates bound the rows.
const ASKED: &str = "SELECT channel,
    count(*) FILTER (WHERE opened_on >= DATE '2026-09-21' AND opened_on < DATE '2026-10-11') AS before,
    count(*) FILTER (WHERE opened_on >= DATE '2026-10-11' AND opened_on < DATE '2026-10-31') AS after
    FROM tickets GROUP BY channel";

struct Nights {
    program: Program,
    url: String,
}

impl Nights {
    async fn new(name: &str) -> Self {
        let url = server::fresh(name, TICKETS).await;
        server::execute(
            &url,
            "DELETE FROM tickets WHERE channel = 'mail'; INSERT INTO tickets
            SELECT 1000000 + 10 * day + number, DATE '2026-09-01' + day, 'mail'
            FROM generate_series(0, 59) AS day, generate_series(1, 5) AS number",
        )
        .await;
        let state = server::fresh(&format!("{name}_state"), "SELECT 1").await;
        let mut program = Program::new()
            .variable("DATABASE_URL", &url)
            .variable("EXPLORE_STATE_URL", &state)
            .variable("OPENAI_API_KEY", "none")
            .variable("EXPLORE_ALLOW_WRITABLE_ROLE", "true")
            .variable("EXPLORE_MODEL", "scripted");
        program.variables.retain(|(name, _)| name != "EXPLORE_MEMORY");
        Self { program, url }
    }

    /// Explores as of a day with a model that follows a script.
    fn night(&self, day: &str, script: Vec<Turn>, more: &[&str]) -> (Outcome, ScriptedServer) {
        let model = ScriptedServer::start(script);
        let base_url = model.base_url();
        let mut arguments = vec!["--as-of", day, "--base-url", &base_url, "--format", "json", "--quiet"];
        arguments.extend(more);
        (self.program.run(&arguments), model)
    }

    fn findings(&self) -> Vec<Value> {
        let outcome = self.program.run(&["findings", "list", "--all", "--json"]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        serde_json::from_str::<Vec<Value>>(&outcome.stdout).unwrap()
    }

    /// Adds the next day's tickets of both channels.
    async fn next_day(&self, day: &str, of_shop: u32) {
        server::execute(
            &self.url,
            &format!(
                "INSERT INTO tickets SELECT (SELECT max(id) FROM tickets) + number, DATE '{day}', 'shop'
                 FROM generate_series(1, {of_shop}) AS number;
                 INSERT INTO tickets SELECT (SELECT max(id) FROM tickets) + number, DATE '{day}', 'mail'
                 FROM generate_series(1, 5) AS number"
            ),
        )
        .await;
    }
}

/// A night of the built-in analyst, who always does the same.
const OFFLINE: [&str; 6] = ["--offline", "--as-of", "2026-10-31", "--format", "json", "--quiet"];
/// The same run goes on.
const RESUME: [&str; 6] = ["resume", "latest", "--offline", "--format", "json", "--quiet"];
/// What is news goes to a folder, and to a team by a channel that cannot be sent the same again.
const CHANNELS: &str = "notify = [\"folder\", \"team\"]
[channels.folder]
kind = \"file\"
directory = \"sent\"
[channels.team]
kind = \"slack\"
url_env = \"SLACK_URL\"
";

/// Nights of the built-in analyst, whose news are told.
struct Told {
    program: Program,
    url: String,
    state: String,
    team: ScriptedServer,
    /// What the team got before.
    before: usize,
}

impl Told {
    async fn new(name: &str) -> Self {
        let Nights { program, url } = Nights::new(name).await;
        let state = server::url(&format!("{name}_state"));
        let team = ScriptedServer::start(std::iter::repeat_with(|| raw(200, "ok")));
        let program = program.file("explore.toml", CHANNELS).variable("SLACK_URL", &team.base_url());
        Self { program, url, state, team, before: 0 }
    }

    /// Runs a night to its end and returns its report, and what is remembered of it.
    async fn reference(&self) -> (Value, Vec<String>) {
        let outcome = self.program.run(&OFFLINE);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let remembered = self.remembered().await;
        let kinds = remembered.iter().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>();
        assert_eq!(kinds, ["finding", "message", "message", "new"], "{remembered:?}");
        self.check_sent("the reference", &remembered);
        (report(&outcome), remembered)
    }

    /// Forgets all, as if there had been no night.
    async fn forget(&mut self) {
        let truncate = "TRUNCATE explore.memories, explore.findings, explore.explorations, explore.outbox CASCADE";
        server::execute(&self.state, truncate).await;
        for folder in ["runs", "sent"] {
            let _ = std::fs::remove_dir_all(self.program.path(folder));
        }
        self.before = self.team.requests().len();
    }

    /// The findings, which of them a run called new, and the messages.
    async fn remembered(&self) -> Vec<String> {
        let lines = "SELECT concat_ws(' ', 'finding', number, headline) FROM explore.findings
            UNION ALL SELECT concat_ws(' ', 'new', entry ->> 'id')
            FROM explore.explorations, jsonb_array_elements(document -> 'entries') AS entry
            WHERE entry ->> 'standing' = 'new'
            UNION ALL SELECT concat_ws(' ', 'message', channel, state) FROM explore.outbox ORDER BY 1";
        let client = server::client(&self.state).await;
        client.query(lines, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Checks that all that is expected is remembered, and was told once.
    async fn check(&self, at: &str, expected: &[String]) {
        let remembered = self.remembered().await;
        self.check_sent(at, &remembered);
        let may_have_arrived = |line: &String| line.replace("message team unknown", "message team sent");
        assert_eq!(remembered.iter().map(may_have_arrived).collect::<Vec<_>>(), expected, "{at}");
    }

    fn check_sent(&self, at: &str, remembered: &[String]) {
        assert_eq!(self.files(), 1, "{at}: {remembered:?}");
        let told = self.team.requests().len() - self.before;
        assert!(told <= 1, "{at}: told {told} times");
        let is_sent = remembered.iter().any(|line| line == "message team sent");
        assert!(!is_sent || told == 1, "{at}: it was not told");
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.program.path("sent")).map_or(0, Iterator::count)
    }

    fn journal(&self) -> Option<std::path::PathBuf> {
        let run = std::fs::read_dir(self.program.path("runs")).ok()?.next()?.unwrap();
        Some(run.path().join("journal.jsonl"))
    }
}

/// The sentences of a report's findings.
fn sentences(report: &Value) -> Vec<&Value> {
    let findings = report["findings"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    findings.iter().map(|finding| &finding["facts"][0]["sentence"]).collect()
}

fn finds() -> Vec<Turn> {
    vec![
        calls([("execute_sql", json!({ "sql": ASKED, "question": "which channel grew" }))]),
        calls([
            (
                "record_finding",
                json!({ "facts": ["change(q1[shop].before, q1[shop].after)"], "actions": ["Ask the shop"], "severity": "high" }),
            ),
            ("finish", json!({ "answers": [] })),
        ]),
        calls([("finish", json!({ "answers": [] }))]),
    ]
}

fn looks_at_nothing() -> Vec<Turn> {
    vec![calls([("finish", json!({ "answers": [] }))]), calls([("finish", json!({ "answers": [] }))])]
}

fn report(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{error}: {} {}", outcome.stdout, outcome.stderr))
}

/// The standings of a run, with the sizes over the nights.
fn standings(outcome: &Outcome) -> Vec<(String, String, Vec<String>)> {
    let report = report(outcome);
    let entries = report["remembrance"]["entries"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let sizes = |entry: &Value| entry["series"].as_array().unwrap().iter().map(|point| text(&point["text"])).collect();
    entries.iter().map(|entry| (text(&entry["id"]), text(&entry["standing"]), sizes(entry))).collect()
}

fn standing(outcome: &Outcome) -> String {
    let standings = standings(outcome);
    assert_eq!(standings.len(), 1, "{standings:?}");
    standings[0].1.clone()
}

#[tokio::test]
async fn a_finding_with_fixed_dates_goes_on_until_its_cause_is_mended() {
    let nights = Nights::new("memory_mended").await;
    let (first, _) = nights.night("2026-10-31", finds(), &[]);
    assert_eq!(standings(&first), [("M1".to_owned(), "new".to_owned(), vec!["+100%".to_owned()])], "{}", first.stderr);

    nights.next_day("2026-10-31", 8).await;
    let (second, model) = nights.night("2026-11-01", looks_at_nothing(), &[]);
    assert_eq!(standing(&second), "ongoing");
    let sent = model.bodies()[0].to_string();
    assert!(sent.contains("past_findings") && sent.contains("1 finding of earlier runs is known"), "{sent}");
    let sentence = report(&second)["remembrance"]["entries"][0]["sentence"].as_str().unwrap().to_owned();
    assert!(
        sentence.contains("10 October 2026 to 12 October 2026") && sentence.contains("31 October 2026"),
        "{sentence}"
    );

    // Twice as many tickets were duplicates, and are deleted.
    nights.next_day("2026-11-01", 4).await;
    server::execute(
        &nights.url,
        "DELETE FROM tickets AS t USING (SELECT id, row_number() OVER (PARTITION BY opened_on ORDER BY id) AS place
         FROM tickets WHERE channel = 'shop') AS numbered WHERE numbered.id = t.id AND place > 4",
    )
    .await;
    let (third, _) = nights.night("2026-11-02", looks_at_nothing(), &["--fail-on", "low"]);
    assert_eq!((standing(&third).as_str(), third.code), ("over", 0), "{}", third.stdout);
    // What is over is not told again.
    let (fourth, _) = nights.night("2026-11-03", looks_at_nothing(), &[]);
    assert_eq!(standings(&fourth), []);
}

#[tokio::test]
async fn what_lasts_is_not_over_once_there_are_only_days_after_it() {
    let nights = Nights::new("memory_lasting").await;
    nights.night("2026-10-31", finds(), &[]);
    for day in 1..=30 {
        nights.next_day(&format!("2026-11-{day:02}"), 8).await;
    }
    let (later, _) = nights.night("2026-12-01", looks_at_nothing(), &[]);
    assert_eq!(standings(&later)[0].1, "ongoing", "{}", later.stdout);
}

#[tokio::test]
async fn what_goes_the_other_way_is_another_finding() {
    let nights = Nights::new("memory_turned").await;
    nights.night("2026-10-31", finds(), &[]);
    server::execute(&nights.url, "DELETE FROM tickets WHERE channel = 'shop' AND opened_on >= '2026-10-11'").await;
    let falls = || {
        let mut script = finds();
        let finding = json!({ "facts": ["change(q1[shop].before, q1[shop].after)"], "actions": ["Ask the shop"] });
        script[1] = calls([("record_finding", finding), ("finish", json!({ "answers": [] }))]);
        script
    };
    let (second, _) = nights.night("2026-11-01", falls(), &[]);
    let told = standings(&second).into_iter().map(|(id, standing, _)| (id, standing)).collect::<Vec<_>>();
    assert_eq!(told, [("M2".to_owned(), "new".to_owned()), ("M1".to_owned(), "over".to_owned())], "{}", second.stdout);
}

#[tokio::test]
async fn a_run_goes_on_with_the_memory_and_the_analyst_that_it_began_with() {
    let nights = Nights::new("memory_as_begun").await;
    let began = [
        "--offline",
        "--memory",
        "mine",
        "--as-of",
        "2026-10-31",
        "--tables",
        "tickets",
        "--quiet",
        "--privacy",
        "masked",
    ];
    let first = nights.program.run(&[&began[..], &["--max-iterations", "1"]].concat());
    assert_eq!(first.code, 0, "{}", first.stderr);
    let resumed = nights.program.run(&["resume", "latest", "--format", "json"]);
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    let told = report(&resumed);
    assert_eq!(told["remembrance"]["memory"], "mine", "{told:#}");
    assert_eq!(told["model"], "offline analyst", "{told:#}");
}

#[tokio::test]
async fn what_cannot_be_measured_again_is_never_over() {
    let nights = Nights::new("memory_unmeasured").await;
    let (first, _) = nights.night("2026-10-31", finds(), &["--fail-on", "high,new"]);
    assert_eq!((standing(&first).as_str(), first.code), ("new", 10));
    server::execute(&nights.url, "ALTER TABLE tickets RENAME COLUMN channel TO way").await;
    let (second, _) = nights.night("2026-11-01", looks_at_nothing(), &["--fail-on", "high,new"]);
    // The only query of the run failed: it cannot tell.
    assert_eq!((standing(&second).as_str(), second.code), ("unmeasured", 11), "{}", second.stdout);
    let why = report(&second)["remembrance"]["entries"][0]["why"].as_str().unwrap().to_owned();
    assert!(why.contains("channel") && why.contains("the definition of public.tickets changed"), "{why}");
    assert_eq!(nights.findings()[0]["is_open"], true);
}

#[tokio::test]
async fn people_silence_a_finding_until_it_grows() {
    let nights = Nights::new("memory_silenced").await;
    nights.night("2026-10-31", finds(), &[]);
    let known = [
        "findings",
        "dismiss",
        "M1",
        "--because",
        "known",
        "--as",
        "Ann",
        "--reason",
        "a campaign",
        "--as-of",
        "2026-10-31",
    ];
    let said = nights.program.run(&known[..9]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let (second, _) = nights.night("2026-11-01", finds(), &["--fail-on", "low"]);
    assert_eq!(standing(&second), "ongoing");
    let silenced = report(&second)["remembrance"]["entries"][0]["silenced"].as_str().unwrap().to_owned();
    assert!(silenced.starts_with("known, by Ann") && silenced.ends_with(": a campaign"), "{silenced}");
    assert_eq!(second.code, 0, "what is silenced fails nothing");
    // What is counted is what is shown.
    let told = report(&second);
    assert_eq!((&told["findings"], &told["findings_silenced"]), (&json!([]), &json!(1)));
    for format in ["terminal", "markdown", "html"] {
        let page = nights.program.run(&["replay", "latest", "--format", format]).stdout;
        assert!(page.contains("and 1 silenced") && !page.contains("1 high"), "{page}");
    }
    // Each day brings more.
    for day in 1..=12 {
        nights.next_day(&format!("2026-11-{day:02}"), 40).await;
    }
    let (third, _) = nights.night("2026-11-13", looks_at_nothing(), &["--fail-on", "low"]);
    assert_eq!((standing(&third).as_str(), third.code), ("worse", 10), "{}", third.stdout);
    let shown = nights.program.run(&["findings", "show", "M1"]);
    assert!(shown.stdout.contains("Ann: known: a campaign") && shown.stdout.contains("+100%"), "{}", shown.stdout);
}

#[tokio::test]
async fn a_run_that_was_killed_goes_on_without_paying_again() {
    let nights = Nights::new("memory_resumed").await;
    let model = ScriptedServer::start(finds());
    let base_url = model.base_url();
    let runs = nights.program.path("runs");
    // The second reply never comes: the process is killed while it waits.
    let waits = ScriptedServer::start(vec![
        calls([("execute_sql", json!({ "sql": ASKED, "question": "which channel grew" }))]),
        crate::support::scripted_server::is_silent(),
    ]);
    let mut child = nights
        .program
        .command()
        .args(["--as-of", "2026-10-31", "--base-url", &waits.base_url(), "--quiet"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while waits.requests().len() < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let journal = std::fs::read_dir(&runs).unwrap().next().unwrap().unwrap().path().join("journal.jsonl");
    let before = std::fs::read_to_string(&journal).unwrap();

    let replies = vec![finds().remove(1), finds().remove(2)];
    let goes_on = ScriptedServer::start(replies);
    let resumed = nights.program.run(&["resume", "latest", "--base-url", &goes_on.base_url(), "--format", "json"]);
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert_eq!(standing(&resumed), "new");
    let first = goes_on.bodies()[0].to_string();
    assert!(first.contains("which channel grew") && first.contains("q1"), "the first turn is told, not paid: {first}");
    let after = std::fs::read_to_string(&journal).unwrap();
    assert!(after.starts_with(&before), "a journal only grows");
    let replayed = nights.program.run(&["replay", "latest", "--format", "json"]);
    assert_eq!(replayed.stdout, resumed.stdout);
    let again = nights.program.run(&["resume", "latest", "--base-url", &base_url]);
    assert!(again.code == 2 && again.stderr.contains("ran to its end"), "{}", again.stderr);

    let rechecked = nights.program.run(&["recheck", "latest"]);
    assert!(
        rechecked.code == 0 && rechecked.stdout.contains("1 hold, 0 changed"),
        "{}{}",
        rechecked.stdout,
        rechecked.stderr
    );
    nights.next_day("2026-10-30", 5).await;
    let rechecked = nights.program.run(&["recheck", "M1", "--json"]);
    assert!(
        rechecked.code == 10 && rechecked.stdout.contains("\"changed\""),
        "{}{}",
        rechecked.stdout,
        rechecked.stderr
    );
}

#[tokio::test]
async fn two_processes_never_write_one_run() {
    let nights = Nights::new("memory_locked").await;
    let waits = ScriptedServer::start(vec![crate::support::scripted_server::is_silent()]);
    let mut child = nights
        .program
        .command()
        .args(["--as-of", "2026-10-31", "--base-url", &waits.base_url(), "--quiet"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while waits.requests().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let refused = nights.program.run(&["resume", "latest", "--base-url", &waits.base_url()]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(refused.code != 0 && refused.stderr.contains("written by another process"), "{}", refused.stderr);
}

#[tokio::test]
async fn news_are_sent_once_and_nothing_new_sends_nothing() {
    let mut nights = Nights::new("memory_news").await;
    nights.program = nights
        .program
        .file("explore.toml", "notify = [\"folder\"]\n[channels.folder]\nkind = \"file\"\ndirectory = \"sent\"\n");
    let sent = |nights: &Nights| std::fs::read_dir(nights.program.path("sent")).map_or(0, Iterator::count);
    let link = ["--report-link", "https://reports.example/{day}/{run}.html?a=1&b=2"];
    let (first, _) = nights.night("2026-10-31", finds(), &link);
    assert_eq!((first.code, sent(&nights)), (0, 1), "{}", first.stderr);
    let mail = std::fs::read_dir(nights.program.path("sent")).unwrap().next().unwrap().unwrap().path();
    let mail: Value = serde_json::from_str(&std::fs::read_to_string(mail).unwrap()).unwrap();
    let run = mail["data"]["run_id"].as_str().unwrap();
    let address = format!("https://reports.example/2026-10-31/{run}.html?a=1&b=2");
    assert!(mail["text"].as_str().unwrap().contains(&address), "{mail:#}");
    let escaped = address.replace('&', "&amp;");
    assert!(mail["blocks"].to_string().contains(&format!("<{escaped}|The report>")), "{mail:#}");
    let html = mail["html"].as_str().unwrap();
    assert!(html.contains("<a href=\"https:&#x2f;&#x2f;reports.example"), "{html}");
    nights.next_day("2026-10-31", 8).await;
    nights.night("2026-11-01", finds(), &[]);
    assert_eq!(sent(&nights), 1);
    nights.night("2026-11-01", finds(), &["--notify-always"]);
    assert_eq!(sent(&nights), 2);
}

#[tokio::test]
async fn what_a_run_finds_after_its_limit_was_raised_is_remembered_too() {
    let mut nights = Nights::new("memory_raised").await;
    nights.program = nights
        .program
        .file("explore.toml", "notify = [\"folder\"]\n[channels.folder]\nkind = \"file\"\ndirectory = \"sent\"\n");
    let finding = |claim: &str| json!({ "facts": [claim], "actions": ["Ask"], "severity": "high" });
    let asks = || calls([("execute_sql", json!({ "sql": ASKED, "question": "which channel grew" }))]);
    let records = || calls([("record_finding", finding("change(q1[shop].before, q1[shop].after)"))]);
    let (first, _) = nights.night("2026-10-31", vec![asks(), records()], &["--max-iterations", "2"]);
    assert_eq!(report(&first)["complete"], false, "{}", first.stdout);
    assert_eq!(standings(&first).len(), 1);

    let more = ScriptedServer::start(vec![
        calls([("record_finding", finding("gap(q1[shop].after, q1[mail].after)"))]),
        calls([("finish", json!({ "answers": [] }))]),
        calls([("finish", json!({ "answers": [] }))]),
    ]);
    // Once more it is killed before it has found anything: what it knew is not forgotten.
    let silent = ScriptedServer::start(vec![is_silent()]);
    let mut child = nights.program.command();
    child.args(["resume", "latest", "--max-iterations", "9", "--quiet", "--base-url", &silent.base_url()]);
    let mut child = child.stdout(std::process::Stdio::null()).spawn().unwrap();
    while silent.requests().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let arguments = ["resume", "latest", "--max-iterations", "9", "--format", "json", "--base-url", &more.base_url()];
    let resumed = nights.program.run(&arguments);
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    let standings = standings(&resumed).into_iter().map(|(id, standing, _)| (id, standing)).collect::<Vec<_>>();
    assert_eq!(standings, [("M2".to_owned(), "new".to_owned()), ("M1".to_owned(), "ongoing".to_owned())]);
    assert_eq!(nights.findings().len(), 2);
    assert_eq!(std::fs::read_dir(nights.program.path("sent")).unwrap().count(), 2);
}

#[tokio::test]
async fn a_copy_of_a_database_asks_for_a_memory_of_its_own() {
    let nights = Nights::new("memory_copied").await;
    nights.night("2026-10-31", finds(), &[]);
    let elsewhere = nights.url.replace("localhost", "127.0.0.1");
    let model = ScriptedServer::start(looks_at_nothing());
    let arguments = ["--as-of", "2026-10-31", "--base-url", &model.base_url(), "--database-url", &elsewhere];
    let outcome = nights.program.run(&arguments);
    if elsewhere != nights.url {
        assert!(outcome.code == 2 && outcome.stderr.contains("--memory NAME"), "{}", outcome.stderr);
    }
    let named = nights.program.run(&[&arguments[..], &["--memory", "copy"]].concat());
    assert_eq!(named.code, 0, "{}", named.stderr);
}

#[tokio::test]
async fn a_model_asks_what_is_known() {
    let nights = Nights::new("memory_asked").await;
    nights.night("2026-10-31", finds(), &[]);
    let script = vec![
        calls([("past_findings", json!({}))]),
        computed(|request| {
            let told = request.tool_outputs().join("\n");
            assert!(told.contains("M1 (new since 2026-10-31)") && told.contains("; now: "), "{told}");
            calls([("finish", json!({ "answers": [] }))])
        }),
        calls([("finish", json!({ "answers": [] }))]),
    ];
    let (second, _) = nights.night("2026-11-01", script, &[]);
    assert_eq!(second.code, 0, "{}", second.stderr);
}

/// Records a finding of these facts.
fn records(facts: &[&str], severity: &str) -> Vec<Turn> {
    let mut script = finds();
    let finding = json!({ "facts": facts, "actions": ["Ask the mail room"], "severity": severity });
    script[1] = calls([("record_finding", finding), ("finish", json!({ "answers": [] }))]);
    script
}

#[tokio::test]
async fn another_fact_of_a_known_finding_does_not_speak_for_it() {
    let nights = Nights::new("memory_beside").await;
    let (lead, other) = ("change(q1[shop].before, q1[shop].after)", "gap(q1[shop].after, q1[mail].after)");
    let (first, _) = nights.night("2026-10-31", records(&[lead, other], "high"), &[]);
    assert_eq!(standings(&first)[0].1, "new", "{}", first.stderr);
    let told = sentences(&report(&first))[0].clone();

    let (second, _) = nights.night("2026-11-01", records(&[other], "medium"), &[]);
    let second = report(&second);
    let entry = &second["remembrance"]["entries"][0];
    assert_eq!((&entry["id"], &entry["standing"]), (&json!("M1"), &json!("ongoing")), "{entry:#}");
    assert_eq!((&entry["sentence"], &entry["severity"]), (&told, &json!("high")), "{entry:#}");
    assert_eq!((&entry["finding"], &entry["also"]), (&Value::Null, &json!(["F1"])), "{entry:#}");
    // One finding has one severity, wherever it is told.
    assert_eq!(second["findings"][0]["severity"], "high");
    assert_eq!(nights.findings()[0]["severity"], "high");
    let page = nights.program.run(&["replay", "latest"]).stdout;
    assert!(page.contains("M1 (high): ongoing") && page.contains("belongs to M1, ongoing: see above"), "{page}");

    // What is graver is no part of it.
    let (third, _) = nights.night("2026-11-02", records(&[other], "critical"), &[]);
    let told = standings(&third).into_iter().map(|(id, standing, _)| (id, standing)).collect::<Vec<_>>();
    assert_eq!(told, [("M2".to_owned(), "new".to_owned()), ("M1".to_owned(), "ongoing".to_owned())]);
    // Of what a run tells by itself, it says how grave it is.
    let (_, _) = nights.night("2026-11-03", records(&[lead], "low"), &[]);
    assert_eq!(nights.findings().iter().find(|one| one["id"] == "M1").unwrap()["severity"], "low");
}

/// The messages that lie in the folder to which news are sent.
fn sent(nights: &Nights) -> Vec<Value> {
    let files = std::fs::read_dir(nights.program.path("sent")).map(|files| files.map(|file| file.unwrap().path()));
    let mut files = files.map_or_else(|_| Vec::new(), Iterator::collect::<Vec<_>>);
    files.sort();
    let read = |path: &std::path::PathBuf| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    files.iter().map(read).collect()
}

#[tokio::test]
async fn what_cannot_be_measured_any_more_is_news_once() {
    let mut nights = Nights::new("memory_lost").await;
    nights.program = nights
        .program
        .file("explore.toml", "notify = [\"folder\"]\n[channels.folder]\nkind = \"file\"\ndirectory = \"sent\"\n");
    server::execute(&nights.url, "CREATE TABLE others (id bigint PRIMARY KEY)").await;
    nights.night("2026-10-31", finds(), &[]);
    assert_eq!(sent(&nights).len(), 1);

    server::execute(&nights.url, "DROP TABLE tickets").await;
    let looks_at_others = || {
        let mut script = looks_at_nothing();
        let asked = json!({ "sql": "SELECT count(*) FROM others", "question": "how many others" });
        script.insert(0, calls([("execute_sql", asked)]));
        script
    };
    let (second, _) = nights.night("2026-11-01", looks_at_others(), &[]);
    assert_eq!(standing(&second), "unmeasured");
    let remembrance = &report(&second)["remembrance"];
    let gone = "table public.tickets is not there any more (M1 rests on it)";
    assert_eq!((&remembrance["gone"], &remembrance["entries"][0]["is_lost"]), (&json!([gone]), &json!(true)));
    let page = nights.program.run(&["replay", "latest"]).stdout;
    assert!(page.contains(&format!("! {gone}.")) && page.contains("not measured again for the first time"), "{page}");
    let told = sent(&nights);
    assert_eq!(told.len(), 2);
    let is_told = |message: &Value| message["text"].as_str().unwrap().contains("public.tickets is not there any more");
    assert!(told.iter().any(is_told), "{told:#?}");

    // The same again is no news, and it is never over.
    let (third, _) = nights.night("2026-11-02", looks_at_others(), &[]);
    assert_eq!(standing(&third), "unmeasured");
    assert_eq!(report(&third)["remembrance"].get("gone"), None);
    assert_eq!((&report(&third)["complete"], sent(&nights).len()), (&json!(true), 2), "{}", third.stdout);
    assert_eq!(nights.findings()[0]["is_open"], true);
}

#[tokio::test]
async fn where_nothing_new_answers_a_question_what_goes_on_is_named() {
    let nights = Nights::new("memory_answers").await;
    nights.night("2026-10-31", records(&["gap(q1[shop].after, q1[mail].after)"], "high"), &[]);
    let offline = ["--offline", "--focus", "growth", "--as-of", "2026-11-01", "--format", "json", "--quiet"];
    let second = nights.program.run(&offline);
    let told = report(&second);
    let whys = told["answers"].as_array().unwrap().iter().filter_map(|answer| answer["not_answerable"].as_str());
    let whys = whys.collect::<Vec<_>>();
    assert!(whys.contains(&"nothing new answers it; M1 goes on"), "{told:#}");
    let page = nights.program.run(&["replay", "latest"]).stdout;
    assert!(page.contains("nothing new answers it; M1 goes on"), "{page}");
    assert!(!page.contains("nothing beyond chance that answers it"), "{page}");
}

#[tokio::test]
async fn what_people_say_holds_from_the_last_night_on() {
    let nights = Nights::new("memory_rehearsed").await;
    nights.night("2026-10-31", finds(), &[]);
    let said = |arguments: &[&str]| nights.program.run(&[&["findings"], arguments, &["--as", "Ann"]].concat());
    // The clock may be months after that night.
    let resolved = said(&["resolve", "M1"]);
    assert_eq!(resolved.code, 0, "{}", resolved.stderr);
    let (second, _) = nights.night("2026-11-01", looks_at_nothing(), &[]);
    assert_eq!(standing(&second), "back", "{}", second.stdout);
    let snoozed = said(&["snooze", "M1", "--until", "2026-11-02"]);
    assert_eq!(snoozed.code, 0, "{}", snoozed.stderr);
    let (third, _) = nights.night("2026-11-02", looks_at_nothing(), &[]);
    let third = report(&third);
    assert!(third["remembrance"]["entries"][0]["silenced"].is_string(), "{third:#}");
    let past = said(&["snooze", "M1", "--until", "2020-01-01"]);
    assert!(past.code == 2 && past.stderr.contains("is before"), "{}", past.stderr);
}
