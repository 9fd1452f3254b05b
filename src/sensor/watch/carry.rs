//! HTTP messages that come over several TCP segments, until they are all there.
//!
//! In: segments of messages that a first segment left unfinished. Out: the message, whole or as far as
//! it stands. Never: keeps more than a few KiB of one, or a word of it once it was read.

use zeroize::Zeroizing;

use crate::bounded::Table;
use crate::decode::{Ends, Segment};
use crate::hints::http;
use crate::time::Timestamp;

/// Messages that may be unfinished at one time.
const MESSAGES: usize = 256;
/// Segments of a message that came before their turn and wait for it.
const EARLY: usize = 4;

/// A message, as far as it has come. What it holds may be a password, so it is wiped.
struct Part {
    bytes: Zeroizing<Vec<u8>>,
    /// The sequence number of the byte that comes next.
    next: u32,
    /// Bytes that are wanted; 0 = not known, the head isn't whole.
    need: usize,
    early: Vec<(u32, Zeroizing<Vec<u8>>)>,
}

/// Unfinished messages by sender and receiver.
pub(super) struct Carry {
    parts: Table<Ends, Part>,
}

impl std::fmt::Debug for Carry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carry").field("parts", &self.parts.len()).finish()
    }
}

impl Default for Carry {
    fn default() -> Self {
        Self { parts: Table::new(MESSAGES, 0) }
    }
}

/// What a segment is to an unfinished message.
pub(super) enum Turn {
    /// There is none, or it isn't of it.
    Other,
    /// More has to come.
    Waits,
    /// The head is whole now; how much of the body is wanted has to be said.
    Head,
    /// It is all there, or nothing more can be hoped for.
    Done,
}

impl Carry {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.parts.evicted()
    }

    /// Begins a message; `need` bytes of it are wanted, 0 while its head isn't whole.
    pub(super) fn begin(&mut self, segment: &Segment<'_>, need: usize, now: Timestamp) {
        let key = segment.path.ends();
        // All of it at once: growing would leave copies behind that nobody wipes.
        let mut bytes = Zeroizing::new(Vec::with_capacity(http::LONGEST));
        append(&mut bytes, segment.payload);
        let next = segment.seq.wrapping_add(length(segment.payload));
        let slot = self.parts.find_or_insert(&key, now, || Part {
            bytes: Zeroizing::default(),
            next,
            need,
            early: Vec::new(),
        });
        if let Some(part) = self.parts.get_mut(slot.slot) {
            *part = Part { bytes, next, need, early: Vec::new() };
        }
    }

    /// Takes a segment of the same direction.
    pub(super) fn add(&mut self, segment: &Segment<'_>, now: Timestamp) -> Turn {
        let key = segment.path.ends();
        let Some(slot) = self.parts.find(&key) else { return Turn::Other };
        self.parts.touch(slot, now);
        let Some(part) = self.parts.get_mut(slot) else { return Turn::Other };
        let before = part.bytes.len();
        match part.place(segment) {
            Place::Elsewhere => {
                self.parts.discard(slot);
                return Turn::Other;
            }
            Place::Lost => return Turn::Done,
            Place::Taken => {}
        }
        if segment.truncated || part.bytes.len() >= http::LONGEST {
            return Turn::Done;
        }
        if part.need > 0 {
            return if part.bytes.len() >= part.need { Turn::Done } else { Turn::Waits };
        }
        if !http::begins(&part.bytes) && !http::may_begin(&part.bytes) {
            self.parts.discard(slot);
            return Turn::Other;
        }
        // Only what is new is looked through, with the three bytes before it.
        if http::head_ends(&part.bytes, before.saturating_sub(3)) { Turn::Head } else { Turn::Waits }
    }

    /// How many bytes of it are wanted: true if they are there.
    pub(super) fn wants(&mut self, ends: Ends, need: usize) -> bool {
        let part = self.parts.find(&ends).and_then(|slot| self.parts.get_mut(slot));
        part.is_none_or(|part| {
            part.need = need.max(1);
            part.bytes.len() >= need
        })
    }

    /// What is there of it.
    pub(super) fn bytes(&self, ends: Ends) -> &[u8] {
        self.parts.find(&ends).and_then(|slot| self.parts.get(slot)).map_or(&[], |part| &part.bytes)
    }

    /// Takes it out, as far as it stands.
    pub(super) fn take(&mut self, ends: Ends) -> Option<Zeroizing<Vec<u8>>> {
        let slot = self.parts.find(&ends)?;
        self.parts.remove(slot).map(|(_, part)| part.bytes)
    }
}

enum Place {
    /// It goes on where the last one ended, was there already, or waits for its turn.
    Taken,
    /// Too much waits: something is lost.
    Lost,
    /// Of another connection on the same ports.
    Elsewhere,
}

impl Part {
    fn place(&mut self, segment: &Segment<'_>) -> Place {
        match self.offset(segment.seq) {
            ahead @ 1.. => {
                if ahead > http::LONGEST as i64 {
                    return Place::Elsewhere;
                }
                if self.early.len() >= EARLY {
                    return Place::Lost;
                }
                self.early.push((segment.seq, Zeroizing::new(segment.payload.to_vec())));
            }
            behind if behind < -(http::LONGEST as i64) => return Place::Elsewhere,
            _ => {
                self.goes_on(segment.seq, segment.payload);
                self.catch_up();
            }
        }
        Place::Taken
    }

    /// What waited and has its turn now.
    fn catch_up(&mut self) {
        while let Some(at) = self.early.iter().position(|(seq, _)| self.offset(*seq) <= 0) {
            let (seq, payload) = self.early.swap_remove(at);
            self.goes_on(seq, &payload);
        }
    }

    /// How far ahead of what comes next a sequence number lies.
    fn offset(&self, seq: u32) -> i64 {
        i64::from(seq.wrapping_sub(self.next).cast_signed())
    }

    /// Adds what of a segment is new.
    fn goes_on(&mut self, seq: u32, payload: &[u8]) {
        let known = usize::try_from(self.offset(seq).unsigned_abs()).unwrap_or(usize::MAX);
        let Some(new) = payload.get(known..) else { return };
        append(&mut self.bytes, new);
        self.next = self.next.wrapping_add(length(new));
    }
}

fn append(bytes: &mut Vec<u8>, more: &[u8]) {
    let room = http::LONGEST.saturating_sub(bytes.len());
    bytes.extend_from_slice(more.get(..more.len().min(room)).unwrap_or_default());
}

fn length(payload: &[u8]) -> u32 {
    u32::try_from(payload.len()).unwrap_or(u32::MAX)
}
