//! Times as Django's databases and dumps have them.

use chrono::{DateTime, Datelike, NaiveDateTime, SubsecRound, Timelike, Utc};

use super::zone::Zone;

/// In UTC and to the microsecond. `zone` is that of times without one.
pub fn parse(text: &str, zone: &Zone) -> Option<NaiveDateTime> {
    // chrono would accept years of other lengths.
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    let text = text.replacen(' ', "T", 1);
    let time = match DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%#z") {
        Ok(time) => time.with_timezone(&Utc).naive_utc(),
        Err(_) => zone.to_utc(NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").ok()?)?,
    };
    let is_valid = (1..=9999).contains(&time.year()) && time.nanosecond() < 1_000_000_000;
    is_valid.then(|| time.trunc_subsecs(6))
}

/// Such texts sort like the times.
pub fn text(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

/// What is left of a time in a dump.
pub fn milliseconds(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_any_separator_fraction_and_offset() {
        for (text, utc) in [
            ("2021-02-02 10:00:00", "2021-02-02 10:00:00.000000"),
            ("2021-02-02 10:00:00.123456", "2021-02-02 10:00:00.123456"),
            ("2021-02-02T10:00:00.123Z", "2021-02-02 10:00:00.123000"),
            ("2021-02-02 10:00:00.5+02:00", "2021-02-02 08:00:00.500000"),
            ("2021-02-02 10:00:00.123456789+00", "2021-02-02 10:00:00.123456"),
            ("2021-02-02T00:30:00-0330", "2021-02-02 04:00:00.000000"),
            ("0001-01-01 00:00:00", "0001-01-01 00:00:00.000000"),
            ("9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999"),
        ] {
            assert_eq!(parse(text, &Zone::utc()).map(super::text).as_deref(), Some(utc), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2021-02-30 10:00:00",
            "2021-02-02",
            "infinity",
            "0044-03-15 00:00:00 BC",
            "1612260000",
            "2021-02-02 10:00:60",
            "12021-02-02 10:00:00",
            "0001-01-01 00:00:00+02:00",
            "9999-12-31 23:59:59-01:00",
        ] {
            assert_eq!(parse(text, &Zone::utc()), None, "{text}");
        }
    }
}
