//! When calls expire: one queue for each phase, since a phase's time is the same for every call.
//!
//! In: phase changes. Out: slots whose phase has lasted too long.
//! Never: grows beyond a few entries for each call in the table.

use std::collections::VecDeque;

use super::Phase;
use crate::bounded::SlotId;
use crate::time::{Span, Timestamp};

/// How long a call may stay in each phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From INVITE to an answer.
    pub setup: Span,
    /// From an answer (or the last session refresh) to BYE.
    pub talk: Span,
    /// After its end, for late copies: 64*T1 and some (RFC 3261 section 17). So long a doubted one waits
    /// for whoever takes it, too.
    pub linger: Span,
    /// An INVITE with a To-tag of a dialog that nobody has seen.
    pub provisional: Span,
    /// The same once a hop has said 100 and nobody 481: whoever doesn't know a dialog says so at once.
    pub trying: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            setup: Span::minutes(5),
            talk: Span::hours(4),
            linger: Span::seconds(64),
            provisional: Span::minutes(5),
            trying: Span::seconds(10),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    slot: SlotId,
    since: Timestamp,
}

/// The queues, each in order of time.
#[derive(Debug)]
pub(super) struct Timers {
    limits: Limits,
    queues: [VecDeque<Entry>; 5],
    /// When the first of each queue is due; they are compared with every message.
    first: [Timestamp; 5],
}

/// When the first of an empty queue is due.
const NEVER: Timestamp = Timestamp(i64::MAX);

impl Timers {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, queues: Default::default(), first: [NEVER; 5] }
    }

    const fn limit(&self, queue: usize) -> Span {
        match queue {
            0 => self.limits.setup,
            1 => self.limits.talk,
            2 => self.limits.linger,
            3 => self.limits.provisional,
            _ => self.limits.trying,
        }
    }

    const fn queue_of(phase: Phase) -> usize {
        match phase {
            Phase::Attempted | Phase::Ringing => 0,
            Phase::Answered => 1,
            Phase::Doubted | Phase::Ended | Phase::Failed => 2,
            Phase::Provisional => 3,
        }
    }

    /// A call of `calls` entered a phase (or started its time anew). `holds` tells whether an entry
    /// still means what it meant. It reads a call that was at rest, so it's asked only where a queue
    /// is longer than the table: entries at its front that don't hold are dropped then.
    pub(super) fn entered(
        &mut self,
        slot: SlotId,
        phase: Phase,
        now: Timestamp,
        calls: usize,
        holds: impl Fn(SlotId, Timestamp) -> bool,
    ) {
        self.put(Self::queue_of(phase), slot, now, calls, holds);
    }

    /// A call of an unknown dialog is being tried.
    pub(super) fn tried(
        &mut self,
        slot: SlotId,
        now: Timestamp,
        calls: usize,
        holds: impl Fn(SlotId, Timestamp) -> bool,
    ) {
        self.put(4, slot, now, calls, holds);
    }

    fn put(
        &mut self,
        queue: usize,
        slot: SlotId,
        now: Timestamp,
        calls: usize,
        holds: impl Fn(SlotId, Timestamp) -> bool,
    ) {
        let waiting = &mut self.queues[queue];
        let (few, long) = (waiting.is_empty(), waiting.len() > calls);
        if long {
            for _ in 0..2 {
                if waiting.front().is_some_and(|entry| !holds(entry.slot, entry.since)) {
                    waiting.pop_front();
                }
            }
        }
        waiting.push_back(Entry { slot, since: now });
        if few || long {
            self.set_first(queue);
        }
    }

    fn set_first(&mut self, queue: usize) {
        let front = self.queues[queue].front();
        self.first[queue] = front.map_or(NEVER, |entry| entry.since.plus(self.limit(queue)));
    }

    /// The next slot whose phase has lasted too long, whether or not the entry still holds.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<(SlotId, Timestamp)> {
        let queue = self.first.iter().position(|first| *first <= now)?;
        let entry = self.queues[queue].pop_front()?;
        self.set_first(queue);
        Some((entry.slot, entry.since))
    }

    /// The slots that are due next, and after it in the same queue.
    #[inline]
    pub(super) fn coming(&self) -> Option<[SlotId; 2]> {
        let (queue, _) = self.first.iter().enumerate().min_by_key(|(_, first)| **first)?;
        let queue = &self.queues[queue];
        Some([queue.front()?.slot, queue.get(1)?.slot])
    }

    /// When the next entry is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.first.iter().min().copied().filter(|first| *first < NEVER)
    }
}
