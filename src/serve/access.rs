//! Who calls, and what they may do.
//!
//! A caller shows a key as `Authorization: Bearer exp_ID_SECRET`, or the cookie of a page that was signed in to with one.
//! Without either, somebody at this machine may read and ask: the address called must be a loopback name, and no proxy may
//! stand in between, because it would make the whole world look local.

use std::marker::PhantomData;
use std::net::IpAddr;

use aide::OperationInput;
use aide::generate::GenContext;
use aide::openapi::{Operation, SecurityRequirement};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Service;
use super::problem::{Kind, Problem};

/// The name of somebody at this machine without a key.
pub(crate) const LOCAL: &str = "local";
/// The name of the page's cookie.
pub(crate) const COOKIE: &str = "explore_session";
/// The name of the documented way to show a key.
pub(crate) const SECURITY_SCHEME: &str = "key";
/// Headers of proxies, beside all that begin with `x-forwarded-`.
const PROXIES: [&str; 6] = ["forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"];

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read findings, runs, monitors and the schema.
    Read,
    /// Ask questions.
    Ask,
    /// Say what one thinks of findings.
    Feedback,
    /// Start and cancel explorations.
    Explore,
    /// Run statements.
    Sql,
    /// Snooze and configure monitors.
    Monitor,
    /// Change metadata.
    Schema,
    /// Everything else: keys, schedules, journals.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 8] =
        [Self::Read, Self::Ask, Self::Feedback, Self::Explore, Self::Sql, Self::Monitor, Self::Schema, Self::Admin];
    /// What somebody at this machine may do without a key.
    const LOCAL: [Self; 2] = [Self::Read, Self::Ask];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Ask => "ask",
            Self::Feedback => "feedback",
            Self::Explore => "explore",
            Self::Sql => "sql",
            Self::Monitor => "monitor",
            Self::Schema => "schema",
            Self::Admin => "admin",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The name of the key, or `local`.
    pub(crate) name: String,
    /// The id of the key; `None` for somebody at this machine.
    pub(crate) key: Option<String>,
    scopes: Vec<Scope>,
}

impl Caller {
    pub(crate) fn of_key(name: String, key: String, scopes: Vec<Scope>) -> Self {
        Self { name, key: Some(key), scopes }
    }

    fn local() -> Self {
        Self { name: LOCAL.to_owned(), key: None, scopes: Scope::LOCAL.to_vec() }
    }

    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Returns who calls. A key or a cookie that does not count is refused, though nothing shown might pass.
    pub(crate) async fn of(parts: &Parts, service: &Service) -> Result<Self, Problem> {
        if let Some(shown) = parts.headers.get(header::AUTHORIZATION) {
            let shown = shown.to_str().ok().and_then(|shown| shown.split_once(' '));
            let key = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key);
            let key = key
                .ok_or_else(|| Problem::new(Kind::Unauthenticated, "the header must be `Authorization: Bearer KEY`"))?;
            return service.ready()?.store.caller_of_key(key.trim(), Timestamp::now()).await?.ok_or_else(|| {
                Problem::new(
                    Kind::Unauthenticated,
                    "the key is not known, expired or revoked; `explore key create` makes one",
                )
            });
        }
        if let Some(token) = cookie(&parts.headers)
            && let Some(caller) = service.ready()?.store.caller_of_session(&token, Timestamp::now()).await?
        {
            return Ok(caller);
        }
        if service.settings.is_loopback && is_local(&parts.headers, &parts.uri) {
            return Ok(Self::local());
        }
        Err(Problem::new(
            Kind::Unauthenticated,
            "show a key as `Authorization: Bearer KEY`; `explore key create` makes one",
        ))
    }
}

/// Returns the value of the page's cookie.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}

/// Returns whether a request was made to a loopback name, with no proxy between.
fn is_local(headers: &HeaderMap, uri: &Uri) -> bool {
    let is_of_proxy = |name: &str| name.starts_with("x-forwarded-") || PROXIES.contains(&name);
    let is_direct = !headers.keys().any(|name| is_of_proxy(name.as_str()));
    // A request may name its host twice: in the header and in an absolute address. All must be this machine.
    let mut hosts = headers.get_all(header::HOST).iter().map(|host| host.to_str().ok()).chain(uri.host().map(Some));
    let is_named = headers.contains_key(header::HOST) || uri.host().is_some();
    is_direct && is_named && hosts.all(|host| host.is_some_and(is_loopback_name))
}

/// Returns whether a Host header names this machine: `localhost`, or an address of its loopback, with any port.
fn is_loopback_name(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address, port.strip_prefix(':')),
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let has_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    has_port
        && (name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
}

/// A scope as a type, so that a handler's signature says what it needs.
pub(crate) trait Needed: Send + Sync {
    const SCOPE: Scope;
}

macro_rules! scopes {
    ($($name:ident),*) => {
        $(#[derive(Debug)] pub(crate) struct $name; impl Needed for $name { const SCOPE: Scope = Scope::$name; })*
    };
}
scopes!(Read, Feedback, Explore, Sql, Schema, Admin);

/// A caller who may do what the scope says. The documentation of an operation says which it needs.
#[derive(Debug)]
pub(crate) struct By<N> {
    pub(crate) caller: Caller,
    needed: PhantomData<N>,
}

impl<N: Needed> FromRequestParts<Service> for By<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let caller = Caller::of(parts, service).await?;
        if caller.may(N::SCOPE) {
            return Ok(Self { caller, needed: PhantomData });
        }
        let scope = N::SCOPE.name();
        Err(if caller.key.is_some() {
            Problem::new(Kind::Forbidden, format!("the key {} does not have the scope {scope}", caller.name))
        } else {
            let detail = format!("this needs a key with the scope {scope}; `explore key create` makes one");
            Problem::new(Kind::Unauthenticated, detail)
        })
    }
}

impl<N: Needed> OperationInput for By<N> {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        let requirement = [(SECURITY_SCHEME.to_owned(), vec![N::SCOPE.name().to_owned()])];
        operation.security.push(requirement.into_iter().collect());
        if Scope::LOCAL.contains(&N::SCOPE) {
            // Somebody at this machine needs none.
            operation.security.push(SecurityRequirement::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_loopback_name;

    #[test]
    fn only_names_of_this_machine_are_loopback_names() {
        for name in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.8.9.1", "[::1]:8080", "[::1]"] {
            assert!(is_loopback_name(name), "{name}");
        }
        let others = [
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "10.0.0.1",
            "[::2]",
            "",
            "localhost:x",
            "localhost:8080:1",
            "0.0.0.0",
            "169.254.0.1",
        ];
        for name in others {
            assert!(!is_loopback_name(name), "{name}");
        }
    }
}
