//! Measures how many causes of real incidents are found: `cargo bench --bench rootcause -- DIRECTORY`. The directory
//! contains `labels.json` and a file of rows for each case. Prints how many causes were found first, and among the
//! first three candidates.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints its results and panics on errors"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use explore::analysis::contribution::{RatioLeaf, Segment, explain, ratio_leaves};
use serde_json::Value;

/// The number of minutes from the onset that count as the incident.
const ONSET_MINUTES: usize = 2;

type Cause = BTreeSet<BTreeMap<String, String>>;

fn main() {
    let directory = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let directory = directory.map_or_else(|| PathBuf::from("../shared/rootcause"), PathBuf::from);
    let labels: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(directory.join("labels.json")).unwrap()).unwrap();
    let (mut first, mut among, started) = (0, 0, Instant::now());
    for label in &labels {
        let name = label["case"].as_str().unwrap();
        let case =
            Case::read(&directory.join("cases").join(name).with_extension("csv"), label["timestamp"].as_i64().unwrap());
        let explanation = explain(&ratio_leaves(&case.leaves), 3);
        let truth = cause(&label["cause"]);
        let found = explanation.segments.iter().map(|segment| case.named(segment)).collect::<Cause>();
        let candidates = explanation.candidates.iter().map(|segment| case.named(segment)).collect::<Vec<_>>();
        first += usize::from(found == truth);
        among += usize::from(truth.iter().all(|part| candidates.contains(part)));
        if found != truth {
            println!("{name}: {truth:?}\n    found {found:?}\n    candidates {candidates:?}");
        }
    }
    let count = labels.len();
    println!(
        "{first} of {count} found first ({:.1}%), {among} among three ({:.1}%), {:.1} ms a case",
        share(first, count),
        share(among, count),
        started.elapsed().as_secs_f64() * 1e3 / count as f64
    );
}

fn share(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

fn cause(value: &Value) -> Cause {
    let parts = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let named =
        |part: &Value| part.as_object().unwrap().iter().map(|(key, value)| (key.clone(), text(value))).collect();
    parts.iter().map(named).collect()
}

struct Case {
    dimensions: Vec<String>,
    names: Vec<String>,
    leaves: Vec<RatioLeaf>,
}

impl Case {
    fn read(path: &Path, onset: i64) -> Self {
        let mut reader = csv::Reader::from_path(path).unwrap();
        let header = reader.headers().unwrap().iter().map(str::to_owned).collect::<Vec<_>>();
        let column = |name: &str| header.iter().position(|known| known == name).unwrap();
        let (minute, value, count) = (column("min"), column("value"), column("cnt"));
        let dimensions = (0..header.len()).filter(|at| ![minute, value, count].contains(at)).collect::<Vec<_>>();
        let rows = reader.records().map(Result::unwrap).collect::<Vec<_>>();
        let minute = |row: &csv::StringRecord| row[minute].parse::<i64>().unwrap();
        let after = rows.iter().map(&minute).filter(|minute| *minute >= onset).collect::<BTreeSet<_>>();
        let last = after.into_iter().nth(ONSET_MINUTES - 1).unwrap_or(i64::MAX);
        let mut names = Vec::new();
        let mut leaves: BTreeMap<Vec<u32>, RatioLeaf> = BTreeMap::new();
        for row in rows.iter().filter(|row| minute(row) <= last) {
            let values = dimensions.iter().map(|at| number(&mut names, &row[*at])).collect::<Vec<_>>();
            let leaf =
                leaves.entry(values.clone()).or_insert(RatioLeaf { values, before: (0.0, 0.0), now: (0.0, 0.0) });
            let sum = if minute(row) < onset { &mut leaf.before } else { &mut leaf.now };
            sum.0 += row[value].parse::<f64>().unwrap();
            sum.1 += row[count].parse::<f64>().unwrap();
        }
        let dimensions = dimensions.into_iter().map(|at| header[at].clone()).collect();
        Self { dimensions, names, leaves: leaves.into_values().collect() }
    }

    fn named(&self, segment: &Segment) -> BTreeMap<String, String> {
        let name = |(dimension, value): &(usize, u32)| {
            (self.dimensions[*dimension].clone(), self.names[*value as usize].clone())
        };
        segment.values.iter().map(name).collect()
    }
}

/// Returns the number of a name, which is its index in `names`. Adds a name that is new.
fn number(names: &mut Vec<String>, name: &str) -> u32 {
    let at = names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    });
    u32::try_from(at).unwrap()
}
