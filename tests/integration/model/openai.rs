//! The client for OpenAI-compatible endpoints, against a scripted server over real HTTP.

mod failures;
mod manners;
mod replies;
mod requests;
mod streams;
mod text_calls;

use std::time::Duration;

use explore::model::openai::{Api, Client, Options};
use explore::model::{Error, Message, Model, Reply, Request, ToolSpec};
use serde_json::json;

use crate::support::scripted_server::ScriptedServer;

const APIS: [Api; 2] = [Api::Responses, Api::Chat];
const KEY: &str = "sk-secret-0123456789";

fn options(server: &ScriptedServer, api: Api) -> Options {
    Options {
        api,
        api_key: Some(KEY.into()),
        timeout: Duration::from_secs(30),
        retries_max: 3,
        retry_delay: Duration::from_millis(1),
        ..Options::new(server.base_url(), "gpt-5.2")
    }
}

fn tools() -> Vec<ToolSpec> {
    let parameters = json!({ "type": "object", "properties": { "sql": { "type": "string" } }, "required": ["sql"] });
    vec![ToolSpec { name: "execute_sql".into(), description: "Runs a SELECT.".into(), parameters }]
}

fn user(text: &str) -> Message {
    Message::User { text: text.into() }
}

fn tool(call_id: &str, text: &str) -> Message {
    Message::Tool { call_id: call_id.into(), text: text.into() }
}

fn assistant(reply: &Reply) -> Message {
    Message::Assistant {
        text: reply.text.clone(),
        tool_calls: reply.tool_calls.clone(),
        carried: reply.carried.clone(),
    }
}

async fn ask(client: &Client, messages: &[Message]) -> Result<Reply, Error> {
    client.reply(Request { system: "You are an analyst.", messages, tools: &tools() }).await
}

/// Asks a new client of the server one question.
async fn ask_once(server: &ScriptedServer, api: Api) -> Result<Reply, Error> {
    ask(&Client::new(options(server, api)).unwrap(), &[user("Look at churn.")]).await
}
