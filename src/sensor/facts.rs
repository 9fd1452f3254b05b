//! The way from the sensor to the judge.
//!
//! In: facts. Out: the same in order, lent. Never: holds more than it was told to.

use crate::coverage::{Coverage, Sign};
use crate::fact::Fact;

/// Facts that wait for the judge. They are lent from where they stand: each is too big to be moved about.
#[derive(Debug)]
pub(super) struct Facts {
    waiting: Vec<Fact>,
    lent: usize,
    most: usize,
}

impl Facts {
    pub(super) fn new(most: usize) -> Self {
        Self { waiting: Vec::with_capacity(most.min(1_024)), lent: 0, most: most.max(1) }
    }

    #[inline]
    pub(super) fn push(&mut self, fact: Fact, coverage: &Coverage) {
        if self.waiting.len() >= self.most {
            self.waiting.drain(..self.lent);
            self.lent = 0;
        }
        if self.waiting.len() >= self.most {
            coverage.signs.bump(Sign::FactsDropped);
            return;
        }
        self.waiting.push(fact);
    }

    /// The next one.
    #[inline]
    pub(super) fn next(&mut self) -> Option<&Fact> {
        if self.lent == self.waiting.len() {
            // From the start again: its first places are in the cache.
            self.waiting.clear();
            self.lent = 0;
            return None;
        }
        self.lent = self.lent.saturating_add(1);
        self.waiting.get(self.lent.saturating_sub(1))
    }
}
