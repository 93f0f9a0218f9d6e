//! Bounds calls: what functions make from their arguments.
//!
//! A function that is not named here may do anything. Its work is assumed to grow with the square of its arguments, and
//! its result to be no longer than they are, up to a small factor. That holds for functions that compute from their
//! arguments without a count among them. Functions that take a count are named.

use sqlparser::ast::{Expr, Function, FunctionArgumentClause, FunctionArguments, Value};

use super::expression::HEAD_BYTES;
use super::query::{argument, last};
use super::{COLUMN, Size, Sizes, count};
use crate::warehouse::sql::refusal::Refusal;

/// The bound of a missing argument.
const NOTHING: Size = Size::constant(1.0, 0.0);
/// The rows that a series is assumed to have if its ends are not numbers.
const SERIES_OF_TIMES: f64 = 10_000.0;

/// Functions whose work and result grow no faster than their arguments.
const LINEAR: &[&str] = &[
    "abs",
    "any_value",
    "array_length",
    "array_lower",
    "array_ndims",
    "array_upper",
    "ascii",
    "avg",
    "bit_length",
    "bool_and",
    "bool_or",
    "cardinality",
    "char_length",
    "character_length",
    "chr",
    "convert",
    "convert_from",
    "convert_to",
    "corr",
    "count",
    "crc32",
    "crc32c",
    "cume_dist",
    "current_date",
    "date_part",
    "date_trunc",
    "decode",
    "dense_rank",
    "every",
    "first_value",
    "get_bit",
    "get_byte",
    "hashtext",
    "hashtextextended",
    "json_typeof",
    "jsonb_typeof",
    "json_array_length",
    "jsonb_array_length",
    "lag",
    "last_value",
    "lead",
    "left",
    "length",
    "lower",
    "max",
    "md5",
    "min",
    "nth_value",
    "ntile",
    "num_nonnulls",
    "num_nulls",
    "octet_length",
    "percent_rank",
    "percentile_cont",
    "percentile_disc",
    "mode",
    "pg_column_size",
    "pg_typeof",
    "rank",
    "reverse",
    "right",
    "row_number",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "stddev",
    "sum",
    "to_char",
    "to_date",
    "to_number",
    "to_timestamp",
    "upper",
    "initcap",
    "variance",
    "unnest",
    "row",
];

/// Aggregates that keep all their inputs.
const COLLECTING: &[&str] = &[
    "array_agg",
    "json_agg",
    "json_agg_strict",
    "json_arrayagg",
    "json_object_agg",
    "json_object_agg_strict",
    "json_object_agg_unique",
    "json_object_agg_unique_strict",
    "json_objectagg",
    "jsonb_agg",
    "jsonb_agg_strict",
    "jsonb_object_agg",
    "jsonb_object_agg_strict",
    "jsonb_object_agg_unique",
    "jsonb_object_agg_unique_strict",
    "range_agg",
    "string_agg",
    "xmlagg",
];

/// Aggregates that return one value for many rows.
const AGGREGATES: &[&str] = &[
    "any_value",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "every",
    "max",
    "min",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "stddev",
    "sum",
    "variance",
];

impl Sizes {
    pub(super) fn call(&mut self, function: &Function) -> Result<Size, Refusal> {
        self.kept(&function.within_group)?;
        self.each(&function.filter)?;
        self.kept(&function.over)?;
        let name = last(&function.name);
        let size = self.call_of(&name, &function.args)?;
        Ok(if function.over.is_some() { Size { aggregate: false, ..size } } else { size })
    }

    /// Returns the bound of a call, which may be in FROM.
    pub(super) fn call_of(&mut self, name: &str, arguments: &FunctionArguments) -> Result<Size, Refusal> {
        let (expressions, inputs) = match arguments {
            FunctionArguments::None => (Vec::new(), Vec::new()),
            FunctionArguments::Subquery(query) => {
                let rows = self.query(query)?;
                let size = rows.first();
                let array = Size { bytes: (size.bytes + HEAD_BYTES) * rows.rows, ..size };
                return self.made("ARRAY", array, &[size]);
            }
            FunctionArguments::List(list) => {
                for clause in &list.clauses {
                    if let FunctionArgumentClause::OrderBy(by) = clause {
                        self.kept(by)?;
                    }
                }
                let expressions = list.args.iter().filter_map(argument).collect::<Vec<_>>();
                let inputs = expressions.iter().map(|one| self.expression(one)).collect::<Result<Vec<_>, _>>()?;
                if AGGREGATES.contains(&name) || COLLECTING.contains(&name) {
                    inputs.iter().try_for_each(|input| self.check_rows(*input, self.rows))?;
                }
                (expressions, inputs)
            }
        };
        let output = self.output(name, &expressions, &inputs)?;
        let output = Size { aggregate: output.aggregate || AGGREGATES.contains(&name), ..output };
        self.made(name, output, &inputs)
    }

    fn output(&mut self, name: &str, expressions: &[&Expr], inputs: &[Size]) -> Result<Size, Refusal> {
        let all = Size::of(inputs);
        let [first, second, third] = [0, 1, 2].map(|index| inputs.get(index).copied());
        let one = first.unwrap_or(NOTHING);
        let two = second.unwrap_or(NOTHING);
        let three = third.unwrap_or(NOTHING);
        if COLLECTING.contains(&name) {
            let rows = self.rows.max(1.0);
            let bytes = (all.bytes + HEAD_BYTES) * rows;
            return Ok(Size { bytes, constant: false, known: false, aggregate: true, ..all });
        }
        Ok(match name {
            "repeat" => text(all).with_bytes(one.bytes * two.amount()).counted(two),
            "lpad" | "rpad" => text(all).with_bytes(one.bytes.max(two.amount() * 4.0)).counted(two),
            "array_fill" => {
                let elements = elements_product(self, expressions.get(1).copied(), two)?;
                all.with_bytes((one.bytes + HEAD_BYTES) * elements).counted(two)
            }
            "format" => text(all).with_bytes(formatted(expressions.first().copied(), inputs)),
            "concat" => text(all),
            "concat_ws" => {
                text(all).with_bytes(all.bytes + one.bytes * parts(inputs.get(1..).unwrap_or_default(), one))
            }
            "array_to_string" => text(all).with_bytes(one.bytes * 2.0 + (two.bytes + three.bytes) * parts(&[one], two)),
            "replace" | "array_replace" => {
                self.works(name, one.bytes * two.bytes)?;
                let found = count(literal(expressions.get(1).copied()).map_or(1, |found| found.len().max(1)));
                text(all).with_bytes(one.bytes.max(one.bytes / found * three.bytes))
            }
            "regexp_replace" => {
                self.works(name, one.bytes * two.bytes)?;
                let inserts = literal(expressions.get(2).copied())
                    .map_or(three.bytes / 2.0, |text| count(text.matches('\\').count()));
                text(all).with_bytes(one.bytes * (1.0 + inserts) + (one.bytes + 1.0) * three.bytes)
            }
            "translate" | "btrim" | "ltrim" | "rtrim" | "trim" | "split_part" | "substring" | "substr" | "overlay"
            | "regexp_substr" | "trim_array" => {
                self.works(name, one.bytes * two.bytes)?;
                let more = if matches!(name, "overlay" | "translate") { two.bytes } else { 0.0 };
                text(all).with_bytes(one.bytes + more)
            }
            "string_to_array"
            | "string_to_table"
            | "regexp_split_to_array"
            | "regexp_split_to_table"
            | "regexp_match"
            | "regexp_matches" => {
                self.works(name, one.bytes * two.bytes)?;
                text(all).with_bytes((one.bytes + 1.0) * (1.0 + HEAD_BYTES))
            }
            "strpos" | "position" | "starts_with" | "regexp_count" | "regexp_instr" | "regexp_like" => {
                self.works(name, one.bytes * two.bytes)?;
                all.small().with_digits((one.bytes + 1.0).log10())
            }
            "length" | "char_length" | "character_length" | "octet_length" | "bit_length" | "cardinality"
            | "array_length" | "pg_column_size" | "npoints" | "json_array_length" | "jsonb_array_length" => {
                all.small().with_digits((one.bytes * 8.0 + 1.0).log10())
            }
            "coalesce" | "greatest" | "least" | "nullif" => {
                Size { constant: all.constant, ..inputs.iter().copied().reduce(Size::or).unwrap_or(COLUMN) }
            }
            "array_append" | "array_prepend" | "array_cat" => all.with_bytes(all.bytes + HEAD_BYTES),
            "polygon" if second.is_some() => all.with_bytes(16.0 * one.amount()).counted(one),
            "set_bit" | "set_byte" | "array_remove" => one,
            "generate_series" => self.series_of(expressions, inputs),
            "xpath" | "xpath_exists" | "xmlexists" => {
                self.xpath(expressions.first().copied(), one, two)?;
                all.with_bytes(all.bytes * 4.0).of_any_amount()
            }
            _ => self.numbers(name, inputs)?,
        })
    }

    /// Returns the bound of a function of numbers. Other names go on to `texts`.
    fn numbers(&mut self, name: &str, inputs: &[Size]) -> Result<Size, Refusal> {
        let all = Size::of(inputs);
        let one = inputs.first().copied().unwrap_or(NOTHING);
        let two = inputs.get(1).copied().unwrap_or(NOTHING);
        Ok(match name {
            "power" | "pow" => self.power(one, two)?,
            "exp" => self.power(Size::constant(1.0, 0.44), one)?,
            "factorial" => {
                let digits = one.amount() * one.digits.max(1.0);
                self.works(name, digits * digits)?;
                all.with_digits(digits).with_bytes(digits)
            }
            "round" | "trunc" => all.with_digits(one.digits + 0.31).with_bytes(one.bytes + two.amount().min(16_383.0)),
            "ceil" | "ceiling" | "floor" | "abs" | "sign" => one.with_digits(one.digits + 0.31),
            "mod" | "div" | "gcd" | "lcm" => {
                let work = if name == "mod" || name == "div" { 1.0 } else { one.bytes.min(two.bytes) };
                self.works(name, one.bytes * two.bytes * work)?;
                all.with_digits(one.digits + two.digits)
            }
            "sqrt" | "cbrt" => {
                self.works(name, all.bytes * all.bytes)?;
                all
            }
            "ln" | "log" | "log10" => {
                self.works(name, all.bytes * all.bytes)?;
                // The natural logarithm of 10 is 2.3.
                let base_near_one = if inputs.len() > 1 { one.bytes } else { 0.0 };
                all.with_digits((all.digits * 2.31 + 1.0).log10() + 0.31 + base_near_one)
            }
            "random" | "pi" | "degrees" | "radians" | "sin" | "cos" => {
                all.with_bytes(24.0).with_digits(one.digits + 2.0)
            }
            "width_bucket" => all.small().with_digits(inputs.last().map_or(3.0, |last| last.digits + 0.31)),
            "date_part" => all.small().with_digits(13.0),
            "ascii" => all.small().with_digits(6.1),
            "row_number" | "rank" | "dense_rank" | "ntile" | "count" => Size {
                constant: false,
                known: false,
                digits: COLUMN.digits.max((self.rows + 1.0).log10()),
                ..all.small()
            },
            "sum" => Size { constant: false, ..all }.with_digits(one.digits + self.rows.max(1.0).log10() + 0.31),
            "max" | "min" | "avg" | "any_value" | "first_value" | "last_value" | "lag" | "lead" | "nth_value"
            | "percentile_cont" | "percentile_disc" | "mode" => all,
            _ => self.texts(name, inputs)?,
        })
    }

    /// Returns the bound of a function of texts and documents, or of any other function.
    fn texts(&mut self, name: &str, inputs: &[Size]) -> Result<Size, Refusal> {
        let all = Size::of(inputs);
        let one = inputs.first().copied().unwrap_or(NOTHING);
        let two = inputs.get(1).copied().unwrap_or(NOTHING);
        Ok(match name {
            "left" | "right" => Size { bytes: one.bytes.min((two.amount() * 4.0).max(4.0)).max(1.0), ..text(all) },
            "md5" | "sha224" | "sha256" | "sha384" | "sha512" => text(all).with_bytes(64.0),
            "to_char" => text(all).with_bytes(one.bytes + two.bytes * 10.0),
            "to_tsvector" | "ts_delete" | "jsonb_to_tsvector" | "json_to_tsvector" => {
                self.works(name, all.bytes * 1_000.0)?;
                all.with_bytes(all.bytes * 4.0)
            }
            "json_array_elements"
            | "jsonb_array_elements"
            | "json_array_elements_text"
            | "jsonb_array_elements_text"
            | "json_each"
            | "jsonb_each"
            | "json_each_text"
            | "jsonb_each_text"
            | "json_object_keys"
            | "jsonb_object_keys"
            | "jsonb_pretty"
            | "json_to_recordset"
            | "jsonb_to_recordset"
            | "to_json"
            | "to_jsonb"
            | "json_build_object"
            | "jsonb_build_object"
            | "json_build_array"
            | "jsonb_build_array"
            | "row_to_json"
            | "array_to_json" => {
                self.works(name, all.bytes * 100.0)?;
                all.with_bytes(all.bytes * 6.0 + 64.0).of_any_amount()
            }
            "encode" | "quote_literal" | "quote_ident" | "quote_nullable" => {
                text(all).with_bytes(all.bytes * 2.0 + 3.0)
            }
            linear if LINEAR.contains(&linear) => all.of_any_amount(),
            _ => {
                self.works(name, all.bytes * all.bytes)?;
                all.with_bytes(all.bytes * 8.0 + 64.0).of_any_amount()
            }
        })
    }

    fn series_of(&mut self, expressions: &[&Expr], inputs: &[Size]) -> Size {
        let numeric = |expression: &&Expr| is_number(expression);
        let all = Size::of(inputs);
        let rows = if expressions.iter().all(numeric) {
            let step = inputs.get(2).map_or(1.0, |step| (step.amount() - 1.0).max(10_f64.powf(-step.bytes)));
            let ends = inputs.iter().take(2).map(|end| end.amount() - 1.0).sum::<f64>();
            (ends / step).max(1.0)
        } else if inputs.iter().all(|input| input.constant) {
            SERIES_OF_TIMES
        } else {
            1.0
        };
        self.series = self.series.max(1.0) * rows;
        Size { constant: false, ..all.with_bytes(16.0) }
    }

    /// Records the work of an XPath expression. It visits the nodes of the document once more for every step along an
    /// axis.
    fn xpath(&mut self, expression: Option<&Expr>, path: Size, document: Size) -> Result<(), Refusal> {
        let steps = match literal(expression) {
            Some(text) => count(["//", "::", "["].iter().map(|sign| text.matches(sign).count()).sum()),
            // As many steps as fit into the path.
            None if path.constant => path.bytes / 2.0,
            None => 1.0,
        };
        let nodes = (document.bytes / 4.0).max(2.0);
        self.works("xpath", nodes.powf(steps.clamp(1.0, 64.0)))
    }
}

/// Returns how many parts a separator may join. Only a long separator needs the exact bound.
fn parts(inputs: &[Size], separator: Size) -> f64 {
    if separator.bytes < 256.0 { 16.0 } else { inputs.iter().map(|input| input.bytes).sum::<f64>() }
}

/// Returns the bound of a text that was put together. As a number it may have any amount.
fn text(size: Size) -> Size {
    size.of_any_amount()
}

fn is_number(expression: &Expr) -> bool {
    match expression {
        Expr::Value(value) => matches!(value.value, Value::Number(..)),
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => is_number(inner),
        Expr::BinaryOp { left, right, .. } => is_number(left) && is_number(right),
        Expr::Cast { expr, data_type, .. } => {
            let name = data_type.to_string().to_lowercase();
            (name.contains("int") && !name.contains("interval")) || name.contains("numeric") || is_number(expr)
        }
        _ => false,
    }
}

/// Returns the text of a constant that is written as one.
fn literal(expression: Option<&Expr>) -> Option<&str> {
    match expression? {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        Expr::TypedString(typed) => match &typed.value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        Expr::Nested(inner) => literal(Some(inner)),
        Expr::Cast { expr, .. } => literal(Some(expr)),
        _ => None,
    }
}

/// Returns the number of elements of an array whose dimensions are given as an array.
fn elements_product(sizes: &mut Sizes, dimensions: Option<&Expr>, size: Size) -> Result<f64, Refusal> {
    match dimensions {
        Some(Expr::Array(array)) => {
            let mut product = 1.0;
            for dimension in &array.elem {
                product *= sizes.expression(dimension)?.amount();
            }
            Ok(product)
        }
        // An array has at most six dimensions.
        _ if size.constant => Ok(size.amount().powi(6)),
        _ => Ok(size.amount()),
    }
}

/// Returns the bytes of what `format` makes: its text and arguments, the largest argument once for each placeholder,
/// and the widths.
fn formatted(template: Option<&Expr>, inputs: &[Size]) -> f64 {
    let all = inputs.iter().map(|input| input.bytes).sum::<f64>();
    let largest = inputs.iter().skip(1).map(|input| input.bytes).fold(0.0, f64::max);
    let Some(text) = literal(template) else {
        let template = inputs.first().copied().unwrap_or(COLUMN);
        return if template.constant { f64::INFINITY } else { all };
    };
    let runs = text.split(|character: char| !character.is_ascii_digit());
    let widths = runs.filter_map(|run| run.parse::<f64>().ok()).sum::<f64>();
    let stars = if text.contains('*') {
        inputs.iter().skip(1).map(|input| input.amount()).fold(0.0, f64::max) * count(text.matches('*').count())
    } else {
        0.0
    };
    all + count(text.matches('%').count()) * largest + widths + stars
}
