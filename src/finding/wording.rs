//! What a column means, in words: the measure by its expression, every condition, and its keys. Never by an alias.
//!
//! All wording stands in this folder. A template holds the words; what goes into it comes from the lineage.

mod condition;
mod expression;
pub(crate) mod parts;

use self::condition::{bracketed, conditions};
use self::expression::{Names, phrase};
use crate::typeset::text::line;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::lineage::completeness::{self, Cut};
use crate::warehouse::lineage::conversion;
use crate::warehouse::lineage::doubts::joins;
use crate::warehouse::lineage::expression::{Aggregate, Expression, Literal, Operator};
use crate::warehouse::lineage::meaning::{self, Kind, Meaning};
use crate::warehouse::lineage::measure::Measure;
use crate::warehouse::lineage::presentation::{self, Step};
use crate::warehouse::lineage::query::{Block, Distinct, Item, Outer, Query, Relation, Rows, Source, is_link};
use crate::warehouse::lineage::{Branch, Lineage, doubts};

/// Keys of a query beyond which they are counted and not named.
const KEYS_MAX: usize = 5;
/// Characters of a value of the data in a sentence.
const VALUE_CHARACTERS_MAX: usize = 60;
/// Characters of a line.
const LINE_CHARACTERS_MAX: usize = 4_000;
/// What a line below a column begins with.
const INDENT: &str = "    ";

/// Returns what the columns of a statement mean, a line each, with the doubts about them below. Names and values of the
/// database cannot drive a terminal or begin a line.
pub fn statement(lineage: &Lineage, catalog: &Catalog) -> Vec<String> {
    let fit = |text: String| match text.strip_prefix(INDENT) {
        Some(below) => format!("{INDENT}{}", line(below, LINE_CHARACTERS_MAX)),
        None => line(&text, LINE_CHARACTERS_MAX),
    };
    lines(lineage, catalog).into_iter().map(fit).collect()
}

fn lines(lineage: &Lineage, catalog: &Catalog) -> Vec<String> {
    if let Some(reason) = &lineage.unknown {
        return vec![format!("nothing of it can be traced: {reason}")];
    }
    let many = lineage.branches.len() > 1;
    let Some(first) = lineage.branches.first() else { return Vec::new() };
    let branches = lineage.branches.iter().enumerate().flat_map(|(number, branch)| {
        let heading = many.then(|| format!("rows of kind {}", number + 1));
        heading.into_iter().chain(branch_lines(branch, first, catalog))
    });
    let limit = lineage.is_limited.then(|| "incomplete: the statement has a LIMIT or OFFSET".to_owned());
    branches.chain(limit).collect()
}

/// Returns the lines of a branch. The columns of all branches are called as those of the first one.
fn branch_lines(branch: &Branch, first: &Branch, catalog: &Catalog) -> Vec<String> {
    let mut lines = Vec::new();
    for (output, column) in first.block.outputs.iter().zip(&branch.columns) {
        let name = line(&output.name, VALUE_CHARACTERS_MAX);
        lines.push(format!(
            "{}: {}",
            if name.is_empty() { "?" } else { &name },
            column_words(column, &branch.block, catalog)
        ));
        if matches!(column.kind, Kind::Measure | Kind::Value | Kind::Cumulative) {
            let typed = meaning::typed(column).into_iter().map(literal).collect::<Vec<_>>().join(", ");
            lines.extend(
                (!typed.is_empty()).then(|| format!("{INDENT}typed: {typed} of the statement can be a part of it")),
            );
        }
        let doubts = doubts::of_meaning(column, catalog).into_iter();
        lines.extend(doubts.map(|doubt| format!("{INDENT}doubt {}: {}", doubt.id, doubt.sentence)));
    }
    if branch.columns.iter().all(|column| column.measures.is_empty()) {
        lines.push(format!(
            "from: {}",
            block_words(&Block { having: Vec::new(), ..branch.block.clone() }, Some(catalog))
        ));
    }
    let names = Names::of(&branch.block.rows, Some(catalog));
    for cut in completeness::of_block(&branch.block) {
        let having = branch.block.having.iter().map(|condition| condition::one(condition, &names)).collect::<Vec<_>>();
        lines.push(match cut {
            Cut::Limit => "incomplete: a query that is read has a LIMIT or OFFSET".to_owned(),
            Cut::First => "incomplete: only some places of an order are kept".to_owned(),
            Cut::Measure if having.is_empty() => {
                "incomplete: what fails a condition on a measure is left out".to_owned()
            }
            Cut::Measure => format!("incomplete: only groups with {}", having.join(" and ")),
        });
    }
    lines
}

/// Returns what a column means in one line, such as `count of rows of orders with status 'paid', by country`.
pub fn column_words(meaning: &Meaning, block: &Block, catalog: &Catalog) -> String {
    let value = told(meaning);
    let words = |kind: &str| format!("{kind}: {}", formula(&value, &meaning.measures, block, catalog));
    match &meaning.kind {
        Kind::Unknown(reason) => format!("unknown: {reason}"),
        Kind::Constant if value == Expression::null() => "empty in these rows".to_owned(),
        Kind::Constant => format!("the constant {}", phrase(&value, &Names::of(&block.rows, Some(catalog)))),
        Kind::Key => words("key"),
        Kind::Value => words("value"),
        Kind::Date if meaning.measures.is_empty() => words("date"),
        Kind::Cumulative => {
            "a value over several rows of the result: a rank, a running value, a value of another row".to_owned()
        }
        Kind::Measure | Kind::Date => formula(&value, &meaning.measures, block, catalog),
    }
}

/// Returns the value with what changes it. Decimals and formats only present it.
fn told(meaning: &Meaning) -> Expression {
    let changes = |step: &&Step| match step {
        Step::Times(_) | Step::Over(_) | Step::Missing(_) | Step::Truncate(_) => true,
        Step::Round(decimals) => decimals.as_deref().is_none_or(|decimals| decimals == "0"),
        Step::Cast(name) => name.starts_with("int") || name.starts_with("bigint") || name.starts_with("smallint"),
        Step::Format(_) => false,
    };
    if meaning.value == Expression::null()
        && let Some(Step::Missing(instead)) = meaning.steps.iter().find(|step| matches!(step, Step::Missing(_)))
    {
        return Expression::Literal(instead.clone());
    }
    let is_measure = !meaning.measures.is_empty();
    let steps = meaning.steps.iter().filter(changes).filter(|step| !(is_measure && matches!(step, Step::Round(_))));
    presentation::presented(meaning.value.clone(), &steps.cloned().collect::<Vec<_>>())
}

/// Returns a value of the row, a measure, or arithmetic over measures, each with its conditions and keys.
fn formula(value: &Expression, measures: &[Measure], block: &Block, catalog: &Catalog) -> String {
    if let Some((part, whole)) = percentage(value)
        && let (Some(part), Some(whole)) = (measures.get(part), measures.get(whole))
    {
        return format!("({}) in percent of ({})", measure(part, catalog), measure(whole, catalog));
    }
    let letters = ('a'..='z').take(measures.len()).map(String::from).collect::<Vec<_>>();
    if letters.len() < measures.len() {
        return format!("arithmetic over {} measures", measures.len());
    }
    let words = phrase(value, &Names::of(&block.rows, Some(catalog)).with_measures(&letters));
    match measures {
        [] => words,
        [only] if words == "a" => measure(only, catalog),
        measures => {
            let list =
                letters.iter().zip(measures).map(|(letter, one)| format!("{letter} = {}", measure(one, catalog)));
            format!("{words}, where {}", list.collect::<Vec<_>>().join("; "))
        }
    }
}

/// Returns the measures of which the first is given in percent of the second.
fn percentage(value: &Expression) -> Option<(usize, usize)> {
    let (part, whole) = value.as_infix("/")?;
    let (left, right) = part.as_infix("*")?;
    let is_hundred = |side: &Expression| matches!(side, Expression::Literal(Literal::Number(number)) if matches!(number.as_str(), "100" | "100.0" | "100."));
    let whole = match whole {
        Expression::Call { function, arguments } if function == "nullif" => arguments.first()?,
        other => other,
    };
    match (left, right, whole) {
        (hundred, Expression::Measure(part), Expression::Measure(whole))
        | (Expression::Measure(part), hundred, Expression::Measure(whole))
            if is_hundred(hundred) =>
        {
            Some((*part, *whole))
        }
        _ => None,
    }
}

/// Returns a measure with its conditions and keys.
pub fn measure(measure: &Measure, catalog: &Catalog) -> String {
    let names = Names::of(&measure.rows, Some(catalog));
    let mut words = aggregate(&measure.aggregate, &sources(&measure.rows, Some(catalog)), &names);
    let links = measure.rows.conditions.iter().filter(|condition| !is_link(condition));
    let pins = measure.keys.iter().filter_map(|key| Some((&key.key, key.pinned.as_ref()?)));
    let pins = pins.map(|(key, value)| Expression::infix(key.clone(), "=", value.clone())).collect::<Vec<_>>();
    let all = links.chain(&measure.aggregate.filter).chain(&pins).collect::<Vec<_>>();
    if !all.is_empty() {
        words = format!("{words} {}", conditions(&all, &names));
    }
    let keys = measure.keys.iter().filter(|key| key.pinned.is_none());
    let keys = keys.map(|key| bracketed(&phrase(&key.key, &names), &key.key)).collect::<Vec<_>>();
    if keys.is_empty() { words } else { format!("{words}, by {}", keys.join(" and ")) }
}

/// Returns an aggregate over what `of` says.
fn aggregate(aggregate: &Aggregate, of: &str, names: &Names) -> String {
    let arguments = aggregate.arguments.iter().map(|argument| phrase(argument, names)).collect::<Vec<_>>();
    let first = arguments.first().cloned().unwrap_or_default();
    if let (Some(condition), false) = (aggregate.arguments.first().and_then(yes_or_no), aggregate.distinct) {
        let with = conditions(&[condition], names);
        match aggregate.function.as_str() {
            "avg" if is_never_null(condition) => return format!("share of those {with} among {of}"),
            "avg" => return format!("share of those {with} among {of} where it is known"),
            "sum" => return format!("count of {of} {with}"),
            _ => {}
        }
    }
    match (aggregate.function.as_str(), aggregate.distinct) {
        ("count", false) if arguments.is_empty() => format!("count of {of}"),
        ("count", false) => format!("count of {of} with a value of {first}"),
        ("count", true) => format!("count of distinct {first} among {of}"),
        (function, distinct) => {
            let each = if distinct { "distinct " } else { "" };
            let what = arguments_words(aggregate, &arguments, names);
            format!("{} {each}{what} over {of}", function_words(function, aggregate, names))
        }
    }
}

/// Returns whether a condition holds or not of every row: whether a value is missing.
fn is_never_null(condition: &Expression) -> bool {
    matches!(condition, Expression::Operation { operator: Operator::Postfix(_), .. })
}

/// Returns the condition of which an argument is 1 or 0.
pub(super) fn yes_or_no(argument: &Expression) -> Option<&Expression> {
    let Expression::Cast { value, type_name, .. } = argument else { return None };
    (value.is_condition() && type_name.starts_with("int")).then_some(value)
}

fn function_words(function: &str, aggregate: &Aggregate, names: &Names) -> String {
    let quantile = aggregate.arguments.first().map(|share| phrase(share, names)).unwrap_or_default();
    match function {
        "sum" => "sum of".to_owned(),
        "avg" => "average of".to_owned(),
        "min" => "lowest".to_owned(),
        "max" => "highest".to_owned(),
        "percentile_cont" | "percentile_disc" if quantile == "0.5" => "median of".to_owned(),
        "percentile_cont" | "percentile_disc" => format!("quantile {quantile} of"),
        "stddev" | "stddev_samp" | "stddev_pop" => "standard deviation of".to_owned(),
        "corr" => "correlation of".to_owned(),
        "regr_slope" => "slope by linear regression of".to_owned(),
        "regr_intercept" => "intercept by linear regression of".to_owned(),
        "regr_r2" => "share explained by linear regression (R squared) of".to_owned(),
        "bool_or" => "whether any has".to_owned(),
        "bool_and" | "every" => "whether each has".to_owned(),
        other => format!("{other} of"),
    }
}

fn arguments_words(aggregate: &Aggregate, arguments: &[String], names: &Names) -> String {
    if aggregate.function.starts_with("regr_") {
        return arguments.join(" on ");
    }
    if aggregate.within.is_empty() {
        return arguments.join(" and ");
    }
    let within = aggregate.within.iter().map(|order| {
        let way = if order.descending { " counted from the highest" } else { "" };
        format!("{}{way}", phrase(&order.key, names))
    });
    within.collect::<Vec<_>>().join(" and ")
}

/// Returns what is counted: rows of tables, or the groups of a query, and how they are joined. A table of which there is
/// one row at most for each row of another only adds to it.
fn sources(rows: &Rows, catalog: Option<&Catalog>) -> String {
    let names = Names::of(rows, catalog);
    if let Some(words) = catalog.and_then(|catalog| looked_up(rows, catalog)) {
        return words;
    }
    let items = rows.items.iter().map(|item| match item {
        Item::Source(one) => source(one, catalog),
        Item::Outer(outer) => outer_words(outer, &names),
    });
    let items = items.collect::<Vec<_>>();
    let links = rows.conditions.iter().filter(|condition| is_link(condition)).collect::<Vec<_>>();
    let joined = match items.as_slice() {
        [] => "one row".to_owned(),
        [only] => only.clone(),
        many => format!("combinations of {}", many.join(" with ")),
    };
    if links.is_empty() { joined } else { format!("{joined} on {}", links_words(&links, &names)) }
}

/// Returns the rows of the one source for each row of which all others have one row at most.
fn looked_up(rows: &Rows, catalog: &Catalog) -> Option<String> {
    let sources = rows.items.iter().map(|item| match item {
        Item::Source(source) => Some(source),
        Item::Outer(_) => None,
    });
    let sources = sources.collect::<Option<Vec<_>>>().filter(|sources| sources.len() > 1)?;
    let main = joins::grain(rows, catalog)?;
    let words = source(main, Some(catalog));
    let others = sources.into_iter().filter(|other| {
        other.id != main.id
            && !(joins::is_referred(main, other, rows, catalog) && joins::is_only_way(main, other, catalog))
    });
    let names = Names::of(rows, Some(catalog));
    let others = others.map(|other| {
        let what = match &other.relation {
            Relation::Table { schema, name } => format!("a row of {}", table_name(schema, name, Some(catalog))),
            Relation::Query { .. } | Relation::Function { .. } => {
                format!("their one of the {}", source(other, Some(catalog)))
            }
        };
        let links = rows.conditions.iter().filter(|condition| is_link(condition));
        let links = links.filter(|link| link.columns().iter().any(|column| column.source == other.id));
        format!("{what} on {}", links_words(&links.collect::<Vec<_>>(), &names))
    });
    let others = others.collect::<Vec<_>>();
    Some(if others.is_empty() { words } else { format!("{words} that have {}", others.join(" and ")) })
}

/// Returns the rows of an outer join. Its conditions say which rows are added, and leave none out.
fn outer_words(outer: &Outer, names: &Names) -> String {
    let (links, others): (Vec<_>, Vec<_>) =
        outer.on.iter().chain(&outer.right.conditions).partition(|condition| is_link(condition));
    let with = if others.is_empty() { String::new() } else { format!(" {}", conditions(&others, names)) };
    let on = if links.is_empty() { String::new() } else { format!(" on {}", links_words(&links, names)) };
    let (left, right) = (sources(&outer.left, names.catalog), sources(&outer.right, names.catalog));
    let joined = Rows { items: vec![Item::Outer(Box::new(outer.clone()))], conditions: Vec::new() };
    let grain = names.catalog.and_then(|catalog| joins::grain(&joined, catalog));
    let is_lookup = grain.is_some_and(|main| outer.left.sources().iter().any(|source| source.id == main.id));
    let is_only_way = grain.zip(names.catalog).is_none_or(|(main, catalog)| {
        outer.right.sources().iter().all(|other| joins::is_only_way(main, other, catalog))
    });
    let are_tables = outer.right.sources().iter().all(|source| matches!(source.relation, Relation::Table { .. }));
    let rates = names.catalog.map(|catalog| conversion::rates(&joined, catalog)).unwrap_or_default();
    let is_of_rates = outer.right.sources().iter().all(|source| conversion::is_of(&rates, source));
    if is_lookup && is_of_rates {
        // What is converted by them says so.
        left
    } else if outer.full {
        format!("{left} and {right}{with}, matched where they can be{on}")
    } else if is_lookup && others.is_empty() && are_tables && is_only_way {
        left
    } else if is_lookup {
        format!("{left} (each with its one of the {right}{with} if there is any{on})")
    } else {
        format!("{left} (each once for each of its {right}{with}{on}, and once where there are none)")
    }
}

/// Returns the columns that join sources, such as `customer_id` or `orders.who = customers.id`.
fn links_words(links: &[&Expression], names: &Names) -> String {
    let words = links.iter().map(|link| match link.as_infix("=") {
        Some((Expression::Column(left), Expression::Column(right))) if left.name == right.name => left.name.clone(),
        _ => phrase(link, names),
    });
    let mut words = words.collect::<Vec<_>>();
    words.dedup();
    words.join(" and ")
}

fn source(source: &Source, catalog: Option<&Catalog>) -> String {
    match &source.relation {
        Relation::Table { schema, name } => {
            let noun = catalog.and_then(|catalog| catalog.table(Some(schema), name)?.noun.as_deref());
            noun.map_or_else(|| format!("rows of {}", table_name(schema, name, catalog)), named)
        }
        Relation::Function { function, .. } => format!("rows of {function}()"),
        Relation::Query { query, .. } => query_words(query, catalog),
    }
}

/// Returns the name of a table, with its schema where another one has the name too.
fn table_name(schema: &str, name: &str, catalog: Option<&Catalog>) -> String {
    let is_alone = catalog.is_none_or(|catalog| catalog.table(None, name).is_some());
    let name = if is_alone { name.to_owned() } else { format!("{schema}.{name}") };
    named(&name)
}

/// Returns the rows of a query that is read as a table.
fn query_words(query: &Query, catalog: Option<&Catalog>) -> String {
    match query {
        Query::Block(block) => block_words(block, catalog),
        Query::UnionAll(branches) => {
            branches.iter().map(|branch| query_words(branch, catalog)).collect::<Vec<_>>().join(" together with ")
        }
        Query::Values(rows) => format!("{} rows written in the statement", rows.len()),
        Query::Unknown(reason) => format!("rows that cannot be traced ({reason})"),
    }
}

fn block_words(block: &Block, catalog: Option<&Catalog>) -> String {
    let names = Names::of(&block.rows, catalog);
    let of = sources(&block.rows, catalog);
    let keys = block.keys.iter().flatten().map(|key| phrase(key, &names)).collect::<Vec<_>>();
    let mut words = match &block.keys {
        Some(_) if keys.is_empty() => format!("the total of {of}"),
        Some(_) if keys.len() > KEYS_MAX => format!("distinct rows by {} columns of {of}", keys.len()),
        Some(_) => format!("groups by {} of {of}", keys.join(" and ")),
        None => of,
    };
    let others = block.rows.conditions.iter().filter(|condition| !is_link(condition)).collect::<Vec<_>>();
    if !others.is_empty() {
        words = format!("{words} {}", conditions(&others, &names));
    }
    if !block.having.is_empty() {
        let having = block.having.iter().map(|condition| condition::one(condition, &names)).collect::<Vec<_>>();
        words = format!("{words}, of which only groups with {}", having.join(" and "));
    }
    let order = block.order.iter().map(|order| {
        let way = if order.descending { " downwards" } else { "" };
        format!("{}{way}", phrase(&order.key, &names))
    });
    let order = order.collect::<Vec<_>>().join(", ");
    if let Distinct::On(keys) = &block.distinct {
        let keys = keys.iter().map(|key| phrase(key, &names)).collect::<Vec<_>>().join(" and ");
        words = format!("the first for each {keys} in the order of {order} of ({words})");
    }
    if block.distinct == Distinct::Rows {
        let shown = block.outputs.iter().take(KEYS_MAX).map(|output| phrase(&output.value, &names));
        words = format!("the distinct {} of ({words})", shown.collect::<Vec<_>>().join(", "));
    }
    let order = if order.is_empty() { "no order".to_owned() } else { format!("the order of {order}") };
    if let Some(offset) = &block.offset {
        words = format!("what follows the first {} in {order} of ({words})", phrase(offset, &names));
    }
    if let Some(limit) = &block.limit {
        words = format!("the first {} in {order} of ({words})", phrase(limit, &names));
    }
    words
}

/// Returns a name of the database. A quote in it is typographic, so that it does not begin a value.
fn named(name: &str) -> String {
    name.replace('\'', "\u{2019}")
}

/// Returns a value of the data in quotes. Quotes in it are typographic, so that they do not end it; what is not shown of
/// it is said.
pub(crate) fn quoted(text: &str) -> String {
    let shown = line(text, VALUE_CHARACTERS_MAX);
    let note = if shown == text || shown.ends_with('\u{2026}') { "" } else { " (with characters that are not shown)" };
    format!("'{}'{note}", shown.replace('\'', "\u{2019}"))
}

/// Returns a literal as people write it.
fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Number(number) => number.clone(),
        Literal::Text(text) => quoted(text),
        Literal::Boolean(value) => value.to_string(),
        Literal::Null => "nothing".to_owned(),
        Literal::Parameter(name) => name.clone(),
    }
}
