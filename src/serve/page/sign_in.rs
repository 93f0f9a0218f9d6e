//! Signing in at the page, with a key.

use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::Timestamp;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::rendered;
use crate::serve::Service;
use crate::serve::access::{COOKIE, cookie};
use crate::serve::problem::{Kind, Problem};

#[derive(Serialize)]
struct Content {}

/// What the form has.
#[derive(Deserialize)]
pub(super) struct Shown {
    key: String,
}

pub(super) async fn show() -> Result<Html<String>, Problem> {
    rendered(include_str!("sign_in.html"), None, Content {})
}

pub(super) async fn enter(
    State(service): State<Service>,
    Form(Shown { key }): Form<Shown>,
) -> Result<Response, Problem> {
    let (store, now) = (&service.ready()?.store, Timestamp::now());
    let caller = store.caller_of_key(key.trim(), now).await?;
    let caller =
        caller.ok_or_else(|| Problem::new(Kind::Unauthenticated, "the key is not known, expired or revoked"))?;
    let random = rand::rng().random();
    let (token, seconds) = store.sign_in(&caller, random, now).await?;
    Ok(with_cookie(&service, &token, seconds))
}

pub(super) async fn leave(State(service): State<Service>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(token) = cookie(&headers) {
        service.ready()?.store.sign_out(&token).await?;
    }
    Ok(with_cookie(&service, "", 0))
}

/// Goes back to the inbox, with the cookie set. Browsers keep it from scripts and from other sites; where the service is
/// reached over a network it travels encrypted only.
fn with_cookie(service: &Service, token: &str, seconds: i64) -> Response {
    let secure = if service.settings.is_loopback { "" } else { "; Secure" };
    let cookie = format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut response = Redirect::to("/").into_response();
    response.headers_mut().extend(HeaderValue::from_str(&cookie).ok().map(|cookie| (header::SET_COOKIE, cookie)));
    response
}
