//! What is planted: signals that should be found, decoys that should not, and how a finding names one.

use serde::{Deserialize, Serialize};

/// A kind of signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// Somebody who bought in an even rhythm stopped.
    Churn,
    /// Somebody still buys as often, and ever less.
    SilentDecline,
    /// A region lost orders.
    RegionalLoss,
    /// The discounts of a channel grew.
    DiscountErosion,
    /// More of a product comes back.
    ReturnSpike,
    /// The price of a product rose.
    PriceChange,
    /// A group makes up ever more of everything.
    MixShift,
    /// A product was out of stock and could not be sold.
    StockOut,
    /// Fewer visits of a device end with a purchase.
    ConversionDrop,
    /// Rows stand twice.
    Duplicates,
    /// The amounts of a group are far above those of others.
    HighAmounts,
    /// Far more of a group is rejected.
    Rejections,
    /// What is done takes ever longer.
    GrowingDurations,
    /// One agent does not close what is opened.
    Backlog,
    /// One agent gets far more than others.
    UnevenLoad,
}

impl SignalKind {
    pub const ALL: [Self; 15] = [
        Self::Churn,
        Self::SilentDecline,
        Self::RegionalLoss,
        Self::DiscountErosion,
        Self::ReturnSpike,
        Self::PriceChange,
        Self::MixShift,
        Self::StockOut,
        Self::ConversionDrop,
        Self::Duplicates,
        Self::HighAmounts,
        Self::Rejections,
        Self::GrowingDurations,
        Self::Backlog,
        Self::UnevenLoad,
    ];

    /// Returns the name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Churn => "churn",
            Self::SilentDecline => "silent decline",
            Self::RegionalLoss => "regional loss",
            Self::DiscountErosion => "discount erosion",
            Self::ReturnSpike => "return spike",
            Self::PriceChange => "price change",
            Self::MixShift => "mix shift",
            Self::StockOut => "stock-out",
            Self::ConversionDrop => "conversion drop",
            Self::Duplicates => "duplicates",
            Self::HighAmounts => "high amounts",
            Self::Rejections => "rejections",
            Self::GrowingDurations => "growing durations",
            Self::Backlog => "backlog",
            Self::UnevenLoad => "uneven load",
        }
    }
}

/// A kind of decoy: what looks like a signal and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecoyKind {
    /// It is so in every year.
    Season,
    /// One value far above all others moves a sum or an average.
    BigOrder,
    /// A high share of a handful.
    SmallNumbers,
    /// The last month is not over.
    PartialMonth,
    /// Two groups differ by what they are made of, and not within it.
    SimpsonPair,
    /// What is closed when depends on nothing that the finding names.
    RandomClosing,
    /// Somebody buys at random times, so that a long silence says little.
    MemorylessBuyers,
}

impl DecoyKind {
    pub const ALL: [Self; 7] = [
        Self::Season,
        Self::BigOrder,
        Self::SmallNumbers,
        Self::PartialMonth,
        Self::SimpsonPair,
        Self::RandomClosing,
        Self::MemorylessBuyers,
    ];
}

/// A signal that was planted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signal {
    pub kind: SignalKind,
    /// What was planted, in words.
    pub what: String,
    pub mark: Mark,
    /// A SQL condition that holds if the rows have the effect.
    #[serde(skip)]
    pub proof: String,
}

/// A decoy that was planted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decoy {
    pub kind: DecoyKind,
    /// What it is, in words.
    pub what: String,
    pub mark: Mark,
}

/// What a finding's lead says if it names a signal or a decoy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// The values of which it names one; it need name none if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Named>,
    /// What it measures: of one of these, all words stand in the SQL of one of its measures.
    pub measures: Vec<Vec<String>>,
    /// Which way it goes.
    pub direction: Direction,
    /// Whether it is about a development over time.
    #[serde(skip_serializing_if = "is_false")]
    pub over_time: bool,
    /// Values of which it names none: with them it would be about something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// A value, and the column that has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    pub column: String,
    pub value: String,
}

/// Which way a measure goes: over time, or against the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Up,
    Down,
    #[default]
    Either,
}

impl Mark {
    /// A finding about one of these values of a column.
    pub(super) fn of(column: &str, values: &[&str]) -> Self {
        Self::default().or(column, values)
    }

    /// Or about one of these values of another column.
    pub(super) fn or(mut self, column: &str, values: &[&str]) -> Self {
        let named = values.iter().map(|value| Named { column: column.to_owned(), value: (*value).to_owned() });
        self.values.extend(named);
        self
    }

    /// By a measure in whose SQL all of these words stand. Given again, it is another measure that will do.
    pub(super) fn by(mut self, words: &[&str]) -> Self {
        self.measures.push(words.iter().map(|word| word.to_lowercase()).collect());
        self
    }

    pub(super) fn going(self, direction: Direction) -> Self {
        Self { direction, ..self }
    }

    pub(super) fn over_time(self) -> Self {
        Self { over_time: true, ..self }
    }

    pub(super) fn without(mut self, values: &[String]) -> Self {
        self.without.extend_from_slice(values);
        self
    }
}
