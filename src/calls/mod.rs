//! From messages to calls: one attempt, however often it is resent, challenged, mirrored or forked.
//!
//! In: messages with their paths. Out: steps of a call, once each.
//! Never: counts a packet.

mod challenged;
mod invite;
mod joins;
mod legs;
mod progress;
mod timers;

#[cfg(test)]
mod tests;

use std::hash::BuildHasher;
use std::net::IpAddr;

pub use joins::{Tie, diverted_by};
pub use timers::Limits;

use serde::{Deserialize, Serialize};

use crate::bounded::{KeyedHash, SlotId, Table};
use crate::decode::Path;
use crate::sip::{Message, Method, Start};
use crate::text::Text;
use crate::time::{Span, Timestamp};
use challenged::Challenged;
use legs::Legs;
use timers::Timers;

/// A call's number in this run, counted from 1. Both legs of a call have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallNo(pub u64);

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// An INVITE with a To-tag of a dialog that nobody has seen: no attempt yet.
    Provisional,
    /// An INVITE with its method in the wrong case: no attempt unless the far end takes it.
    Doubted,
    /// Somebody dialled.
    Attempted,
    /// The far end rings.
    Ringing,
    /// The far end answered.
    Answered,
    /// Over, and it was answered.
    Ended,
    /// Over, and it was never answered.
    Failed,
}

impl Phase {
    /// Whether it is over.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Failed)
    }

    /// Whether nothing shows yet that there is a call.
    const fn is_unproved(self) -> bool {
        matches!(self, Self::Provisional | Self::Doubted)
    }
}

/// The limits of the call table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Calls that nobody has answered, at the most.
    pub unanswered: usize,
    /// Answered calls, at the most; a flood of INVITEs can't push them out.
    pub answered: usize,
    /// How long each phase may last.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self { unanswered: 32_768, answered: 16_384, limits: Limits::default() }
    }
}

/// One leg of a call. `T` is what the sensor keeps with it.
///
/// In this order: calls by the ten thousand wait out of the cache, and the end of one reads no more
/// than the first part, up to the Call-ID.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Call<T> {
    /// Since when it is in its phase.
    since: Timestamp,
    /// Its number; both legs of one call share it.
    pub no: CallNo,
    /// When it was attempted.
    pub started: Timestamp,
    /// When it was answered, if that was seen.
    pub answered: Option<Timestamp>,
    peers: [u32; 4],
    /// Where it stands.
    pub phase: Phase,
    /// Whether it continues a leg that was seen before.
    pub joined: bool,
    /// Whether it is what a REFER asked for, or what a PBX made of a call to another number: counted then.
    pub asked: bool,
    /// Whether a Call-ID was used again for another number.
    pub call_id_reused: bool,
    /// The last status code that matters; 0 if there was none.
    pub code: u16,
    /// What it is to a leg that was seen before.
    pub tie: Tie,
    /// Which of `peers` answered and didn't hang up, a bit for each: a fork may be answered twice.
    up: u8,
    /// What the sensor keeps with it, once it's an attempt.
    pub tag: Option<T>,
    /// What was dialled.
    pub dialled: Text<40>,
    /// Its Call-ID.
    pub call_id: Text<128>,
    /// The user part of its From.
    pub caller: Text<32>,
    /// Between whom its first INVITE travelled.
    pub path: Path,
    /// Whether the caller was asked for credentials and sent some.
    pub credentials: bool,
    reopened: u8,
    via_count: u16,
    cseq: u32,
    /// The CSeq of the INVITE before, and a keyed hash of what that dialled.
    before: Option<(u32, u64)>,
}

impl<T> Call<T> {
    /// Whether any response to it was seen.
    pub fn is_heard(&self) -> bool {
        self.code != 0 || self.answered.is_some() || self.peers != [0; 4]
    }

    /// Whether it failed so short a time ago.
    pub fn failed_within(&self, span: Span, now: Timestamp) -> bool {
        self.phase == Phase::Failed && now.since(self.since) <= span
    }

    /// How long it was talked for until `now`: from the answer, or from the attempt if only the
    /// end was seen.
    pub fn talked(&self, now: Timestamp) -> Span {
        now.since(self.answered.unwrap_or(self.started))
    }
}

/// What a message did to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody dialled: a new attempt.
    Attempted(SlotId),
    /// The same attempt goes to another number: more digits, or after a redirection.
    Retargeted(SlotId),
    /// The far end rings.
    Ringing(SlotId),
    /// The far end answered.
    Answered(SlotId),
    /// A branch had failed, but another one answered.
    Reopened(SlotId),
    /// It had failed, but the caller tries again with another offer.
    Resumed(SlotId),
    /// Over after an answer.
    Ended(SlotId),
    /// Over without an answer.
    Failed(SlotId),
    /// The next hop, seen first, was taken for the caller; this is who really calls.
    Nearer(SlotId),
    /// A proxy passes the call on to quite another number: whoever was called forwards it.
    Elsewhere(SlotId),
    /// A response redirects the call (3xx): its Contact says where.
    Redirected(SlotId),
    /// The message belongs to a call and changes nothing.
    Same(SlotId),
    /// An INVITE inside a dialog that nobody has seen.
    InDialogUnknown,
    /// The message belongs to no call that is known.
    Unknown,
}

/// A message with all that the tracker wants to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The message.
    pub msg: &'a Message<'a>,
    /// Between whom it travels.
    pub path: &'a Path,
    /// The user part of its Request-URI; empty for a response.
    pub dialled: &'a [u8],
    /// The user part of its From.
    pub caller: &'a [u8],
    /// When it passed.
    pub now: Timestamp,
}

/// All calls that are going on or were until a moment ago.
#[derive(Debug)]
pub struct Calls<T> {
    table: Table<u64, Call<T>>,
    timers: Timers,
    legs: Legs,
    challenged: Challenged,
    hashes: [KeyedHash; 2],
    last: u64,
    pushed_out: Option<Call<T>>,
    late: Option<SlotId>,
    origin: Option<SlotId>,
    /// The hop that was remembered last.
    hop: Option<(CallNo, IpAddr)>,
}

/// Failures after which the same INVITE is sent again in another form (RFC 3261 section 8.1.3.5,
/// RFC 4028, RFC 3329): not the end of the attempt.
const fn is_retried(code: u16) -> bool {
    matches!(code, 401 | 407 | 413 | 415 | 416 | 420..=422 | 484 | 491 | 494)
}

/// Failures that end the attempt unless it is made again in another form: most devices have no other
/// offer (488, 580, 606), few INVITEs are too brief (423) or their URI too long or odd (414, 417), and some
/// are sent again with an identity that was missing or wrong (RFC 8224, RFC 3892, RFC 5079).
const fn may_be_retried(code: u16) -> bool {
    matches!(code, 414 | 417 | 423 | 428 | 429 | 433 | 436..=438 | 488 | 580 | 606)
}

/// A branch may fail and another answer; more often than this it's a game.
const REOPEN_MAX: u8 = 4;

/// Copies of one hop that pass a mirror in the wrong order do so within this time.
const REORDERED: Span = Span::seconds(2);

/// A session refresh starts the time anew at most this often.
const REFRESH_EVERY: Span = Span::MINUTE;

impl<T: Copy> Calls<T> {
    /// No calls yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            table: Table::new(settings.unanswered, settings.answered),
            timers: Timers::new(settings.limits),
            legs: Legs::default(),
            challenged: Challenged::default(),
            hashes: [KeyedHash::default(), KeyedHash::default()],
            last: 0,
            pushed_out: None,
            late: None,
            origin: None,
            hop: None,
        }
    }

    /// Takes in a message.
    pub fn observe(&mut self, seen: &Seen<'_>) -> Step {
        let (msg, now) = (seen.msg, seen.now);
        match msg.start {
            Start::Request { method: Method::Invite, .. } => self.invite(seen),
            Start::Request { method: Method::Bye, .. } => self.bye(msg, now),
            Start::Request { method: Method::Cancel, .. } => self.cancel(msg),
            Start::Request { method: Method::Update, .. } => self.refresh(msg, now),
            Start::Request { .. } => self.find(msg).map_or(Step::Unknown, Step::Same),
            Start::Response(code) if msg.cseq_method == Method::Invite => self.response(msg, code, now),
            Start::Response(_) => self.find(msg).map_or(Step::Unknown, Step::Same),
        }
    }

    /// The next call whose time is up and what became of it: `Attempted` for one whose dialog stayed
    /// unknown; `Failed` or `Ended` for one that stays only until it is given to `release`. Calls
    /// that were over vanish silently.
    pub fn expire(&mut self, now: Timestamp) -> Option<Step> {
        while let Some((slot, since)) = self.timers.due(now) {
            let Some(call) = self.table.get(slot).filter(|call| call.since == since) else {
                continue;
            };
            match call.phase {
                Phase::Provisional => {
                    if let Some(call) = self.table.get_mut(slot) {
                        call.code = 0;
                    }
                    self.attempt(slot, None, None, now);
                    return Some(Step::Attempted(slot));
                }
                Phase::Doubted | Phase::Ended | Phase::Failed => self.table.discard(slot),
                Phase::Answered => return Some(Step::Ended(slot)),
                Phase::Attempted | Phase::Ringing => return Some(Step::Failed(slot)),
            }
        }
        None
    }

    /// A call that `expire` gave isn't over: its media flow.
    pub fn goes_on(&mut self, slot: SlotId, now: Timestamp) {
        self.enter(slot, Phase::Answered, now);
    }

    /// The call whose time is up next, if another will follow; the memory of that one is asked for.
    #[inline]
    pub fn coming(&self) -> Option<&Call<T>> {
        let [next, after] = self.timers.coming()?;
        self.table.warm(after);
        self.table.get(next)
    }

    /// Forgets a call that `expire` gave.
    pub fn release(&mut self, slot: SlotId) {
        self.table.discard(slot);
    }

    /// When `expire` has something to do next.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.timers.next()
    }

    /// The call that the last `observe` pushed out of a full table, if it was still going on.
    pub fn take_pushed_out(&mut self) -> Option<Call<T>> {
        self.pushed_out.take().filter(|call| !call.phase.is_over() && !call.phase.is_unproved())
    }

    /// A call.
    pub fn get(&self, slot: SlotId) -> Option<&Call<T>> {
        self.table.get(slot)
    }

    /// Keeps something with a call.
    pub fn tag(&mut self, slot: SlotId, tag: T) {
        if let Some(call) = self.table.get_mut(slot) {
            call.tag = Some(tag);
        }
    }

    /// What is kept with a call, to change it.
    pub fn tag_mut(&mut self, slot: SlotId) -> Option<&mut T> {
        self.table.get_mut(slot)?.tag.as_mut()
    }

    /// The call has been counted, whoever it will be charged to.
    pub fn counted(&mut self, slot: SlotId) {
        if let Some(call) = self.table.get_mut(slot) {
            call.asked = true;
        }
    }

    /// A number for a call that was placed before.
    pub fn next_no(&mut self) -> CallNo {
        self.last = self.last.saturating_add(1);
        CallNo(self.last)
    }

    /// The number that was given last; 0 = none yet.
    pub const fn last_no(&self) -> CallNo {
        CallNo(self.last)
    }

    /// Numbers go on after `last`, as before a restart.
    pub const fn go_on_from(&mut self, last: CallNo) {
        self.last = last.0;
    }

    /// A keyed hash of a Call-ID.
    pub fn call_id_hash(&self, call_id: &[u8]) -> u64 {
        self.hashes[0].hash_one(call_id)
    }

    /// Calls in the table, over or not.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Calls that had to go because the table was full.
    pub const fn evicted(&self) -> u64 {
        self.table.evicted()
    }

    /// A call by a keyed hash of its Call-ID and tag: that any two of 2^16 calls in the table share one
    /// has a chance of 1 in 2^33, and nobody can bring it about.
    fn key(&self, call_id: &[u8], tag: &[u8]) -> u64 {
        self.hashes[0].hash_one((call_id, tag))
    }

    /// A keyed hash of what was dialled.
    fn dialled_hash(&self, dialled: &Text<40>) -> u64 {
        self.hashes[1].hash_one(dialled.as_bytes())
    }

    fn tag_hash(&self, tag: &[u8]) -> u32 {
        // Halves of a keyed hash are as good as the whole; 0 stands for no tag.
        let [_, _, _, _, a, b, c, d] = self.hashes[0].hash_one(tag).to_be_bytes();
        u32::from_be_bytes([a, b, c, d]).max(1)
    }

    /// The call of a message, whichever end sent it.
    fn find(&self, msg: &Message<'_>) -> Option<SlotId> {
        self.find_both(msg).map(|(slot, _)| slot)
    }

    /// The same, and the callee's tag.
    fn find_both<'a>(&self, msg: &Message<'a>) -> Option<(SlotId, &'a [u8])> {
        let of = |tag| self.table.find(&self.key(msg.call_id, tag));
        let found = of(msg.from_tag).map(|slot| (slot, msg.to_tag)).or_else(|| {
            if msg.to_tag.is_empty() { None } else { of(msg.to_tag).map(|slot| (slot, msg.from_tag)) }
        })?;
        self.table.warm(found.0);
        Some(found)
    }

    /// The first 100 to an INVITE of an unknown dialog: its time is shorter from now on.
    fn tried(&mut self, slot: SlotId, now: Timestamp) {
        let Some(call) = self.table.get_mut(slot).filter(|call| call.code == 0) else { return };
        call.code = 100;
        call.since = now;
        let table = &self.table;
        let holds = |slot, since| table.get(slot).is_some_and(|call| call.since == since);
        self.timers.tried(slot, now, table.len(), holds);
    }

    fn enter(&mut self, slot: SlotId, phase: Phase, now: Timestamp) {
        let Some(call) = self.table.get_mut(slot) else { return };
        call.phase = phase;
        call.since = now;
        let table = &self.table;
        let holds = |slot, since| table.get(slot).is_some_and(|call| call.since == since);
        self.timers.entered(slot, phase, now, table.len(), holds);
    }
}
