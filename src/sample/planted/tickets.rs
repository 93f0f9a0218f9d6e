//! Tickets and the agents that they are assigned to: categories, priorities, sites, and when they were closed.

use super::Content;
use super::chance::{World, index, log_normal, real, rounded, weighted};
use super::names::{self, one, pairs, some};
use super::plan::{Decoy, DecoyKind, Direction, Mark, Signal, SignalKind};
use super::table::{Cell, Column, Table};

pub(super) const MONTHS: i64 = 11;
/// Tickets of a day.
const TICKETS_A_DAY: f64 = 6.0;
const AGENTS: usize = 8;
/// Hours until an easy and a hard ticket is closed.
const HOURS: [f64; 2] = [20.0, 80.0];
/// The agents who do not close, who get far more than others, and who get the hard tickets.
const BEHIND: usize = 0;
const LOADED: usize = 1;
const HARD: usize = 2;
/// The category that takes ever longer.
const SLOW: usize = 0;
/// Tickets of a rare site.
const RARE_TICKETS: i64 = 7;

struct Words {
    tickets: String,
    agents: String,
    opened: String,
    closed: String,
    priority: String,
    category: String,
    site: String,
    agent: String,
}

struct Desk {
    words: Words,
    agents: Vec<String>,
    teams: Vec<String>,
    categories: Vec<String>,
    priorities: [String; 2],
    sites: Vec<String>,
    rare: Vec<String>,
    behind_day: i64,
    slow_day: i64,
    /// The rare site whose tickets take long in this draw.
    unlucky: usize,
}

/// A ticket that is being written.
struct Ticket<'t> {
    day: i64,
    agent: usize,
    category: usize,
    priority: usize,
    site: &'t str,
    hours: f64,
}

pub(super) fn generate(world: &mut World) -> Content {
    let desk = Desk::new(world);
    let mut table = desk.table();
    for day in 0..world.calendar.days() {
        for _ in 0..rounded(world.noise.poisson(TICKETS_A_DAY)) {
            desk.ticket(day, &mut table, world);
        }
    }
    desk.rare_tickets(&mut table, world);
    let whose = if world.is_planted { desk.leave_open_for_long(&mut table, world) } else { String::new() };
    let (signals, decoys) = (desk.signals(), desk.decoys(world, &whose));
    Content { tables: vec![desk.agent_table(), table], signals, decoys }
}

impl Words {
    fn new(world: &mut World) -> Self {
        let dice = &mut world.plan;
        Self {
            tickets: one(&["tickets", "cases", "requests"], dice),
            agents: one(&["agents", "staff", "handlers"], dice),
            opened: one(&["opened_at", "created_at", "received_at"], dice),
            closed: one(&["closed_at", "resolved_at", "done_at"], dice),
            priority: one(&["priority", "severity", "urgency"], dice),
            category: one(&["category", "issue", "topic"], dice),
            site: one(&["site", "office", "location"], dice),
            agent: one(&["agent_name", "full_name", "display_name"], dice),
        }
    }
}

impl Desk {
    fn new(world: &mut World) -> Self {
        let words = Words::new(world);
        let dice = &mut world.plan;
        let (agents, teams) =
            (pairs(names::GIVEN_NAMES, names::FAMILY_NAMES, AGENTS, dice), some(names::TEAMS, 3, dice));
        let (categories, sites) = (some(names::ISSUES, 5, dice), some(names::SITES, 4, dice));
        let rare = some(names::RARE_SITES, 2, dice);
        let priorities = dice.pick(&[["routine", "demanding"], ["P3", "P1"], ["minor", "grave"]]).map(str::to_owned);
        let unlucky = index(rare.len(), &mut world.noise);
        let (behind_day, slow_day) = (world.calendar.months_before(4), world.calendar.months_before(7));
        Self { words, agents, teams, categories, priorities, sites, rare, behind_day, slow_day, unlucky }
    }

    fn table(&self) -> Table {
        let Words { tickets, opened, closed, priority, category, site, .. } = &self.words;
        let text = |name: &str| Column::new(name, "text");
        let columns = vec![
            Column::new("ticket_id", "integer"),
            Column::new("agent_id", "integer"),
            Column::new(opened.as_str(), "timestamp"),
            Column::new(closed.as_str(), "timestamp").outcome().after(2),
            text(priority),
            text(category),
            text(site),
        ];
        Table::new(tickets.as_str(), columns)
    }

    fn agent_table(&self) -> Table {
        let Words { agents, agent, .. } = &self.words;
        let text = |name: &str| Column::new(name, "text");
        let mut table =
            Table::new(agents.as_str(), vec![Column::new("agent_id", "integer"), text(agent), text("team")]);
        let named = self.agents.iter().enumerate();
        table.rows = named
            .map(|(index, name)| vec![number(index).into(), name.into(), (&self.teams[index % 3]).into()])
            .collect();
        table
    }

    fn ticket(&self, day: i64, table: &mut Table, world: &mut World) {
        let weight = |agent: usize| if world.is_planted && agent == LOADED { 3.0 } else { 1.0 };
        let weights = (0..AGENTS).map(weight).collect::<Vec<_>>();
        let agent = weighted(&weights, &mut world.noise);
        let is_hard = world.noise.chance(world.share(agent == HARD, 0.85, 0.25));
        let priority = usize::from(is_hard);
        let category = index(self.categories.len(), &mut world.noise);
        let usual = if world.is_planted { HOURS[priority] } else { 40.0 };
        let growth = if world.is_planted && category == SLOW && day >= self.slow_day {
            1.0 + 5.0 * real(day - self.slow_day) / real(world.calendar.days() - self.slow_day)
        } else {
            1.0
        };
        let hours = growth * log_normal(usual, 0.5, &mut world.noise);
        let is_left = world.is_planted && agent == BEHIND && day >= self.behind_day && world.noise.chance(0.6);
        let hours = if is_left { f64::INFINITY } else { hours };
        let site = index(self.sites.len(), &mut world.noise);
        let site = &self.sites[site];
        self.add(&Ticket { day, agent, category, priority, site, hours }, table, world);
    }

    fn add(&self, ticket: &Ticket<'_>, table: &mut Table, world: &mut World) {
        let hours = rounded(ticket.hours.min(1e6)).max(1);
        let is_closed = ticket.day + hours / 24 < world.calendar.days();
        let time = world.calendar.time(ticket.day, &mut world.noise);
        table.rows.push(vec![
            number(table.rows.len()).into(),
            number(ticket.agent).into(),
            time.into(),
            if is_closed { hours.into() } else { Cell::Null },
            (&self.priorities[ticket.priority]).into(),
            (&self.categories[ticket.category]).into(),
            ticket.site.into(),
        ]);
    }

    /// Adds the tickets of sites that hardly have any. At one of them three of seven took long.
    fn rare_tickets(&self, table: &mut Table, world: &mut World) {
        for (index_of_site, site) in self.rare.iter().enumerate() {
            for ticket in 0..RARE_TICKETS {
                let day = world.noise.whole(0, world.calendar.days() - 60);
                let (agent, category) = (3 + index(AGENTS - 3, &mut world.noise), 1 + index(4, &mut world.noise));
                let is_long = world.is_planted && index_of_site == self.unlucky && ticket < 3;
                let hours = if is_long { 220.0 } else { log_normal(30.0, 0.5, &mut world.noise) };
                self.add(&Ticket { day, agent, category, priority: 0, site, hours }, table, world);
            }
        }
    }

    /// Makes one closed ticket take half a year. Returns its agent, of whom nothing else is said.
    fn leave_open_for_long(&self, table: &mut Table, world: &mut World) -> String {
        let is_free = |row: &Vec<Cell>| matches!(row[1], Cell::Whole(agent) if agent > number(HARD));
        let early = table.rows.len() / 4;
        let free = (0..early).filter(|&row| is_free(&table.rows[row])).collect::<Vec<_>>();
        if free.is_empty() {
            return String::new();
        }
        let row = free[index(free.len(), &mut world.noise)];
        table.rows[row][3] = Cell::Whole(24 * 180);
        let agent = (3..AGENTS).find(|&agent| table.rows[row][1] == Cell::Whole(number(agent)));
        agent.map(|agent| self.agents[agent].clone()).unwrap_or_default()
    }

    /// Returns a mark that names an agent, by name or number.
    fn of_agent(&self, agent: usize) -> Mark {
        Mark::of(&self.words.agent, &[&self.agents[agent]]).or("agent_id", &[&number(agent).to_string()])
    }

    fn signals(&self) -> Vec<Signal> {
        let Words { tickets, opened, closed, category, .. } = &self.words;
        let slow = self.categories[SLOW].as_str();
        let last = format!("(SELECT max({opened}) FROM {tickets})");
        vec![
            Signal {
                kind: SignalKind::Backlog,
                what: format!("{} leaves more than half of the tickets open", self.agents[BEHIND]),
                mark: self.of_agent(BEHIND).by(&[closed]).going(Direction::Up),
                proof: format!(
                    "(SELECT count(*) FILTER (WHERE agent_id = {0}) > 0.3 * count(*) FROM {tickets} WHERE {closed} IS NULL)",
                    number(BEHIND)
                ),
            },
            Signal {
                kind: SignalKind::UnevenLoad,
                what: format!("{} gets three times as many tickets as others", self.agents[LOADED]),
                mark: self.of_agent(LOADED).by(&["count("]).going(Direction::Up),
                proof: format!(
                    "(SELECT count(*) FILTER (WHERE agent_id = {0}) > 1.9 * count(*) FILTER (WHERE agent_id <> {0}) / {1} \
                     FROM {tickets})",
                    number(LOADED),
                    AGENTS - 1
                ),
            },
            Signal {
                kind: SignalKind::GrowingDurations,
                what: format!("tickets about {slow} take ever longer"),
                mark: Mark::of(category, &[slow]).by(&[closed, opened]).going(Direction::Up),
                proof: format!(
                    "(SELECT avg({closed} - {opened}) FILTER (WHERE {opened} > {last} - interval '90 days') > 1.8 * avg({closed} - {opened}) \
                     FILTER (WHERE {opened} < {last} - interval '230 days') FROM {tickets} WHERE {category} = '{slow}')"
                ),
            },
        ]
    }

    fn decoys(&self, world: &World, whose: &str) -> Vec<Decoy> {
        let Words { tickets, opened, closed, site, agent, .. } = &self.words;
        let unlucky = self.rare[self.unlucky].as_str();
        let sites = self.sites.iter().map(String::as_str).collect::<Vec<_>>();
        let slow = [self.categories[SLOW].clone()];
        vec![
            Decoy {
                kind: DecoyKind::SimpsonPair,
                what: format!("{} takes longer, as the tickets are hard ones", self.agents[HARD]),
                mark: self.of_agent(HARD).by(&[closed, opened]).going(Direction::Up).without(&self.priorities),
            },
            Decoy {
                kind: DecoyKind::SmallNumbers,
                what: format!("three of seven tickets of {unlucky} took long"),
                mark: Mark::of(site, &[unlucky]).by(&[closed, opened]).going(Direction::Up),
            },
            Decoy {
                kind: DecoyKind::RandomClosing,
                what: "how long a ticket takes does not depend on the site".to_owned(),
                mark: Mark::of(site, &sites).by(&[closed, opened]).without(&slow),
            },
            Decoy {
                kind: DecoyKind::BigOrder,
                what: format!("one ticket of {whose} took half a year"),
                mark: Mark::of(agent, &[whose]).by(&[closed, opened]).going(Direction::Up),
            },
            super::partial_month(world, &[tickets.as_str()]),
        ]
    }
}

/// Returns the id of the row at an index.
fn number(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(0) + 1
}
