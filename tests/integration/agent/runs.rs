//! Whole runs through the binary: a scripted model over real HTTP, a real database, and what comes out.
//!
//! No run, whatever becomes of it, lets the model's key or the database's password out: that is checked of each.

mod caps;
mod coverage;
mod dry_run;
mod endings;
mod endpoints;
mod failures;
mod focus;
mod good;
mod interrupts;
mod limits;
mod lost;
mod misplays;
mod privacy;
mod relay;
mod robustness;
mod sent;
mod values;

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Once};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::program::Program;
use crate::support::scripted_server::{ScriptedServer, Turn, calls};
use crate::support::server;

const APIS: [&str; 2] = ["responses", "chat"];
pub(crate) const KEY: &str = "sk-secret-0123456789";
pub(crate) const PASSWORD: &str = "runs-password-0123456789";
/// Long enough for a busy machine, and no test waits for it that passes.
const PATIENCE: Duration = Duration::from_mins(1);

/// CUST004 is its first row: silent for 119 days, 114,000 of net sales in three orders.
const CUSTOMERS: &str = "SELECT customer_code, customer_name, region, count(*) AS orders, \
    max(billing_date) AS last_order, DATE '2025-11-28' - max(billing_date) AS days_silent, \
    sum(net_sales_value_2) AS net_sales FROM primary_sales WHERE billing_code = 'SA' \
    GROUP BY customer_code, customer_name, region ORDER BY days_silent DESC, customer_code";

/// Never done.
pub(crate) const HEAVY: &str = "SELECT count(*) AS n FROM generate_series(1, 1000000) AS a, generate_series(1, 1000000) AS b, \
    generate_series(1, 1000000) AS c";

/// The sample data, read by a role that may do nothing else.
static SAMPLE: LazyLock<String> = LazyLock::new(|| database("runs_sample", explore::sample::SAMPLE_SQL));

/// Made once: `ALTER ROLE` and `GRANT` do not bear to be run side by side.
static ROLE: Once = Once::new();

/// A new database with what `sql` makes, and its URL for a role that may only read.
pub(crate) fn database(name: &str, sql: &str) -> String {
    let role = format!(
        "DO $$ BEGIN CREATE ROLE runs_reader LOGIN; \
         EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$; \
         ALTER ROLE runs_reader PASSWORD '{PASSWORD}'; GRANT pg_read_all_data TO runs_reader"
    );
    wait_for(async {
        ROLE.call_once(|| wait_for(server::execute(&server::url("postgres"), &role)));
        let owner = server::fresh(name, sql).await;
        server::execute(&owner, "ANALYZE").await;
    });
    let (host, port) = (server::variable("PGHOST"), server::variable("PGPORT"));
    format!("postgres://runs_reader:{PASSWORD}@{host}:{port}/{name}")
}

/// Waits for a future wherever it is called, be it within a runtime or in a thread of a scripted server.
pub(crate) fn wait_for<Output: Send>(future: impl Future<Output = Output> + Send) -> Output {
    thread::scope(|scope| {
        let wait = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(future)
        };
        scope.spawn(wait).join().unwrap()
    })
}

/// Waits until `condition` holds.
#[track_caller]
pub(crate) fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// How many connections of the program `database` has; those that run [`HEAVY`] within the wrapper if `busy`.
pub(crate) fn backends(database: &str, busy: bool) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'explore' AND datname = $1 \
               AND (NOT $2 OR (state = 'active' AND query LIKE 'SELECT %FROM (%1000000%'))";
    wait_for(async {
        let client = server::client(&server::url("postgres")).await;
        client.query_one(sql, &[&database, &busy]).await.unwrap().get(0)
    })
}

/// A run to be: the program, its arguments, and the model that it will ask.
struct Exploration {
    program: Program,
    model: ScriptedServer,
    arguments: Vec<String>,
}

impl Exploration {
    fn new<Script>(database_url: &str, script: Script) -> Self
    where
        Script: IntoIterator<Item = Turn>,
        Script::IntoIter: Send + 'static,
    {
        let model = ScriptedServer::start(script);
        let program = Program::new().variable("DATABASE_URL", database_url).variable("OPENAI_API_KEY", KEY);
        let program =
            program.variable("EXPLORE_FOCUS", "customer_churn").variable("OPENAI_BASE_URL", &model.base_url());
        // Some tests need a query that takes long.
        let program = program.variable("EXPLORE_MAX_PLAN_COST", "off");
        let arguments = ["--as-of", "2025-11-30", "--format", "json", "--model", "scripted"];
        Self { program, arguments: Vec::new(), model }.with(&arguments)
    }

    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.program.variables.retain(|(known, _)| known != name);
        self.program = self.program.variable(name, value);
        self
    }

    fn file(mut self, name: &str, text: &str) -> Self {
        self.program = self.program.file(name, text);
        self
    }

    /// Runs it to its end.
    fn run(self) -> Ran {
        self.start().end()
    }

    /// Starts it.
    fn start(self) -> Running {
        let command = self.program.command();
        self.start_as(command)
    }

    fn start_as(self, mut command: Command) -> Running {
        let command = command.args(&self.arguments);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Running { exploration: self, child }
    }
}

/// A run under way.
struct Running {
    exploration: Exploration,
    child: Child,
}

impl Running {
    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    fn until_asked(&self, times: usize) {
        until("the model is asked", || self.exploration.model.requests().len() >= times);
    }

    /// Waits until it has ended, which has to be soon.
    fn end(mut self) -> Ran {
        let read = |mut stream: Box<dyn Read + Send>| {
            thread::spawn(move || {
                let mut text = String::new();
                stream.read_to_string(&mut text).map(|_| text).unwrap()
            })
        };
        let stdout = read(Box::new(self.child.stdout.take().unwrap()));
        let stderr = read(Box::new(self.child.stderr.take().unwrap()));
        let mut status = None;
        until("the run ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let journal = journal(&self.exploration.program);
        let ran = Ran {
            code: status.unwrap().code(),
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
            journal,
            program: self.exploration.program,
            model: self.exploration.model,
        };
        ran.keeps_secrets();
        ran
    }
}

/// The text of the only journal there is, or nothing.
fn journal(program: &Program) -> String {
    let runs = std::fs::read_dir(program.path("runs")).into_iter().flatten();
    let journals = runs.map(|run| std::fs::read_to_string(run.unwrap().path().join("journal.jsonl")).unwrap());
    journals.collect()
}

/// A run that ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    journal: String,
    program: Program,
    model: ScriptedServer,
}

impl Ran {
    #[track_caller]
    fn ends_with(self, code: i32, reason: &str) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stderr, self.stdout);
        let report = self.report();
        assert_eq!(report["stop_reason"], reason, "{report:#}\n{}", self.stderr);
        self
    }

    #[track_caller]
    fn report(&self) -> Value {
        let report = serde_json::from_str(&self.stdout);
        report.unwrap_or_else(|error| panic!("no report: {error}\n{}\n{}", self.stdout, self.stderr))
    }

    /// The journal's events called `name`.
    #[track_caller]
    fn events(&self, name: &str) -> Vec<Value> {
        let lines = self.journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["event"] == name).collect()
    }

    /// What the model was answered to its calls before request `number`, the last answer of all first.
    #[track_caller]
    fn answers(&self, number: usize) -> Vec<String> {
        let requests = self.model.requests();
        let request =
            requests.get(number - 1).unwrap_or_else(|| panic!("{} requests\n{}", requests.len(), self.stderr));
        request.tool_outputs().into_iter().map(str::to_owned).rev().collect()
    }

    /// Everything that request `number` says, in one string.
    #[track_caller]
    fn request(&self, number: usize) -> String {
        self.model.requests()[number - 1].body.to_string()
    }

    /// What `explore runs show` makes of the journal.
    fn shown(&self, format: &str) -> String {
        let outcome = self.program.run(&["runs", "show", "--format", format]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        outcome.stdout
    }

    /// Checks that `explore runs show --sent` prints the bytes that arrived.
    #[track_caller]
    fn shows_what_was_sent(&self) {
        let outcome = self.program.run(&["runs", "show", "--sent"]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let arrived = self.model.requests().into_iter().flat_map(|request| [request.sent, b"\n".to_vec()].concat());
        assert!(outcome.stdout.as_bytes() == arrived.collect::<Vec<_>>(), "{}", outcome.stdout);
    }

    fn keeps_secrets(&self) {
        let variable = |name| self.program.variables.iter().find(|(known, _)| known == name).unwrap().1.clone();
        let url = variable("DATABASE_URL");
        let password = url.rsplit_once('@').and_then(|(user, _)| user.rsplit_once(':')).map(|(_, password)| password);
        for secret in password.into_iter().chain([KEY, PASSWORD]) {
            for text in [&self.stdout, &self.stderr, &self.journal] {
                assert!(!text.contains(secret), "{secret} is told: {text}");
            }
            for request in self.model.requests() {
                assert!(!request.body.to_string().contains(secret), "{secret} is sent");
            }
        }
    }
}

fn looks(sql: &str) -> Turn {
    calls([("execute_sql", json!({ "sql": sql, "question": "who went silent?" }))])
}

fn finishes() -> Turn {
    calls([("finish", json!({ "looked_at": ["regions, without a finding"], "answers": no_answers() }))])
}

/// The reasons why the questions of the focus are not answered.
fn no_answers() -> Value {
    (1..=3).map(|question| json!({ "question": question, "not_answerable": "it was not looked for" })).collect()
}

fn records(finding: Value) -> Turn {
    calls([("record_finding", finding)])
}

/// A finding on CUST004 in q1, which is [`CUSTOMERS`], with some of its fields changed.
fn finding(changes: &Value) -> Value {
    let mut finding = json!({
        "facts": ["q1[CUST004].net_sales", "q1[CUST004].last_order"],
        "impact": "q1[CUST004].net_sales / q1[CUST004].orders",
        "severity": "high",
        "reading": "It may have another supplier: {f1} is what is at risk.",
        "actions": ["Sales lead North: call the purchaser, to learn who supplies now, by 2025-12-05"],
    });
    for (key, value) in changes.as_object().unwrap() {
        finding[key] = value.clone();
    }
    finding
}
