//! The table and those that it refers to: each of its rows has one partner there at the most, so that joining counts no row
//! twice.

use super::{Field, distinct, may_show, rows_about};
use crate::instruments::dialect;
use crate::semantic::roles::is_status;
use crate::warehouse::catalog::{Arrival, Catalog, Column, Currency, ForeignKey, Role, Table, ValueKind};
use crate::warehouse::sql::piece;

/// Tables joined in at the most.
const JOINS_MAX: usize = 4;

/// Columns below which equal rows are no copies.
const CONTENT_MIN: usize = 3;

/// The share of distinct values from which a column tells nearly every row apart.
const NEARLY_UNIQUE_MIN: f64 = 0.85;

/// A table, and the tables that are joined to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Joined {
    /// The first is the table itself.
    pub(super) tables: Vec<Member>,
    conversion: Option<Conversion>,
}

/// How amounts of the table are converted into one currency, in SQL.
#[derive(Debug, Clone, PartialEq)]
struct Conversion {
    /// The currency that they become.
    unit: String,
    /// The currency of a row, and the rate of it.
    currency: String,
    rate: String,
    /// The table of rates, and how it is joined.
    table: String,
    text: String,
}

/// A table in a FROM clause.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) table: Table,
    alias: String,
    /// The columns by which it is joined: what refers to it says the same.
    referred: Vec<String>,
    /// `LEFT JOIN ... ON ...`, or the table itself.
    text: String,
}

impl Joined {
    pub(super) fn of(catalog: &Catalog, table: &Table) -> Self {
        let (own, text) = (alias(&table.name, &[]), dialect::table(table));
        let first = Member { table: table.clone(), alias: own, referred: Vec::new(), text };
        let mut joined = Self { tables: vec![first], conversion: None };
        let mut next = 0;
        while next < joined.tables.len() {
            for key in joined.tables[next].table.foreign_keys.clone() {
                joined.join(catalog, next, &key);
            }
            next += 1;
        }
        joined.conversion = joined.converting(catalog);
        if !joined.is_alone() {
            let own = &mut joined.tables[0];
            own.text = format!("{} AS {}", own.text, own.alias);
        }
        joined
    }

    /// Returns whether there is no other table, so that a column needs no name of a table before it.
    fn is_alone(&self) -> bool {
        self.tables.len() == 1 && self.conversion.is_none()
    }

    /// Returns how amounts are converted, if that is declared. A rate of a day needs the day of the row.
    fn converting(&self, catalog: &Catalog) -> Option<Conversion> {
        let own = &self.tables[0];
        let Currency { column, unit, rates } = own.table.declared.currency.as_ref()?;
        let table = catalog.table(Some(&rates.schema), &rates.table)?;
        let alias = alias(&table.name, &self.tables);
        let of_rates = |name: &str| format!("{alias}.{}", dialect::name(name));
        let currency = own.qualified(column);
        let mut on = vec![format!("{currency} = {}", of_rates(&rates.currency))];
        if let Some(day) = &rates.day {
            let moment = own.told(&own.date()?.name, own.qualified(&own.date()?.name));
            on.push(format!("{moment}::date = {}", of_rates(day)));
        }
        Some(Conversion {
            unit: unit.clone(),
            currency,
            rate: of_rates(&rates.rate),
            table: rates.table.clone(),
            text: format!(" LEFT JOIN {} AS {alias} ON {}", dialect::table(table), on.join(" AND ")),
        })
    }

    /// Returns an amount of the table as it is converted, and the currency that it becomes.
    pub(super) fn converted(&self, amount: &str) -> Option<(String, &str)> {
        let Conversion { unit, currency, rate, .. } = self.conversion.as_ref()?;
        let is_unit = dialect::is(currency, Some(unit));
        Some((format!("CASE WHEN {is_unit} THEN {amount} ELSE {amount} * {rate} END"), unit))
    }

    /// Returns the condition that a row's amounts cannot be converted, and the table in which their rate is missing.
    pub(super) fn unconverted(&self) -> Option<(String, &str)> {
        let Conversion { unit, currency, rate, table, .. } = self.conversion.as_ref()?;
        let condition = format!("{rate} IS NULL AND ({currency} IS NULL OR {currency} <> {})", dialect::text(unit));
        Some((condition, table))
    }

    fn join(&mut self, catalog: &Catalog, from: usize, key: &ForeignKey) {
        let Some(referred) = catalog.table(Some(&key.schema), &key.table) else { return };
        let is_same = |known: &Table| (&known.schema, &known.name) == (&referred.schema, &referred.name);
        let is_known = self.tables.iter().any(|member| is_same(&member.table));
        if is_known || self.tables.len() > JOINS_MAX || key.columns.len() != key.referred.len() {
            return;
        }
        let alias = alias(&referred.name, &self.tables);
        let own = &self.tables[from].alias;
        let pairs = key.columns.iter().zip(&key.referred);
        let on =
            pairs.map(|(column, other)| format!("{own}.{} = {alias}.{}", dialect::name(column), dialect::name(other)));
        let on = on.collect::<Vec<_>>().join(" AND ");
        let text = format!(" LEFT JOIN {} AS {alias} ON {on}", dialect::table(referred));
        self.tables.push(Member { table: referred.clone(), alias, referred: key.referred.clone(), text });
    }

    /// Returns the table itself.
    pub(super) fn own(&self) -> &Table {
        &self.tables[0].table
    }

    /// Returns whether a table of the clause is the table itself: no other has its alias.
    pub(super) fn is_own(&self, member: &Member) -> bool {
        member.alias == self.tables[0].alias
    }

    /// Returns the FROM clause, with the joins that a text needs.
    pub(super) fn from(&self, text: &str) -> String {
        let needed = self.tables.iter().enumerate().filter(|(place, _)| *place == 0 || self.is_needed(*place, text));
        let conversion = self.conversion.iter().filter(|conversion| text.contains(&conversion.rate));
        let joined = needed.map(|(_, member)| member.text.as_str());
        joined.chain(conversion.map(|conversion| conversion.text.as_str())).collect()
    }

    /// Returns the FROM clause as [`from`](Self::from) does, with each column that the text needs in an order of its own. Only
    /// moments stay with one another: what lies between them is of one row.
    pub(super) fn shuffled_from(&self, text: &str, seed: u32) -> String {
        let from = self.from(text);
        let own = &self.tables[0];
        let is_needed = |column: &&Column| {
            let name = dialect::name(&column.name);
            text.contains(&name) || from.contains(&format!("{}.{name}", own.alias))
        };
        let needed = own.table.columns.iter().filter(is_needed);
        let (moments, others): (Vec<_>, Vec<_>) = needed.partition(|column| column.kind_read() == ValueKind::Moment);
        let names = |columns: &[&Column]| columns.iter().map(|column| dialect::name(&column.name)).collect::<Vec<_>>();
        let rows = dialect::shuffled(&dialect::table(&own.table), &names(&moments), &names(&others), seed);
        from.replacen(&own.text, &format!("({rows}) AS {}", own.alias), 1)
    }

    fn is_needed(&self, place: usize, text: &str) -> bool {
        let name = format!("{}.", self.tables[place].alias);
        let later = place + 1..self.tables.len();
        text.contains(&name)
            || later
                .filter(|other| self.tables[*other].text.contains(&format!("ON {name}")))
                .any(|other| self.is_needed(other, text))
    }

    /// Returns a column in SQL, as it is told: a text of dates as moments, and moments as clocks show them where the table has
    /// a time zone.
    pub(super) fn sql(&self, member: &Member, column: &str) -> String {
        member.told(column, self.plain(member, column))
    }

    /// Returns a column in SQL, as it is read: a text of dates as moments.
    pub(super) fn read(&self, member: &Member, column: &str) -> String {
        member.read(column, self.plain(member, column))
    }

    /// Returns a column in SQL, as it is.
    fn plain(&self, member: &Member, column: &str) -> String {
        if self.is_alone() { dialect::name(column) } else { member.qualified(column) }
    }

    /// Returns an expression over the table with its columns told apart from those of the others. What cannot be read stays,
    /// so that the validator says what is wrong with it.
    pub(super) fn qualified(&self, text: &str) -> String {
        if self.is_alone() {
            return text.to_owned();
        }
        let Ok(piece) = piece::read(text) else { return text.to_owned() };
        piece.renamed(|name| {
            let [column] = name.parts.as_slice() else { return None };
            let member = self.tables.iter().find(|member| member.table.column(column).is_some())?;
            Some(self.plain(member, column))
        })
    }

    /// Returns all columns with their tables, those of the table itself first.
    pub(super) fn all_columns(&self) -> impl Iterator<Item = (&Member, &Column)> {
        self.tables.iter().flat_map(|member| member.table.columns.iter().map(move |column| (member, column)))
    }

    /// Returns the columns that may be shown, each once: not the number of a table that is joined in by it, and not what only
    /// numbers the names of such a table.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&Member, &Column)> {
        let is_told = |member: &Member, column: &Column| {
            may_show(column) && !member.referred.contains(&column.name) && !self.is_named(member, column)
        };
        self.all_columns().filter(move |(member, column)| is_told(member, column))
    }

    /// Returns whether a column refers to a table that has a name for each of its rows.
    fn is_named(&self, member: &Member, column: &Column) -> bool {
        let Some(key) = member.table.foreign_key_of(&column.name) else { return false };
        let is_it = |other: &&Member| (&other.table.schema, &other.table.name) == (&key.schema, &key.table);
        let is_name = |other: &Member, name: &Column| {
            matches!(name.role, Some(Role::EntityName | Role::Product | Role::Region | Role::Dimension))
                && name.value_kind() == ValueKind::Text
                && may_show(name)
                && distinct(name).is_some_and(|names| names >= 0.99 * rows_about(&other.table))
        };
        self.tables.iter().find(is_it).is_some_and(|other| other.table.columns.iter().any(|name| is_name(other, name)))
    }

    pub(super) fn field(&self, member: &Member, column: &Column) -> Field {
        let is_plain = self.own().column(&column.name).is_none() || self.is_own(member);
        let name = if is_plain { column.name.clone() } else { format!("{} of {}", column.name, member.table.name) };
        Field {
            name,
            sql: self.sql(member, &column.name),
            groups: distinct(column),
            is_flag: column.value_kind() == ValueKind::Boolean || is_status(column),
        }
    }

    /// Returns when a row happened: the table's own date, or that of the largest table that it refers to.
    pub(super) fn time(&self) -> Option<Field> {
        self.dated().map(|(member, column)| self.field(member, column))
    }

    /// Returns how late rows come, as the table itself says, or else the one with the date.
    pub(super) fn arrival(&self) -> Option<Arrival> {
        self.own().declared.arrival.or_else(|| self.dated()?.0.table.declared.arrival)
    }

    /// Returns the column that says when a row happened, with its table.
    fn dated(&self) -> Option<(&Member, &Column)> {
        let own = &self.tables[0];
        if let Some(column) = own.date() {
            return Some((own, column));
        }
        let others = self.tables[1..].iter().filter_map(|member| Some((member, member.date()?)));
        others.max_by_key(|(member, _)| member.table.rows_estimate.unwrap_or(0))
    }

    /// Returns the table's columns but those that only number its rows.
    pub(super) fn content(&self) -> Vec<Field> {
        let own = &self.tables[0];
        let is_key = |column: &Column| {
            own.table.primary_key.contains(&column.name)
                || column.role == Some(Role::Identifier) && own.table.foreign_key_of(&column.name).is_none()
        };
        let is_plain = |column: &Column| column.value_kind() != ValueKind::Other && !column.is_withheld();
        let columns = own.table.columns.iter().filter(|column| is_plain(column) && !is_key(column));
        // Two moments may look alike where clocks are set back.
        let field = |column: &Column| Field { sql: self.read(own, &column.name), ..self.field(own, column) };
        let fields = columns.map(field).collect::<Vec<_>>();
        if fields.len() < CONTENT_MIN { Vec::new() } else { fields }
    }

    /// Returns the columns of the table that tell nearly every row apart, though nothing says that they must.
    pub(super) fn nearly_unique(&self) -> Vec<Field> {
        let own = &self.tables[0];
        let rows = rows_about(&own.table);
        let is_declared = |column: &Column| own.table.unique_keys().any(|key| key == [column.name.clone()]);
        let is_one = |column: &&Column| {
            let is_name = own.table.foreign_key_of(&column.name).is_some() || column.role == Some(Role::Identifier);
            is_name && !is_declared(column) && distinct(column).is_some_and(|count| count >= NEARLY_UNIQUE_MIN * rows)
        };
        own.table.columns.iter().filter(is_one).map(|column| self.field(own, column)).collect()
    }

    /// Returns whom a row is about.
    pub(super) fn entity(&self) -> Option<Field> {
        let is_entity = |column: &Column| column.role == Some(Role::Entity) && !column.is_withheld();
        let (member, column) = self.all_columns().find(|(_, column)| is_entity(column))?;
        Some(self.field(member, column))
    }
}

impl Member {
    /// Returns the column that says when a row happened.
    fn date(&self) -> Option<&Column> {
        let is_date = |column: &&Column| {
            column.role == Some(Role::Date) && column.kind_read() == ValueKind::Moment && may_show(column)
        };
        self.table.columns.iter().find(is_date)
    }

    /// Returns a column with the table before it.
    fn qualified(&self, column: &str) -> String {
        format!("{}.{}", self.alias, dialect::name(column))
    }

    /// Returns a column, given in SQL, as it is read: a text of dates as moments.
    fn read(&self, column: &str, sql: String) -> String {
        match self.table.column(column).and_then(|column| column.text_dates) {
            Some(dates) => dialect::moment_of_text(&sql, dates),
            None => sql,
        }
    }

    /// Returns a column, given in SQL, as it is told: what is read, and moments as clocks of the table's zone show them.
    fn told(&self, column: &str, sql: String) -> String {
        let read = self.read(column, sql);
        let is_zoned = self.table.column(column).is_some_and(Column::is_zoned);
        match self.table.declared.time_zone.as_ref().filter(|_| is_zoned) {
            Some(zone) => dialect::in_zone(&read, zone),
            None => read,
        }
    }
}

/// Returns a name for a table that no other table of the clause has.
fn alias(name: &str, taken: &[Member]) -> String {
    let quoted = dialect::name(name);
    let is_free = |name: &str| taken.iter().all(|member| member.alias != name);
    if is_free(&quoted) {
        return quoted;
    }
    let numbered = (2..).map(|number| dialect::name(&format!("{name}_{number}")));
    numbered.into_iter().find(|name| is_free(name)).unwrap_or(quoted)
}
