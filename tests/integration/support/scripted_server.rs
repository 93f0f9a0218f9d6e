//! An OpenAI-compatible server for tests, over real HTTP. It answers turn by turn from a script, in the form of
//! whichever API it is asked in, and keeps what it was asked.
//!
//! Its ids are deterministic: the first call of the second request is `call_2_1`. It runs in threads of its own, so that
//! tests of the binary, which are not async, use it as well. A script that never ends is an endless iterator.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// What the server does about one request.
pub(crate) struct Turn {
    action: Action,
}

enum Action {
    Reply(Reply),
    Raw { status: u16, headers: Vec<String>, body: String, is_broken_off: bool },
    HangUp,
    Silence,
    Computed(Box<dyn FnOnce(&Request) -> Turn + Send>),
}

#[derive(Default)]
struct Reply {
    text: Option<String>,
    reasoning: Option<String>,
    calls: Vec<(String, String)>,
    usage: Option<[u64; 4]>,
    is_uncounted: bool,
    is_cut_off: bool,
}

/// The model says something.
pub(crate) fn says(text: &str) -> Turn {
    reply(Reply { text: Some(text.into()), ..Reply::default() })
}

/// The model calls tools: names and arguments.
pub(crate) fn calls<'a>(calls: impl IntoIterator<Item = (&'a str, Value)>) -> Turn {
    let calls = calls.into_iter().map(|(name, arguments)| (name.into(), arguments.to_string())).collect();
    reply(Reply { calls, ..Reply::default() })
}

/// The model calls a tool with arguments that may be no JSON.
pub(crate) fn calls_badly(name: &str, arguments: &str) -> Turn {
    reply(Reply { calls: vec![(name.into(), arguments.into())], ..Reply::default() })
}

/// Any answer at all.
pub(crate) fn raw(status: u16, body: impl Into<String>) -> Turn {
    Turn { action: Action::Raw { status, headers: Vec::new(), body: body.into(), is_broken_off: false } }
}

/// An error in OpenAI's form.
pub(crate) fn refuses(status: u16, code: &str, message: &str) -> Turn {
    raw(status, json!({ "error": { "message": message, "type": code, "param": null, "code": code } }).to_string())
}

/// The connection is closed without an answer.
pub(crate) fn hangs_up() -> Turn {
    Turn { action: Action::HangUp }
}

/// No answer comes until the client goes away.
pub(crate) fn is_silent() -> Turn {
    Turn { action: Action::Silence }
}

/// What happens depends on the request, for instance on the results that the model has seen.
pub(crate) fn computed(turn: impl FnOnce(&Request) -> Turn + Send + 'static) -> Turn {
    Turn { action: Action::Computed(Box::new(turn)) }
}

fn reply(reply: Reply) -> Turn {
    Turn { action: Action::Reply(reply) }
}

impl Turn {
    /// Something said beside the calls.
    pub(crate) fn saying(self, text: &str) -> Self {
        self.change_reply(|reply| reply.text = Some(text.into()))
    }

    /// Reasoning that wants to be carried: encrypted in the Responses API, in the clear in Chat Completions.
    pub(crate) fn reasoning(self, content: &str) -> Self {
        self.change_reply(|reply| reply.reasoning = Some(content.into()))
    }

    /// Tokens: input, cached of these, output, reasoning of these. Unless given, 100, 0, 10, 0.
    pub(crate) fn using(self, tokens: [u64; 4]) -> Self {
        self.change_reply(|reply| reply.usage = Some(tokens))
    }

    /// The reply does not say what it used.
    pub(crate) fn uncounted(self) -> Self {
        self.change_reply(|reply| reply.is_uncounted = true)
    }

    /// The reply ends at the limit of its length.
    pub(crate) fn cut_off(self) -> Self {
        self.change_reply(|reply| reply.is_cut_off = true)
    }

    /// A header of a raw answer.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.change_raw(|headers, _| headers.push(format!("{name}: {value}\r\n")))
    }

    /// The connection is lost in the middle of a raw body.
    pub(crate) fn broken_off(self) -> Self {
        self.change_raw(|_, is_broken_off| *is_broken_off = true)
    }

    fn change_reply(mut self, change: impl FnOnce(&mut Reply)) -> Self {
        let Action::Reply(reply) = &mut self.action else { panic!("only a model's reply has this") };
        change(reply);
        self
    }

    fn change_raw(mut self, change: impl FnOnce(&mut Vec<String>, &mut bool)) -> Self {
        let Action::Raw { headers, is_broken_off, .. } = &mut self.action else { panic!("only a raw answer has this") };
        change(headers, is_broken_off);
        self
    }
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// The path, the query included.
    pub(crate) path: String,
    /// The headers, names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// The body.
    pub(crate) body: Value,
    /// The bytes of the body.
    pub(crate) sent: Vec<u8>,
}

impl Request {
    /// The answers to the model's tool calls so far, oldest first, in whichever API.
    pub(crate) fn tool_outputs(&self) -> Vec<&str> {
        let chat = self.body["messages"].as_array().into_iter().flatten();
        let chat = chat.filter(|message| message["role"] == "tool").filter_map(|message| message["content"].as_str());
        let responses = self.body["input"].as_array().into_iter().flatten();
        let responses = responses.filter(|item| item["type"] == "function_call_output");
        chat.chain(responses.filter_map(|item| item["output"].as_str())).collect()
    }

    /// The names of the tools that the model may call.
    pub(crate) fn tool_names(&self) -> Vec<&str> {
        let tools = self.body["tools"].as_array().into_iter().flatten();
        tools.filter_map(|tool| tool["name"].as_str().or_else(|| tool["function"]["name"].as_str())).collect()
    }
}

/// A running server; it stops when dropped.
pub(crate) struct ScriptedServer {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    script: Mutex<Box<dyn Iterator<Item = Turn> + Send>>,
    requests: Mutex<Vec<Request>>,
    is_stopped: AtomicBool,
}

impl ScriptedServer {
    /// Starts a server that plays a script, one turn a request.
    pub(crate) fn start<Script>(script: Script) -> Self
    where
        Script: IntoIterator<Item = Turn>,
        Script::IntoIter: Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            script: Mutex::new(Box::new(script.into_iter())),
            requests: Mutex::default(),
            is_stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().take_while(|_| !accepting.is_stopped.load(Ordering::Relaxed)) {
                let (stream, state) = (stream.unwrap(), Arc::clone(&accepting));
                // A client may go away at any time.
                thread::spawn(move || serve(stream, &state).unwrap_or_default());
            }
        });
        Self { address, state }
    }

    /// The base URL for clients.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What arrived so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }

    /// The bodies of what arrived so far.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.requests().into_iter().map(|request| request.body).collect()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.state.is_stopped.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees that it is over.
        TcpStream::connect(self.address).map(drop).unwrap_or_default();
    }
}

fn serve(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    let Some((path, headers, sent)) = read_request(&stream)? else { return Ok(()) };
    let request = {
        let mut requests = state.requests.lock().unwrap();
        let body = serde_json::from_slice(&sent).unwrap_or(Value::Null);
        let request = Request { number: requests.len() + 1, path, headers, body, sent };
        requests.push(request.clone());
        request
    };
    let next = state.script.lock().unwrap().next();
    let mut turn = next.unwrap_or_else(|| refuses(400, "script_over", "the script of this test has no more turns"));
    while let Action::Computed(compute) = turn.action {
        turn = compute(&request);
    }
    match turn.action {
        Action::Reply(reply) => {
            let mut form = in_api_form(&reply, &request);
            if reply.is_uncounted {
                form["usage"] = Value::Null;
            }
            write_reply(&mut stream, 200, "", &form.to_string(), false)
        }
        Action::Raw { status, headers, body, is_broken_off } => {
            write_reply(&mut stream, status, &headers.concat(), &body, is_broken_off)
        }
        Action::Silence => stream.read_to_end(&mut Vec::new()).map(drop),
        Action::HangUp => Ok(()),
        Action::Computed(_) => unreachable!("computed above"),
    }
}

type RequestParts = (String, BTreeMap<String, String>, Vec<u8>);

fn read_request(stream: &TcpStream) -> std::io::Result<Option<RequestParts>> {
    let mut reader = BufReader::new(stream);
    let mut first_line = String::new();
    if reader.read_line(&mut first_line)? == 0 {
        return Ok(None);
    }
    let path = first_line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((path, headers, body)))
}

fn write_reply(
    stream: &mut TcpStream,
    status: u16,
    headers: &str,
    body: &str,
    is_broken_off: bool,
) -> std::io::Result<()> {
    let length = if is_broken_off { body.len() * 2 + 1 } else { body.len() };
    let head = format!("HTTP/1.1 {status} Scripted\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}");
    stream.write_all(format!("{head}\r\n{body}").as_bytes())
}

fn in_api_form(reply: &Reply, request: &Request) -> Value {
    let path = request.path.split('?').next().unwrap_or_default();
    if path.ends_with("/responses") {
        responses_form(reply, request.number)
    } else if path.ends_with("/chat/completions") {
        chat_form(reply, request.number)
    } else {
        panic!("no such operation: {path}")
    }
}

fn responses_form(reply: &Reply, number: usize) -> Value {
    let mut output = Vec::new();
    if let Some(reasoning) = &reply.reasoning {
        let id = format!("rs_{number}");
        output.push(json!({ "type": "reasoning", "id": id, "summary": [], "encrypted_content": reasoning }));
    }
    if let Some(text) = &reply.text {
        output.push(json!({
            "type": "message", "id": format!("msg_{number}"), "status": "completed", "role": "assistant",
            "content": [{ "type": "output_text", "text": text, "annotations": [] }],
        }));
    }
    output.extend(reply.calls.iter().zip(1..).map(|((name, arguments), index)| {
        json!({
            "type": "function_call", "id": format!("fc_{number}_{index}"), "call_id": format!("call_{number}_{index}"),
            "name": name, "arguments": arguments, "status": "completed",
        })
    }));
    let [input, cached, received, reasoning] = reply.usage.unwrap_or([100, 0, 10, 0]);
    json!({
        "id": format!("resp_{number}"), "object": "response", "created_at": 0, "model": "scripted", "error": null,
        "status": if reply.is_cut_off { "incomplete" } else { "completed" },
        "incomplete_details": reply.is_cut_off.then(|| json!({ "reason": "max_output_tokens" })),
        "output": output,
        "usage": {
            "input_tokens": input, "input_tokens_details": { "cached_tokens": cached },
            "output_tokens": received, "output_tokens_details": { "reasoning_tokens": reasoning },
            "total_tokens": input + received,
        },
    })
}

fn chat_form(reply: &Reply, number: usize) -> Value {
    let mut message = json!({ "role": "assistant", "content": reply.text });
    if let Some(reasoning) = &reply.reasoning {
        message["reasoning_content"] = reasoning.as_str().into();
    }
    if !reply.calls.is_empty() {
        let call = |((name, arguments), index): (&(String, String), usize)| {
            let function = json!({ "name": name, "arguments": arguments });
            json!({ "id": format!("call_{number}_{index}"), "type": "function", "function": function })
        };
        message["tool_calls"] = reply.calls.iter().zip(1..).map(call).collect();
    }
    let finish_reason = match reply {
        Reply { is_cut_off: true, .. } => "length",
        Reply { calls, .. } if calls.is_empty() => "stop",
        Reply { .. } => "tool_calls",
    };
    let [input, cached, received, reasoning] = reply.usage.unwrap_or([100, 0, 10, 0]);
    json!({
        "id": format!("chatcmpl_{number}"), "object": "chat.completion", "created": 0, "model": "scripted",
        "choices": [{ "index": 0, "message": message, "finish_reason": finish_reason, "logprobs": null }],
        "usage": {
            "prompt_tokens": input, "prompt_tokens_details": { "cached_tokens": cached },
            "completion_tokens": received, "completion_tokens_details": { "reasoning_tokens": reasoning },
            "total_tokens": input + received,
        },
    })
}
