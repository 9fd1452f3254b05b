//! The parts of the day as far as rules care.
//!
//! In: office hours, a moment. Out: `DayPart`.
//! Never: guesses a time zone.

use crate::labels;
use crate::time::{OfficeHours, Span, Timestamp};

labels! {
    /// How awake the office is.
    pub enum DayPart {
        Open = "office_hours", "The office is open.";
        Near = "near_office_hours", "Shortly before opening or after closing: somebody may be working.";
        Shut = "out_of_hours", "Night, weekend or holiday.";
    }
}

/// The part of the day in which a moment lies; `shoulder` is how far `Near` reaches.
pub fn part(hours: &OfficeHours, shoulder: Span, at: Timestamp) -> DayPart {
    if hours.is_open(at) {
        DayPart::Open
    } else if hours.is_open(at.plus(shoulder)) || hours.is_open(at.minus(shoulder)) {
        DayPart::Near
    } else {
        DayPart::Shut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shoulders_lie_on_both_sides_of_a_working_day() {
        let hours = OfficeHours::default();
        // 1970-01-05 was a Monday.
        let monday = |minute: i64| Timestamp(Span::days(4).0 + Span::minutes(minute).0);
        let at = |minute| part(&hours, Span::hours(2), monday(minute));
        assert_eq!(at(5 * 60 + 59), DayPart::Shut);
        assert_eq!(at(6 * 60), DayPart::Near);
        assert_eq!(at(8 * 60), DayPart::Open);
        assert_eq!(at(18 * 60), DayPart::Near);
        assert_eq!(at(19 * 60 + 59), DayPart::Near);
        assert_eq!(at(20 * 60), DayPart::Shut);
        assert_eq!(part(&hours, Span::hours(2), monday(-24 * 60 + 600)), DayPart::Shut);
    }
}
