//! A loop as small as can be: it runs the analyst's queries on a fresh database and hands back rendered tables.

use explore::catalog::Catalog;
use explore::finding::Draft;
use explore::model::offline::OfflineAnalyst;
use explore::model::{Message, Model, Request, ToolCall, ToolSpec};
use explore::results::{QueryResult, Results};
use explore::table::{Bounds, Column, Table};
use std::sync::Arc;
use tokio_postgres::SimpleQueryMessage;

pub(crate) struct Run {
    pub(crate) drafts: Vec<Draft>,
    pub(crate) looked_at: Vec<String>,
    pub(crate) results: Results,
    pub(crate) failures: Vec<String>,
}

impl Run {
    pub(crate) async fn play(sql: &str, catalog: &Catalog, focus: &str, as_of: &str) -> Self {
        let client = connect().await;
        client.batch_execute(sql).await.expect("the data load");
        let analyst = OfflineAnalyst::new(catalog, focus, as_of.parse().expect("a date"));
        let mut run =
            Self { drafts: Vec::new(), looked_at: Vec::new(), results: Results::default(), failures: Vec::new() };
        let mut messages = vec![Message::User { text: "Begin.".to_owned() }];
        let tools = [ToolSpec {
            name: "execute_sql".to_owned(),
            description: String::new(),
            parameters: serde_json::json!({}),
        }];
        for _ in 0..15 {
            let request = Request { system: "", messages: &messages, tools: &tools };
            let calls = analyst.reply(request).await.expect("a turn").tool_calls;
            let mut finished = false;
            let mut answers = Vec::new();
            for call in &calls {
                finished |= call.name == "finish";
                answers.push(Message::Tool { call_id: call.id.clone(), text: run.answer(&client, call).await });
            }
            messages.push(Message::Assistant { text: None, tool_calls: calls, carried: None });
            messages.extend(answers);
            if finished {
                return run;
            }
        }
        panic!("the analyst did not finish");
    }

    async fn answer(&mut self, client: &tokio_postgres::Client, call: &ToolCall) -> String {
        let arguments: serde_json::Value = serde_json::from_str(&call.arguments).expect("JSON");
        match call.name.as_str() {
            "execute_sql" => {
                let sql = arguments["sql"].as_str().expect("sql");
                if std::env::var("SHOW_SQL").is_ok() {
                    println!("{sql};\n");
                }
                let started = std::time::Instant::now();
                match client.simple_query(sql).await {
                    Ok(rows) => {
                        let id = format!("q{}", self.results.iter().count() + 1);
                        let table = table(&rows);
                        let text = format!("{id}\n{}", table.render(Bounds::default()));
                        println!("{} {:?}\n{text}\n", call.id, started.elapsed());
                        let question = arguments["question"].as_str().unwrap_or_default().to_owned();
                        let result = QueryResult { id, sql: sql.to_owned(), question, table, elapsed_milliseconds: 0 };
                        self.results.push(Arc::new(result));
                        text
                    }
                    Err(error) => {
                        let error = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
                        self.failures.push(format!("{}: {error}\n{sql}", call.id));
                        error
                    }
                }
            }
            "record_finding" => {
                self.drafts.push(serde_json::from_value(arguments).expect("a draft"));
                "recorded".to_owned()
            }
            _ => {
                self.looked_at = serde_json::from_value(arguments["looked_at"].clone()).expect("lines");
                "finished".to_owned()
            }
        }
    }

    pub(crate) fn segments(&self) -> Vec<&str> {
        self.drafts.iter().map(|draft| draft.segment.as_str()).collect()
    }

    pub(crate) fn print(&self) {
        for draft in &self.drafts {
            println!("{}", serde_json::to_string_pretty(draft).expect("JSON"));
        }
        println!("{:?}\n{}", self.looked_at, self.failures.join("\n"));
    }
}

pub(crate) async fn connect() -> tokio_postgres::Client {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/test"));
    let mut config = tokio_postgres::Config::new();
    config.host(variable("PGHOST")).port(variable("PGPORT").parse().expect("a port"));
    config.user(variable("PGUSER")).password(variable("PGPASSWORD")).dbname("postgres");
    let database =
        format!("offline_{}_{}", std::process::id(), NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let client = open(&config).await;
    client.batch_execute(&format!("CREATE DATABASE {database}")).await.expect("a fresh database");
    config.dbname(&database);
    open(&config).await
}

static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

async fn open(config: &tokio_postgres::Config) -> tokio_postgres::Client {
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.expect("a server");
    tokio::spawn(connection);
    client
}

fn table(messages: &[SimpleQueryMessage]) -> Table {
    let mut table = Table::default();
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                let column = |name: &str| Column { name: name.to_owned(), type_name: String::new() };
                table.columns = columns.iter().map(|described| column(described.name())).collect();
            }
            SimpleQueryMessage::Row(row) => {
                table.rows.push((0..row.len()).map(|index| row.get(index).map(str::to_owned)).collect());
            }
            _ => {}
        }
    }
    table
}
