//! What an output adds to a value for its readers: rounding, a type, a format, a factor. The value itself lies below.

use super::expression::{Expression, Literal, Operator};

/// A layer around a value that only presents it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// `round(value)`, or to so many decimals.
    Round(Option<String>),
    /// `trunc(value)`, or to so many decimals.
    Truncate(Option<String>),
    /// `value::type`. A type with a scale rounds, and so does a whole number's.
    Cast(String),
    /// `value * factor`, for a factor of units: 100 for percent, 1000, 60.
    Times(String),
    /// `value / factor`.
    Over(String),
    /// `coalesce(value, literal)`: what stands for a missing value.
    Missing(Literal),
    /// `to_char(value, format)`.
    Format(String),
}

/// Factors that only change the unit.
const UNITS: &[&str] = &["60", "3600", "86400", "100", "1000", "24", "7", "1000000", "1440"];
/// Types to which a cast changes the writing of a value, or the number of its decimals.
const TYPES: &[&str] = &[
    "numeric",
    "decimal",
    "double precision",
    "float",
    "real",
    "float8",
    "float4",
    "int",
    "integer",
    "bigint",
    "smallint",
    "int8",
    "int4",
    "text",
    "varchar",
    "character varying",
];

/// Returns the value below the outermost layer, and the layer; `None` if there is none.
fn strip(expression: &Expression) -> Option<(&Expression, Step)> {
    match expression {
        Expression::Call { function, arguments } => match (function.as_str(), arguments.as_slice()) {
            ("round", [value]) => Some((value, Step::Round(None))),
            ("round", [value, decimals]) => Some((value, Step::Round(Some(number(decimals)?)))),
            ("trunc", [value]) => Some((value, Step::Truncate(None))),
            ("trunc", [value, decimals]) => Some((value, Step::Truncate(Some(number(decimals)?)))),
            ("coalesce", [value, Expression::Literal(literal)]) => Some((value, Step::Missing(literal.clone()))),
            ("to_char", [value, Expression::Literal(Literal::Text(format))]) => {
                Some((value, Step::Format(format.clone())))
            }
            _ => None,
        },
        Expression::Cast { value, type_name, .. } => {
            let base = type_name.split('(').next().unwrap_or_default().trim();
            TYPES.contains(&base).then(|| (&**value, Step::Cast(type_name.clone())))
        }
        Expression::Operation { operator: Operator::Infix(sign), operands } => {
            match (sign.as_str(), operands.as_slice()) {
                ("*", [value, factor]) if is_unit(factor) => Some((value, Step::Times(number(factor)?))),
                ("/", [value, factor]) if is_unit(factor) => Some((value, Step::Over(number(factor)?))),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns the value below all layers, and the layers from the innermost.
pub fn stripped(expression: &Expression) -> (&Expression, Vec<Step>) {
    stripped_until(expression, |_| false)
}

/// Returns the first value below layers for which `is_bare` holds, or the value below all layers.
pub fn stripped_until(expression: &Expression, is_bare: impl Fn(&Expression) -> bool) -> (&Expression, Vec<Step>) {
    let mut value = expression;
    let mut steps = Vec::new();
    while let Some((below, step)) = strip(value).filter(|_| !is_bare(value)) {
        steps.push(step);
        value = below;
    }
    steps.reverse();
    (value, steps)
}

/// Returns the value with its layers again.
pub fn presented(value: Expression, steps: &[Step]) -> Expression {
    steps.iter().fold(value, |value, step| step.around(value))
}

impl Step {
    fn around(&self, value: Expression) -> Expression {
        let call = |function: &str, more: Option<Expression>| Expression::Call {
            function: function.to_owned(),
            arguments: std::iter::once(value.clone()).chain(more).collect(),
        };
        let literal = |number: &String| Expression::Literal(Literal::Number(number.clone()));
        match self {
            Self::Round(decimals) => call("round", decimals.as_ref().map(literal)),
            Self::Truncate(decimals) => call("trunc", decimals.as_ref().map(literal)),
            Self::Missing(instead) => call("coalesce", Some(Expression::Literal(instead.clone()))),
            Self::Format(format) => call("to_char", Some(Expression::Literal(Literal::Text(format.clone())))),
            Self::Cast(type_name) => {
                Expression::Cast { value: Box::new(value), type_name: type_name.clone(), lenient: false }
            }
            Self::Times(factor) => Expression::infix(value, "*", literal(factor)),
            Self::Over(factor) => Expression::infix(value, "/", literal(factor)),
        }
    }
}

/// Returns the letters and digits of a format of `to_char` in upper case, without its quoted text: `YYYYMM` for
/// `YYYY-MM`.
pub fn format_letters(format: &str) -> String {
    let plain = format.split('"').step_by(2).collect::<String>().to_uppercase();
    plain.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Returns whether the expression is a number that only changes the unit.
pub fn is_unit(expression: &Expression) -> bool {
    number(expression).is_some_and(|number| {
        let whole = number
            .split_once('.')
            .map_or(number.as_str(), |(whole, rest)| if rest.bytes().all(|digit| digit == b'0') { whole } else { "" });
        UNITS.contains(&whole)
    })
}

fn number(expression: &Expression) -> Option<String> {
    match expression {
        Expression::Literal(Literal::Number(number)) => Some(number.clone()),
        _ => None,
    }
}
