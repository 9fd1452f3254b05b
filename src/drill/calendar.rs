//! The office's wall clock: British time, summer time included.
//!
//! In: a local day and second. Out: a `Timestamp`.
//! Never: asks a clock or a time-zone database.

use crate::time::Timestamp;

/// First and last moment (UTC seconds) of British summer time, 2026 and 2027: last Sundays of
/// March and October, 01:00 UTC (Summer Time Order 2002).
const SUMMER: [(i64, i64); 2] = [(1_774_746_000, 1_792_890_000), (1_806_195_600, 1_824_944_400)];

/// Seconds in a day without a clock change.
pub(super) const DAY_S: i64 = 86_400;

/// A local calendar day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(pub(super) i64);

impl Day {
    /// 0 = Monday … 6 = Sunday.
    pub(super) const fn weekday(self) -> i64 {
        // 1970-01-01 was a Thursday.
        (self.0 + 3).rem_euclid(7)
    }

    pub(super) const fn is_weekend(self) -> bool {
        self.weekday() >= 5
    }

    pub(super) const fn plus(self, days: i64) -> Self {
        Self(self.0 + days)
    }

    /// The moment at which this day's clock shows `second` (0..86,400, more runs into later days).
    pub(super) fn at(self, second: i64) -> Timestamp {
        let local = self.0 * DAY_S + second;
        let is_summer = SUMMER.iter().any(|(from, to)| (*from..*to).contains(&(local - 3_600)));
        Timestamp::from_parts(if is_summer { local - 3_600 } else { local }, 0)
    }

    /// The moment at hour and minute.
    pub(super) fn clock(self, hour: i64, minute: i64) -> Timestamp {
        self.at(hour * 3_600 + minute * 60)
    }

    /// The moment in the middle of the night at which the next day begins.
    pub(super) fn end(self) -> Timestamp {
        self.plus(1).at(0)
    }

    /// The next day, this one included, that falls on `weekday`.
    pub(super) const fn next(self, weekday: i64) -> Self {
        self.plus((weekday - self.weekday()).rem_euclid(7))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_summer_time() {
        let winter = Day(20_465); // 2026-01-12, a Monday
        assert_eq!(winter.weekday(), 0);
        assert_eq!(winter.clock(9, 30).to_string(), "2026-01-12T09:30:00.000000Z");
        let summer = Day(20_577); // 2026-05-04, a Monday
        assert_eq!(summer.weekday(), 0);
        assert_eq!(summer.clock(9, 30).to_string(), "2026-05-04T08:30:00.000000Z");
        let change = Day(20_541); // 2026-03-29, a Sunday
        assert_eq!(change.weekday(), 6);
        assert_eq!(change.clock(0, 30).to_string(), "2026-03-29T00:30:00.000000Z");
        assert_eq!(change.clock(3, 0).to_string(), "2026-03-29T02:00:00.000000Z");
        assert_eq!(change.end().to_string(), "2026-03-29T23:00:00.000000Z");
        assert_eq!(winter.next(5), winter.plus(5));
        assert_eq!(winter.next(0), winter);
    }
}
