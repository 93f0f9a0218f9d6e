//! What is to be analysed: a table of events with its roles resolved, the tables that it refers to joined in.
//!
//! From here on the inquiries speak of `day`, `entity`, `value`; only this file knows how a schema spells them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::profile::Profile;
use super::telling::{Days, literals};
use crate::warehouse::catalog::{Catalog, Column, Role, Table};

/// Tables joined in at the most.
const JOINS_MAX: usize = 4;

/// A table of events, and where each role is found.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// The table's name, unquoted.
    pub(super) table: String,
    /// The schema and table names that its FROM clause reads.
    pub(super) relations: Vec<(String, String)>,
    /// The table of events in a FROM clause, without the word.
    base: String,
    /// The tables joined to it, in their order.
    joins: Vec<Join>,
    fields: BTreeMap<Role, Vec<Field>>,
    rows_estimate: Option<u64>,
}

/// A table that is joined in.
#[derive(Debug, Clone)]
struct Join {
    /// What the table is called in statements, such as `t1`.
    alias: String,
    /// `LEFT JOIN ... AS t1 ON ...`.
    text: String,
}

/// A column in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// The column's name, unquoted: what results call it.
    pub(super) name: String,
    /// How the FROM clause's scope refers to it.
    expression: String,
    type_name: String,
    unit: Option<String>,
}

/// `"name"`, with quotes within doubled.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `'text'`, with quotes within doubled.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// Column names of the analyst's own that a schema's names must not collide with.
const OWN_NAMES: [&str; 12] = [
    "dimension",
    "member",
    "orders",
    "events",
    "entities",
    "returns",
    "sold",
    "returned",
    "silent",
    "value",
    "quantity",
    "day",
];

/// What results call the column `name`: letters, digits and underscores alone, so that figures can refer to it.
pub(super) fn alias(name: &str) -> String {
    let mut alias = String::new();
    for character in name.to_lowercase().chars() {
        alias.push(if character.is_ascii_alphanumeric() { character } else { '_' });
    }
    if alias.starts_with(|character: char| !character.is_ascii_alphabetic()) {
        alias.insert_str(0, "c_");
    }
    if OWN_NAMES.contains(&alias.as_str()) {
        alias.push_str("_field");
    }
    alias
}

/// The tables worth analysing, the most promising first. A table that a better one joins in is not listed again.
pub(super) fn subjects(catalog: &Catalog) -> Vec<Subject> {
    let mut subjects = catalog.tables.iter().filter_map(|table| Subject::new(catalog, table).ok()).collect::<Vec<_>>();
    subjects.sort_by_key(|subject| (std::cmp::Reverse(subject.promise()), subject.table.clone()));
    let mut chosen = Vec::<Subject>::new();
    for subject in subjects {
        let own = &subject.relations[0];
        if !chosen
            .iter()
            .any(|better| better.relations.contains(own) || subject.relations.contains(&better.relations[0]))
        {
            chosen.push(subject);
        }
    }
    chosen
}

impl Subject {
    /// The subject of that table; the error says what it lacks.
    pub(super) fn new(catalog: &Catalog, table: &Table) -> Result<Self, String> {
        let mut joined = vec![("t0".to_owned(), table)];
        let mut joins = Vec::new();
        let mut next = 0;
        while next < joined.len() {
            let (alias, referring) = joined[next].clone();
            for key in &referring.foreign_keys {
                let referred = catalog.table(Some(&key.schema), &key.table);
                let Some(referred) = referred.filter(|referred| !joined.iter().any(|(_, other)| *other == *referred))
                else {
                    continue;
                };
                if joined.len() > JOINS_MAX || key.columns.len() != key.referred.len() || key.columns.is_empty() {
                    continue;
                }
                let other = format!("t{}", joined.len());
                let on = key
                    .columns
                    .iter()
                    .zip(&key.referred)
                    .map(|(own, their)| format!("{alias}.{} = {other}.{}", identifier(own), identifier(their)));
                let on = on.collect::<Vec<_>>().join(" AND ");
                let text = format!("LEFT JOIN {} AS {other} ON {on}", relation(referred));
                joins.push(Join { alias: other.clone(), text });
                joined.push((other, referred));
            }
            next += 1;
        }
        let mut subject = Self {
            table: table.name.clone(),
            relations: joined.iter().map(|(_, table)| (table.schema.clone(), table.name.clone())).collect(),
            base: format!("{} AS t0", relation(table)),
            joins,
            fields: BTreeMap::new(),
            rows_estimate: table.rows_estimate,
        };
        for (alias, table) in &joined {
            for column in &table.columns {
                subject.add(alias, column);
            }
        }
        match subject.lacks(table) {
            Some(lacking) => Err(lacking),
            None => Ok(subject),
        }
    }

    /// The schema and the name of the table of events.
    pub(super) fn own_table(&self) -> &(String, String) {
        &self.relations[0]
    }

    /// All tables that it reads, as `schema.name`.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.relations.iter().map(|(schema, table)| format!("{schema}.{table}"))
    }

    /// The table of events, as `schema.name`.
    pub(super) fn full_name(&self) -> String {
        let (schema, table) = self.own_table();
        format!("{schema}.{table}")
    }

    fn add(&mut self, alias: &str, column: &Column) {
        let Some(role) = column.role.filter(|_| !column.is_withheld()) else { return };
        let is_base = alias == "t0";
        // What a joined table counts or dates is its own affair, unless the base table has nothing of the kind.
        let borrowed = matches!(
            role,
            Role::Measure
                | Role::GrossMeasure
                | Role::NetMeasure
                | Role::Discount
                | Role::Margin
                | Role::Quantity
                | Role::UnitPrice
        );
        let is_own_key = !is_base && role == Role::Entity && self.fields.contains_key(&Role::Entity);
        if (!is_base && borrowed) || is_own_key || !is_plain(&column.type_name, role) {
            return;
        }
        let fields = self.fields.entry(role).or_default();
        if fields.iter().any(|field| field.name == column.name) {
            return;
        }
        fields.push(Field {
            name: column.name.clone(),
            expression: format!("{alias}.{}", identifier(&column.name)),
            type_name: column.type_name.clone(),
            unit: column.unit.clone(),
        });
    }

    /// What it lacks to be analysed: a date, and an entity that comes back.
    fn lacks(&self, table: &Table) -> Option<String> {
        let date = (Role::Date, "dates its rows (role `date`)");
        let entity = (Role::Entity, "says whom its rows are about (role `entity`)");
        let missing = [date, entity].into_iter().filter(|(role, _)| self.field(*role).is_none());
        let missing = missing.map(|(_, what)| what).collect::<Vec<_>>();
        if !missing.is_empty() {
            let withheld =
                table.columns.iter().filter(|column| column.is_withheld()).map(|column| column.name.as_str());
            let withheld = withheld.collect::<Vec<_>>().join(", ");
            let unread = if withheld.is_empty() {
                String::new()
            } else {
                format!("; marked as sensitive, so not read: {withheld}")
            };
            return Some(format!("no column {}{unread}", missing.join(", and none ")));
        }
        let is_key = |key: &str| table.column(key).is_some_and(|column| column.role == Some(Role::Entity));
        let is_own = self.field(Role::Entity).is_some_and(|entity| entity.expression.starts_with("t0."));
        let is_master_data = is_own && matches!(table.primary_key.as_slice(), [key] if is_key(key));
        is_master_data.then(|| "it has one row for each of those it is about, and no events".to_owned())
    }

    /// How much there is to analyse: what is not known to be empty first, then money, the number of roles, rows.
    fn promise(&self) -> (bool, bool, usize, u64) {
        let rows = self.rows_estimate;
        (rows != Some(0), self.has_money(), self.fields.len(), rows.unwrap_or(0))
    }

    /// The first column with the role.
    pub(super) fn field(&self, role: Role) -> Option<&Field> {
        self.fields.get(&role)?.first()
    }

    /// All columns with the role.
    pub(super) fn fields(&self, role: Role) -> &[Field] {
        self.fields.get(&role).map_or(&[], Vec::as_slice)
    }

    fn money(&self) -> Option<&Field> {
        // Of several net values the last is after the most deductions.
        let net = self.fields.get(&Role::NetMeasure).and_then(|fields| fields.last());
        net.or_else(|| self.field(Role::Measure)).or_else(|| self.field(Role::GrossMeasure))
    }

    /// Quantity and unit price, where there is no amount of money but their product.
    fn priced(&self) -> Option<(&Field, &Field)> {
        self.field(Role::Quantity).zip(self.field(Role::UnitPrice)).filter(|_| self.money().is_none())
    }

    /// Whether the amount that is summed is money.
    pub(super) fn has_money(&self) -> bool {
        self.money().is_some() || self.priced().is_some()
    }

    /// Whether there is anything to sum; rows are counted otherwise.
    pub(super) fn is_summed(&self) -> bool {
        self.has_money() || self.field(Role::Quantity).is_some()
    }

    /// Whether the amount is what one pays rather than what one earns.
    pub(super) fn is_outlay(&self) -> bool {
        let outlays = ["expense", "expenditure", "spend", "cost", "procurement"];
        let names = [Some(self.table.as_str()), self.money().map(|field| field.name.as_str())];
        let mut names = names.into_iter().flatten().map(str::to_lowercase);
        names.any(|name| outlays.iter().any(|outlay| name.contains(outlay)))
    }

    /// The amount that is summed: net before plain before gross before quantity times price before units; rows are
    /// counted where there is none.
    pub(super) fn value(&self) -> String {
        match (self.money(), self.priced()) {
            (Some(money), _) => money.number(),
            (None, Some((quantity, price))) => format!("({} * {})", quantity.number(), price.number()),
            (None, None) => self.field(Role::Quantity).map_or_else(|| "1".to_owned(), Field::number),
        }
    }

    /// The amount in words: `net sales value`.
    pub(super) fn value_words(&self) -> String {
        let Some(field) = self.money() else {
            let counted = if self.is_summed() { "quantity" } else { "events" };
            return if self.priced().is_some() { "sales value" } else { counted }.to_owned();
        };
        let words = field.name.to_lowercase().replace('_', " ");
        let words = words.trim_end_matches(|character: char| character.is_ascii_digit() || character == ' ');
        words.to_owned()
    }

    /// A readable text beside a product's code.
    pub(super) fn product_label(&self) -> Option<&Field> {
        let product = self.field(Role::Product)?;
        let table = |field: &Field| field.expression.split('.').next().map(str::to_owned);
        let fields = [Role::Dimension, Role::Ignore].into_iter().flat_map(|role| self.fields(role));
        let is_label = |field: &&Field| {
            let name = field.name.to_lowercase();
            let is_text = field.type_name == "text" || field.type_name.starts_with("character");
            let is_named = ["description", "product_name", "item_name", "article_name"].contains(&name.as_str());
            is_text && is_named && table(field) == table(product)
        };
        fields.into_iter().find(is_label)
    }

    /// The columns that describe rows: segments, plants and other values to group by.
    pub(super) fn dimensions(&self) -> impl Iterator<Item = &Field> {
        self.fields(Role::Dimension).iter()
    }

    /// The common table expression `base` that every query starts from, ending in a line break. Its columns: `day`,
    /// `entity`, `is_return`, `area` (the region, where known), `value` (signed), `quantity`, and those of `extra`.
    pub(super) fn base(&self, extra: &[(&str, String)], is_return: &str, last_day: Option<&str>) -> String {
        let named = self.field(Role::Entity).map(|entity| format!(" AND {} IS NOT NULL", entity.expression));
        self.base_where(extra, is_return, last_day, &named.unwrap_or_default())
    }

    /// The same with the rows that name no entity: what is sold counts whoever bought it.
    pub(super) fn base_of_all(&self, extra: &[(&str, String)], is_return: &str, last_day: Option<&str>) -> String {
        self.base_where(extra, is_return, last_day, "")
    }

    fn base_where(&self, extra: &[(&str, String)], is_return: &str, last_day: Option<&str>, condition: &str) -> String {
        let Some((date, entity)) = self.field(Role::Date).zip(self.field(Role::Entity)) else { return String::new() };
        let value = self.value();
        let quantity = self.field(Role::Quantity).map_or_else(|| value.clone(), Field::number);
        let mut columns = vec![
            format!("{}::date AS day", date.expression),
            format!("{} AS entity", entity.text()),
            format!("({is_return}) AS is_return"),
            format!("{} AS area", self.field(Role::Region).map_or_else(|| "'all'".to_owned(), Field::text)),
            format!("CASE WHEN {is_return} THEN -abs({value}) ELSE {value} END AS value"),
            format!("abs({quantity}) AS quantity"),
        ];
        columns.extend(extra.iter().map(|(name, expression)| format!("{expression} AS {name}")));
        let until =
            last_day.map_or_else(String::new, |day| format!(" AND {}::date <= {}", date.expression, literal(day)));
        // A line without a price is a sample or a correction of the stock, neither a sale nor a return.
        let is_priced = self.priced().map_or_else(String::new, |(_, price)| format!(" AND {} <> 0", price.expression));
        format!(
            "WITH base AS (\n  SELECT {}\n  FROM {}\n  WHERE {} IS NOT NULL{condition}{is_priced}{until}\n)",
            columns.join(",\n    "),
            self.from(|_| true),
            date.expression,
        )
    }

    /// A plain statement over the tables that it needs: keys, aggregates with their names, conditions.
    pub(super) fn plain(&self, keys: &[&Field], columns: &[(&str, String)], conditions: &[String]) -> String {
        let shown = keys.iter().map(|key| format!("{} AS {}", key.expression, identifier(&key.alias())));
        let columns = columns.iter().map(|(name, aggregate)| format!("{aggregate} AS {name}"));
        let select = shown.chain(columns).collect::<Vec<_>>().join(",\n  ");
        let condition =
            if conditions.is_empty() { String::new() } else { format!("\nWHERE {}", conditions.join(" AND ")) };
        let text = format!("{select}{condition}");
        let places = (1..=keys.len()).map(|place| place.to_string()).collect::<Vec<_>>().join(", ");
        let order = if keys.is_empty() { String::new() } else { format!("\nGROUP BY {places}\nORDER BY {places}") };
        let from = self.from(|join| self.is_reached(join, &text));
        format!("SELECT {select}\nFROM {from}{condition}{order}")
    }

    /// Whether a text reads the joined table, or one that is joined to it.
    fn is_reached(&self, join: &Join, text: &str) -> bool {
        let name = format!("{}.", join.alias);
        let later = self.joins.iter().skip_while(|other| other.alias != join.alias).skip(1);
        text.contains(&name)
            || later.filter(|other| other.text.contains(&name)).any(|other| self.is_reached(other, text))
    }

    /// The condition that a row's date is one of these days.
    pub(super) fn during(&self, days: Days) -> String {
        let Some(date) = self.field(Role::Date) else { return "true".to_owned() };
        let day = |day: Date| format!("DATE {}", literal(&day.to_string()));
        let until = if date.type_name == "date" {
            format!("<= {}", day(days.last))
        } else {
            format!("< {}", day(days.last.tomorrow().unwrap_or(days.last)))
        };
        format!("{0} >= {1} AND {0} {until}", date.expression, day(days.first))
    }

    /// What is summed of the rows that meet a condition, 0 where there are none; rows are counted where there is no amount.
    pub(super) fn total(&self, condition: &str) -> String {
        let filter = if condition.is_empty() { String::new() } else { format!(" FILTER (WHERE {condition})") };
        match self.plain_value() {
            Some(value) => format!("coalesce(sum({value}){filter}, 0)"),
            None => format!("count(*){filter}"),
        }
    }

    /// The amount of a row, without casts; `None` where rows are counted.
    pub(super) fn plain_value(&self) -> Option<String> {
        match (self.money(), self.priced()) {
            (Some(money), _) => Some(money.expression.clone()),
            (None, Some((quantity, price))) => Some(format!("{} * {}", quantity.expression, price.expression)),
            (None, None) => self.field(Role::Quantity).map(|field| field.expression.clone()),
        }
    }

    /// The units of a row, whatever their sign.
    pub(super) fn units(&self) -> String {
        let value = || self.plain_value().unwrap_or_else(|| "1".to_owned());
        format!("abs({})", self.field(Role::Quantity).map_or_else(value, |field| field.expression.clone()))
    }

    /// The condition that a row is a return, or with `sold` that it is a sale; `None` where all rows are sales.
    pub(super) fn is_plainly(&self, sold: bool, profile: &Profile) -> Option<String> {
        let kinds = if sold { &profile.sale_kinds } else { &profile.return_kinds };
        if let (Some(kind), false) = (self.field(Role::EventType), profile.return_kinds.is_empty()) {
            return Some(kind.is_among(kinds.iter().map(String::as_str)));
        }
        let signed = self.priced().map(|(quantity, _)| quantity).or_else(|| self.money());
        let signed = signed.or_else(|| self.field(Role::Quantity)).filter(|_| profile.has_returns)?;
        Some(format!("{} {} 0", signed.expression, if sold { '>' } else { '<' }))
    }

    /// The FROM clause with the joins that are needed, without the word.
    fn from(&self, is_needed: impl Fn(&Join) -> bool) -> String {
        let joins = self.joins.iter().filter(|join| is_needed(join)).map(|join| join.text.as_str());
        [self.base.as_str()].into_iter().chain(joins).collect::<Vec<_>>().join(" ")
    }

    /// What tells returns from sales, given the event types that are returns: a boolean expression.
    pub(super) fn is_return(&self, return_kinds: &[String]) -> String {
        let mut signs = Vec::new();
        if let Some(kind) = self.field(Role::EventType).filter(|_| !return_kinds.is_empty()) {
            let kinds = return_kinds.iter().map(|kind| literal(kind)).collect::<Vec<_>>().join(", ");
            signs.push(format!("coalesce({} IN ({kinds}), false)", kind.text()));
        }
        let amounts = match self.priced() {
            Some((quantity, price)) => [Some(quantity), Some(price)],
            None => [self.field(Role::Quantity), self.money()],
        };
        signs.extend(amounts.into_iter().flatten().map(|field| format!("coalesce({} < 0, false)", field.number())));
        if signs.is_empty() { "false".to_owned() } else { signs.join(" OR ") }
    }
}

impl Field {
    /// What results call it.
    pub(super) fn alias(&self) -> String {
        alias(&self.name)
    }

    /// The expression as a statement without casts writes it.
    pub(super) fn expression(&self) -> &str {
        &self.expression
    }

    /// The condition that it has this value.
    pub(super) fn is(&self, value: &str) -> String {
        format!("{} = {}", self.expression, literal(value))
    }

    /// The condition that it has another value.
    pub(super) fn is_not(&self, value: &str) -> String {
        format!("{} <> {}", self.expression, literal(value))
    }

    /// The condition that it has one of these values.
    pub(super) fn is_among<'v>(&self, values: impl IntoIterator<Item = &'v str>) -> String {
        let values = values.into_iter().collect::<Vec<_>>();
        match values.as_slice() {
            [only] => self.is(only),
            several => format!("{} IN ({})", self.expression, literals(several.iter().copied())),
        }
    }

    /// The expression as text.
    pub(super) fn text(&self) -> String {
        format!("{}::text", self.expression)
    }

    /// The expression as a number.
    pub(super) fn number(&self) -> String {
        format!("{}::numeric", self.expression)
    }

    /// Whether the amount is a percentage or a share rather than money or units.
    pub(super) fn is_rate(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        self.unit.as_deref() == Some("%") || ["pct", "percent", "rate", "share"].iter().any(|word| name.contains(word))
    }
}

fn relation(table: &Table) -> String {
    format!("{}.{}", identifier(&table.schema), identifier(&table.name))
}

/// Whether the type can play the role: a date that can be cast to a day, an amount that can be summed.
fn is_plain(type_name: &str, role: Role) -> bool {
    match role {
        Role::Date => type_name == "date" || type_name.starts_with("timestamp"),
        Role::Measure
        | Role::GrossMeasure
        | Role::NetMeasure
        | Role::Discount
        | Role::Margin
        | Role::Quantity
        | Role::UnitPrice => {
            let numeric = ["numeric", "integer", "bigint", "smallint", "double precision", "real", "money"];
            numeric.iter().any(|numeric| type_name.starts_with(numeric)) && !type_name.ends_with("[]")
        }
        _ => !type_name.ends_with("[]") && type_name != "bytea" && !type_name.starts_with("json"),
    }
}
