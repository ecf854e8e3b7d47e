//! A number of the home page, and a small line of numbers per day, drawn as SVG.

use std::fmt::Write;

use chrono::NaiveDate;

use super::text::thousands;

pub const WIDTH: i64 = 290;
pub const HEIGHT: i64 = 48;

/// Leads to the rows that it counts.
pub struct Figure {
    pub label: &'static str,
    pub number: i64,
    pub url: String,
}

impl Figure {
    pub fn text(&self) -> String {
        thousands(self.number)
    }
}

pub struct Line {
    pub label: &'static str,
    /// At least one, the latest last.
    pub days: Vec<(NaiveDate, i64)>,
}

impl Line {
    pub fn total(&self) -> String {
        thousands(self.days.iter().map(|(_, number)| number).sum())
    }

    fn highest(&self) -> Option<(NaiveDate, i64)> {
        // Of equal days, the latest.
        self.days.iter().copied().max_by_key(|(_, number)| *number).filter(|(_, number)| *number > 0)
    }

    /// What the picture shows, in words.
    pub fn words(&self) -> String {
        let today = self.days.last().map_or(0, |(_, number)| *number);
        match self.highest() {
            Some((day, number)) => {
                format!("{} today; the most were {} on {day}.", thousands(today), thousands(number))
            }
            None => "None.".to_owned(),
        }
    }

    /// The `points` of a polyline. The base line is at the bottom.
    pub fn points(&self) -> String {
        let most = self.highest().map_or(1, |(_, number)| number);
        let steps = (self.days.len() as i64 - 1).max(1);
        let mut points = String::new();
        for (at, (_, number)) in (0..).zip(&self.days) {
            let (x, y) = (1 + at * (WIDTH - 2) / steps, HEIGHT - 2 - number * (HEIGHT - 4) / most);
            // Writing to memory cannot fail.
            let _ = write!(points, "{x},{y} ");
        }
        points.truncate(points.trim_end().len());
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(numbers: &[i64]) -> Line {
        let days = NaiveDate::from_ymd_opt(2026, 11, 1).expect("a day").iter_days().zip(numbers.iter().copied());
        Line { label: "New users", days: days.collect() }
    }

    #[test]
    fn a_line_goes_from_the_first_day_to_the_last_and_up_to_the_most() {
        assert_eq!(line(&[0, 1200, 600]).points(), "1,46 145,2 289,24");
        assert_eq!(line(&[0, 0]).points(), "1,46 289,46");
    }

    #[test]
    fn the_words_say_what_the_line_shows() {
        assert_eq!(line(&[5, 1200, 3]).words(), "3 today; the most were 1,200 on 2026-11-02.");
        assert_eq!(line(&[0, 0]).words(), "None.");
        assert_eq!(line(&[5, 1200, 3]).total(), "1,208");
    }
}
