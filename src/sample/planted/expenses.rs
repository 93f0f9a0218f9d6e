//! Expense claims in one table: departments, categories, people, amounts, states, and when they were processed.

use super::Content;
use super::chance::{World, hundredths, index, log_normal, real, rounded, weighted};
use super::names::{self, one, pairs, some};
use super::plan::{Decoy, DecoyKind, Direction, Mark, Signal, SignalKind};
use super::table::{Cell, Column, Table};

pub(super) const MONTHS: i64 = 14;
/// Claims of a day.
const CLAIMS_A_DAY: f64 = 5.0;
const PEOPLE: usize = 40;
/// The usual amount of a category.
const AMOUNTS: [f64; 5] = [180.0, 120.0, 240.0, 60.0, 150.0];
/// The departments with high amounts, and with many rejections.
const COSTLY: usize = 0;
const REJECTED: usize = 1;
/// The category that takes ever longer.
const SLOW: usize = 0;
/// The person whose claims stand twice.
const TWICE: usize = 5;
/// Claims of a rare department.
const RARE_CLAIMS: i64 = 8;

struct Words {
    table: String,
    submitted: String,
    processed: String,
    department: String,
    category: String,
    person: String,
    amount: String,
    state: String,
    rejected: String,
    paid: String,
}

struct Office {
    words: Words,
    departments: Vec<String>,
    rare: Vec<String>,
    categories: Vec<String>,
    people: Vec<String>,
    department_weights: Vec<f64>,
    slow_day: i64,
    twice_day: i64,
    /// The rare department of which four of eight claims are rejected in this draw.
    unlucky: usize,
}

/// A claim that is being written.
struct Claim<'c> {
    day: i64,
    department: &'c str,
    person: usize,
    category: usize,
    amount: f64,
    is_rejected: bool,
}

pub(super) fn generate(world: &mut World) -> Content {
    let office = Office::new(world);
    let mut table = office.table();
    for day in 0..world.calendar.days() {
        for _ in 0..rounded(world.noise.poisson(CLAIMS_A_DAY)) {
            office.claim(day, &mut table, world);
        }
    }
    office.rare_claims(&mut table, world);
    let mut whose = String::new();
    if world.is_planted {
        let from = table.rows.len() * 3 / 5;
        let row = from + index(table.rows.len() * 3 / 10, &mut world.noise);
        table.rows[row][6] = Cell::Hundredths(4_200_000);
        if let Cell::Text(person) = &table.rows[row][5] {
            whose.clone_from(person);
        }
    }
    let (signals, decoys) = (office.signals(), office.decoys(world, &whose));
    Content { tables: vec![table], signals, decoys }
}

impl Words {
    fn new(world: &mut World) -> Self {
        let dice = &mut world.plan;
        Self {
            table: one(&["expense_claims", "reimbursements", "expenses"], dice),
            submitted: one(&["submitted_at", "filed_at", "opened_at"], dice),
            processed: one(&["processed_at", "settled_at", "decided_at"], dice),
            department: one(&["department", "unit_name", "division"], dice),
            category: one(&["category", "expense_type", "purpose"], dice),
            person: one(&["employee", "claimant", "submitted_by"], dice),
            amount: one(&["amount", "claimed", "cost"], dice),
            state: one(&["state", "status", "outcome"], dice),
            rejected: one(&["rejected", "declined", "refused"], dice),
            paid: one(&["paid", "approved", "settled"], dice),
        }
    }
}

impl Office {
    fn new(world: &mut World) -> Self {
        let words = Words::new(world);
        let dice = &mut world.plan;
        let (departments, rare) = (some(names::DEPARTMENTS, 5, dice), some(names::RARE_DEPARTMENTS, 2, dice));
        let categories = some(names::EXPENSES, AMOUNTS.len(), dice);
        let people = pairs(names::GIVEN_NAMES, names::FAMILY_NAMES, PEOPLE, dice);
        let department_weights = world.weights(departments.len());
        let unlucky = index(rare.len(), &mut world.noise);
        let (slow_day, twice_day) = (world.calendar.months_before(8), world.calendar.months_before(5));
        Self { words, departments, rare, categories, people, department_weights, slow_day, twice_day, unlucky }
    }

    fn table(&self) -> Table {
        let Words { table, submitted, processed, department, category, person, amount, state, .. } = &self.words;
        let text = |name: &str| Column::new(name, "text");
        let columns = vec![
            text("number"),
            Column::new(submitted.as_str(), "timestamp"),
            Column::new(processed.as_str(), "timestamp").outcome().after(1),
            text(department),
            text(category),
            text(person),
            Column::new(amount.as_str(), "numeric(10,2)").outcome(),
            text(state).outcome(),
        ];
        Table::new(table.as_str(), columns)
    }

    fn claim(&self, day: i64, table: &mut Table, world: &mut World) {
        let department = weighted(&self.department_weights, &mut world.noise);
        // Everybody belongs to one department.
        let person = department + self.departments.len() * index(PEOPLE / self.departments.len(), &mut world.noise);
        let category = index(AMOUNTS.len(), &mut world.noise);
        let usual = if world.is_planted { AMOUNTS[category] } else { 150.0 };
        let usual = usual * world.share(department == COSTLY, 1.9, 1.0);
        let amount = log_normal(usual, 0.4, &mut world.noise);
        let is_rejected = world.noise.chance(world.share(department == REJECTED, 0.3, 0.08));
        let department = &self.departments[department];
        let claim = Claim { day, department, person, category, amount, is_rejected };
        self.add(&claim, table, world);
        if world.is_planted && person == TWICE && day >= self.twice_day && world.noise.chance(0.8) {
            Self::add_again(table);
        }
    }

    fn add(&self, claim: &Claim<'_>, table: &mut Table, world: &mut World) {
        let growth = if world.is_planted && claim.category == SLOW && claim.day >= self.slow_day {
            1.0 + 3.0 * real(claim.day - self.slow_day) / real(world.calendar.days() - self.slow_day)
        } else {
            1.0
        };
        let hours = rounded(growth * log_normal(60.0, 0.5, &mut world.noise)).max(1);
        let is_processed = claim.day + hours / 24 < world.calendar.days();
        let state = if claim.is_rejected { &self.words.rejected } else { &self.words.paid };
        let time = world.calendar.time(claim.day, &mut world.noise);
        table.rows.push(vec![
            next_number(table),
            time.into(),
            if is_processed { hours.into() } else { Cell::Null },
            claim.department.into(),
            (&self.categories[claim.category]).into(),
            (&self.people[claim.person]).into(),
            Cell::Hundredths(hundredths(claim.amount)),
            if is_processed { state.into() } else { "open".into() },
        ]);
    }

    /// Adds the last claim once more, under another number.
    fn add_again(table: &mut Table) {
        let Some(mut row) = table.rows.last().cloned() else { return };
        row[0] = next_number(table);
        table.rows.push(row);
    }

    fn rare_claims(&self, table: &mut Table, world: &mut World) {
        for (index_of_department, department) in self.rare.iter().enumerate() {
            for claim in 0..RARE_CLAIMS {
                let day = world.noise.whole(0, world.calendar.days() - 40);
                let (person, category) = (PEOPLE - 1 - index_of_department, 1 + index(4, &mut world.noise));
                let amount = log_normal(AMOUNTS[category], 0.4, &mut world.noise);
                let is_rejected = world.is_planted && index_of_department == self.unlucky && claim < 4;
                self.add(&Claim { day, department, person, category, amount, is_rejected }, table, world);
            }
        }
    }

    fn signals(&self) -> Vec<Signal> {
        let Words { table, submitted, processed, department, category, person, amount, state, rejected, .. } =
            &self.words;
        let (costly, often) = (self.departments[COSTLY].as_str(), self.departments[REJECTED].as_str());
        let (slow, twice) = (self.categories[SLOW].as_str(), self.people[TWICE].as_str());
        let is_rejected = format!("({state} = '{rejected}')::int");
        let last = format!("(SELECT max({submitted}) FROM {table})");
        vec![
            Signal {
                kind: SignalKind::HighAmounts,
                what: format!("claims of {costly} are nearly twice as high as those of others"),
                mark: Mark::of(department, &[costly]).by(&[amount]).going(Direction::Up),
                proof: format!(
                    "(SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY {amount}) FILTER (WHERE {department} = '{costly}') \
                     > 1.5 * percentile_cont(0.5) WITHIN GROUP (ORDER BY {amount}) FILTER (WHERE {department} <> \
                     '{costly}') FROM {table})"
                ),
            },
            Signal {
                kind: SignalKind::Rejections,
                what: format!("a far larger part of the claims of {often} is rejected"),
                mark: Mark::of(department, &[often]).by(&[&format!("'{rejected}'")]).going(Direction::Up),
                proof: format!(
                    "(SELECT avg({is_rejected}) FILTER (WHERE {department} = '{often}') > 2 * avg({is_rejected}) FILTER \
                     (WHERE {department} <> '{often}') FROM {table})"
                ),
            },
            Signal {
                kind: SignalKind::GrowingDurations,
                what: format!("claims for {slow} take ever longer"),
                mark: Mark::of(category, &[slow]).by(&[processed, submitted]).going(Direction::Up),
                proof: format!(
                    "(SELECT avg({processed} - {submitted}) FILTER (WHERE {submitted} > {last} - interval '90 days') > 1.8 * avg({processed} - {submitted}) \
                     FILTER (WHERE {submitted} < {last} - interval '230 days') FROM {table} WHERE {category} = '{slow}')"
                ),
            },
            Signal {
                kind: SignalKind::Duplicates,
                what: format!("claims of {twice} stand twice, under two numbers"),
                mark: Mark::of(person, &[twice])
                    .by(&["distinct"])
                    .by(&["having"])
                    .by(&["row_number"])
                    .by(&[amount, submitted, "group by"]),
                proof: format!(
                    "(SELECT count(*) - count(DISTINCT ({submitted}, {amount})) >= 5 FROM {table} WHERE {person} = '{twice}')"
                ),
            },
        ]
    }

    fn decoys(&self, world: &World, whose: &str) -> Vec<Decoy> {
        let Words { submitted, processed, department, person, amount, rejected, .. } = &self.words;
        let unlucky = self.rare[self.unlucky].as_str();
        let departments = self.departments.iter().map(String::as_str).collect::<Vec<_>>();
        let slow = [self.categories[SLOW].clone()];
        vec![
            Decoy {
                kind: DecoyKind::SmallNumbers,
                what: format!("four of eight claims of {unlucky} were rejected"),
                mark: Mark::of(department, &[unlucky]).by(&[&format!("'{rejected}'")]).going(Direction::Up),
            },
            Decoy {
                kind: DecoyKind::BigOrder,
                what: format!("{whose} made one claim that is hundreds of times as high as usual"),
                mark: Mark::of(person, &[whose]).by(&[amount]).going(Direction::Up),
            },
            Decoy {
                kind: DecoyKind::RandomClosing,
                what: "how long a claim takes does not depend on the department".to_owned(),
                mark: Mark::of(department, &departments).by(&[processed, submitted]).without(&slow),
            },
            super::partial_month(world, &[amount]),
        ]
    }
}

fn next_number(table: &Table) -> Cell {
    Cell::Text(format!("EX{:05}", table.rows.len() + 1))
}
