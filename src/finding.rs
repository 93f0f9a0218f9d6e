//! A finding: the result of an exploration.
//!
//! It is a choice of facts ([`record`]), each a claim that the engine evaluated and worded ([`fact`]). Journals of version
//! 0.1 have findings in words ([`told`]), which are only shown.

pub mod assumption;
pub mod basis;
pub mod claim;
pub mod companions;
pub mod document;
pub(crate) mod evidence;
pub mod fact;
pub mod hinge;
pub mod lifecycle;
pub mod matter;
pub mod picture;
pub mod record;
pub mod related;
pub mod results;
pub mod robustness;
pub(crate) mod selection;
pub(crate) mod stated;
pub mod told;
pub mod wording;
pub mod workbook;

pub use self::results::CellReference;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth acting on this month.
    Medium,
    /// Worth acting on this week.
    High,
    /// Worth acting on today.
    Critical,
}

impl Severity {
    /// Returns the name that reports show.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// How sure one can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// One sign, or few rows.
    Low,
    /// Several signs, with a known alternative not excluded.
    Medium,
    /// Measured against a baseline, alternatives excluded.
    High,
}

impl Confidence {
    /// Returns the name in lower case, such as `high`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
