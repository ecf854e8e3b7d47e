//! Times as pages show them.

use std::fmt;

use askama::filters::Safe;
use chrono::{Datelike, NaiveDateTime, Timelike};

/// A UTC time, shown as a `<time>` element, which `admin.js` turns into the reader's zone. Every time is as wide as any
/// other, so that nothing moves then. Format strings would take ten times as long, and a list has hundreds of times.
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
        let mut html = *b"<time datetime=\"0000-00-00T00:00:00Z\">0000-00-00 00:00</time>";
        let mut write = |at: usize, digits: usize, number: u32| {
            let mut rest = number;
            for digit in html[at..at + digits].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        };
        let Moment(at) = self;
        write(16, 4, at.year().unsigned_abs());
        write(21, 2, at.month());
        write(24, 2, at.day());
        write(27, 2, at.hour());
        write(30, 2, at.minute());
        write(33, 2, at.second());
        html.copy_within(16..26, 38);
        html.copy_within(27..32, 49);
        f.write_str(std::str::from_utf8(&html).map_err(|_| fmt::Error)?)
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
