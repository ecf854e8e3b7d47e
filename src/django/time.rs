//! Times as Django's databases and dumps have them.

use chrono::{
    DateTime, Datelike, MappedLocalTime, NaiveDateTime, Offset, SubsecRound, TimeDelta, TimeZone, Timelike, Utc,
};
use chrono_tz::Tz;

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

/// The time zone of times that say none.
#[derive(Clone, Copy, Debug)]
pub struct Zone(Tz);

impl Zone {
    pub fn named(name: &str) -> Result<Zone, String> {
        name.parse().map(Zone).map_err(|_| "there is no time zone of this name, such as `Europe/Berlin`".to_owned())
    }

    /// Of two times that a repeated hour can mean, the first. A time in an hour that the zone skips is read with the
    /// offset before it. This is what Python does, too.
    pub fn to_utc(self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        // A zone can skip a whole day.
        let earlier = (0..=48).map(|half_hours| local.checked_sub_signed(TimeDelta::minutes(30 * half_hours)));
        let offset = earlier.flatten().find_map(|earlier| match self.0.offset_from_local_datetime(&earlier) {
            MappedLocalTime::Single(offset) => Some(offset),
            MappedLocalTime::Ambiguous(first, second) => Some(if earlier == local { first } else { second }),
            MappedLocalTime::None => None,
        })?;
        local.checked_sub_signed(TimeDelta::seconds(offset.fix().local_minus_utc().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_any_separator_fraction_and_offset() {
        let zone = Zone::named("UTC").expect("a zone");
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
            assert_eq!(parse(text, &zone).map(super::text).as_deref(), Some(utc), "{text}");
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
            assert_eq!(parse(text, &zone), None, "{text}");
        }
    }

    #[test]
    fn local_times_become_utc_as_in_python() {
        for (zone, local, utc) in [
            ("Europe/Berlin", "1970-01-01T00:00:00", "1969-12-31T23:00:00"),
            ("Europe/Berlin", "2021-07-01T12:00:00", "2021-07-01T10:00:00"),
            ("Europe/Berlin", "2021-12-01T12:00:00", "2021-12-01T11:00:00"),
            // An hour that is skipped, and one that is repeated.
            ("Europe/Berlin", "2021-03-28T02:30:00", "2021-03-28T01:30:00"),
            ("Europe/Berlin", "2021-10-31T02:30:00", "2021-10-31T00:30:00"),
            ("Europe/Berlin", "2021-10-31T03:00:00", "2021-10-31T02:00:00"),
            ("Europe/Berlin", "2090-07-01T12:00:00", "2090-07-01T10:00:00"),
            ("Australia/Sydney", "2050-01-01T00:00:00", "2049-12-31T13:00:00"),
            ("Asia/Kathmandu", "2050-07-01T00:00:00", "2050-06-30T18:15:00"),
            // This day was skipped.
            ("Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00"),
        ] {
            let time = |text: &str| text.parse::<NaiveDateTime>().expect("a time");
            let zone = Zone::named(zone).expect("a zone");
            assert_eq!(zone.to_utc(time(local)), Some(time(utc)), "{zone:?} {local}");
        }
    }

    #[test]
    fn other_names_are_no_zones() {
        for name in ["Nowhere/At_All", "../../../etc/passwd", "", "tzdata.zi", "/etc/localtime"] {
            assert!(Zone::named(name).is_err(), "{name}");
        }
    }
}
