//! Names of time zones.

use std::fmt;
use std::str::FromStr;

use jiff::tz::{self, TimeZone};
use serde::{Deserialize, Serialize};

use crate::typeset::spelling::{hint, nearest};

/// The name of a time zone as IANA writes it: `Europe/Paris`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ZoneName(String);

/// Returns the time zone of a name, ignoring case; or what is wrong with the name.
pub fn time_zone(name: &str) -> Result<TimeZone, String> {
    let named = TimeZone::get(name).ok().filter(|zone| zone.iana_name().is_some());
    named.ok_or_else(|| {
        let known = tz::db().available().map(|name| name.to_string()).collect::<Vec<_>>();
        format!("expected the name of a time zone, such as Europe/Paris{}", hint(nearest(name, &known)))
    })
}

impl FromStr for ZoneName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let zone = time_zone(text)?;
        Ok(Self(zone.iana_name().unwrap_or(text).to_owned()))
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for ZoneName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ZoneName> for String {
    fn from(zone: ZoneName) -> Self {
        zone.0
    }
}
