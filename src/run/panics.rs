//! A worker's panics: caught, counted, too many of them the end.
//!
//! In: a panic. Out: whether the worker goes on. Never: lets one packet end the program.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::clock::moment;
use crate::tally::Label;
use crate::view::{Vitals, Worker};

/// More panics than this within `WITHIN`, and it is better to begin anew.
const MOST: usize = 5;
const WITHIN: Duration = Duration::from_secs(60);

/// How many are borne. A test of a hundred must not take twenty minutes; a release build knows no other
/// number than `MOST`.
#[cfg(debug_assertions)]
fn most() -> usize {
    let asked = std::env::var("RINGFENCE_TEST_PANICS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(MOST)
}

#[cfg(not(debug_assertions))]
const fn most() -> usize {
    MOST
}

/// One worker's panics.
#[derive(Debug)]
pub(super) struct Panics {
    worker: Worker,
    lately: VecDeque<Instant>,
}

impl Panics {
    /// None yet.
    pub(super) const fn new(worker: Worker) -> Self {
        Self { worker, lately: VecDeque::new() }
    }

    /// It panicked again: counts it, and says whether it may go on.
    pub(super) fn again(&mut self, vitals: &Vitals) -> bool {
        vitals.panics.bump(self.worker);
        let now = moment();
        self.lately.push_back(now);
        while self.lately.front().is_some_and(|at| now.duration_since(*at) > WITHIN) {
            self.lately.pop_front();
        }
        let goes_on = self.lately.len() <= most();
        tracing::error!(
            "the {} panicked and {}; please report it",
            self.worker.name(),
            if goes_on { "goes on with the next packet" } else { "does so too often: ending" }
        );
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_in_a_minute_are_borne() {
        let (mut panics, vitals) = (Panics::new(Worker::Judge), Vitals::default());
        assert!((0..5).all(|_| panics.again(&vitals)));
        assert!(!panics.again(&vitals));
        assert_eq!(vitals.panics.get(Worker::Judge), 6);
    }
}
