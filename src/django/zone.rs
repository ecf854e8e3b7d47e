//! Time zones, from the system's database (RFC 9636).

use std::path::Path;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};

const DATABASE: &str = "/usr/share/zoneinfo";

#[derive(Clone, Debug)]
pub struct Zone {
    /// Unix times from which another offset holds, in order, each with the offset in seconds.
    changes: Vec<(i64, i64)>,
    /// The offset before all changes.
    first: i64,
    rest: Option<Rule>,
}

/// What holds after the last change: standard time and, for part of each year, another offset.
#[derive(Clone, Debug)]
struct Rule {
    standard: i64,
    summer: Option<(i64, Turn, Turn)>,
}

/// `weekday` (0 is Sunday) of the `week` of `month` (5 is the last), at `seconds` of local time.
#[derive(Clone, Debug)]
struct Turn {
    month: u32,
    week: u32,
    weekday: u32,
    seconds: i64,
}

impl Zone {
    pub fn utc() -> Zone {
        Zone { changes: Vec::new(), first: 0, rest: None }
    }

    pub fn named(name: &str) -> Result<Zone, String> {
        if name == "UTC" {
            return Ok(Zone::utc());
        }
        let is_part = |part: &str| !part.is_empty() && !part.starts_with('.');
        let file = Path::new(DATABASE).join(name);
        let content = if name.split('/').all(is_part) { std::fs::read(&file).ok() } else { None };
        let zone = content.as_deref().and_then(parse);
        zone.ok_or_else(|| format!("there is no time zone of this name in {DATABASE}, where tzdata installs them"))
    }

    /// Of two times that a repeated hour can mean, the first. A time in an hour that the zone skips is read with the
    /// offset before it. This is what Python does, too.
    pub fn to_utc(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        local.checked_sub_signed(TimeDelta::seconds(self.offset(local)))
    }

    fn offset(&self, local: NaiveDateTime) -> i64 {
        let local_seconds = local.and_utc().timestamp();
        let mut before = self.first;
        for (at, offset) in &self.changes {
            if local_seconds < at + before.max(*offset) {
                return before;
            }
            before = *offset;
        }
        self.rest.as_ref().map_or(before, |rest| rest.offset(local))
    }
}

impl Rule {
    fn offset(&self, local: NaiveDateTime) -> i64 {
        let Some((offset, begin, end)) = &self.summer else { return self.standard };
        let (Some(begin), Some(end)) = (begin.of(local.year()), end.of(local.year())) else { return self.standard };
        // Hours are skipped where clocks go forward: usually at the beginning, in Ireland at the end.
        let step = offset - self.standard;
        let (begin, end) = (begin + TimeDelta::seconds(step.max(0)), end + TimeDelta::seconds((-step).max(0)));
        let is_summer = match begin < end {
            true => local >= begin && local < end,
            false => local >= begin || local < end,
        };
        if is_summer { *offset } else { self.standard }
    }
}

impl Turn {
    /// `M3.5.0/2`
    fn parse(text: &str) -> Option<Turn> {
        let (day, time) = text.split_once('/').unwrap_or((text, "2"));
        let numbers: Vec<u32> = day.strip_prefix('M')?.split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        let [month, week, weekday] = *numbers else { return None };
        Some(Turn { month, week, weekday, seconds: seconds(time)? })
    }

    fn of(&self, year: i32) -> Option<NaiveDateTime> {
        let first = NaiveDate::from_ymd_opt(year, self.month, 1)?;
        let shift = (7 + self.weekday - first.weekday().num_days_from_sunday()) % 7;
        let mut day = first + TimeDelta::days((shift + 7 * (self.week - 1)).into());
        if day.month() != self.month {
            day -= TimeDelta::days(7);
        }
        day.and_hms_opt(0, 0, 0).map(|midnight| midnight + TimeDelta::seconds(self.seconds))
    }
}

/// `-1`, `2:30`, `+02:00:00`
fn seconds(text: &str) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text.trim_start_matches('+')), |text| (-1, text));
    let mut total = 0;
    for (part, unit) in text.split(':').zip([3600, 60, 1]) {
        total += part.parse::<i64>().ok()? * unit;
    }
    Some(sign * total)
}

/// `CET-1CEST,M3.5.0,M10.5.0/3`: west of Greenwich is positive here.
fn rule(text: &str) -> Option<Rule> {
    let mut parts = text.split(',');
    let (zones, begin, end) = (parts.next()?, parts.next(), parts.next());
    let (standard, rest) = zone_offset(zones)?;
    let standard = -standard?;
    let summer = match (begin, end) {
        (Some(begin), Some(end)) => {
            let (offset, _) = zone_offset(rest)?;
            Some((offset.map_or(standard + 3600, |west| -west), Turn::parse(begin)?, Turn::parse(end)?))
        }
        _ => None,
    };
    Some(Rule { standard, summer })
}

/// The offset after a name such as `CET` or `<+03>`, and what follows it.
fn zone_offset(text: &str) -> Option<(Option<i64>, &str)> {
    let name_end = match text.strip_prefix('<') {
        Some(_) => text.find('>')? + 1,
        None => text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()),
    };
    let rest = text.get(name_end..)?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && !"+-:".contains(c)).unwrap_or(rest.len());
    let (offset, rest) = rest.split_at(end);
    Some((if offset.is_empty() { None } else { Some(seconds(offset)?) }, rest))
}

/// Reads the 64-bit part of a TZif file.
fn parse(file: &[u8]) -> Option<Zone> {
    let counts = |header: &[u8]| -> Option<[usize; 6]> {
        let numbers =
            header.get(20..44)?.chunks_exact(4).map(|n| Some(u32::from_be_bytes(n.try_into().ok()?) as usize));
        numbers.collect::<Option<Vec<_>>>()?.try_into().ok()
    };
    if !file.starts_with(b"TZif") || file.get(4)? < &b'2' {
        return None;
    }
    let [isut, isstd, leap, time, kind, text] = counts(file)?;
    let second = file.get(44 + time * 5 + kind * 6 + text + leap * 8 + isstd + isut..)?;
    let [isut, isstd, leap, time, kind, text] = counts(second)?;
    let data = second.get(44..)?;
    let (times, data) = data.split_at_checked(time * 8)?;
    let (kinds_of_times, data) = data.split_at_checked(time)?;
    let (kinds, data) = data.split_at_checked(kind * 6)?;
    let footer = data.get(text + leap * 12 + isstd + isut..)?;
    let offset = |kind: usize| Some(i64::from(i32::from_be_bytes(kinds.get(kind * 6..kind * 6 + 4)?.try_into().ok()?)));
    let changes = times
        .chunks_exact(8)
        .zip(kinds_of_times)
        .map(|(at, kind)| Some((i64::from_be_bytes(at.try_into().ok()?), offset(usize::from(*kind))?)));
    let footer = std::str::from_utf8(footer).ok()?.trim_matches('\n');
    Some(Zone { changes: changes.collect::<Option<_>>()?, first: offset(0)?, rest: rule(footer) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The local time, and the same in UTC as Python has it.
    const BERLIN: [(&str, &str); 7] = [
        ("1970-01-01T00:00:00", "1969-12-31T23:00:00"),
        ("2021-07-01T12:00:00", "2021-07-01T10:00:00"),
        ("2021-12-01T12:00:00", "2021-12-01T11:00:00"),
        // An hour that is skipped, and one that is repeated.
        ("2021-03-28T02:30:00", "2021-03-28T01:30:00"),
        ("2021-10-31T02:30:00", "2021-10-31T00:30:00"),
        ("2021-10-31T03:00:00", "2021-10-31T02:00:00"),
        ("2090-07-01T12:00:00", "2090-07-01T10:00:00"),
    ];

    fn time(text: &str) -> NaiveDateTime {
        text.parse().expect("a time")
    }

    #[test]
    fn local_times_become_utc_as_in_python() {
        let rule = Zone { changes: Vec::new(), first: 0, rest: rule("CET-1CEST,M3.5.0,M10.5.0/3") };
        let zones = [Some(rule), Zone::named("Europe/Berlin").ok()];
        for zone in zones.iter().flatten() {
            for (local, utc) in BERLIN {
                assert_eq!(zone.to_utc(time(local)), Some(time(utc)), "{local}");
            }
        }
    }

    #[test]
    fn summer_may_begin_at_the_end_of_a_year_and_offsets_may_have_minutes() {
        for (text, local, utc) in [
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2050-01-01T00:00:00", "2049-12-31T13:00:00"),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2050-07-01T00:00:00", "2050-06-30T14:00:00"),
            ("<+0545>-5:45", "2050-07-01T00:00:00", "2050-06-30T18:15:00"),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-07-01T00:00:00", "2050-07-01T01:00:00"),
            ("EST5EDT,M3.2.0,M11.1.0", "2050-07-01T00:00:00", "2050-07-01T04:00:00"),
        ] {
            let zone = Zone { changes: Vec::new(), first: 0, rest: rule(text) };
            assert_eq!(zone.to_utc(time(local)), Some(time(utc)), "{text} {local}");
        }
    }

    #[test]
    fn other_files_are_no_zones() {
        for name in ["Nowhere/At_All", "../../../etc/passwd", "", "tzdata.zi", "/etc/localtime"] {
            assert!(Zone::named(name).is_err(), "{name}");
        }
        assert!(parse(b"TZif2").is_none());
    }
}
