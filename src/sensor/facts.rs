//! The way from the sensor to the judge.
//!
//! In: facts. Out: the same in order, lent. Never: holds more than it was told to.

use crate::coverage::{Coverage, Sign};
use crate::fact::{CallFact, Fact};

/// Facts that wait for the judge. They are written and lent where they stand: each is too big to be moved
/// about. Places that were lent keep what was written there until it's written over.
#[derive(Debug)]
pub(super) struct Facts {
    places: Vec<Fact>,
    written: usize,
    lent: usize,
    most: usize,
}

impl Facts {
    pub(super) fn new(most: usize) -> Self {
        Self { places: Vec::with_capacity(most.min(1_024)), written: 0, lent: 0, most: most.max(1) }
    }

    pub(super) fn push(&mut self, fact: Fact, coverage: &Coverage) {
        if self.has_room(coverage) {
            self.put(fact);
        }
    }

    /// The fact of a call; `write` writes all of it.
    #[inline]
    pub(super) fn call(&mut self, coverage: &Coverage, write: impl FnOnce(&mut CallFact)) {
        if !self.has_room(coverage) {
            return;
        }
        if let Some(Fact::Call(place)) = self.places.get_mut(self.written) {
            write(place);
            self.written += 1;
        } else {
            let mut fact = CallFact::blank();
            write(&mut fact);
            self.put(Fact::Call(fact));
        }
    }

    #[inline]
    fn has_room(&mut self, coverage: &Coverage) -> bool {
        if self.written >= self.most {
            self.places.drain(..self.lent);
            self.written = self.written.saturating_sub(self.lent);
            self.lent = 0;
        }
        let room = self.written < self.most;
        coverage.signs.add(Sign::FactsDropped, u64::from(!room));
        room
    }

    fn put(&mut self, fact: Fact) {
        match self.places.get_mut(self.written) {
            Some(place) => *place = fact,
            None => self.places.push(fact),
        }
        self.written += 1;
    }

    /// The next one.
    #[inline]
    pub(super) fn next(&mut self) -> Option<&Fact> {
        if self.lent == self.written {
            // From the start again: its first places are in the cache.
            (self.written, self.lent) = (0, 0);
            return None;
        }
        self.lent = self.lent.saturating_add(1);
        self.places.get(self.lent.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::CallNo;
    use crate::text::Text;

    fn told(facts: &mut Facts) -> Vec<(u64, String)> {
        let mut told = Vec::new();
        while let Some(fact) = facts.next() {
            let Fact::Call(fact) = fact else { continue };
            told.push((fact.call.0, fact.call_id.to_string()));
        }
        told
    }

    #[test]
    fn a_place_that_was_lent_is_written_over_and_a_full_queue_drops_the_newest() {
        let (mut facts, coverage) = (Facts::new(2), Coverage::default());
        let put = |facts: &mut Facts, no: u64, call_id: &str| {
            facts.call(&coverage, |fact| {
                fact.call = CallNo(no);
                fact.call_id.set(&Text::from(call_id));
            });
        };
        put(&mut facts, 1, "a-long-one");
        put(&mut facts, 2, "two");
        put(&mut facts, 3, "nobody has room for it");
        assert_eq!(told(&mut facts), [(1, "a-long-one".into()), (2, "two".into())]);
        put(&mut facts, 4, "short");
        assert_eq!(told(&mut facts), [(4, "short".into())]);
        put(&mut facts, 5, "five");
        put(&mut facts, 6, "six");
        assert!(facts.next().is_some(), "what was lent makes room");
        put(&mut facts, 7, "seven");
        assert_eq!(told(&mut facts), [(6, "six".into()), (7, "seven".into())]);
        assert_eq!(coverage.signs.get(Sign::FactsDropped), 1);
    }

    #[test]
    fn facts_of_other_kinds_stand_between_those_of_calls() {
        let (mut facts, coverage) = (Facts::new(8), Coverage::default());
        for _ in 0..3 {
            facts.push(Fact::Lossy { time: Default::default(), permille: 10 }, &coverage);
            facts.call(&coverage, |fact| fact.call = CallNo(1));
            facts.call(&coverage, |fact| fact.call = CallNo(2));
            assert!(matches!(facts.next(), Some(Fact::Lossy { .. })));
            assert_eq!(told(&mut facts).iter().map(|(no, _)| *no).collect::<Vec<_>>(), [1, 2]);
            facts.call(&coverage, |fact| fact.call = CallNo(3));
            facts.push(Fact::Lossy { time: Default::default(), permille: 20 }, &coverage);
            assert!(matches!(facts.next(), Some(Fact::Call(_))));
            assert!(matches!(facts.next(), Some(Fact::Lossy { permille: 20, .. })));
            assert!(facts.next().is_none());
        }
    }
}
