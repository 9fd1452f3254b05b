//! How many SIP messages of strangers are looked at: a flood costs next to nothing.
//!
//! In: who sends, when. Out: whether to look.
//! Never: lets one sender use up what belongs to all.

use crate::time::Timestamp;

/// Looks a second for each sender. Scanners send about 200 a second, and 20 in a minute convict them.
const EACH: u16 = 64;
/// Looks a second for all.
const ALL: u16 = 2_048;
/// A power of two.
const SLOTS: usize = 1_024;

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    second: i64,
    used: u16,
}

impl Bucket {
    fn take(&mut self, second: i64, most: u16) -> bool {
        if self.second != second {
            *self = Self { second, used: 0 };
        }
        let free = self.used < most;
        self.used = self.used.saturating_add(u16::from(free));
        free
    }
}

/// Buckets by the sender's hash; two senders may share one.
#[derive(Debug)]
pub(super) struct Limiter {
    all: Bucket,
    each: Vec<Bucket>,
    refused: u64,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { all: Bucket::default(), each: vec![Bucket::default(); SLOTS], refused: 0 }
    }
}

impl Limiter {
    /// Whether to look at one more.
    #[inline]
    pub(super) fn allows(&mut self, sender: u64, now: Timestamp) -> bool {
        let second = now.as_secs();
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
        let index = sender as usize & (SLOTS - 1);
        let own = self.each.get_mut(index).is_some_and(|bucket| bucket.take(second, EACH));
        let allowed = own && self.all.take(second, ALL);
        self.refused = self.refused.saturating_add(u64::from(!allowed));
        allowed
    }

    /// How many were not looked at.
    pub(super) const fn refused(&self) -> u64 {
        self.refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_leaves_room_for_others() {
        let mut limiter = Limiter::default();
        let seen = (0..1_000).filter(|_| limiter.allows(1, Timestamp(5))).count();
        assert_eq!((seen, limiter.refused()), (usize::from(EACH), 1_000 - u64::from(EACH)));
        assert!(limiter.allows(2, Timestamp(5)) && limiter.allows(1, Timestamp::from_parts(1, 0)));
    }
}
