//! Claims: what somebody proposes to state about the cells of results, as a closed set of forms.
//!
//! A claim is one short string, such as `gap(q3[Hardware].days, rest)`. [`parse`](Claim::parse) reads it. Nothing is
//! looked up here: whether the cells exist and what they mean is decided when the claim is evaluated.

mod parse;

pub(crate) use self::parse::is_id;

use std::fmt;

use rust_decimal::Decimal;

/// What is proposed to be stated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// What a number is, of whom, when.
    Value(Operand),
    /// From one period to another.
    Change(Operand, Operand),
    /// From one column to another in each row.
    EachChange(Span, Span),
    /// One group against another, the rest, or everything.
    Gap(Operand, Peer),
    /// What part of a whole.
    Share(Operand, Peer),
    /// The place among all groups.
    Rank(Operand),
    /// The largest groups and their part of the whole.
    Top(usize, Span),
    /// From the smallest to the largest value.
    Range(Span),
    /// How many groups meet a condition.
    Count(Span, Comparison, Decimal),
    /// Whether the groups lie close together.
    Alike(Span),
    /// The direction over time.
    Trend(Span),
    /// The point in time at which the level changed.
    Since(Span),
    /// A period that is unlike the others.
    Outlier(Operand),
    /// A value over its period, for each unit of time.
    Per(Pace, Operand),
    /// Whether two shares or averages differ by more than chance.
    Differ(Operand, Operand),
}

/// A number: a cell, an earlier fact, or arithmetic over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    Cell(Reference),
    /// The id of a fact, such as `f4`.
    Fact(String),
    /// The id of an assumption, such as `a1`.
    Assumption(String),
    /// A number written in the claim.
    Number(Decimal),
    Arithmetic(Sign, Box<Operand>, Box<Operand>),
    Share(Box<Operand>, Box<Peer>),
    Per(Pace, Box<Operand>),
}

/// What a number is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    Operand(Operand),
    /// All other groups together.
    Rest,
    /// Everything together, the group included.
    All,
}

/// A column of a result, for all rows or for those that a selector leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub of: Reference,
    /// Groups that are left out, by their key.
    pub except: Vec<String>,
}

/// A column, or a cell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The id of the result, such as `q3`.
    pub query: String,
    /// The rows, as written between brackets; `None` without brackets.
    pub selector: Option<Selector>,
    pub column: String,
}

/// Which rows are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// The text between the brackets.
    pub text: String,
    /// The same, taken apart at its commas.
    pub keys: Vec<Selected>,
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The column, where it is named.
    pub column: Option<String>,
    pub value: String,
    /// Whether the value was written in quotes, so that it is no number of a row.
    pub quoted: bool,
}

/// An operation of arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Plus,
    Minus,
    Times,
    Over,
}

/// How values are compared with a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
}

/// A unit of time over which a value is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    Day,
    Month,
}

impl Claim {
    /// Reads a claim. The error says what is wrong with it, for the one who wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::claim(text)
    }
}

impl Comparison {
    /// Returns whether `value` compares so with `bound`.
    pub fn holds(self, value: Decimal, bound: Decimal) -> bool {
        match self {
            Self::Above => value > bound,
            Self::AtLeast => value >= bound,
            Self::Below => value < bound,
            Self::AtMost => value <= bound,
            Self::Equal => value == bound,
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.selector {
            Some(selector) => write!(formatter, "{}[{}].{}", self.query, selector.text, self.column),
            None => write!(formatter, "{}.{}", self.query, self.column),
        }
    }
}
