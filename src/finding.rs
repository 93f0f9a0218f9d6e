//! A finding: the result of an exploration, with every figure checked.
//!
//! A model writes a [`Draft`]. `check` turns it into a [`Told`], or returns what is wrong with it. Nothing else can
//! construct a [`Told`], except reading one back from a journal.

pub mod assumption;
pub mod check;
pub mod claim;
pub mod companions;
pub mod document;
pub(crate) mod evidence;
mod expression;
pub mod fact;
mod fingerprint;
mod format;
pub mod prose;
pub mod record;
pub mod results;
mod source;
pub(crate) mod stated;
mod used;
pub mod wording;
pub mod workbook;

pub use self::results::CellReference;
pub(crate) use self::used::Used;

use rust_decimal::Decimal;
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

/// A finding as the model writes it: the arguments of `record_finding`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Draft {
    /// The rows that the finding rests on; they are printed below it. Cite the row of everybody the text speaks of.
    pub evidence: Vec<Citation>,
    /// Figures that the engine computes from cells and puts into the text where {name} stands.
    #[serde(default)]
    pub figures: Vec<FigureDraft>,
    /// One line: who or what, what happened, how much.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// What kind of matter it is.
    pub category: Category,
    /// Whom or what it is about, with the value exactly as it stands in the rows: "CUST004", "North".
    pub segment: String,
    /// The dates it covers: "2025-07-01 to 2025-11-30".
    pub period: String,
    /// What was seen, against which baseline, and what was excluded. Every number is checked.
    pub narrative: String,
    /// What it is worth.
    pub impact: ImpactDraft,
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

/// A figure to compute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FigureDraft {
    /// A name of letters, digits and underscores: "at_risk".
    pub name: String,
    /// Arithmetic over cells: q3[2].net_sales is row 2 of q3; sum(q3.net_sales) a whole column.
    pub expression: String,
}

/// What a finding is worth, as the model writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImpactDraft {
    /// What is measured: "net sales at risk".
    pub metric: String,
    /// A figure's name, or an expression like a figure's.
    pub amount: String,
    /// The unit: "INR per year", "units", "%".
    pub unit: String,
    /// What was assumed; a number that an expression multiplies or divides by must be explained here.
    #[serde(default)]
    pub assumptions: Vec<String>,
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

/// A finding whose figures were all accounted for.
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
    #[serde(skip)]
    #[schemars(skip)]
    checked: Checked,
}

/// A token that only this module and those below it can construct, and so a [`Told`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Checked;

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
