//! One direction of a connection: bytes in order, out of segments in any order.
//!
//! In: segments. Out: bytes for the `Reader`, each once and in order.
//! Never: lets later bytes replace earlier ones.

use std::collections::BTreeMap;

use super::reader::Reader;
use super::{Event, Outcome, Settings, Sink, Stats, probe};
use crate::decode::{Path, Segment};
use crate::time::Timestamp;

/// How far from what is expected a sequence number still belongs to the same stream.
const WINDOW: u64 = 1024 * 1024;
/// What an entry of the waiting pieces costs beside its bytes.
const PIECE_COST: usize = 64;
/// Offsets count from here plus the first sequence number, so that their low 32 bits are the
/// sequence number and going back never underflows.
const BIAS: u64 = 1 << 32;

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Flow {
    path: Path,
    /// The offset that is wanted next; before `begun`, only what offsets are measured by.
    next: u64,
    /// Where the stream began, once that's known.
    first: Option<u32>,
    /// Whether any segment or SYN has set `next`.
    known: bool,
    /// Whether reading has begun at `next`. Without a SYN the first segment may be out of order.
    begun: bool,
    /// What came before its turn, by offset; pieces don't overlap.
    ahead: BTreeMap<u64, Vec<u8>>,
    ahead_bytes: usize,
    hole_since: Option<Timestamp>,
    queued: bool,
    /// Where another stream on the same ports may go on: after a SYN or a segment from far off.
    candidate: Option<u32>,
    /// What this side has acknowledged of the other's.
    acked: Option<u32>,
    reader: Reader,
}

impl Flow {
    pub(super) fn new(path: Path) -> Self {
        Self {
            path,
            next: BIAS,
            first: None,
            known: false,
            begun: false,
            ahead: BTreeMap::new(),
            ahead_bytes: 0,
            hole_since: None,
            queued: false,
            candidate: None,
            acked: None,
            reader: Reader::default(),
        }
    }

    /// A new stream begins at this sequence number.
    pub(super) fn begin_at(&mut self, seq: u32) {
        self.next = BIAS.saturating_add(u64::from(seq));
        self.first = Some(seq);
        self.known = true;
        self.begun = true;
        self.ahead.clear();
        self.ahead_bytes = 0;
        self.hole_since = None;
        self.candidate = None;
        self.reader = Reader::default();
    }

    /// The stream is over, or forgotten.
    pub(super) fn end(&mut self, stats: &Stats, sink: Sink<'_>) {
        self.reader.hand_on(&self.path, stats, sink);
    }

    pub(super) fn size(&self) -> usize {
        let pieces = self.ahead.len().saturating_mul(PIECE_COST);
        self.ahead_bytes
            .saturating_add(pieces)
            .saturating_add(self.reader.size())
            .saturating_add(size_of::<Self>())
    }

    pub(super) fn acked(&self) -> Option<u32> {
        self.acked
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.reader.is_encrypted()
    }

    /// Since when the flow has a hole, if nobody has been told to look at it.
    pub(super) fn waits_unqueued(&mut self) -> Option<Timestamp> {
        if self.queued {
            return None;
        }
        self.queued = self.hole_since.is_some();
        self.hole_since
    }

    /// Whether the segment is the end, with nothing missing before it.
    pub(super) fn is_over(&self, segment: &Segment<'_>) -> bool {
        let end = segment.seq.wrapping_add(length(segment.payload));
        (segment.fin || segment.rst) && self.ahead.is_empty() && end == low(self.next)
    }

    /// What a segment says apart from its payload.
    pub(super) fn note(&mut self, segment: &Segment<'_>) {
        if segment.ack {
            self.acked = Some(segment.ack_seq);
        }
        // Perhaps a new connection; perhaps an impostor: the next payload tells. The mirror's second
        // copy of the SYN is neither.
        if segment.syn && segment.seq != low(self.next) && Some(segment.seq) != self.first {
            self.candidate = Some(segment.seq);
        }
    }

    /// Takes a segment with payload.
    pub(super) fn take(
        &mut self,
        segment: &Segment<'_>,
        now: Timestamp,
        settings: &Settings,
        stats: &Stats,
        sink: Sink<'_>,
    ) -> Outcome {
        self.path = segment.path;
        self.note(segment);
        let (seq, payload) = (segment.seq, segment.payload);
        if !self.known {
            self.next = BIAS.saturating_add(u64::from(seq));
            self.known = true;
        }
        if self.candidate == Some(seq) && seq != low(self.next) {
            stats.events.bump(Event::Jump);
            self.begin_at(seq);
        }
        if self.reader.is_ignored() {
            if self.reader.is_encrypted() {
                return Outcome::Encrypted;
            }
            if !probe::may_begin_sip(payload) {
                return Outcome::NotSip;
            }
            self.begin_at(seq);
        }
        let Some(at) = self.offset(seq) else { return self.far(segment, now, settings, stats, sink) };
        self.put(at, payload, now, settings, stats, sink)
    }

    /// A sequence number too far off. If nothing is half read, the stream goes on there; otherwise
    /// only once a second segment confirms it, for a receiver would ignore a stray one.
    fn far(
        &mut self,
        segment: &Segment<'_>,
        now: Timestamp,
        settings: &Settings,
        stats: &Stats,
        sink: Sink<'_>,
    ) -> Outcome {
        let (seq, payload) = (segment.seq, segment.payload);
        if !self.reader.is_idle() || !self.ahead.is_empty() {
            self.candidate = Some(seq.wrapping_add(length(payload)));
            return Outcome::Repeat;
        }
        stats.events.bump(Event::Jump);
        self.begin_at(seq);
        self.put(self.next, payload, now, settings, stats, sink)
    }

    /// The offset of a sequence number within the window.
    fn offset(&self, seq: u32) -> Option<u64> {
        let distance = i64::from(seq.wrapping_sub(low(self.next)).cast_signed());
        (distance.unsigned_abs() <= WINDOW).then(|| self.next.wrapping_add_signed(distance))
    }

    fn put(
        &mut self,
        at: u64,
        payload: &[u8],
        now: Timestamp,
        settings: &Settings,
        stats: &Stats,
        sink: Sink<'_>,
    ) -> Outcome {
        let mut fresh = payload;
        let mut at = at;
        if self.begun {
            let old = usize::try_from(self.next.saturating_sub(at)).unwrap_or(usize::MAX);
            fresh = payload.get(old..).unwrap_or_default();
            at = at.max(self.next);
            if fresh.is_empty() {
                return Outcome::Repeat;
            }
        } else if self.ahead.is_empty() && probe::may_begin(payload) {
            self.next = at;
            self.begun = true;
        }
        if self.begun && at == self.next && self.ahead.is_empty() {
            return self.read(fresh, stats, sink);
        }
        let grown = self.keep(at, fresh, stats);
        self.begin_if_known();
        let outcome = self.drain(now, stats, sink);
        if self.size_ahead() > settings.hole_bytes {
            self.give_up(now, stats, sink);
        }
        match outcome {
            Some(outcome) => outcome,
            None if grown => Outcome::Waiting,
            None => Outcome::Repeat,
        }
    }

    fn size_ahead(&self) -> usize {
        self.ahead_bytes.saturating_add(self.ahead.len().saturating_mul(PIECE_COST))
    }

    /// Without a SYN: begins once the earliest piece looks like the beginning of something.
    fn begin_if_known(&mut self) {
        if self.begun {
            return;
        }
        if let Some((first, piece)) = self.ahead.first_key_value().filter(|(_, p)| probe::may_begin(p)) {
            debug_assert!(!piece.is_empty());
            self.next = *first;
            self.begun = true;
        }
    }

    /// Keeps what isn't there yet. Tells whether there was any.
    fn keep(&mut self, at: u64, bytes: &[u8], stats: &Stats) -> bool {
        let before = self.ahead_bytes;
        let end = at.saturating_add(bytes.len() as u64);
        let mut here = at;
        let mut differs = false;
        if let Some((start, piece)) = self.ahead.range(..at).next_back() {
            let skip = usize::try_from(at.saturating_sub(*start)).unwrap_or(usize::MAX);
            let common = piece.get(skip..).unwrap_or_default();
            differs |= common.iter().zip(bytes).any(|(a, b)| a != b);
            here = here.saturating_add(common.len() as u64);
        }
        while here < end {
            let found = self.ahead.range(here..end).next();
            let (start, length) = found.map_or((end, 0), |(start, piece)| (*start, piece.len()));
            if let Some((_, piece)) = found {
                differs |= piece.iter().zip(part(bytes, at, start, end)).any(|(a, b)| a != b);
            }
            self.keep_piece(here, part(bytes, at, here, start));
            here = start.saturating_add(length as u64);
        }
        if differs {
            stats.events.bump(Event::Overlap);
        }
        self.ahead_bytes > before
    }

    fn keep_piece(&mut self, at: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.ahead_bytes = self.ahead_bytes.saturating_add(bytes.len());
        // Small pieces in order behind a hole grow into one.
        if let Some((start, piece)) = self.ahead.range_mut(..at).next_back()
            && start.saturating_add(piece.len() as u64) == at
        {
            piece.extend_from_slice(bytes);
            return;
        }
        self.ahead.insert(at, bytes.to_vec());
    }

    /// Reads on for as long as there is no hole.
    fn drain(&mut self, now: Timestamp, stats: &Stats, sink: Sink<'_>) -> Option<Outcome> {
        let mut outcome = None;
        while self.begun
            && let Some(first) = self.ahead.first_entry().filter(|first| *first.key() <= self.next)
        {
            let (start, piece) = first.remove_entry();
            self.ahead_bytes = self.ahead_bytes.saturating_sub(piece.len());
            let old = usize::try_from(self.next.saturating_sub(start)).unwrap_or(usize::MAX);
            outcome = Some(self.read(piece.get(old..).unwrap_or_default(), stats, sink));
        }
        self.hole_since = match self.hole_since {
            _ if self.ahead.is_empty() => None,
            Some(since) if outcome.is_none() => Some(since),
            _ => Some(now),
        };
        outcome
    }

    /// Hands on the bytes at `next`.
    fn read(&mut self, bytes: &[u8], stats: &Stats, sink: Sink<'_>) -> Outcome {
        self.next = self.next.saturating_add(bytes.len() as u64);
        self.reader.feed(bytes, &self.path, stats, sink);
        if self.reader.is_encrypted() {
            self.ahead.clear();
            self.ahead_bytes = 0;
            Outcome::EncryptedStart
        } else if self.reader.is_ignored() || self.reader.is_elsewhere() {
            Outcome::NotSip
        } else {
            Outcome::Sip
        }
    }

    /// Decides about a hole whose time has come; answers when to look again.
    pub(super) fn look_at_hole(
        &mut self,
        acked: Option<u32>,
        now: Timestamp,
        settings: &Settings,
        stats: &Stats,
        sink: Sink<'_>,
    ) -> Option<Timestamp> {
        self.queued = false;
        let since = self.hole_since?;
        let age = now.since(since);
        // The receiver has it, so nobody will send it again.
        let lost = acked.is_some_and(|acked| acked.wrapping_sub(low(self.next)).cast_signed() > 0);
        let wait = if lost || !self.begun { settings.hole_age } else { settings.hole_patience };
        if age >= wait {
            self.give_up(now, stats, sink);
        }
        while now == Timestamp(i64::MAX) && self.hole_since.is_some() {
            self.give_up(now, stats, sink);
        }
        let since = self.hole_since?;
        self.queued = true;
        Some(since.max(now).plus(settings.hole_age))
    }

    /// Goes on behind the hole; of what was half read, only whole headers are kept.
    fn give_up(&mut self, now: Timestamp, stats: &Stats, sink: Sink<'_>) {
        let Some((first, _)) = self.ahead.first_key_value() else { return };
        self.next = *first;
        if self.begun {
            stats.events.bump(Event::Gap);
            self.reader.lose(&self.path, stats, sink);
        }
        self.begun = true;
        self.hole_since = None;
        self.drain(now, stats, sink);
    }
}

/// The bytes from offset `from` to `to` of a segment that begins at `at`.
fn part(bytes: &[u8], at: u64, from: u64, to: u64) -> &[u8] {
    let from = usize::try_from(from.saturating_sub(at)).unwrap_or(usize::MAX);
    let to = usize::try_from(to.saturating_sub(at)).unwrap_or(usize::MAX);
    bytes.get(from..to.min(bytes.len())).unwrap_or_default()
}

/// An offset as a sequence number.
fn low(offset: u64) -> u32 {
    let [.., a, b, c, d] = offset.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// A payload's length in sequence numbers; IP keeps it below 2^16.
fn length(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).unwrap_or(u32::MAX)
}
