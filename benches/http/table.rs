//! The table of results.

use serde_json::json;

use crate::load::Measured;
use crate::{CLIENTS, Outcome};

/// One line of the table: a figure and its floor, round by round.
pub struct Comparison {
    pub what: &'static str,
    pub floor: &'static str,
    pub rounds: Vec<(Measured, Measured)>,
}

impl Comparison {
    pub fn new(what: &'static str, floor: &'static str) -> Comparison {
        Comparison { what, floor, rounds: Vec::new() }
    }

    pub fn median(&self, of: impl Fn(&(Measured, Measured)) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    pub fn ratio(&self) -> f64 {
        self.median(|(measured, floor)| measured.per_second / floor.per_second)
    }
}

/// A figure and its bound.
pub struct Figure {
    pub what: &'static str,
    pub value: f64,
    pub unit: &'static str,
    pub at_most: f64,
}

/// Prints the table; `--json FILE` also writes it to a file.
pub fn report(results: &[Comparison], figures: &[Figure], arguments: &[String]) -> Outcome<()> {
    print(results, figures);
    if let Some(at) = arguments.iter().position(|argument| argument == "--json") {
        let file = arguments.get(at + 1).ok_or("--json needs a file")?;
        std::fs::write(file, format!("{:#}\n", as_json(results, figures)))?;
    }
    Ok(())
}

fn print(results: &[Comparison], figures: &[Figure]) {
    println!(
        "\n{:<44} {:>10} {:>8} {:>8}   {:<42} {:>10} {:>6}",
        "", "per second", "p50 ms", "p99 ms", "floor", "per second", "ratio"
    );
    for line in results {
        println!(
            "{:<44} {:>10.0} {:>8.2} {:>8.2}   {:<42} {:>10.0} {:>6.2}",
            line.what,
            line.median(|(measured, _)| measured.per_second),
            line.median(|(measured, _)| measured.p50_ms),
            line.median(|(measured, _)| measured.p99_ms),
            line.floor,
            line.median(|(_, floor)| floor.per_second),
            line.ratio(),
        );
    }
    let rounds = results.first().map_or(0, |line| line.rounds.len());
    println!("\nMedians of {rounds} rounds, {CLIENTS} connections; the load comes from the same machine.\n");
    for Figure { what, value, unit, at_most } in figures {
        println!("{what:<44} {value:>10.1} {unit}   at most {at_most} {unit}");
    }
}

fn as_json(results: &[Comparison], figures: &[Figure]) -> serde_json::Value {
    let lines = results.iter().map(|line| {
        json!({
            "what": line.what,
            "per_second": line.median(|(measured, _)| measured.per_second),
            "p50_ms": line.median(|(measured, _)| measured.p50_ms),
            "p99_ms": line.median(|(measured, _)| measured.p99_ms),
            "floor": line.floor,
            "floor_per_second": line.median(|(_, floor)| floor.per_second),
            "ratio": line.ratio(),
        })
    });
    let figures = figures.iter().map(|Figure { what, value, unit, at_most }| {
        json!({ "what": what, "value": value, "unit": unit, "at_most": at_most })
    });
    lines.chain(figures).collect()
}
