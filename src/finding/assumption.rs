//! What the data do not hold and a model assumes, such as the cost of a call. What rests on it is an estimate.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::typeset::text::line;

/// The call that stands for an assumption in a formula, with its id and its number.
pub(super) const ASSUMED: &str = "assumed";
/// Characters of a name, a unit and a reason.
const NAME_CHARACTERS_MAX: usize = 80;
const UNIT_CHARACTERS_MAX: usize = 24;
const WHY_CHARACTERS_MAX: usize = 240;
/// Sizes beyond which a number is no assumption about a business.
const VALUE_MAX: f64 = 1e12;

/// The arguments of `assume`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Assuming {
    /// What it is: "cost of a call".
    pub name: String,
    /// The number, above 0.
    pub value: f64,
    /// Its unit: "EUR", "days"; empty for a plain factor.
    #[serde(default)]
    pub unit: String,
    /// Where the number comes from, or why it is plausible.
    #[serde(default, alias = "reason")]
    pub why: String,
}

/// A number that no table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assumption {
    /// `a1`, counted in the order of assuming.
    pub id: String,
    /// What it is, in the model's words.
    pub name: String,
    #[schemars(with = "String")]
    pub value: Decimal,
    pub unit: String,
    /// Where it comes from, in the model's words.
    pub why: String,
}

impl Assumption {
    /// Returns the assumption with an id. The error says what is wrong with it, for the one who made it.
    pub fn new(id: String, given: &Assuming) -> Result<Self, String> {
        let name = line(&given.name, NAME_CHARACTERS_MAX);
        if name.is_empty() {
            return Err("an assumption needs a name that says what it is".to_owned());
        }
        let value = Decimal::try_from(given.value).ok().filter(|_| given.value > 0.0 && given.value <= VALUE_MAX);
        let value = value.ok_or_else(|| "value: a number above 0 is expected, such as 12.5".to_owned())?.normalize();
        let (unit, why) = (line(&given.unit, UNIT_CHARACTERS_MAX), line(&given.why, WHY_CHARACTERS_MAX));
        Ok(Self { id, name, value, unit, why })
    }

    /// Returns the arguments that it was made of.
    pub fn given(&self) -> Assuming {
        let value = self.value.try_into().unwrap_or_default();
        Assuming { name: self.name.clone(), value, unit: self.unit.clone(), why: self.why.clone() }
    }

    /// Returns the number with its unit.
    pub fn amount(&self) -> String {
        if self.unit.is_empty() { self.value.to_string() } else { format!("{} {}", self.value, self.unit) }
    }

    /// Returns what a reader must know of a number that rests on it.
    pub fn doubt(&self) -> String {
        let why = if self.why.is_empty() { String::new() } else { format!(": \"{}\"", self.why) };
        format!(
            "It is an estimate: {} = {} (\"{}\") is assumed by the model and in no table{why}.",
            self.id,
            self.amount(),
            self.name
        )
    }
}
