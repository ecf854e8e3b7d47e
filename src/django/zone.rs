//! The time zone of times that say none.

use chrono::{MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

#[derive(Clone, Copy, Debug)]
pub struct Zone(Tz);

impl Zone {
    pub fn utc() -> Zone {
        Zone(Tz::UTC)
    }

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
