//! TCP put in order: from segments to whole SIP messages, also out of WebSocket.
//!
//! In: `Segment`, in whatever order the mirror has them. Out: one message at a time.
//! Never: trusts order, waits for a SYN, grows without bound, or looks at a byte again and again.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod flow;
mod http;
mod probe;
mod reader;
mod websocket;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::bounded::{SlotId, Table};
use crate::decode::{Ends, Path, Segment};
use crate::labels;
use crate::tally::Tally;
use crate::time::{Span, Timestamp};

use flow::Flow;

/// What takes each whole message.
pub type Sink<'s> = &'s mut dyn FnMut(&Path, &[u8]);

/// The bounds of reassembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many flows (directions of connections) are followed.
    pub flows: usize,
    /// How many bytes all flows may hold.
    pub total_bytes: usize,
    /// How many bytes may wait behind a hole before it's given up.
    pub hole_bytes: usize,
    /// How long a hole may stay when the receiver has what is missing (or the beginning is unknown).
    pub hole_age: Span,
    /// How long a hole may stay at all: the sender may yet send again.
    pub hole_patience: Span,
    /// After how long a silent flow is forgotten.
    pub idle: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            flows: 16_384,
            total_bytes: 64 * 1024 * 1024,
            hole_bytes: 64 * 1024,
            hole_age: Span(200_000),
            hole_patience: Span::seconds(3),
            idle: Span::hours(1),
        }
    }
}

labels! {
    /// What a segment was good for.
    pub enum Outcome {
        Control = "control", "No payload: a SYN, an acknowledgement, the end.";
        Sip = "sip", "Part of SIP messages, or of a stream that may yet be SIP.";
        Waiting = "waiting", "Out of order: kept until what is missing comes.";
        Repeat = "repeat", "Nothing that had not been seen.";
        EncryptedStart = "encrypted_start", "The first sight of a TLS connection.";
        Encrypted = "encrypted", "More of a TLS connection.";
        NotSip = "not_sip", "Another protocol.";
    }
}

labels! {
    /// What happened to flows.
    pub enum Event {
        Message = "message", "Whole messages handed on.";
        Gap = "gap", "Holes that were given up: the mirror lost segments.";
        Resync = "resync", "Places where the stream was no SIP and the next start line was looked for.";
        Jump = "jump", "Sequence numbers far off: a connection was used again or much was lost.";
        Overlap = "overlap", "Segments that say other bytes than what came first.";
        Encrypted = "encrypted", "TLS connections.";
        WebSocket = "websocket", "WebSocket connections with subprotocol sip, each direction.";
        Compressed = "compressed", "Compressed WebSocket messages: they can't be read.";
        TooLong = "too_long", "WebSocket messages beyond 128 KiB.";
        NotSip = "not_sip", "Flows that were given up as another protocol.";
        Evicted = "evicted", "Flows forgotten because there were too many, or too many bytes.";
    }
}

/// What is counted. Any thread may read it.
#[derive(Debug, Default)]
pub struct Stats {
    /// What happened to flows.
    pub events: Tally<Event>,
}

/// All TCP flows.
#[derive(Debug)]
pub struct Streams {
    settings: Settings,
    flows: Table<Ends, Flow>,
    /// Where flows begin that had only a SYN so far; apart, so that a flood of them evicts no flow.
    begun: Table<Ends, u32>,
    /// Flows with holes, and when to look at them again.
    holes: VecDeque<(Timestamp, SlotId)>,
    bytes: usize,
    stats: Arc<Stats>,
}

impl Default for Streams {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Streams {
    /// No flows yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            flows: Table::new(settings.flows, 0),
            begun: Table::new(settings.flows, 0),
            holes: VecDeque::new(),
            bytes: 0,
            stats: Arc::default(),
        }
    }

    /// What it counted so far.
    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// Takes a segment; hands every message that is whole now to `sink`.
    pub fn push(&mut self, segment: &Segment<'_>, now: Timestamp, sink: Sink<'_>) -> Outcome {
        self.handle_timeout(now, sink);
        let key = segment.path.ends();
        if segment.payload.is_empty() {
            self.control(key, segment, now, sink);
            return Outcome::Control;
        }
        let slot = self.slot(key, segment, now, sink);
        let Some(flow) = self.flows.get_mut(slot) else { return Outcome::NotSip };
        let before = flow.size();
        let outcome = flow.take(segment, now, &self.settings, &self.stats, sink);
        self.bytes = self.bytes.saturating_add(flow.size()).saturating_sub(before);
        if let Some(since) = flow.waits_unqueued() {
            self.holes.push_back((since.plus(self.settings.hole_age), slot));
        }
        if flow.is_over(segment) {
            self.forget(slot, sink);
        }
        self.shrink(sink);
        if outcome == Outcome::EncryptedStart { self.encrypted(key) } else { outcome }
    }

    /// Gives up holes whose time has come. To be asked with the latest possible time at the end
    /// of a capture.
    pub fn handle_timeout(&mut self, now: Timestamp, sink: Sink<'_>) {
        while self.holes.front().is_some_and(|(due, _)| *due <= now) {
            let Some((_, slot)) = self.holes.pop_front() else { break };
            self.look_at_hole(slot, now, sink);
        }
        while let Some((_, mut flow)) = self.flows.expire(now.minus(self.settings.idle)) {
            self.bytes = self.bytes.saturating_sub(flow.size());
            flow.end(&self.stats, sink);
        }
    }

    /// When `handle_timeout` has something to do.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let idle = self.flows.oldest().map(|(_, at)| at.plus(self.settings.idle).plus(Span(1)));
        [self.holes.front().map(|(due, _)| *due), idle].into_iter().flatten().min()
    }

    fn slot(&mut self, key: Ends, segment: &Segment<'_>, now: Timestamp, sink: Sink<'_>) -> SlotId {
        let inserted = self.flows.find_or_insert(&key, now, || Flow::new(segment.path));
        if let Some((_, _, mut flow)) = inserted.evicted {
            self.bytes = self.bytes.saturating_sub(flow.size());
            flow.end(&self.stats, sink);
            self.stats.events.bump(Event::Evicted);
        }
        if let (true, Some(flow)) = (inserted.new, self.flows.get_mut(inserted.slot)) {
            self.bytes = self.bytes.saturating_add(flow.size());
            let begun = self.begun.find(&key).and_then(|slot| self.begun.remove(slot));
            if let Some(first) = begun.map(|(_, first)| first).or(segment.syn.then_some(segment.seq)) {
                flow.begin_at(first);
            }
        }
        inserted.slot
    }

    /// A segment without payload makes no flow, but may say something about one.
    fn control(&mut self, key: Ends, segment: &Segment<'_>, now: Timestamp, sink: Sink<'_>) {
        if let Some(slot) = self.flows.find(&key) {
            let Some(flow) = self.flows.get_mut(slot) else { return };
            flow.note(segment);
            if flow.is_over(segment) {
                self.forget(slot, sink);
            }
        } else if segment.syn {
            let slot = self.begun.find_or_insert(&key, now, || segment.seq).slot;
            if let Some(first) = self.begun.get_mut(slot) {
                *first = segment.seq;
            }
        }
    }

    fn look_at_hole(&mut self, slot: SlotId, now: Timestamp, sink: Sink<'_>) {
        let acked = self
            .flows
            .key(slot)
            .and_then(|key| self.flows.find(&key.turned()))
            .and_then(|back| self.flows.get(back))
            .and_then(Flow::acked);
        let Some(flow) = self.flows.get_mut(slot) else { return };
        let before = flow.size();
        let again = flow.look_at_hole(acked, now, &self.settings, &self.stats, sink);
        self.bytes = self.bytes.saturating_add(flow.size()).saturating_sub(before);
        if let Some(due) = again {
            self.holes.push_back((due, slot));
        }
    }

    /// A connection is counted once, whichever direction was seen first.
    fn encrypted(&self, key: Ends) -> Outcome {
        let back = self.flows.find(&key.turned()).and_then(|slot| self.flows.get(slot));
        if back.is_some_and(Flow::is_encrypted) {
            return Outcome::Encrypted;
        }
        self.stats.events.bump(Event::Encrypted);
        Outcome::EncryptedStart
    }

    fn forget(&mut self, slot: SlotId, sink: Sink<'_>) {
        if let Some((_, mut flow)) = self.flows.remove(slot) {
            self.bytes = self.bytes.saturating_sub(flow.size());
            flow.end(&self.stats, sink);
        }
    }

    fn shrink(&mut self, sink: Sink<'_>) {
        while self.bytes > self.settings.total_bytes {
            let Some((_, mut flow)) = self.flows.expire(Timestamp(i64::MAX)) else { return };
            self.bytes = self.bytes.saturating_sub(flow.size());
            flow.end(&self.stats, sink);
            self.stats.events.bump(Event::Evicted);
        }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the tests' own sums")]
mod tests;
