//! Times as pages show them.

use std::fmt;

use askama::filters::Safe;
use chrono::{Datelike, NaiveDateTime, Timelike};

/// A UTC time, shown as a `<time>` element, which `admin.js` turns into the reader's zone. Every time is as wide as any
/// other, so that nothing moves then. Avoids chrono's format strings, which are parsed again for each of the
/// hundreds of times in a list.
pub struct Moment(NaiveDateTime);

impl Moment {
    pub fn new(at: impl std::borrow::Borrow<NaiveDateTime>) -> Moment {
        Moment(*at.borrow())
    }

    pub fn html(&self) -> Safe<&Moment> {
        Safe(self)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = (self.0.year(), self.0.month(), self.0.day());
        let (hour, minute, second) = (self.0.hour(), self.0.minute(), self.0.second());
        write!(f, "<time datetime=\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z\">")?;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}</time>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::rows::parse_time;

    #[test]
    fn a_time_is_shown_to_the_minute_and_marked_up_to_the_second() {
        let at = parse_time("2001-02-03 04:05:06.789").expect("a time");
        let shown = "<time datetime=\"2001-02-03T04:05:06Z\">2001-02-03 04:05</time>";
        assert_eq!(Moment::new(at).html().to_string(), shown);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "2001", "2001-02-03", "2001-02-30 00:00:00", "2001-02-03 24:00:00", "zwölf Uhr, am Freitag"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
