//! Hours in which the mirror lost packets: what wasn't seen in them proves nothing.
//!
//! In: the account as it stands. Out: the share that an hour lost, where it is worth telling.
//! Never: takes the calls that were up at the start for lost ones.

use super::{Coverage, Sign};
use crate::streams;
use crate::time::{Span, Timestamp};

/// So much is looked at together.
const EVERY: Span = Span::HOUR;
/// One in a hundred.
const WORTH_TELLING: u64 = 10;
/// Fewer strays than this may have other causes than loss.
const ENOUGH: u64 = 10;

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    received: u64,
    gone: u64,
    responses: u64,
    without_call: u64,
    messages: u64,
    holes: u64,
}

/// What was counted up to the last look.
#[derive(Debug, Default)]
pub struct Losses {
    due: Option<Timestamp>,
    /// Whether the first hour is over: strays in it belong to calls that were up at the start.
    settled: bool,
    before: Counts,
}

impl Losses {
    /// The thousandths that were lost since the last look, if an hour has passed and it was ten or more.
    pub fn look(&mut self, coverage: &Coverage, now: Timestamp) -> Option<u16> {
        if self.due.is_some_and(|due| now < due) {
            return None;
        }
        let begun = self.due.replace(now.plus(EVERY)).is_some();
        let counts = Counts::of(coverage);
        let before = std::mem::replace(&mut self.before, counts);
        let settled = std::mem::replace(&mut self.settled, begun);
        let lost = counts.lost_since(&before, settled);
        (lost >= WORTH_TELLING).then(|| u16::try_from(lost).unwrap_or(u16::MAX).min(1_000))
    }
}

impl Counts {
    fn of(coverage: &Coverage) -> Self {
        let loss = coverage.loss();
        Self {
            received: loss.kernel.received,
            gone: loss.kernel.dropped.saturating_add(loss.kernel.dropped_by_interface),
            responses: coverage.signs.get(Sign::Responses),
            without_call: loss.responses_without_call,
            messages: coverage.messages(),
            holes: coverage.streams.events.get(streams::Event::Gap),
        }
    }

    /// The greatest share that any of the accounts shows.
    fn lost_since(&self, before: &Self, settled: bool) -> u64 {
        let since = |of: fn(&Self) -> u64| of(self).saturating_sub(of(before));
        let (received, gone) = (since(|c| c.received), since(|c| c.gone));
        let strays = |n: u64| if settled && n >= ENOUGH { n } else { 0 };
        [
            (gone, received.saturating_add(gone)),
            (strays(since(|c| c.without_call)), since(|c| c.responses)),
            (strays(since(|c| c.holes)), since(|c| c.messages)),
        ]
        .into_iter()
        .map(|(lost, of)| lost.saturating_mul(1_000) / of.max(1))
        .max()
        .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::Kernel;

    #[test]
    fn an_hour_that_lost_one_in_a_hundred_is_told() {
        let hour = |n: i64| Timestamp(0).plus(Span(Span::HOUR.0 * n));
        let mut coverage = Coverage::default();
        let mut losses = Losses::default();
        assert_eq!(losses.look(&coverage, hour(0)), None);
        coverage.signs.add(Sign::Responses, 50);
        coverage.signs.add(Sign::ResponsesWithoutCall, 40);
        coverage.kernel = Kernel { received: 1_000, dropped: 9, dropped_by_interface: 0 };
        assert_eq!(losses.look(&coverage, hour(1)), None, "calls that were up at the start, and 9 in 1,009");
        coverage.kernel = Kernel { received: 1_900, dropped: 109, dropped_by_interface: 0 };
        assert_eq!(losses.look(&coverage, hour(1).plus(Span::MINUTE)), None, "the hour isn't over");
        assert_eq!(losses.look(&coverage, hour(2)), Some(100));
        assert_eq!(losses.look(&coverage, hour(3)), None, "nothing was lost since");
        coverage.signs.add(Sign::Responses, 1_000);
        coverage.signs.add(Sign::ResponsesWithoutCall, 20);
        assert_eq!(losses.look(&coverage, hour(4)), Some(20));
    }
}
