//! A POST of JSON, signed according to the Standard Webhooks specification: HMAC-SHA256 over id, time and body. The
//! receiver can verify who sent it and that it is fresh, and recognizes a repetition by the id.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::Sha256;

use super::http;
use super::parcel::{Outcome, Parcel};
use super::settings::WebhookSection;
use crate::state::Part;

/// The prefix of a secret in the specification's form, before the base64.
const SECRET_PREFIX: &str = "whsec_";

/// A URL that receives JSON messages.
#[derive(Debug)]
pub(super) struct Webhook {
    url: SecretString,
    secret: SecretString,
    client: Client,
}

impl Webhook {
    pub(super) fn open(
        section: &WebhookSection,
        secret: &dyn Fn(&str) -> Result<SecretString, String>,
        client: Client,
    ) -> Result<Self, String> {
        let webhook = Self { url: secret(&section.url_env)?, secret: secret(&section.secret_env)?, client };
        check_url(&webhook.url, &section.url_env)?;
        webhook.key().map_err(|problem| format!("{} {problem}", section.secret_env))?;
        Ok(webhook)
    }

    /// Returns the key that requests are signed with.
    fn key(&self) -> Result<Vec<u8>, &'static str> {
        let secret = self.secret.expose_secret();
        match secret.strip_prefix(SECRET_PREFIX) {
            Some(encoded) => BASE64_STANDARD.decode(encoded).map_err(|_| "is not valid base64 after whsec_"),
            None => Ok(secret.as_bytes().to_vec()),
        }
    }

    pub(super) async fn send(&self, parcel: &Parcel<'_>) -> Outcome {
        let kind = match parcel.part {
            Part::Investigation => "investigation",
            Part::Alert if parcel.incident.is_some() => "alert",
            Part::Alert => "digest",
        };
        let body = json!({ "type": kind, "data": parcel.message.data }).to_string();
        let timestamp = parcel.now.as_second();
        let signature = match self.key() {
            Ok(key) => signature(&key, parcel.id, timestamp, &body),
            Err(problem) => return Outcome::refused(problem),
        };
        let request = self.client.post(self.url.expose_secret());
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", parcel.id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body);
        match http::send(request, &[&self.url, &self.secret]).await {
            Ok(_) => Outcome::Accepted { reference: None },
            Err(outcome) => outcome,
        }
    }
}

/// Rejects a value that is not an HTTP URL. The error does not repeat the value.
pub(super) fn check_url(url: &SecretString, variable: &str) -> Result<(), String> {
    match Url::parse(url.expose_secret()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        Ok(_) | Err(_) => Err(format!("{variable} is not a URL that begins with https:// or http://")),
    }
}

fn signature(key: &[u8], id: &str, timestamp: i64, body: &str) -> String {
    // HMAC accepts a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("a key of any length is one") };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
}
