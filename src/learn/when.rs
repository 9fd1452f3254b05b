//! When a call was, and how long it lasted, in the ways in which PBXs write it.
//!
//! In: text, the office's offsets. Out: `Timestamp`, `Span`.
//! Never: guesses a date: whether the month comes first is settled once for the whole file.

use crate::time::{OfficeHours, Span, Timestamp};

/// Whether dates with slashes begin with the month.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    month_first: bool,
    settled: bool,
}

impl Order {
    pub(super) const fn new(month_first: bool) -> Self {
        Self { month_first, settled: false }
    }

    /// A number above 12 can only be a day.
    pub(super) fn look(&mut self, text: &str) {
        let Some(([first, second, _], _)) = date(text).filter(|_| !self.settled) else { return };
        if first > 31 || (first <= 12) == (second <= 12) {
            return;
        }
        (self.month_first, self.settled) = (second > 12, true);
    }
}

/// Three numbers between dashes, slashes or dots, and what follows.
fn date(text: &str) -> Option<([i64; 3], &str)> {
    let end = text.find([' ', 'T', ',']).unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    let mut parts = head.split(['-', '/', '.']).map(|part| part.parse::<u16>().ok().map(i64::from));
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some((three, rest.trim_start_matches([' ', 'T', ','])))
}

/// RFC 3339; a local date and time; seconds, milliseconds or microseconds since 1970.
pub(super) fn moment(text: &str, order: Order, hours: &OfficeHours) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(exact) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp(exact.as_microsecond()));
    }
    let Some((three, rest)) = date(text) else { return epoch(text) };
    let [year, month, day] = match three {
        [year, month, day] if year > 31 => [year, month, day],
        [month, day, year] if order.month_first => [year, month, day],
        [day, month, year] => [year, month, day],
    };
    let year = if year < 100 { year + 2_000 } else { year };
    let narrow = |n: i64| i8::try_from(n).ok();
    let civil = jiff::civil::Date::new(i16::try_from(year).ok()?, narrow(month)?, narrow(day)?).ok()?;
    let midnight = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    let local = Timestamp(midnight.as_microsecond()).plus(time_of_day(rest)?);
    Some(utc(local, hours))
}

fn epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let n: i64 = whole.parse().ok().filter(|n| *n >= 100_000_000)?;
    let scale = if n < 100_000_000_000 {
        1_000_000
    } else if n < 100_000_000_000_000 {
        1_000
    } else {
        1
    };
    let micros = n.checked_mul(scale)?;
    fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some(Timestamp(micros))
}

/// `09:13`, `09:13:22`, `9:13:22.5 PM`.
fn time_of_day(text: &str) -> Option<Span> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Span::ZERO);
    }
    let lower = text.to_ascii_lowercase();
    let (clock, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(clock), _) => (clock.trim_end(), Some(0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12)),
        _ => (lower.as_str(), None),
    };
    let mut parts = clock.split(':');
    let hour: i64 = parts.next()?.parse().ok()?;
    let minute: i64 = parts.next()?.parse().ok()?;
    let second: i64 = parts.next().map_or(Some(0), |s| s.split('.').next()?.parse().ok())?;
    let hour = half.map_or(hour, |half| hour % 12 + half);
    let fits = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    fits.then(|| Span::seconds(hour * 3_600 + minute * 60 + second))
}

/// The moment at which the office's clocks showed a local time; in the hour that comes twice, the
/// first one.
fn utc(local: Timestamp, hours: &OfficeHours) -> Timestamp {
    let offset = |at: Timestamp| {
        let next = hours.offsets.partition_point(|(from, _)| *from <= at);
        let seconds = hours.offsets.get(next.saturating_sub(1)).map_or(0, |(_, seconds)| *seconds);
        Span::seconds(i64::from(seconds))
    };
    // A day earlier the clocks surely showed the offset before any change.
    let first = local.minus(offset(local.minus(Span::DAY)));
    if offset(first) == offset(local.minus(Span::DAY)) { first } else { local.minus(offset(first)) }
}

/// `123`, `123.4`, `02:03`, `1:02:03`; nothing at all is no time at all.
pub(super) fn duration(text: &str) -> Option<Span> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Span::ZERO);
    }
    let whole = text.split('.').next().unwrap_or_default();
    let mut seconds: i64 = 0;
    for part in whole.split(':') {
        let part: i64 = part.parse().ok().filter(|part| *part >= 0)?;
        seconds = seconds.checked_mul(60)?.checked_add(part)?;
    }
    (seconds <= 10 * 86_400).then_some(Span::seconds(seconds))
}
