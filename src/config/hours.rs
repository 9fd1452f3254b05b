//! Office hours from words: opening times, holidays, a time zone's name.

use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::time::{OfficeHours, Timestamp};

/// Transitions are written out for these years; packets from other times get the nearest offset.
const FROM_YEAR: i16 = 1970;
const TO_YEAR: i16 = 2106;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

type Week = [Option<(u16, u16)>; 7];

/// A time zone by its IANA name, from the data that the program carries: the same on every machine.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The zone's offsets: (valid from, seconds east of UTC).
pub(super) fn offsets(zone: &TimeZone) -> Vec<(Timestamp, i32)> {
    let Ok(first) = jiff::civil::date(FROM_YEAR, 1, 1).to_zoned(TimeZone::UTC) else { return Vec::new() };
    let start = first.timestamp();
    let mut offsets = vec![(Timestamp(start.as_microsecond()), zone.to_offset(start).seconds())];
    let changes = zone.following(start).map(|t| (t.timestamp(), t.offset().seconds()));
    for (at, seconds) in changes {
        if at.to_zoned(TimeZone::UTC).year() > TO_YEAR {
            break;
        }
        // A zone may change its name or its daylight flag without moving the clock.
        if offsets.last().is_some_and(|(_, before)| *before != seconds) {
            offsets.push((Timestamp(at.as_microsecond()), seconds));
        }
    }
    offsets
}

/// A date, `2026-12-25`.
pub(super) fn date(text: &str) -> Option<Date> {
    text.parse().ok()
}

/// Days since 1970-01-01.
pub(super) fn day_number(date: Date) -> i64 {
    let epoch = jiff::civil::date(1970, 1, 1);
    date.since((jiff::Unit::Day, epoch)).map_or(0, |span| i64::from(span.get_days()))
}

/// The moment at which a date is over in a zone.
pub(super) fn end_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    let next = date.tomorrow().ok()?.to_zoned(zone.clone()).ok()?;
    Some(Timestamp(next.timestamp().as_microsecond()))
}

/// `Mon-Fri 08:00-18:00, Sat 09:00-13:00`; `always` is Mon-Sun 00:00-24:00.
pub(super) fn week(text: &str) -> Result<Week, String> {
    if text.trim().eq_ignore_ascii_case("always") {
        return Ok([Some((0, 24 * 60)); 7]);
    }
    let mut week = Week::default();
    let mut waiting: Vec<usize> = Vec::new();
    for item in text.split(',').map(str::trim) {
        let mut words = item.split_whitespace();
        let days = words.next().ok_or("a day is missing")?;
        waiting.extend(day_range(days)?);
        let Some(times) = words.next() else { continue };
        if words.next().is_some() {
            return Err(format!("\"{item}\" has more than days and times"));
        }
        let window = window(times)?;
        for day in waiting.drain(..) {
            let slot = week.get_mut(day).ok_or("a day is missing")?;
            if slot.replace(window).is_some() {
                return Err(format!("{} is there twice", DAYS.get(day).copied().unwrap_or_default()));
            }
        }
    }
    if waiting.is_empty() { Ok(week) } else { Err("the last day has no times".to_owned()) }
}

/// `Mon`, `Mon-Fri`, `Sat-Mon`.
fn day_range(text: &str) -> Result<Vec<usize>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (day(first)?, day(last)?);
    let count = (last + 7 - first) % 7 + 1;
    Ok((0..count).map(|n| (first + n) % 7).collect())
}

fn day(text: &str) -> Result<usize, String> {
    DAYS.iter()
        .position(|day| text.eq_ignore_ascii_case(day))
        .ok_or_else(|| format!("\"{text}\" is no day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun"))
}

fn window(text: &str) -> Result<(u16, u16), String> {
    let unclear = || format!("\"{text}\" isn't two times; write 08:00-18:00");
    let (open, close) = text.split_once('-').ok_or_else(unclear)?;
    let (open, close) = (minute(open).ok_or_else(unclear)?, minute(close).ok_or_else(unclear)?);
    if open < close { Ok((open, close)) } else { Err(format!("\"{text}\" ends before it begins")) }
}

/// `08:00` … `24:00` as minutes.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits =
        |s: &str| (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse().ok())?;
    let (hour, minute): (u16, u16) = (two_digits(hour)?, two_digits(minute)?);
    (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
}

/// All of it together.
pub(super) fn office_hours(zone: &TimeZone, open: Week, holidays: &[Date]) -> OfficeHours {
    let mut holidays: Vec<i64> = holidays.iter().map(|date| day_number(*date)).collect();
    holidays.sort_unstable();
    holidays.dedup();
    OfficeHours { offsets: offsets(zone), open, holidays }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    #[test]
    fn reads_weeks() {
        let work = Some((480, 1_080));
        assert_eq!(week("Mon-Fri 08:00-18:00").unwrap(), OfficeHours::default().open);
        assert_eq!(
            week("mon-fri 08:00-18:00, Sat 09:00-13:00").unwrap(),
            [work, work, work, work, work, Some((540, 780)), None]
        );
        assert_eq!(week("Mon, Wed 08:00-18:00").unwrap()[..3], [work, None, work]);
        assert_eq!(week("Sat-Mon 08:00-18:00").unwrap(), [work, None, None, None, None, work, work]);
        assert_eq!(week("always").unwrap(), week("Mon-Sun 00:00-24:00").unwrap());
    }

    #[test]
    fn says_what_is_wrong_with_a_week() {
        for (bad, why) in [
            ("", "a day is missing"),
            ("Mon-Fri", "the last day has no times"),
            ("Mo 08:00-18:00", "is no day"),
            ("Mon 8-18", "isn't two times"),
            ("Mon 08:00-24:01", "isn't two times"),
            ("Mon 18:00-08:00", "ends before it begins"),
            ("Mon-Wed 08:00-12:00, Tue 13:00-17:00", "tue is there twice"),
            ("Mon 08:00-18:00 closed", "more than days and times"),
        ] {
            let error = week(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn the_offset_table_says_what_the_zone_says() {
        for name in
            ["Europe/London", "America/New_York", "Asia/Kolkata", "Africa/Casablanca", "Australia/Sydney"]
        {
            let zone = zone(name).unwrap();
            let hours = office_hours(&zone, Week::default(), &[]);
            assert!(hours.offsets.is_sorted());
            for moment in [
                "1970-06-01T00:00:00Z",
                "1996-03-31T00:59:59Z",
                "1996-03-31T01:00:00Z",
                "2026-10-25T00:59:59Z",
                "2026-10-25T01:00:00Z",
                "2106-07-01T12:00:00Z",
            ] {
                let expected = moment.parse::<jiff::Timestamp>().unwrap().to_zoned(zone.clone());
                let local = hours.local(at(moment));
                assert_eq!(
                    i32::from(local.minute),
                    i32::from(expected.hour()) * 60 + i32::from(expected.minute())
                );
                assert_eq!(local.day, day_number(expected.date()), "{name} {moment}");
                assert_eq!(local.weekday, expected.weekday().to_monday_zero_offset().unsigned_abs());
            }
        }
    }

    #[test]
    fn holidays_and_ends_of_days_are_local() {
        let zone = zone("Pacific/Auckland").unwrap();
        let christmas = date("2026-12-25").unwrap();
        let hours = office_hours(&zone, week("always").unwrap(), &[christmas, christmas]);
        assert!(hours.is_open(at("2026-12-24T10:59:59Z")));
        assert!(!hours.is_open(at("2026-12-24T11:00:00Z")));
        assert_eq!(end_of(christmas, &zone), Some(at("2026-12-25T11:00:00Z")));
        assert_eq!(date("2026-02-29"), None);
    }
}
