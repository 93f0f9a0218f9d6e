//! Facts about the groups of a column: place, largest, range, how many, alike, each change.

use std::collections::{HashMap, HashSet};

use super::column::{Column, Group, Reach, decimals_of, different_currencies};
use super::condition::{Condition, Named, has};
use super::period::{Period, Unit};
use super::quantity::{Part, Quantity};
use super::sentence::{count_of, list, quoted, what};
use super::{Stop, refused, select};
use crate::finding::CellReference;
use crate::finding::claim::{Operand, Span};
use crate::finding::wording::parts::having_words;
use crate::finding::workbook::Workbook;
use crate::typeset::text::group_digits;

/// Rows below which it is said how many are behind a number.
const ROWS_MIN: u64 = 30;

/// The groups along one key, the other keys fixed.
pub(super) struct Groups<'w> {
    pub(super) column: Column<'w>,
    /// The output that shows the key.
    pub(super) key: usize,
    /// What the key is called.
    pub(super) key_name: String,
    /// The value of the key and the number, in the order of the engine's own query.
    pub(super) values: Vec<(Option<String>, Quantity)>,
    /// How many groups have no number.
    pub(super) missing: usize,
    /// The groups that the claim leaves out.
    pub(super) except: Vec<String>,
    /// What a HAVING of the statement asks of the groups, as the end of a phrase.
    pub(super) only: String,
    /// The periods that the data cover in part.
    pub(super) partial: Vec<Period>,
    /// The rows of the result whose groups these are.
    pub(super) rows: Vec<usize>,
    /// The conditions that only say which group a number is of.
    pub(super) told: Vec<Condition>,
    /// The values at which the other keys are fixed, by the outputs that show them.
    pub(super) fixed: Vec<(usize, Option<String>)>,
}

impl<'w> Groups<'w> {
    /// Returns the groups among which a cell is one.
    pub(super) fn around(operand: &Operand, book: &'w Workbook) -> Result<(Self, Option<String>), Stop> {
        let Some(reference) = select::cell_of(operand, book)? else {
            return refused("it takes one cell, as in rank(q3[Hardware].days)".to_owned());
        };
        let (column, row) = select::cell(&reference, book)?;
        let groups = column.groups()?;
        let (group, _) = column.cell_among(row, groups)?;
        let time = column.time_of(&group);
        let identifying = column.identifying(&group, time)?;
        let is_other = |output: usize| Some(output) != time && identifying.is_none_or(|key| key == output);
        let mut others = group.keys.iter().filter(|(output, _)| is_other(*output));
        let key = match (others.next(), others.next(), time) {
            (Some((output, _)), None, _) => *output,
            (None, None, Some(time)) => time,
            (None, None, None) => return refused(format!("{reference} has no other groups: group by a key")),
            _ => {
                return refused(format!(
                    "{reference} has several keys besides the period: group by one of them, with the others as conditions"
                ));
            }
        };
        let is_fixed = |output: usize| output != key && (identifying.is_none() || Some(output) == time);
        let fixed = group.keys.iter().filter(|(output, _)| is_fixed(*output)).cloned().collect::<Vec<_>>();
        let own = group.key(key).map(str::to_owned);
        Ok((Self::of(column, groups, key, &fixed, vec![row])?, own))
    }

    /// Returns the groups of a column.
    pub(super) fn along(span: &Span, book: &'w Workbook) -> Result<Self, Stop> {
        let (column, rows) = select::span(&span.of, book)?;
        let groups = column.groups()?;
        let Some(first) = groups.first() else { return refused(format!("{} has no groups", span.of)) };
        let table = &column.sheet.result.table;
        let varies = |output: &usize| {
            let mut cells = rows.iter().map(|row| table.cell(*row, *output));
            let first = cells.next();
            cells.any(|cell| Some(cell) != first)
        };
        let mut outputs = first.keys.iter().map(|(output, _)| *output).collect::<Vec<_>>();
        if let Some(key) = column.identifying(first, column.time_of(first))? {
            outputs.retain(|output| *output == key || Some(*output) == column.time_of(first));
        }
        let varying = outputs.iter().copied().filter(varies).collect::<Vec<_>>();
        let key = match (varying.as_slice(), outputs.as_slice()) {
            ([only], _) | ([], [only]) => *only,
            ([], []) => return refused(format!("{} is one number, not several groups: group by a key", span.of)),
            _ => {
                let shown = |row: &usize| table.cell(*row, outputs[0]).unwrap_or("NULL");
                return refused(format!(
                    "the rows of {} differ in several keys: fix the others, as in {}[{}].{}",
                    span.of.query,
                    span.of.query,
                    rows.first().map_or("NULL", shown),
                    span.of.column
                ));
            }
        };
        let row = rows.first().copied().unwrap_or(0);
        let fixed = outputs.iter().filter(|output| **output != key);
        let fixed = fixed.map(|output| (*output, table.cell(row, *output).map(str::to_owned))).collect::<Vec<_>>();
        let mut groups = Self::of(column, groups, key, &fixed, rows)?;
        groups.leave_out(&span.except)?;
        Ok(groups)
    }

    /// Returns the groups along the key that an output shows, with the other keys fixed. `rows` are those of the result that
    /// the claim names.
    pub(super) fn of(
        column: Column<'w>,
        groups: &[Group],
        key: usize,
        fixed: &[(usize, Option<String>)],
        rows: Vec<usize>,
    ) -> Result<Self, Stop> {
        let table = &column.sheet.result.table;
        let decimals = (0..table.rows.len()).filter_map(|row| table.cell(row, column.index)).map(decimals_of).max();
        let mut values = Vec::new();
        let mut missing = 0;
        for group in groups.iter().filter(|group| fixed.iter().all(|held| group.keys.contains(held))) {
            match group.value {
                Some(_) => {
                    values.push((group.key(key).map(str::to_owned), column.quantity(group, decimals.unwrap_or(0))?));
                }
                None => missing += 1,
            }
        }
        let mut groups = Self {
            column,
            key,
            key_name: "its key".to_owned(),
            values,
            missing,
            except: Vec::new(),
            rows,
            only: String::new(),
            partial: Vec::new(),
            told: Vec::new(),
            fixed: fixed.to_vec(),
        };
        groups.told = told(&groups.values);
        groups.check_currencies()?;
        groups.check_parts()?;
        if let Some(name) = groups.column.key_name(key) {
            groups.key_name = name;
        }
        groups.having();
        groups.whole_periods()?;
        groups.told = told(&groups.values);
        Ok(groups)
    }

    /// Refuses groups whose numbers are in different currencies.
    fn check_currencies(&self) -> Result<(), Stop> {
        let Some((_, first)) = self.values.first() else { return Ok(()) };
        if self.values.iter().any(|(_, other)| other.currencies() != first.currencies()) {
            return refused(different_currencies());
        }
        Ok(())
    }

    /// Refuses numbers of which a part is of one group, or of all of them, whatever the group is: what tells the groups apart
    /// would hide it.
    fn check_parts(&self) -> Result<(), Stop> {
        let Some((_, first)) = self.values.first() else { return Ok(()) };
        if self.values.len() > 1 {
            all_vary(&self.values.iter().map(|(_, quantity)| quantity).collect::<Vec<_>>())?;
        }
        let is_fixed = |(index, condition): (usize, &Condition)| {
            let is_of = |(_, quantity): &(Option<String>, Quantity)| {
                quantity.parts.get(index).is_some_and(|part| has(&part.conditions, condition))
            };
            has(&self.told, condition) && self.values.iter().all(is_of)
        };
        let mut conditions = first
            .parts
            .iter()
            .enumerate()
            .flat_map(|(index, part)| part.conditions.iter().map(move |one| (index, one)));
        match conditions.find(|condition| is_fixed(*condition)) {
            Some((_, condition)) if self.values.len() > 1 => refused(format!(
                "a part of it is with {} whatever the group is: select the parts as columns of their own",
                condition.words
            )),
            _ => Ok(()),
        }
    }

    /// Keeps the groups that a HAVING of the statement leaves, if the result has all of them.
    fn having(&mut self) {
        let sheet = self.column.sheet;
        let block = &self.column.branch().block;
        let table = &sheet.result.table;
        if block.having.is_empty() || sheet.lineage.is_limited || table.more_rows || block.is_cut() {
            return;
        }
        let shown = (0..table.rows.len()).map(|row| table.cell(row, self.key)).collect::<Vec<_>>();
        self.values.retain(|(value, _)| shown.contains(&value.as_deref()));
        self.only = format!(" and {}", having_words(block, &self.column.book.catalog));
    }

    /// Leaves out periods that the data cover in part, if the key is one of time.
    fn whole_periods(&mut self) -> Result<(), Stop> {
        let Some((time, unit)) = self.column.moment_of(self.key) else { return Ok(()) };
        self.key_name = format!("{} of {}", unit.name(), time.name);
        if let Some(period) = self.column.stated(&time)? {
            self.key_name = format!("{} {}", self.key_name, period.phrase());
        }
        let Some(Reach { data, begun, .. }) = self.column.reach(&time)? else { return Ok(()) };
        let partial = |quantity: &Quantity| {
            let conditions = quantity.conditions();
            let period = conditions.filter_map(Condition::as_period).find(|(known, _)| **known == time)?.1;
            let is_covered = period.and(data).is_some_and(|seen| seen.is_nearly(period));
            let has_begun = begun == Some(period.first) && period.unit() == Some(Unit::Day);
            (!(period.unit().is_some() && is_covered) || has_begun).then_some(period)
        };
        self.partial = self.values.iter().filter_map(|(_, quantity)| partial(quantity)).collect();
        // The order of the keys as texts need not be that of the periods.
        self.partial.sort_by_key(|period| period.first);
        self.values.retain(|(_, quantity)| partial(quantity).is_none());
        Ok(())
    }

    fn leave_out(&mut self, except: &[String]) -> Result<(), Stop> {
        for name in except {
            let is_it = |value: &Option<String>| value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case(name));
            if !self.values.iter().any(|(value, _)| is_it(value)) {
                let known = self.values.iter().filter_map(|(value, _)| value.as_deref());
                return refused(format!("there is no group {name}: {}", crate::typeset::spelling::advice(name, known)));
            }
            self.values.retain(|(value, _)| !is_it(value));
            self.except.push(name.clone());
        }
        self.told = told(&self.values);
        Ok(())
    }

    /// Returns how many rows are behind each number, where some have few.
    pub(super) fn thin(&self) -> String {
        let are_all = |function: &str| {
            let is_it = |quantity: &Quantity| quantity.single().is_some_and(|part| part.measure.function == function);
            self.values.iter().all(|(_, quantity)| is_it(quantity))
        };
        let rows = || self.values.iter().map(|(_, quantity)| quantity.rows());
        let (Some(least), Some(most)) = (rows().min(), rows().max()) else { return String::new() };
        if least >= ROWS_MIN || are_all("count") || are_all("sum") && least == most {
            return String::new();
        }
        match (least, most) {
            (least, most) if least == most => format!(" (over {} each)", count_of(least, "row")),
            (least, most) => format!(" (over {} to {} each)", group_digits(&least.to_string()), count_of(most, "row")),
        }
    }

    pub(super) fn what(&self) -> String {
        self.values.first().map(|(_, quantity)| what(quantity, &self.told)).unwrap_or_default()
    }

    /// Returns the groups as a sentence counts them: `7 values of category`.
    pub(super) fn count(&self) -> String {
        let missing = self.values.iter().filter(|(value, _)| value.is_none()).count();
        let count = self.values.len() - missing;
        let plural = if count == 1 { "value" } else { "values" };
        let without = if missing > 0 { " and those without one" } else { "" };
        format!(
            "{} {plural} of {} that have rows{without}{}",
            group_digits(&count.to_string()),
            self.key_name,
            self.only
        )
    }

    /// Returns which groups are not among those counted.
    pub(super) fn left_out(&self) -> String {
        let mut words = String::new();
        if !self.except.is_empty() {
            let names = self.except.iter().map(|name| quoted(Some(name))).collect::<Vec<_>>();
            words = format!(", without {}", list(&names));
        }
        if self.missing > 0 {
            let have = if self.missing == 1 { "has" } else { "have" };
            words = format!("{words}; {} more {have} no value", self.missing);
        }
        match self.partial.as_slice() {
            [] => {}
            [only] => words = format!("{words}, without {}, which the data cover in part", only.words()),
            [first, .., last] => {
                words =
                    format!("{words}, without {} and {}, which the data cover in part", first.words(), last.words());
            }
        }
        words
    }

    /// Returns a group as a sentence names it: by its period, or by its value.
    pub(super) fn name(&self, value: Option<&str>, quantity: &Quantity) -> String {
        let conditions = quantity.conditions();
        let mut own = Vec::<&Condition>::new();
        for condition in conditions.filter(|condition| has(&self.told, condition)) {
            if !own.iter().any(|known| known.id == condition.id) {
                own.push(condition);
            }
        }
        if own.len() > 1 {
            return own.iter().map(|condition| condition.words.as_str()).collect::<Vec<_>>().join(" and ");
        }
        if let Some(name) = own.first().and_then(|condition| condition.value_name) {
            return name.to_owned();
        }
        match own.first() {
            Some(condition) => match (condition.as_period(), condition.as_key()) {
                (Some((_, period)), _) => period.words(),
                (None, Some(_)) if is_plain(&condition.words) => quoted(value),
                _ => condition.words.clone(),
            },
            None => quoted(value),
        }
    }

    /// Returns a group by the key alone that tells it apart, where other keys go with it, such as a name with its id.
    pub(super) fn label(&self, value: Option<&str>, quantity: &Quantity) -> String {
        let own = quantity.conditions().filter(|condition| has(&self.told, condition));
        let own = own.filter_map(|condition| Some((condition.as_key()?, condition))).collect::<Vec<_>>();
        let is_key =
            |(key, condition): &(&Named, &Condition)| *key.name == *self.key_name && is_plain(&condition.words);
        if own.len() > 1 && own.iter().any(is_key) { quoted(value) } else { self.name(value, quantity) }
    }

    /// Returns how many other groups have the same number.
    pub(super) fn equal_to(&self, quantity: &Quantity) -> String {
        match self.values.iter().filter(|(_, other)| other.value == quantity.value).count() {
            0 | 1 => String::new(),
            2 => " and one more".to_owned(),
            count => format!(" and {} more", count - 1),
        }
    }

    /// Returns the numbers by the value of the key.
    pub(super) fn by_value(&self) -> HashMap<&Option<String>, &Quantity> {
        self.values.iter().rev().map(|(value, quantity)| (value, quantity)).collect()
    }

    pub(super) fn sorted(&self) -> Vec<&(Option<String>, Quantity)> {
        let mut sorted = self.values.iter().collect::<Vec<_>>();
        sorted.sort_by(|(key, one), (other_key, other)| other.value.cmp(&one.value).then_with(|| key.cmp(other_key)));
        sorted
    }

    /// Returns the cells of the result that show these groups.
    pub(super) fn cells(&self) -> Vec<CellReference> {
        let id = &self.column.sheet.result.id;
        self.rows.iter().map(|row| CellReference { query: id.clone(), row: *row, column: self.column.index }).collect()
    }

    pub(super) fn need(&self, least: usize) -> Result<(), Stop> {
        if self.values.len() < least {
            return refused(format!("there are {}, and {least} are needed", self.count()));
        }
        Ok(())
    }
}

/// Refuses numbers of which a part has the same conditions everywhere, while another part differs.
pub(super) fn all_vary(quantities: &[&Quantity]) -> Result<(), Stop> {
    let Some(first) = quantities.first() else { return Ok(()) };
    let ids = |quantity: &Quantity, index: usize| {
        let conditions = quantity.parts.get(index).map(|part| part.conditions.as_slice()).unwrap_or_default();
        conditions.iter().map(|condition| condition.id.clone()).collect::<HashSet<_>>()
    };
    let varies = |index: usize| {
        let own = ids(first, index);
        quantities.iter().any(|other| ids(other, index) != own)
    };
    let varying = (0..first.parts.len()).filter(|index| varies(*index)).count();
    if (1..first.parts.len()).contains(&varying) {
        return refused(
            "a part of it is the same number, of all rows whatever the group: select the parts as columns of their own"
                .to_owned(),
        );
    }
    Ok(())
}

/// Returns the conditions that only say which group a number is of: those that another group does not have.
fn told(values: &[(Option<String>, Quantity)]) -> Vec<Condition> {
    let Some(((_, first), others)) = values.split_first() else { return Vec::new() };
    let of_all = |(index, part): (usize, &Part)| {
        let mut shared = part.conditions.clone();
        let holds = |(_, other): &(_, Quantity), condition: &Condition| {
            other.parts.get(index).is_some_and(|part| has(&part.conditions, condition))
        };
        shared.retain(|condition| others.iter().all(|other| holds(other, condition)));
        shared
    };
    let of_all = first.parts.iter().enumerate().map(of_all).collect::<Vec<_>>();
    let parts = values.iter().flat_map(|(_, quantity)| quantity.parts.iter().enumerate());
    let mut known = HashSet::new();
    let mut told = Vec::new();
    for (index, part) in parts {
        let shared = of_all.get(index).map_or(&[][..], Vec::as_slice);
        let own = part.conditions.iter().filter(|condition| !has(shared, condition));
        told.extend(own.filter(|condition| known.insert(condition.id.as_str())).cloned());
    }
    told
}

/// Whether the words are no more than a name and its value.
fn is_plain(words: &str) -> bool {
    !words.starts_with('(')
}
