//! Times as pages show them.

use std::fmt::{self, Write};

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};

/// A UTC time, shown as `<time datetime="{{ iso() }}" title="{{ full() }}">{{ text() }}</time>`. Avoids chrono's format
/// strings, which are parsed again for each of the hundreds of times in a list.
pub struct Moment(NaiveDateTime);

impl Moment {
    /// Truncates to the second.
    pub fn new(at: impl std::borrow::Borrow<NaiveDateTime>) -> Moment {
        let at = *at.borrow();
        Moment(at.with_nanosecond(0).unwrap_or(at))
    }

    pub fn iso(&self) -> String {
        Self::write(format_args!("{}T{}Z", self.0.date(), self.0.time()))
    }

    pub fn full(&self) -> String {
        Self::write(format_args!("{} {} UTC", self.0.date(), self.0.time()))
    }

    pub fn exact(&self) -> String {
        let (date, time) = (self.0.date(), self.0.time());
        Self::write(format_args!("{} {} {} {time}", date.day(), month(date), date.year()))
    }

    /// As short as possible: to the minute, without the current year.
    pub fn text(&self) -> String {
        let (date, hour, minute) = (self.0.date(), self.0.hour(), self.0.minute());
        let (day, month) = (date.day(), month(date));
        let today = Utc::now().date_naive();
        match date {
            date if date == today => Self::write(format_args!("today {hour:02}:{minute:02}")),
            date if date.year() == today.year() => Self::write(format_args!("{day} {month} {hour:02}:{minute:02}")),
            date => Self::write(format_args!("{day} {month} {} {hour:02}:{minute:02}", date.year())),
        }
    }

    fn write(text: fmt::Arguments) -> String {
        let mut written = String::with_capacity(24);
        // Writing to memory cannot fail.
        let _ = written.write_fmt(text);
        written
    }
}

fn month(date: NaiveDate) -> &'static str {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS.get(date.month0() as usize).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::rows::parse_time;

    #[test]
    fn a_time_is_shown_as_precisely_as_it_is_asked_for() {
        let at = parse_time("2001-02-03 04:05:06.789").expect("a time");
        let moment = Moment::new(at);
        assert_eq!(moment.iso(), "2001-02-03T04:05:06Z");
        assert_eq!(moment.full(), "2001-02-03 04:05:06 UTC");
        assert_eq!(moment.exact(), "3 Feb 2001 04:05:06");
        assert_eq!(moment.text(), "3 Feb 2001 04:05");
        let now = Utc::now().naive_utc();
        assert_eq!(Moment::new(now).text(), now.format("today %H:%M").to_string());
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "2001", "2001-02-03", "2001-02-30 00:00:00", "2001-02-03 24:00:00", "zwölf Uhr, am Freitag"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
