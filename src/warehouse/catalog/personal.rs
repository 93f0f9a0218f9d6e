//! What kind of personal data a column holds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kind of the personal values in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Personal {
    /// Names of people.
    Person,
    /// Mail addresses.
    Mail,
    /// Telephone numbers.
    Phone,
    /// Where people live or can be reached: streets, and addresses on a network.
    Address,
    /// Numbers by which an authority knows people: passport, tax, social security.
    NationalId,
    /// Numbers of cards and accounts.
    Card,
    /// Text that people wrote freely, and values without a fixed form: anything may stand in it.
    Text,
}

impl Personal {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Person, Self::Mail, Self::Phone, Self::Address, Self::NationalId, Self::Card, Self::Text];

    /// Returns the name that metadata and tokens use: `national_id`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Mail => "mail",
            Self::Phone => "phone",
            Self::Address => "address",
            Self::NationalId => "national_id",
            Self::Card => "card",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for Personal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Personal {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}
