//! What the runs of a folder spend, by day: those of other processes too, while they are running.
//!
//! Each journal records the cost of its run after every reply, so that the sum over the journals is what is spent. No lock is
//! needed: what is missing are the requests that are in flight, and by these a limit may be exceeded. A cost counts on
//! the day of its reply, in the run's time zone. A journal is read again only if it has changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::journal::{self, Event, FILE_NAME};

/// The folder within the runs' folder that has runs too: those of `explore eval`.
const FURTHER: &str = "eval";

/// What all runs of a folder may cost, in US dollars; `None` is any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    pub day_usd: Option<Decimal>,
    pub month_usd: Option<Decimal>,
}

/// What other runs have spent by now, in US dollars.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spending {
    pub today: Date,
    pub day_usd: Decimal,
    pub month_usd: Decimal,
    /// The journals of this month with replies whose cost is not known. What they cost is in no sum.
    pub unknown: usize,
}

/// The journals of a folder, and what was read of them.
#[derive(Debug)]
pub struct Ledger {
    pub(super) caps: Caps,
    runs_dir: PathBuf,
    /// The run whose own spending is not counted, because it knows it itself.
    own_id: String,
    time_zone: TimeZone,
    clock: fn() -> Timestamp,
    read: Mutex<HashMap<PathBuf, Read>>,
}

/// What was read of a journal when it had this length.
#[derive(Debug, Clone, Default)]
struct Read {
    state: Option<(u64, SystemTime)>,
    costs: Costs,
}

/// The costs of one run by the days of its replies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Costs {
    known: BTreeMap<Date, Decimal>,
    /// The days with replies whose cost is not known.
    unknown: BTreeSet<Date>,
}

impl Caps {
    /// Returns whether there is a limit.
    pub fn is_any(&self) -> bool {
        self.day_usd.is_some() || self.month_usd.is_some()
    }
}

impl Ledger {
    /// Counts over the runs of `runs_dir` but `own_id`, for these limits. `clock` says what day it is, in `time_zone`.
    pub fn new(caps: Caps, runs_dir: &Path, own_id: &str, time_zone: TimeZone, clock: fn() -> Timestamp) -> Self {
        let (runs_dir, own_id) = (runs_dir.to_owned(), own_id.to_owned());
        Self { caps, runs_dir, own_id, time_zone, clock, read: Mutex::default() }
    }

    /// Returns the zone in which days and months begin, such as `Europe/Paris`.
    pub fn zone(&self) -> String {
        let named = self.time_zone.iana_name().map(str::to_owned);
        named.unwrap_or_else(|| "the system's time zone".to_owned())
    }

    /// Returns what the other runs have spent by now.
    pub fn spending(&self) -> Spending {
        let today = (self.clock)().to_zoned_datetime(self.time_zone.clone()).date();
        let mut spending = Spending { today, ..Spending::default() };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        for path in self.journals(today) {
            let known = read.entry(path.clone()).or_default();
            self.refresh(&path, known);
            let is_of_month = |date: &Date| (date.year(), date.month()) == (today.year(), today.month());
            let of_month = known.costs.known.iter().filter(|(date, _)| is_of_month(date));
            spending.month_usd += of_month.map(|(_, cost)| *cost).sum::<Decimal>();
            spending.day_usd += known.costs.known.get(&today).copied().unwrap_or_default();
            spending.unknown += usize::from(known.costs.unknown.iter().any(is_of_month));
        }
        spending
    }

    /// Returns the journals that were written to this month. A folder that cannot be read has none.
    fn journals(&self, today: Date) -> Vec<PathBuf> {
        let month = today.first_of_month().to_zoned_datetime(self.time_zone.clone());
        let began = month.map_or(SystemTime::UNIX_EPOCH, |month| {
            SystemTime::UNIX_EPOCH + Duration::from_secs(month.timestamp().as_second().unsigned_abs())
        });
        let folders = [self.runs_dir.clone(), self.runs_dir.join(FURTHER)];
        let runs = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        let others = runs.filter(|run| run.file_name().to_str() != Some(&self.own_id));
        let journals = others.map(|run| run.path().join(FILE_NAME));
        let is_recent = |path: &PathBuf| {
            fs::metadata(path).is_ok_and(|file| file.modified().map_or(true, |modified| modified >= began))
        };
        journals.filter(is_recent).collect()
    }

    /// Reads a journal again if it has changed.
    fn refresh(&self, path: &Path, known: &mut Read) {
        let state = fs::metadata(path).and_then(|file| Ok((file.len(), file.modified()?))).ok();
        if state.is_some() && state == known.state {
            return;
        }
        *known = Read { state, costs: self.costs(path) };
    }

    fn costs(&self, path: &Path) -> Costs {
        let mut costs = Costs::default();
        let mut before = Decimal::ZERO;
        let scanned = journal::scan(
            path,
            |event| event == "replied",
            |line| {
                let Event::Replied { totals, .. } = line.event else { return };
                let date = line.at.to_zoned_datetime(self.time_zone.clone()).date();
                match totals.cost_usd {
                    Some(cost) => {
                        *costs.known.entry(date).or_default() += cost - before;
                        before = cost;
                    }
                    None => {
                        costs.unknown.insert(date);
                    }
                }
            },
        );
        // What cannot be read is not nothing.
        if !scanned.is_ok_and(|damage| damage.is_empty()) {
            costs.unknown.insert((self.clock)().to_zoned_datetime(self.time_zone.clone()).date());
        }
        costs
    }
}
