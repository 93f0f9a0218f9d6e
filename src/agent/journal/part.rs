//! What each model of a run did, where several are asked one after another.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Question;
use crate::model::Usage;
use crate::model::price::Price;

/// The part of one of several models in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelPart {
    /// The model's name.
    pub model: String,
    /// The numbers of the questions that it was to answer; none if it was not asked.
    pub questions: Vec<u32>,
    /// Its turns.
    pub iterations: u32,
    /// Tokens sent to it; null where no reply told.
    pub input_tokens: Option<u64>,
    /// Of these, cached by the provider.
    pub cached_tokens: Option<u64>,
    /// Tokens received from it.
    pub output_tokens: Option<u64>,
    /// Its cost in US dollars; null where the price is unknown.
    #[schemars(with = "Option<String>")]
    pub cost_usd: Option<Decimal>,
    /// How its part ended, or why it was not asked; null if the journal ends before.
    pub ending: Option<PartEnd>,
}

/// How the part of a model ended, or why it was not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartEnd {
    /// It called `finish`.
    Finished,
    /// It used its share of a limit.
    ShareUsed,
    /// It could not be reached, refused, or called no tool.
    Failed,
    /// The run ended: at a limit, from outside, or because the database was lost.
    RunEnded,
    /// It was not asked, because no question was left open.
    NothingOpen,
    /// It was not asked, because the run ended before.
    NotReached,
}

impl PartEnd {
    /// Returns the end in words, such as `finished`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::ShareUsed => "used its share of the limits",
            Self::Failed => "failed",
            Self::RunEnded => "ended with the run",
            Self::NothingOpen => "not asked, because no question was left open",
            Self::NotReached => "not asked, because the run ended before",
        }
    }
}

impl ModelPart {
    /// Returns the part of a model that is to answer `questions`, at its beginning.
    pub(crate) fn new(model: &str, questions: &[Question], price: Option<Price>) -> Self {
        Self {
            model: model.to_owned(),
            questions: questions.iter().map(|question| question.number).collect(),
            iterations: 0,
            input_tokens: None,
            cached_tokens: None,
            output_tokens: None,
            cost_usd: price.map(|_| Decimal::ZERO),
            ending: None,
        }
    }

    /// Returns the part of a model that is not asked.
    pub(crate) fn unasked(model: &str, why: PartEnd) -> Self {
        Self { ending: Some(why), ..Self::new(model, &[], Some(Price::NOTHING)) }
    }

    /// Adds a reply. One without usage leaves the cost unknown.
    pub(crate) fn add(&mut self, usage: Option<&Usage>, price: Option<Price>) {
        if let Some(usage) = usage {
            let add = |total: &mut Option<u64>, count| *total = Some(total.unwrap_or(0) + count);
            add(&mut self.input_tokens, usage.input_tokens);
            add(&mut self.cached_tokens, usage.cached_tokens);
            add(&mut self.output_tokens, usage.output_tokens);
        }
        let cost = usage.zip(price).map(|(usage, price)| price.cost(usage));
        self.cost_usd = self.cost_usd.zip(cost).map(|(total, cost)| total + cost);
    }
}
