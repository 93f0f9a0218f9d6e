//! What a type changes: whole numbers lose their fraction, texts are ordered letter by letter.

use super::{Doubt, Look, doubt};
use crate::warehouse::catalog::Catalog;
use crate::warehouse::lineage::expression::{Expression, Literal};
use crate::warehouse::lineage::measure::Measure;
use crate::warehouse::lineage::presentation::format_letters;
use crate::warehouse::lineage::types::{is_text, is_whole, type_name, type_of_measures};

/// Formats of `to_char` whose texts have the order of the dates, by their letters.
const ORDERED_FORMATS: &[&str] =
    &["YYYY", "YYYYQ", "YYYYMM", "YYYYMMDD", "YYYYMMDDHH24", "YYYYMMDDHH24MI", "YYYYMMDDHH24MISS", "IYYYIW"];

pub(super) fn integer_division() -> Doubt {
    doubt("integer_division", "Whole numbers are divided by whole numbers, so that each fraction is cut off.")
}

/// Returns whether arithmetic over measures divides a whole number by a whole number.
pub(super) fn divides_measures(value: &Expression, measures: &[Measure], catalog: &Catalog) -> bool {
    divides(value, &|side| type_of_measures(side, measures, catalog))
}

fn divides(value: &Expression, type_of: &dyn Fn(&Expression) -> Option<String>) -> bool {
    value.any(&mut |part| {
        let whole = |side: &Expression| is_whole(type_of(side).as_deref());
        part.as_infix("/").is_some_and(|(left, right)| whole(left) && whole(right))
    })
}

impl Look<'_> {
    /// A whole number divided by a whole number, wherever the statement does so.
    pub(super) fn integer_division(&self, keys: &[&Expression]) -> Option<Doubt> {
        let type_of = |value: &Expression| type_name(value, self.rows, self.catalog);
        self.parts(keys).any(|part| divides(part, &type_of)).then(integer_division)
    }

    /// Texts have an order of letters: '9' comes after '10'.
    pub(super) fn text_order(&self, keys: &[&Expression]) -> Option<Doubt> {
        let mut found = None;
        for part in self.parts(keys) {
            part.visit(&mut |part| {
                let sides = part.as_ordering();
                let Some((left, right)) = sides else { return };
                let is_of_text = |side: &&Expression| {
                    !matches!(side, Expression::Literal(_))
                        && is_text(type_name(side, self.rows, self.catalog).as_deref())
                        && !is_ordered(side)
                };
                found = found.take().or_else(|| [left, right].into_iter().find(is_of_text));
            });
        }
        let names = found?.columns().into_iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let names = if names.is_empty() { "A value".to_owned() } else { names.join(" and ") };
        Some(doubt("text_order", format!("{names} is compared as a text, letter by letter: '9' comes after '10'.")))
    }
}

/// Returns whether it is a date as a text of the same order.
fn is_ordered(text: &Expression) -> bool {
    match text {
        Expression::Call { function, arguments } if function == "to_char" => match arguments.get(1) {
            Some(Expression::Literal(Literal::Text(format))) => {
                ORDERED_FORMATS.contains(&format_letters(format).as_str())
            }
            _ => false,
        },
        Expression::Cast { value, .. } => is_ordered(value),
        _ => false,
    }
}
