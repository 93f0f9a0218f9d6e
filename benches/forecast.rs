//! Compares forecasts of daily series with the seasonal naive method: `cargo bench --bench forecast -- DIRECTORY`. The
//! directory contains `train.csv` and `test.csv`, with one series per line and its name first. Prints the error, the
//! coverage and the time of each series.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark prints its results and panics on errors"
)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use explore::analysis::forecast::{History, Noise, Options, fit};
use rayon::prelude::*;

const SEASON: usize = 7;
const MANY: usize = 10_000;

fn main() {
    let directory = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let directory = directory.map_or_else(|| PathBuf::from("../shared/series"), PathBuf::from);
    let (train, test) = (read(&directory.join("train.csv")), read(&directory.join("test.csv")));
    println!("{:<24} {:>8} {:>8} {:>8} {:>6}", "series", "naive", "explore", "inside", "ms");
    let mut totals = [0.0; 3];
    for ((name, values), (_, actual)) in train.iter().zip(&test) {
        let started = Instant::now();
        let history = History { values, holidays: &[] };
        let fitted = fit(history, &Options::daily()).unwrap();
        let forecast = fitted.expect(history, actual.len(), &Options::daily());
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        let scale = scale(values);
        let naive = actual.iter().enumerate().map(|(step, value)| {
            let last = values[values.len() - SEASON + step % SEASON];
            Some((value.as_ref()? - last?).abs() / scale)
        });
        let ours = actual
            .iter()
            .zip(&forecast.steps)
            .map(|(value, parts)| Some((value.as_ref()? - parts.sum()).abs() / scale));
        let inside = actual.iter().zip(&forecast.steps).enumerate().map(|(step, (value, parts))| {
            let (lower, upper) = fitted.interval(parts.sum(), step + 1, 0.95, Noise::default());
            Some(f64::from(u8::from((lower..=upper).contains(value.as_ref()?))))
        });
        let row = [mean(naive), mean(ours), mean(inside)];
        println!("{name:<24} {:>8.3} {:>8.3} {:>8.3} {milliseconds:>6.2}", row[0], row[1], row[2]);
        totals.iter_mut().zip(row).for_each(|(total, value)| *total += value / train.len() as f64);
    }
    let [naive, ours, inside] = totals;
    println!("{:<24} {naive:>8.3} {ours:>8.3} {inside:>8.3}   ratio {:.3}", "mean", ours / naive);
    many(&train);
}

/// Forecasts ten thousand series on all cores, as a run of the monitors does.
fn many(train: &[(String, Vec<Option<f64>>)]) {
    let started = Instant::now();
    let forecasts = (0..MANY).into_par_iter().map(|number| {
        let values = &train[number % train.len()].1;
        let history = History { values, holidays: &[] };
        fit(history, &Options::daily()).unwrap().expect(history, 28, &Options::daily()).steps.len()
    });
    let steps = forecasts.sum::<usize>();
    println!("{MANY} series of up to 730 days, {steps} steps: {:.1} s", started.elapsed().as_secs_f64());
}

fn mean(values: impl Iterator<Item = Option<f64>>) -> f64 {
    let known = values.flatten().collect::<Vec<_>>();
    known.iter().sum::<f64>() / known.len() as f64
}

fn scale(values: &[Option<f64>]) -> f64 {
    mean(values.windows(SEASON + 1).map(|window| Some((window[SEASON]? - window[0]?).abs())))
}

fn read(path: &Path) -> Vec<(String, Vec<Option<f64>>)> {
    let text = std::fs::read_to_string(path).unwrap();
    let series = |line: &str| {
        let (name, values) = line.split_once(',').unwrap();
        (name.to_owned(), values.split(',').map(|value| value.parse().ok()).collect())
    };
    text.lines().map(series).collect()
}
