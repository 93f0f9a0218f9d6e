//! Values to tokens and back.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::typeset::text::hex;
use crate::warehouse::catalog::Personal;

/// The hexadecimal digits of a token: 48 bits, so that of a million values two share one in one of 500 databases.
const DIGITS: usize = 12;

/// The key under which tokens are made.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Key(pub [u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(..)")
    }
}

/// Makes tokens of values, and knows the value of each token that it made.
///
/// A token is the kind of the value and the beginning of an HMAC-SHA256 over kind and value. Equal values of a kind have
/// equal tokens, so that they can be grouped and joined. What is made of several values has tokens of its own, which
/// are never those of a value: otherwise a statement could find out by equal tokens what a value consists of.
#[derive(Debug)]
pub struct Masker {
    key: Key,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    values: BTreeMap<String, String>,
    /// Tokens that [`Masker::fresh`] has not returned yet.
    fresh: Vec<(String, String)>,
}

impl Masker {
    pub fn new(key: Key) -> Self {
        Self { key, known: Mutex::default() }
    }

    /// Returns the token of a value, and remembers it.
    pub fn token(&self, kind: Personal, value: &str) -> String {
        self.made(kind, 0, value)
    }

    /// Returns the token of what an expression makes of values; `expression` tells the expressions apart, 0 is none.
    pub(in crate::warehouse) fn made(&self, kind: Personal, expression: u64, value: &str) -> String {
        // HMAC takes keys of any length, so this never fails; no token is better than a wrong one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key.0) else { return format!("{kind}_unknown") };
        mac.update(kind.name().as_bytes());
        mac.update(&[0]);
        mac.update(&expression.to_be_bytes());
        mac.update(value.as_bytes());
        let digits = hex(&mac.finalize().into_bytes());
        let token = format!("{kind}_{}", &digits[..DIGITS]);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.values.contains_key(&token) {
            known.values.insert(token.clone(), value.to_owned());
            known.fresh.push((token.clone(), value.to_owned()));
        }
        token
    }

    /// Returns the value that a token stands for; `None` if it was not made here.
    pub fn value(&self, token: &str) -> Option<String> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).values.get(token).cloned()
    }

    /// Makes a token of an earlier run known.
    pub fn learn(&self, token: String, value: String) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).values.entry(token).or_insert(value);
    }

    /// Returns the tokens that were made since the last call, with their values.
    pub fn fresh(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner).fresh)
    }
}

/// Returns whether a text has the form of a token.
pub fn is_token(text: &str) -> bool {
    kind_of_token(text).is_some()
}

/// Returns the kind of value that a token stands for; `None` if the text has not the form of a token.
pub fn kind_of_token(text: &str) -> Option<Personal> {
    let (kind, digits) = text.rsplit_once('_')?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (digits.len() == DIGITS && digits.bytes().all(is_hex)).then(|| kind.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_of_a_kind_have_equal_tokens_under_one_key_alone() {
        let one = Masker::new(Key([7; 32]));
        let token = one.token(Personal::Mail, "ann@example.org");
        assert_eq!(token, Masker::new(Key([7; 32])).token(Personal::Mail, "ann@example.org"));
        assert_ne!(token, Masker::new(Key([8; 32])).token(Personal::Mail, "ann@example.org"));
        assert_ne!(token, one.token(Personal::Mail, "ann@example.com"));
        assert_ne!(token, one.made(Personal::Mail, 1, "ann@example.org"));
        assert_eq!(one.value(&token).as_deref(), Some("ann@example.org"));
        assert_eq!(kind_of_token(&token), Some(Personal::Mail));
        assert_eq!(kind_of_token(&one.token(Personal::NationalId, "1")), Some(Personal::NationalId));
        assert!(!is_token("mail_ann@example"));
    }
}
