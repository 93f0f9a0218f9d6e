//! The service, through the binary and over HTTP: a real server, a state on it, the built-in analyst.

mod access;
mod explorations;
mod findings;
mod page;
mod sql;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use crate::support::program::Program;
use crate::support::server;

/// Tickets of two channels over sixty days; those of the shop double from the day 41 on.
const TICKETS: &str = "
    CREATE TABLE tickets (id bigint PRIMARY KEY, opened_on date NOT NULL, channel text NOT NULL);
    INSERT INTO tickets
    SELECT row_number() OVER (), DATE '2026-09-01' + day, channel
    FROM generate_series(0, 59) AS day, (VALUES ('shop', 4), ('<b>mail</b>', 5)) AS channels (channel, usual),
        generate_series(1, 8) AS number
    WHERE number <= CASE WHEN channel = 'shop' AND day >= 40 THEN 2 * usual ELSE usual END;
    ANALYZE;";

/// A folder, its databases, and what was started in it.
struct Place {
    program: Program,
    state: String,
}

/// The service, which ends with the value.
struct Served {
    process: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An answer of the service.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// The class of its problem.
    #[track_caller]
    fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16());
        assert_eq!(document["request_id"], self.header("x-request-id"));
        document["type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned()
    }
}

impl Place {
    async fn new(name: &str) -> Self {
        let url = server::fresh(&format!("serve_{name}"), TICKETS).await;
        let state = server::fresh(&format!("serve_{name}_state"), "SELECT 1").await;
        let mut program = Program::new()
            .variable("DATABASE_URL", &url)
            .variable("EXPLORE_STATE_URL", &state)
            .variable("EXPLORE_ALLOW_WRITABLE_ROLE", "true")
            .variable("EXPLORE_OFFLINE", "true")
            .variable("EXPLORE_AS_OF", "2026-10-31");
        program.variables.retain(|(name, _)| name != "EXPLORE_MEMORY");
        Self { program, state }
    }

    /// Starts the service and waits until it is ready.
    fn serve(&self, more: &[&str]) -> Served {
        let mut command = self.program.command();
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(more).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut told = Vec::new();
        let mut address = String::new();
        loop {
            let line = lines.next().unwrap_or_else(|| panic!("it ended: {told:?}")).unwrap();
            if let Some((_, rest)) = line.split_once("listening at ") {
                rest.clone_into(&mut address);
            }
            if line == "ready" {
                break;
            }
            told.push(line);
        }
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Served { process, address }
    }

    /// Makes a key with these scopes.
    fn key(&self, scopes: &str) -> String {
        let outcome = self.program.run(&["key", "create", "tester", "--scope", scopes]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        outcome.stdout.trim().to_owned()
    }
}

impl Served {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let mut request = client.request(method, format!("{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, HeaderValue::from_str(value).unwrap());
        }
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        Answer::of(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str, key: Option<&str>) -> Answer {
        self.ask(Method::GET, path, key, &[], None).await
    }

    async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(key), &[], Some(body)).await
    }

    /// Explores to the end, and returns the run's id.
    async fn explore(&self, key: &str) -> String {
        let asked = self.post("/v1/explorations", key, serde_json::json!({})).await.expect(202);
        let id = asked.json()["id"].as_str().unwrap().to_owned();
        self.get(&format!("/v1/explorations/{id}/events"), Some(key)).await.expect(200);
        id
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.process.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Asks it to end, and returns whether it ended well.
    fn terminate(&mut self) -> bool {
        self.signal("TERM");
        self.process.wait().unwrap().success()
    }
}
