//! Bounds expressions: constants, operators, casts, and the forms that PostgreSQL writes with key words.

use sqlparser::ast::{
    AccessExpr, Array, BinaryOperator, CaseWhen, DataType, DateTimeField, Expr, ObjectNamePart, TypedString, Value,
};

use super::{COLUMN, Size, Sizes, count, number};
use crate::warehouse::sql::refusal::Refusal;

/// The digits of the largest numeric, before and after its point.
const NUMERIC_DIGITS_MAX: f64 = 147_456.0;
/// The digits of the largest number of double precision.
const DOUBLE_DIGITS_MAX: f64 = 308.3;
/// The bytes of a value's own header in an array or a row.
pub(super) const HEAD_BYTES: f64 = 8.0;
/// The work to read a byte of JSON or of an array, where each element is a separate value.
const PARSED_WORK: f64 = 1_000.0;

impl Sizes {
    pub(super) fn expression(&mut self, expression: &Expr) -> Result<Size, Refusal> {
        self.step()?;
        match expression {
            Expr::Value(value) => Ok(literal(&value.value)),
            Expr::TypedString(TypedString { data_type, value, .. }) => self.cast(literal(&value.value), data_type),
            Expr::Interval(interval) => Ok(self.expression(&interval.value)?.with_bytes(16.0)),
            Expr::Identifier(name) => Ok(self.named(&name.value)),
            Expr::CompoundIdentifier(parts) => Ok(parts.last().map_or(COLUMN, |name| self.named(&name.value))),
            Expr::CompoundFieldAccess { root, access_chain } => {
                let root_size = self.expression(root)?;
                self.children(expression)?;
                match (&**root, access_chain.first()) {
                    // A column of a range whose name the parser read as a value.
                    (Expr::Identifier(_), Some(AccessExpr::Dot(Expr::Identifier(name)))) => Ok(self.named(&name.value)),
                    _ => Ok(root_size),
                }
            }
            Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } | Expr::Collate { expr: inner, .. } => {
                self.expression(inner)
            }
            Expr::BinaryOp { left, op, right } => self.operator(left, op, right),
            Expr::Cast { expr, data_type, .. } => {
                let value = self.expression(expr)?;
                self.cast(value, data_type)
            }
            Expr::Function(function) => self.call(function),
            Expr::Case { operand, conditions, else_result, .. } => {
                self.each(operand)?;
                let mut value = None;
                for CaseWhen { condition, result } in conditions {
                    self.expression(condition)?;
                    value = Some(self.expression(result)?.or(value.unwrap_or(Size::constant(1.0, 0.0))));
                }
                let otherwise = else_result.iter().map(|result| self.expression(result)).next().transpose()?;
                let value = value.unwrap_or(COLUMN);
                Ok(otherwise.map_or(value, |otherwise| value.or(otherwise)))
            }
            Expr::Subquery(query) => Ok(self.query(query)?.first()),
            Expr::Exists { subquery, .. } => {
                self.query(subquery)?;
                Ok(COLUMN.small())
            }
            Expr::Array(Array { elem, .. }) => {
                let elements = elem.iter().map(|one| self.expression(one)).collect::<Result<Vec<_>, _>>()?;
                let heads = count(elements.len()) * HEAD_BYTES;
                let size = Size::of(&elements);
                Ok(size.with_bytes(size.bytes + heads))
            }
            _ => self.special(expression),
        }
    }

    /// Returns the bound of forms that are calls in another spelling, and of all other forms.
    fn special(&mut self, expression: &Expr) -> Result<Size, Refusal> {
        let parts = self.children(expression)?;
        let all = Size::of(&parts);
        let product = parts.iter().map(|part| part.bytes.max(1.0)).product::<f64>();
        match expression {
            Expr::Like { .. } | Expr::ILike { .. } | Expr::SimilarTo { .. } => {
                self.works("LIKE", product)?;
                Ok(all.small())
            }
            Expr::AnyOp { .. } | Expr::AllOp { .. } => {
                self.works("ANY or ALL", product)?;
                Ok(all.small())
            }
            Expr::Position { .. } => {
                self.works("position", product)?;
                Ok(Size { digits: (all.bytes + 1.0).log10(), ..all.small() })
            }
            Expr::Trim { .. } => {
                self.works("trim", product)?;
                Ok(parts.into_iter().reduce(Size::or).unwrap_or(COLUMN))
            }
            Expr::Substring { .. } => Ok(parts.first().copied().unwrap_or(COLUMN)),
            Expr::Extract { field, .. } => Ok(all.small().with_digits(field_digits(field))),
            Expr::Ceil { .. } | Expr::Floor { .. } => Ok(all.with_digits(all.digits + 0.31)),
            Expr::IsFalse(_)
            | Expr::IsNotFalse(_)
            | Expr::IsTrue(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotUnknown(_)
            | Expr::IsDistinctFrom(..)
            | Expr::IsNotDistinctFrom(..)
            | Expr::Between { .. }
            | Expr::In { .. } => Ok(all.small()),
            Expr::Tuple(_) => Ok(all),
            _ => {
                self.works("this", all.bytes * all.bytes)?;
                Ok(all.of_any_amount())
            }
        }
    }

    /// Returns the bound of a column by its name, whichever range has it.
    fn named(&self, name: &str) -> Size {
        match (self.columns.get(name), self.unnamed) {
            (Some(size), _) => *size,
            (None, Some(unnamed)) => COLUMN.or(unnamed),
            (None, None) => COLUMN,
        }
    }

    fn operator(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Result<Size, Refusal> {
        let whole = matches!(right, Expr::Value(value) if matches!(&value.value, Value::Number(number, _)
            if number.bytes().all(|byte| byte.is_ascii_digit())));
        let (left, right) = (self.expression(left)?, self.expression(right)?);
        let both = Size::of(&[left, right]);
        let product = left.bytes * right.bytes;
        let sum = left.digits.max(right.digits) + 0.31;
        let name = op.to_string();
        let made = match op {
            BinaryOperator::Plus => both.with_digits(sum).with_bytes(longer(left, right)),
            BinaryOperator::Minus => {
                self.works(&name, product)?;
                both.with_digits(sum).with_bytes(longer(left, right))
            }
            BinaryOperator::Multiply => {
                self.works(&name, product)?;
                both.with_digits(left.digits + right.digits)
            }
            BinaryOperator::Divide => {
                self.works(&name, product)?;
                // Division by a constant below one makes the quotient larger, by at most as many digits as the constant
                // has characters.
                let more = if whole || !right.constant { 0.0 } else { right.bytes };
                both.with_digits(left.digits + more).with_bytes(both.bytes + 20.0)
            }
            BinaryOperator::Modulo => {
                self.works(&name, product)?;
                both.with_digits(left.digits)
            }
            BinaryOperator::PGExp => return self.power(left, right),
            BinaryOperator::PGBitwiseShiftLeft => both.with_digits((left.digits + 0.302 * right.amount()).min(19.0)),
            BinaryOperator::BitwiseOr
            | BinaryOperator::BitwiseAnd
            | BinaryOperator::PGBitwiseXor
            | BinaryOperator::PGBitwiseShiftRight => both.with_digits(sum),
            BinaryOperator::StringConcat => both.of_any_amount(),
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::Gt
            | BinaryOperator::LtEq
            | BinaryOperator::GtEq
            | BinaryOperator::And
            | BinaryOperator::Or => both.small(),
            BinaryOperator::Arrow
            | BinaryOperator::LongArrow
            | BinaryOperator::HashArrow
            | BinaryOperator::HashLongArrow => left,
            _ => {
                self.works(&name, product)?;
                both.with_digits(left.digits + right.digits + 1.0)
            }
        };
        self.made(&name, made, &[left, right])
    }

    pub(super) fn power(&mut self, base: Size, exponent: Size) -> Result<Size, Refusal> {
        // If a column is involved, the power is assumed to be of double precision: exp(avg(ln(x))).
        let most = if base.known && exponent.known { NUMERIC_DIGITS_MAX } else { DOUBLE_DIGITS_MAX };
        let digits = (base.digits * exponent.amount()).min(most);
        let length = digits + base.bytes + exponent.bytes;
        self.works("^", length * length)?;
        self.made("^", Size::of(&[base, exponent]).with_digits(digits).with_bytes(length), &[])
    }

    pub(super) fn cast(&mut self, value: Size, data_type: &DataType) -> Result<Size, Refusal> {
        let name = type_name(data_type);
        if let Some(number) = as_number(value, &name) {
            return Ok(number);
        }
        let same = match name.as_str() {
            "date"
            | "time"
            | "timetz"
            | "timestamp"
            | "timestamptz"
            | "interval"
            | "timestamp without time zone"
            | "timestamp with time zone"
            | "time with time zone"
            | "time without time zone" => Size { bytes: 32.0, digits: 7.0, ..value },
            "uuid" | "inet" | "cidr" | "macaddr" | "macaddr8" | "money" | "regclass" | "regtype" => {
                value.with_bytes(64.0)
            }
            "text" | "varchar" | "character varying" | "name" | "citext" => value,
            "char" | "character" | "bpchar" | "bit" | "varbit" | "bit varying" => {
                value.with_bytes(value.bytes.max(length(data_type)))
            }
            "json" | "jsonb" | "bytea" => {
                self.works("reading JSON", value.bytes * PARSED_WORK)?;
                value.with_bytes(value.bytes * 4.0)
            }
            array if array.ends_with(']') => {
                self.works("reading an array", value.bytes * PARSED_WORK)?;
                value.with_bytes(value.bytes * 8.0)
            }
            other => {
                self.works(&format!("a cast to {other}"), value.bytes * value.bytes)?;
                value.with_bytes(value.bytes * 8.0)
            }
        };
        self.made("a cast", same, &[value])
    }
}

/// Returns the value as a number of the type; `None` if the type is not one of numbers.
fn as_number(value: Size, name: &str) -> Option<Size> {
    Some(match name {
        "bool" | "boolean" => Size { bytes: 5.0, digits: 0.31, ..value },
        "int2" | "smallint" => Size { bytes: 6.0, digits: value.digits.min(4.6), ..value },
        "int4" | "int" | "integer" => Size { bytes: 11.0, digits: value.digits.min(9.4), ..value },
        "int8" | "bigint" | "oid" => Size { bytes: 20.0, digits: value.digits.min(19.0), ..value },
        "real" | "float4" | "float" | "float8" | "double precision" | "double" => {
            Size { bytes: 24.0, digits: value.digits.min(DOUBLE_DIGITS_MAX), ..value }
        }
        "numeric" | "decimal" | "dec" => {
            let digits = value.digits.min(NUMERIC_DIGITS_MAX);
            Size { bytes: value.bytes.max(digits).min(NUMERIC_DIGITS_MAX), digits, ..value }
        }
        _ => return None,
    })
}

fn literal(value: &Value) -> Size {
    match value {
        Value::Number(digits, _) => number::number(digits),
        Value::SingleQuotedString(text) => number::text(text),
        Value::Null => Size::constant(1.0, 0.0),
        Value::Boolean(_) => Size::constant(5.0, 0.31),
        _ => COLUMN,
    }
}

/// Returns the length of a sum or difference, in bytes. A long fraction and a long number may both count in full.
fn longer(left: Size, right: Size) -> f64 {
    let (short, long) = (left.bytes.min(right.bytes), left.bytes.max(right.bytes));
    if short > 1_000.0 { short + long } else { long + 1.0 }
}

/// Returns the maximum digits of a part of a time.
fn field_digits(field: &DateTimeField) -> f64 {
    match field {
        DateTimeField::Microsecond | DateTimeField::Microseconds | DateTimeField::Julian => 8.0,
        DateTimeField::Millisecond | DateTimeField::Milliseconds | DateTimeField::Year => 5.0,
        DateTimeField::Day
        | DateTimeField::Hour
        | DateTimeField::Minute
        | DateTimeField::Second
        | DateTimeField::Month
        | DateTimeField::Quarter
        | DateTimeField::Dow
        | DateTimeField::Doy
        | DateTimeField::Isodow
        | DateTimeField::Week(_) => 3.0,
        _ => 13.0,
    }
}

/// Returns the type's name in lower case, without its schema and anything in parentheses, but with the brackets of an
/// array.
fn type_name(data_type: &DataType) -> String {
    let custom = match data_type {
        DataType::Custom(name, _) => name.0.last().and_then(ObjectNamePart::as_ident).map(|name| name.value.clone()),
        _ => None,
    };
    let full = custom.unwrap_or_else(|| data_type.to_string()).to_lowercase();
    let mut name = String::with_capacity(full.len());
    let mut depth = 0_u32;
    for character in full.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '"' => {}
            other if depth == 0 => name.push(other),
            _ => {}
        }
    }
    name.trim_start_matches("pg_catalog.").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the length of a type such as `char(10)`, to which values are padded.
fn length(data_type: &DataType) -> f64 {
    let text = data_type.to_string();
    let digits = text.split(|character: char| !character.is_ascii_digit()).filter(|run| !run.is_empty());
    digits.filter_map(|run| run.parse::<f64>().ok()).fold(1.0, f64::max)
}
