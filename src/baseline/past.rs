//! What is learnt of the past by an office that is watched already.
//!
//! In: past calls from before the watching began, in time order. Out: a baseline that knows them as if
//! they had come first.
//! Never: touches what happens now: open calls, spending, suspicions.

use super::Baseline;
use crate::fact::{CallFact, CallState, Direction};
use crate::time::Timestamp;

/// Past calls on their way into a baseline. They are learnt apart, since what is usual is learnt in
/// the order of time.
#[derive(Debug)]
pub struct Past {
    learnt: Baseline,
    until: Timestamp,
    at: Timestamp,
}

impl Past {
    /// Takes a step of a past call; false if it isn't older than what is known, or out of order.
    pub fn learn(&mut self, call: &CallFact) -> bool {
        let begins = call.state == CallState::Attempted;
        if call.started >= self.until || (begins && call.time < self.at) {
            return false;
        }
        if begins {
            self.at = call.time;
        }
        self.learnt.learn(call);
        true
    }
}

impl Baseline {
    /// Where the office's past can be learnt: all before it knew anything, and before `now`.
    pub fn past(&self, now: Timestamp) -> Past {
        let learnt = Self::new(self.settings.clone(), self.hours.clone(), self.prices.clone());
        Past { learnt, until: self.since.map_or(now, |since| since.min(now)), at: Timestamp(0) }
    }

    /// Takes a step of a past call, after all older ones.
    pub fn learn(&mut self, call: &CallFact) {
        if call.joined || call.direction == Direction::Inbound {
            return;
        }
        if call.state == CallState::Attempted {
            self.attempt(call, call.time, true);
        } else if let Some((lane, slot)) = self.locate(call) {
            self.progress(call, lane, slot, call.time);
        }
    }

    /// Knows the past as if it had been learnt first.
    pub fn precede(&mut self, past: &Past) {
        let past = &past.learnt;
        let Some(since) = past.since else { return };
        self.since = Some(self.since.map_or(since, |mine| mine.min(since)));
        let unit = self.learned.precede(&past.learned);
        self.countries.precede(&past.countries);
        self.numbers.precede(&past.numbers, self.settings.numbers);
        for (_, _, old) in past.handsets.iter() {
            let known = self.handsets.find(&old.who.id);
            let slot = known.unwrap_or_else(|| self.handset_slot(&old.who, old.since));
            if old.who.verified {
                self.handsets.protect(slot);
            }
            if let Some(handset) = self.handsets.get_mut(slot) {
                handset.precede(old, unit);
            }
        }
    }
}
