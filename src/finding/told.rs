//! A finding in words, as journals of version 0.1 have them. Nothing writes one any more.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Confidence, Severity};

/// What kind of matter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Somebody stopped, or is about to.
    Churn,
    /// Money lost between gross and net, or between price and cost.
    Margin,
    /// Goods that come back, or fail.
    Quality,
    /// Too much depends on too few.
    Concentration,
    /// Something grew or could.
    Growth,
    /// Something fell.
    Decline,
    /// The data themselves are wrong.
    DataQuality,
    /// Anything else.
    Other,
}

impl Category {
    /// Returns the name of the category in words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Churn => "churn",
            Self::Margin => "margin",
            Self::Quality => "quality",
            Self::Concentration => "concentration",
            Self::Growth => "growth",
            Self::Decline => "decline",
            Self::DataQuality => "data quality",
            Self::Other => "other",
        }
    }
}

/// A finding in words, whose figures were checked by the rules of its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// `F1`, counted in the order of recording.
    pub id: String,
    /// The same matter has the same fingerprint in every run: 16 hexadecimal digits.
    pub fingerprint: String,
    /// One line, figures filled in.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// What kind of matter it is.
    pub category: Category,
    /// Whom or what it is about.
    pub segment: String,
    /// The dates it covers.
    pub period: String,
    /// What was seen, figures filled in.
    pub narrative: String,
    /// What it is worth.
    pub impact: Impact,
    /// The named figures, computed.
    pub figures: Vec<Figure>,
    /// The rows it rests on, those of the figures included.
    pub evidence: Vec<Citation>,
    /// How sure one can be.
    pub confidence: Confidence,
    /// What to do about it.
    pub recommended_actions: Vec<Action>,
    /// What would prove the finding wrong.
    pub falsified_by: String,
}

/// Rows of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Citation {
    /// The id of the result: "q3".
    pub query: String,
    /// The rows, by the number that stands before each (from 1).
    pub rows: Vec<usize>,
    /// The columns that matter; all of them when empty.
    #[serde(default)]
    pub columns: Vec<String>,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// What to do.
    pub action: String,
    /// Why it helps.
    pub why: String,
    /// Who should do it: a role.
    pub who: String,
    /// By when: a date or a span.
    pub by_when: String,
}

/// What a finding is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    /// What is measured.
    pub metric: String,
    /// The amount, as a decimal number.
    #[schemars(with = "String")]
    pub amount: Decimal,
    /// The amount as people read it, without the unit: `354,000`.
    pub amount_text: String,
    /// The unit.
    pub unit: String,
    /// The expression that the amount is computed from, or the name of a figure.
    #[serde(default)]
    pub expression: String,
    /// How it was computed, with the cells' values filled in.
    pub arithmetic: String,
    /// What was assumed.
    pub assumptions: Vec<String>,
}

/// A computed figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// Its name in the draft.
    pub name: String,
    /// The expression.
    pub expression: String,
    /// The expression with the cells' values filled in, and the result.
    pub arithmetic: String,
    /// The value.
    #[schemars(with = "String")]
    pub value: Decimal,
    /// The value as it stands in the text.
    pub text: String,
}
