//! The hot half: from a frame to the facts it proves.
//!
//! In: `Frame`, time. Out: `Fact`, counts in the shared ledger.
//! Never: judges.

mod attempt;
mod due;
mod encrypted;
mod facts;
mod groups;
mod intake;
mod lifeline;
mod miscased;
mod origin;
mod outcome;
mod passing;
mod past;
mod readers;
mod sideways;
mod snapshot;
pub mod watch;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use outcome::{Outcomes, Transport};
pub use snapshot::Snapshot;

use facts::Facts;
use watch::Watch;

use crate::bounded::{SlotId, Table};
use crate::calls::{self, Calls, Seen, Step};
use crate::coverage::{Coverage, Losses, Sign};
use crate::decode::{self, Decoder, Packet, Path};
use crate::dial::{Dial, Leg, OutsideLine, Target};
use crate::fact::{CallState, Cause, Direction, Fact};
use crate::frame::Frame;
use crate::handsets::{self, Handsets, Registrations, Who};
use crate::ledger::Ledger;
use crate::sip::{Message, Method, Start, uri};
use crate::streams::{self, Streams};
use crate::text::Text;
use crate::time::{Clock, Timestamp};

/// The sensor's settings: those of the stages it composes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Tunnels and fragments.
    pub decode: decode::Settings,
    /// TCP reassembly.
    pub streams: streams::Settings,
    /// Who is who.
    pub handsets: handsets::Settings,
    /// The call table.
    pub calls: calls::Settings,
    /// Touches, hints, passwords.
    pub watch: watch::Settings,
    /// Facts that may wait for the judge.
    pub queue: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            decode: decode::Settings::default(),
            streams: streams::Settings::default(),
            handsets: handsets::Settings::default(),
            calls: calls::Settings::default(),
            watch: watch::Settings::default(),
            queue: 8_192,
        }
    }
}

/// What the sensor keeps with each call; what its end doesn't ask for comes last.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Tag {
    who: Who,
    target: Target,
    leg: Leg,
    direction: Direction,
    cause: Cause,
    /// Whether the leg that the PBX made of it was judged in its place.
    stood_for: bool,
    caller: u32,
    username: Text<32>,
}

/// Transfers and redirections that were seen lately, so that copies don't count.
const SIDEWAYS: usize = 1_024;

/// The sensor.
#[derive(Debug)]
pub struct Sensor {
    clock: Clock,
    decoder: Decoder,
    streams: Streams,
    core: Core,
    due: due::Due,
    stirred: bool,
}

/// Everything behind the transport: it takes whole SIP messages.
#[derive(Debug)]
struct Core {
    dial: Dial,
    outside: Option<OutsideLine>,
    ledger: Arc<Ledger>,
    handsets: Handsets,
    registrations: Registrations,
    calls: Calls<Tag>,
    lifelines: lifeline::Lifelines,
    sideways: Table<(u64, u32), sideways::Sideways>,
    told: sideways::Latest,
    groups: groups::Groups,
    outcomes: Outcomes,
    coverage: Coverage,
    losses: Losses,
    watch: Watch,
    /// When encrypted handsets are to be looked at again.
    look: Timestamp,
    facts: Facts,
    invites: u64,
    attempts: u64,
    answered: u64,
}

/// The sensor's own counts, for the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Frames taken in.
    pub frames: u64,
    /// SIP messages read.
    pub sip_messages: u64,
    /// INVITE requests among them, copies and all.
    pub invites: u64,
    /// Call attempts as people count them.
    pub attempts: u64,
    /// Of these, how many were answered.
    pub answered: u64,
    /// Handsets that registered or placed a call.
    pub handsets: u64,
}

impl Sensor {
    /// A sensor that has seen nothing.
    pub fn new(settings: Settings, dial: Dial, ledger: Arc<Ledger>) -> Self {
        let streams = Streams::new(settings.streams);
        let mut calls = Calls::new(settings.calls);
        calls.know_pbx(&settings.handsets.pbx);
        let coverage = Coverage { streams: Arc::clone(streams.stats()), ..Coverage::default() };
        Self {
            clock: Clock::default(),
            decoder: Decoder::new(settings.decode),
            streams,
            core: Core {
                outside: (!dial.has_outside_line()).then(OutsideLine::default),
                dial,
                ledger,
                handsets: Handsets::new(settings.handsets),
                registrations: Registrations::default(),
                calls,
                lifelines: lifeline::Lifelines::default(),
                sideways: Table::new(SIDEWAYS, 0),
                told: sideways::Latest::default(),
                groups: groups::Groups::default(),
                outcomes: Outcomes::default(),
                coverage,
                losses: Losses::default(),
                watch: Watch::new(settings.watch),
                look: Timestamp(i64::MIN),
                facts: Facts::new(settings.queue),
                invites: 0,
                attempts: 0,
                answered: 0,
            },
            due: due::Due::default(),
            stirred: false,
        }
    }

    /// Takes in a frame. Its facts wait in `poll_fact`. The answer is the time that holds now.
    pub fn handle_frame(&mut self, frame: &Frame<'_>) -> Timestamp {
        self.take(frame, true)
    }

    /// `short`: whether speech may take the short way. Nothing but the time it takes depends on it.
    #[inline(always)]
    fn take(&mut self, frame: &Frame<'_>, short: bool) -> Timestamp {
        let now = self.clock.advance(frame.ts);
        if frame.ts < now {
            self.core.coverage.signs.bump(Sign::TimeStepsBack);
        }
        let due = self.due.is_now(now);
        if due {
            self.core.expire(now);
        }
        let stirs = !(short && self.passes(frame, now)) && self.reads(frame, now);
        self.stirred = due || stirs || self.decoder.has_more();
        if self.stirred {
            self.settle(now);
        }
        now
    }

    /// What waited for this moment, and what waits now.
    #[inline(never)]
    fn settle(&mut self, now: Timestamp) {
        self.leftovers(now);
        self.give_up_holes(now, now);
        self.set_due();
    }

    /// Whether the last frame may have left a fact or an exercise, or another `poll_timeout`. Speech
    /// of a known call doesn't.
    pub const fn stirred(&self) -> bool {
        self.stirred
    }

    /// What the decoder has beyond the frames' own outcomes: packets whose rest never came.
    fn leftovers(&mut self, now: Timestamp) {
        while let Some(rest) = self.decoder.poll(now) {
            if let Ok(packet) = rest {
                carry(&mut self.streams, &mut self.core, &packet, now, false);
            }
        }
    }

    /// Holes in TCP streams whose time has come at `due` are given up, and what stands behind them
    /// is read.
    fn give_up_holes(&mut self, due: Timestamp, now: Timestamp) {
        let Self { streams, core, .. } = self;
        streams.handle_timeout(due, &mut |path: &Path, payload: &[u8]| {
            core.stream_message(path, payload, now);
        });
    }

    /// Time passes without a frame.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let now = self.clock.advance(now);
        self.core.expire(now);
        self.leftovers(now);
        self.give_up_holes(now, now);
        self.set_due();
    }

    /// The trace is over: what still waits for its rest is read as far as it came.
    pub fn finish(&mut self) {
        let now = self.clock.now().unwrap_or_default();
        let far = Timestamp(i64::MAX);
        while let Some(rest) = self.decoder.poll(far) {
            if let Ok(packet) = rest {
                carry(&mut self.streams, &mut self.core, &packet, now, false);
            }
        }
        self.give_up_holes(far, now);
    }

    /// When `handle_timeout` has something to do.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.due.told()
    }

    /// The next fact.
    #[inline]
    pub fn poll_fact(&mut self) -> Option<&Fact> {
        self.core.facts.next()
    }

    /// What became of every frame.
    pub const fn outcomes(&self) -> &Outcomes {
        &self.core.outcomes
    }

    /// What could be seen.
    pub const fn coverage(&self) -> &Coverage {
        &self.core.coverage
    }
}

/// Hands a packet to the stage that reads it. `counted` is false for what is left over from
/// frames that have their outcome already. The answer is whether anything came of it but counts.
#[inline]
fn carry(streams: &mut Streams, core: &mut Core, packet: &Packet<'_>, now: Timestamp, counted: bool) -> bool {
    match packet {
        Packet::Datagram(datagram) => core.datagram(datagram, now, counted),
        Packet::Segment(segment) => {
            if counted {
                core.outcomes.segment();
            }
            core.coverage.signs.add(Sign::Truncated, u64::from(segment.truncated));
            core.watch.segment(segment, &core.handsets, now);
            core.sightings();
            let outcome = streams.push(segment, now, &mut |path: &Path, payload: &[u8]| {
                core.stream_message(path, payload, now);
            });
            core.segment(segment, outcome, now);
            true
        }
    }
}

impl Core {
    /// The answer is the call of a message that may say how long it lasts.
    fn track(&mut self, msg: &Message<'_>, path: &Path, now: Timestamp) -> Option<SlotId> {
        let dialled = match msg.start {
            Start::Request { method, .. } => {
                self.coverage.signs.bump(Sign::Requests);
                self.invites = self.invites.saturating_add(u64::from(method == Method::Invite));
                uri::user(msg.called())
            }
            Start::Response(_) => {
                self.coverage.signs.bump(Sign::Responses);
                &[]
            }
        };
        if msg.cseq_method == Method::Register {
            self.registration(msg, path, now);
            return None;
        }
        let seen = Seen { msg, path, dialled, caller: uri::user(msg.from.uri), now };
        let mut step = self.calls.observe(&seen);
        if let Some(call) = self.calls.take_pushed_out() {
            self.pushed_out(&call, now);
        }
        self.step(step, &seen);
        // What proves a call that was in doubt also says how it goes on.
        if let (Step::Attempted(_), Start::Response(_)) = (step, msg.start) {
            step = self.calls.observe(&seen);
            self.step(step, &seen);
        }
        match step {
            Step::Answered(slot) | Step::Reopened(slot) | Step::Same(slot) => Some(slot),
            _ => None,
        }
    }

    fn step(&mut self, step: Step, seen: &Seen<'_>) {
        let (msg, now) = (seen.msg, seen.now);
        match step {
            Step::Attempted(slot) => self.attempted(slot, Some(msg), now),
            Step::Retargeted(slot) => self.retargeted(slot, msg, now),
            Step::Ringing(slot) => self.progressed(slot, CallState::Ringing, now),
            Step::Answered(slot) => self.was_answered(slot, now),
            Step::Resumed(slot) => {
                self.reopened(slot);
                self.same(slot, seen);
            }
            Step::Reopened(slot) => {
                self.reopened(slot);
                self.was_answered(slot, now);
            }
            Step::Ended(slot) | Step::Failed(slot) => self.over(slot, now, None),
            Step::Nearer(slot) => self.nearer(slot, msg, now),
            Step::Elsewhere(slot) => self.passed_on(slot, seen),
            Step::Redirected(slot) => self.redirected(slot, seen),
            Step::Same(slot) => self.same(slot, seen),
            Step::InDialogUnknown => self.coverage.signs.bump(Sign::InDialogUnknown),
            Step::Unknown => self.stray(seen),
        }
    }

    /// A message of a known call that changes nothing in it.
    fn same(&mut self, slot: SlotId, seen: &Seen<'_>) {
        match seen.msg.start {
            Start::Request { method: Method::Invite, .. } => {
                self.coverage.signs.bump(Sign::InvitesRepeated);
                if !seen.msg.credentials.is_empty() {
                    self.note_username(slot, seen.msg);
                }
            }
            Start::Request { method: Method::Refer, .. } => self.transfer(seen),
            _ => {}
        }
    }

    /// A message of a call that nobody knows.
    fn stray(&mut self, seen: &Seen<'_>) {
        match seen.msg.start {
            Start::Response(_) if seen.msg.cseq_method == Method::Invite => {
                self.coverage.signs.bump(Sign::ResponsesWithoutCall);
            }
            Start::Request { method: Method::Refer, .. } => self.transfer(seen),
            _ => {}
        }
    }

    fn registration(&mut self, msg: &Message<'_>, path: &Path, now: Timestamp) {
        let (src, dst) = (path.src.ip(), path.dst.ip());
        match msg.start {
            Start::Request { .. } => self.registrations.asked(msg.call_id, src, dst, now),
            Start::Response(200..=299) if self.registrations.answers(msg.call_id, dst, src, now) => {
                let account = uri::user(msg.to.uri);
                if account.is_empty() {
                    return;
                }
                let (who, first) = self.handsets.registered(src, path.dst_mac, dst, account, now);
                self.dial.learn_extension(account);
                if first {
                    self.emit(Fact::Registered { time: now, who });
                }
            }
            Start::Response(_) => {}
        }
    }

    fn emit(&mut self, fact: Fact) {
        self.facts.push(fact, &self.coverage);
    }
}
