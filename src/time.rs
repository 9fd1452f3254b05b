//! Time as it arrives with packets: microseconds since the Unix epoch, never read from a clock.
//!
//! In: packet timestamps, offset tables from the configuration. Out: `Timestamp`, `Span`, `Clock`,
//! `OfficeHours`.
//! Never: asks a clock, knows a time-zone name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

/// A length of time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span(pub i64);

const MICROS: i64 = 1_000_000;

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// One second.
    pub const SECOND: Self = Self(MICROS);
    /// One minute.
    pub const MINUTE: Self = Self(60 * MICROS);
    /// One hour.
    pub const HOUR: Self = Self(3_600 * MICROS);
    /// One day of 24 hours.
    pub const DAY: Self = Self(86_400 * MICROS);

    /// A span of whole seconds.
    pub const fn seconds(n: i64) -> Self {
        Self(n.saturating_mul(MICROS))
    }

    /// A span of whole minutes.
    pub const fn minutes(n: i64) -> Self {
        Self::seconds(n.saturating_mul(60))
    }

    /// A span of whole hours.
    pub const fn hours(n: i64) -> Self {
        Self::seconds(n.saturating_mul(3_600))
    }

    /// A span of whole days.
    pub const fn days(n: i64) -> Self {
        Self::seconds(n.saturating_mul(86_400))
    }

    /// The span in seconds, with its fraction.
    #[expect(clippy::cast_precision_loss, reason = "spans stay far below 2^53 microseconds")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / MICROS as f64
    }

    /// The span in whole seconds, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(MICROS)
    }
}

impl Timestamp {
    /// From whole seconds and microseconds; saturates instead of overflowing.
    #[inline]
    pub const fn from_parts(seconds: i64, micros: i64) -> Self {
        Self(seconds.saturating_mul(MICROS).saturating_add(micros))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Span {
        let d = self.0.saturating_sub(earlier.0);
        Span(if d < 0 { 0 } else { d })
    }

    /// The earlier of two moments that may both be unknown.
    pub const fn earlier(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(a), Some(b)) => Some(if b.0 < a.0 { b } else { a }),
            (Some(at), None) | (None, Some(at)) => Some(at),
            (None, None) => None,
        }
    }

    /// This moment plus a span; saturates.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This moment minus a span; saturates.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// RFC 3339 with microseconds, UTC: `2026-11-22T18:24:44.000001Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.as_secs().div_euclid(86_400));
        let second = self.as_secs().rem_euclid(86_400);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
            second / 3_600,
            second / 60 % 60,
            second % 60,
            self.0.rem_euclid(MICROS)
        )
    }
}

/// The proleptic Gregorian date of a day number (days since 1970-01-01), by Howard Hinnant's
/// `civil_from_days` algorithm ("chrono-Compatible Low-Level Date Algorithms").
pub const fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let z = days.saturating_add(719_468);
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month as u8, day as u8)
}

/// Time that never goes backwards: packets may be late, state may not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    now: Option<Timestamp>,
    steps_back: u64,
}

impl Clock {
    /// Takes a packet's timestamp and answers with the time that the core uses for it.
    #[inline]
    pub fn advance(&mut self, ts: Timestamp) -> Timestamp {
        match self.now {
            Some(now) if ts < now => {
                self.steps_back = self.steps_back.saturating_add(1);
                now
            }
            _ => {
                self.now = Some(ts);
                ts
            }
        }
    }

    /// The latest time seen, if any.
    pub const fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// How many timestamps lay before one already seen.
    pub const fn steps_back(&self) -> u64 {
        self.steps_back
    }
}

/// A local time of day, as far as office hours need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// Days since 1970-01-01 in local time.
    pub day: i64,
    /// 0 = Monday … 6 = Sunday.
    pub weekday: u8,
    /// 0..=1439.
    pub minute: u16,
}

/// Office hours as numbers: UTC offsets by date, opening minutes by weekday, days off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeHours {
    /// (valid from, seconds east of UTC), in ascending order; before the first entry the first
    /// one's offset holds, and an empty table is UTC.
    pub offsets: Vec<(Timestamp, i32)>,
    /// For each weekday, Monday first: opening and closing minute, `open <= minute < close`.
    pub open: [Option<(u16, u16)>; 7],
    /// Local day numbers on which the office is shut, in ascending order.
    pub holidays: Vec<i64>,
}

impl Default for OfficeHours {
    /// Mon-Fri 08:00-18:00 UTC, no holidays.
    fn default() -> Self {
        let work = Some((8 * 60, 18 * 60));
        Self { offsets: Vec::new(), open: [work, work, work, work, work, None, None], holidays: Vec::new() }
    }
}

impl OfficeHours {
    /// Seconds east of UTC at a moment.
    fn offset(&self, at: Timestamp) -> i64 {
        let next = self.offsets.partition_point(|(from, _)| *from <= at);
        self.offsets.get(next.saturating_sub(1)).map_or(0, |(_, seconds)| i64::from(*seconds))
    }

    /// The moment of a local time: minutes after midnight of a local day. A time that a change of the
    /// clocks leaves out is the moment of the change or within the hour after it; of one that comes
    /// twice it is one of the two.
    pub fn moment(&self, day: i64, minute: i64) -> Timestamp {
        let local = day.saturating_mul(86_400).saturating_add(minute.saturating_mul(60));
        let near = local.saturating_sub(self.offset(Timestamp::from_parts(local, 0)));
        Timestamp::from_parts(local.saturating_sub(self.offset(Timestamp::from_parts(near, 0))), 0)
    }

    /// The next moment, or this one, at which the office is open; `None` if there is none for `within`.
    pub fn opens(&self, at: Timestamp, within: Span) -> Option<Timestamp> {
        if self.is_open(at) {
            return Some(at);
        }
        let (first, last) = (self.local(at).day, self.local(at.plus(within)).day);
        (first..=last).find_map(|day| {
            // 1970-01-01 was a Thursday.
            let weekday = usize::try_from(day.saturating_add(3).rem_euclid(7)).unwrap_or(0);
            let (open, _) = self.open.get(weekday).copied().flatten()?;
            let moment = self.moment(day, i64::from(open));
            let shut = self.holidays.binary_search(&day).is_ok();
            (!shut && moment >= at && moment <= at.plus(within)).then_some(moment)
        })
    }

    /// The local time of a moment.
    pub fn local(&self, at: Timestamp) -> LocalTime {
        let seconds = at.as_secs().saturating_add(self.offset(at));
        let day = seconds.div_euclid(86_400);
        LocalTime {
            day,
            // 1970-01-01 was a Thursday.
            weekday: u8::try_from(day.saturating_add(3).rem_euclid(7)).unwrap_or(0),
            minute: u16::try_from(seconds.rem_euclid(86_400) / 60).unwrap_or(0),
        }
    }

    /// Whether the office is open at a moment.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let local = self.local(at);
        self.holidays.binary_search(&local.day).is_err()
            && self.open[usize::from(local.weekday)]
                .is_some_and(|(open, close)| (open..close).contains(&local.minute))
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar; `None` if there is no such date. Howard
/// Hinnant's `days_from_civil`.
pub fn days_from_civil(year: i64, month: u8, day: u8) -> Option<i64> {
    let (m, d) = (i64::from(month), i64::from(day));
    if !(1..=12).contains(&m) || !(1..=31).contains(&d) || !(0..=9_999).contains(&year) {
        return None;
    }
    let y = if m <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

/// As `since`, but a day begins at midnight in the office's time.
pub fn since_local(text: &str, now: Timestamp, hours: &OfficeHours) -> Option<Timestamp> {
    let moment = since(text, now)?;
    let day = text.trim();
    let whole = day.len() == "2026-11-01".len() && !day.contains(['T', ' ']) && day.contains('-');
    Some(if whole { hours.moment(moment.as_secs().div_euclid(86_400), 0) } else { moment })
}

/// What a user means by "since": `90s`, `15m`, `24h`, `7d` before now, a day (UTC) or a time in RFC
/// 3339's form for UTC.
pub fn since(text: &str, now: Timestamp) -> Option<Timestamp> {
    let text = text.trim();
    let number = |s: &str| {
        (!s.is_empty() && s.len() <= 9 && s.bytes().all(|b| b.is_ascii_digit()))
            .then(|| s.parse::<i64>().ok())
            .flatten()
    };
    for (unit, seconds) in [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)] {
        if let Some(n) = text.strip_suffix(unit) {
            return number(n).map(|n| now.minus(Span::seconds(n * seconds)));
        }
    }
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let clock = clock.strip_suffix('Z').unwrap_or(clock);
    let mut parts = date.splitn(3, '-').map(number);
    let mut part = || parts.next().flatten();
    let (year, month, day) = (part()?, part()?, part()?);
    let days = days_from_civil(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.splitn(3, ':').map(number);
    let mut part = || parts.next().unwrap_or(Some(0));
    let (hour, minute, second) = (part()?, part()?, part()?);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let micros = number(fraction.get(..fraction.len().min(6))?)?;
    let scale = (fraction.len().min(6)..6).fold(1, |scale, _| scale * 10);
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Timestamp::from_parts(seconds, micros * scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc3339() {
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp(951_782_400_000_001).to_string(), "2000-02-29T00:00:00.000001Z");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp(4_291_747_199_000_000).to_string(), "2105-12-31T23:59:59.000000Z");
    }

    #[test]
    fn since_as_people_write_it() {
        let now = Timestamp::from_parts(1_764_158_400, 0);
        assert_eq!(since("24h", now), Some(now.minus(Span::DAY)));
        assert_eq!(since("90s", now), Some(now.minus(Span::seconds(90))));
        for at in ["2025-11-26T12:00:00.25Z", "2024-02-29T23:59:59Z", "1970-01-01T00:00:00Z"] {
            let read = since(at, now).unwrap().to_string();
            assert!(read.starts_with(at.trim_end_matches('Z')), "{at} {read}");
        }
        assert_eq!(since("2025-11-26", now).unwrap().to_string(), "2025-11-26T00:00:00.000000Z");
        for wrong in ["", "h", "-1h", "2025-02-30", "2025-11-26T25:00:00Z", "99999999999d", "x", "2025-11"] {
            assert_eq!(since(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn clock_never_goes_back() {
        let mut clock = Clock::default();
        assert_eq!(clock.advance(Timestamp(5)), Timestamp(5));
        assert_eq!(clock.advance(Timestamp(3)), Timestamp(5));
        assert_eq!(clock.advance(Timestamp(6)), Timestamp(6));
        assert_eq!(clock.steps_back(), 1);
    }

    #[test]
    fn office_hours_follow_the_offset_table() {
        let hours = OfficeHours {
            offsets: vec![(Timestamp(0), 0), (Timestamp::from_parts(1_000_000, 0), 3_600)],
            ..OfficeHours::default()
        };
        // 1970-01-12 (Monday) 07:30 UTC is 07:30 local before the change.
        let monday = Timestamp::from_parts(11 * 86_400 + 7 * 3_600 + 1_800, 0);
        assert_eq!(hours.local(monday).weekday, 0);
        assert!(!hours.is_open(Timestamp::from_parts(4 * 86_400 + 7 * 3_600 + 1_800, 0)));
        // 1970-01-13 07:30 UTC lies after the change: 08:30 local.
        assert!(hours.is_open(Timestamp::from_parts(12 * 86_400 + 7 * 3_600 + 1_800, 0)));
        let shut = OfficeHours { holidays: vec![12], ..hours };
        assert!(!shut.is_open(Timestamp::from_parts(12 * 86_400 + 7 * 3_600 + 1_800, 0)));
    }

    /// Britain in 2026: clocks go forward on 29 March, day 20 541, and back on 25 October, day 20 751.
    fn britain() -> OfficeHours {
        let at = |day: i64| Timestamp::from_parts(day * 86_400 + 3_600, 0);
        OfficeHours {
            offsets: vec![(Timestamp(0), 0), (at(20_541), 3_600), (at(20_751), 0)],
            ..OfficeHours::default()
        }
    }

    #[test]
    fn local_days_begin_at_midnight_on_both_sides_of_a_change() {
        let hours = britain();
        for day in 20_538..20_756 {
            let midnight = hours.moment(day, 0);
            let (local, before) = (hours.local(midnight), hours.local(midnight.minus(Span(1))));
            assert_eq!((local.day, local.minute, before.day), (day, 0, day - 1));
            assert_eq!(hours.local(hours.moment(day, 9 * 60)).minute, 9 * 60, "{day}");
        }
        let summer = since_local("2026-07-01", Timestamp(0), &hours).unwrap();
        assert_eq!(summer.to_string(), "2026-06-30T23:00:00.000000Z");
        let exact = "2026-07-01T00:00:00Z";
        assert_eq!(since_local(exact, Timestamp(0), &hours), since(exact, Timestamp(0)));
        assert_eq!(since_local("7d", summer, &hours), Some(summer.minus(Span::days(7))));
    }

    #[test]
    fn the_office_opens_to_the_second() {
        // Friday 23 October, Monday 26 October: the clocks go back between them.
        let (friday, monday) = (20_749, 20_752);
        let mut hours = britain();
        let evening = hours.moment(friday, 18 * 60);
        let within = Span::days(5);
        assert_eq!(hours.opens(evening, within), Some(hours.moment(monday, 8 * 60)));
        assert_eq!(hours.moment(monday, 8 * 60).since(evening), Span::hours(63));
        let noon = hours.moment(friday, 12 * 60).plus(Span(7));
        assert_eq!(hours.opens(noon, within), Some(noon), "it is open");
        assert_eq!(hours.opens(evening, Span::days(2)), None);
        hours.holidays = vec![monday];
        assert_eq!(hours.opens(evening, within), Some(hours.moment(monday + 1, 8 * 60)));
    }
}
