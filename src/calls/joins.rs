//! Which legs are one call: what a new leg is to those that were seen before.
//!
//! In: a new leg. Out: the call that it is a part of, and what part.
//! Never: joins legs that neither meet at one address or piece of hardware nor say themselves that they are one.

use std::hash::BuildHasher;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::legs::{Leg, Legs, REMEMBERED, Tail};
use super::{Call, CallNo, Calls, Phase, Seen};
use crate::bounded::SlotId;
use crate::sip::{Message, NameAddr, history, uri};
use crate::time::{Span, Timestamp};

/// A PBX dials on within this time.
pub(super) const WITHIN: Span = Span::seconds(2);

/// What somebody asks it for it places within this time: it may have to look up where.
const ASKED: Span = Span::seconds(10);

/// So long a call may ring (RFC 3261 section 16.7, timer C): meanwhile its PBX may try the next trunk, or
/// somebody else.
const PENDING: Span = Span::minutes(3);

/// After so long without an answer a PBX tries the next trunk, at the earliest.
const GIVEN_UP: Span = Span::seconds(4);

/// A PBX that gives one up turns to the next within this time.
const AT_ONCE: Span = Span::SECOND;

/// By so much two ports of a mirror may be apart.
const AHEAD: Span = Span(200_000);

/// What a leg is to one that was seen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tie {
    /// Nothing is known.
    #[default]
    None,
    /// A part of the same call, which needs no judgement of its own.
    Leg,
    /// What a REFER or a redirection asked for: it was told then, and has its number.
    Asked,
    /// What failed over another server a moment ago: it was counted then.
    Again,
    /// What a PBX made of a call to another number, or what stands beside or in place of the call that it seems
    /// to be a part of: counted with that one, and judged.
    Elsewhere,
    /// It goes back to where a call came from, and is one of its own; but whoever sends it passes calls on.
    Back,
    /// The leg before another one, captured after it: that one was counted.
    Before,
}

/// How well two legs fit, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// Same session or number.
    Number,
    /// Same caller, or the second says that who was called diverts it.
    Caller,
}

/// How a leg fits those that were seen before.
struct Second<'a> {
    leg: &'a Leg,
    /// Who diverted it, as it says.
    diverter: Tail,
}

impl Second<'_> {
    /// Whether a leg reached who sends this one. What goes back to where it came from goes on only if it goes
    /// to somebody else, or a proxy that passed a call or a REFER on passes the next one on, too.
    fn meets(&self, first: &Leg) -> bool {
        let back = first.src == self.leg.dst && !first.asked && !first.proxied;
        first.dst == self.leg.src && (!back || self.leg.called.is_elsewhere(&first.called))
    }

    fn likeness(&self, first: &Leg) -> Option<Likeness> {
        let leg = self.leg;
        if (first.session != 0 && first.session == leg.session) || leg.called.continues(&first.called) {
            Some(Likeness::Number)
        } else if self.is_of_caller(first) || (self.diverter.is_known() && self.diverter == first.called) {
            Some(Likeness::Caller)
        } else {
            None
        }
    }

    fn is_of_caller(&self, first: &Leg) -> bool {
        let caller = &self.leg.caller;
        caller.is_number_of(&first.caller) || (caller.is_known() && *caller == first.caller)
    }

    /// A part of the same call, or one that goes somewhere else: an extension as the caller shows only that
    /// the two belong together.
    fn tie(&self, first: &Leg) -> (CallNo, Tie) {
        let leg = self.leg;
        let close = self.likeness(first) == Some(Likeness::Number) || leg.caller.is_number_of(&first.caller);
        let tie = match () {
            () if first.asked && leg.called.continues(&first.called) => Tie::Asked,
            () if first.asked || leg.called.is_elsewhere(&first.called) || !close => Tie::Elsewhere,
            () => Tie::Leg,
        };
        (first.call, tie)
    }
}

impl Legs {
    /// The leg that a leg from `second.src` continues: one that just reached that address. One that
    /// nothing continues yet comes first, so that two handsets calling one number keep their own trunk legs;
    /// one that is continued already may fork, but then the caller must be the same.
    fn first_of(&self, second: &Second<'_>) -> Option<usize> {
        let fit = |i: usize| {
            let (first, by) = self.ring[i].as_ref()?;
            let within = if first.asked { ASKED } else { WITHIN };
            let meets = second.meets(first) && second.leg.at.since(first.at) <= within;
            let likeness = second.likeness(first).filter(|_| meets)?;
            let same = first.session != 0 && first.session == second.leg.session;
            let forks = first.asked || same || first.caller == second.leg.caller;
            (by.is_none() || forks).then_some((likeness, by.is_some()))
        };
        // The oldest of those that fit best.
        self.oldest_first().filter_map(|i| Some((fit(i)?, i))).min_by_key(|(fit, _)| *fit).map(|(_, i)| i)
    }

    fn oldest_first(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        let next = self.next;
        (0..REMEMBERED).map(move |i| (next + i) % REMEMBERED)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Leg, Option<SlotId>)> + Clone {
        self.oldest_first().filter_map(|i| self.ring[i].as_ref().map(|(leg, by)| (i, leg, *by)))
    }

    /// What somebody at this address was just asked for.
    pub(super) fn asked_at(&self, at: IpAddr, called: &Tail, now: Timestamp) -> Option<Leg> {
        let asked = |leg: &&Leg| leg.asked && leg.dst == at && leg.called == *called;
        self.all().map(|(_, leg, _)| leg).filter(asked).find(|leg| now.since(leg.at) <= ASKED).copied()
    }
}

impl<T: Copy> Calls<T> {
    /// Makes a call an attempt: gives it a number, its own or that of the leg it continues.
    pub(super) fn attempt(
        &mut self,
        slot: SlotId,
        replaced: Option<(CallNo, SlotId)>,
        msg: Option<&Message<'_>>,
        now: Timestamp,
    ) {
        let Some(call) = self.table.get_mut(slot) else { return };
        let session = msg.and_then(session_of).map_or(0, |part| self.hashes[1].hash_one(part));
        let [src, dst] = [call.path.src, call.path.dst].map(|end| self.legs.node(end.ip()));
        let (at, macs) = (call.started, [call.path.src_mac, call.path.dst_mac]);
        let (called, caller) = (Tail::of(call.dialled.as_bytes()), Tail::of(call.caller.as_bytes()));
        let (asked, proxied) = (false, call.via_count > 1);
        let leg =
            |call: CallNo| Leg { call, slot, at, src, dst, macs, called, caller, session, asked, proxied };
        self.origin = None;
        let tie = match replaced {
            Some((no, first)) => {
                self.origin = Some(first);
                Some((no, Tie::Leg))
            }
            None if self.legs.reach(src) => self.continues(&leg(CallNo(0)), msg),
            None => None,
        };
        let tie = match tie {
            None if self.legs.may_be_odd(&leg(CallNo(0))) => self.is_odd(&leg(CallNo(0))),
            tie => tie,
        };
        let (first, tie) = tie.unwrap_or_default();
        let by = if tie == Tie::Before { self.late } else { None };
        let shares = matches!(tie, Tie::Leg | Tie::Asked | Tie::Before);
        if !shares {
            self.last = self.last.saturating_add(1);
        }
        let no = if shares { first } else { CallNo(self.last) };
        // Made where it is to stand: a copy would wait for the row that was just written.
        self.legs.remember(leg(no), by, matches!(tie, Tie::None | Tie::Back | Tie::Before));
        if let Some(call) = self.table.get_mut(slot) {
            call.no = no;
            call.tie = tie;
            call.joined = tie == Tie::Leg;
            call.asked = matches!(tie, Tie::Asked | Tie::Again | Tie::Elsewhere | Tie::Before);
        }
        self.enter(slot, Phase::Attempted, now);
    }

    /// A call is seen on its next hop: whoever takes it there may pass it on as a leg of its own.
    pub(super) fn hop(&mut self, slot: SlotId, seen: &Seen<'_>) {
        let [src, dst] = [seen.path.src, seen.path.dst].map(|end| self.legs.node(end.ip()));
        let Some(call) = self.table.get(slot).filter(|call| !call.phase.is_over()) else { return };
        // Not whenever it is sent again.
        if self.hop.replace((call.no, dst)) == Some((call.no, dst)) {
            return;
        }
        let leg = Leg {
            call: call.no,
            slot,
            at: seen.now,
            src,
            dst,
            macs: [seen.path.src_mac, seen.path.dst_mac],
            called: Tail::of(seen.dialled),
            caller: Tail::of(seen.caller),
            session: session_of(seen.msg).map_or(0, |part| self.hashes[1].hash_one(part)),
            asked: false,
            proxied: true,
        };
        self.legs.remember(leg, None, false);
    }

    /// What a leg is to the calls that reached its sender.
    #[cold]
    fn continues(&mut self, leg: &Leg, msg: Option<&Message<'_>>) -> Option<(CallNo, Tie)> {
        let second = Second { leg, diverter: msg.map_or_else(Tail::default, diverter) };
        let first = self.legs.first_of(&second).or_else(|| self.pending(&second));
        let Some(i) = first.or_else(|| self.diverted(&second)) else {
            return self.goes_back(&second).then_some((CallNo(0), Tie::Back));
        };
        let (first, beside) = self.goes_on_by(i, leg)?;
        let (no, tie) = second.tie(&first);
        Some((no, if beside { Tie::Elsewhere } else { tie }))
    }

    /// Notes that a leg continues a remembered one. Whether another does already: one call to a number needs
    /// no second one beside it.
    fn goes_on_by(&mut self, i: usize, leg: &Leg) -> Option<(Leg, bool)> {
        let (first, by) = self.legs.ring[i].as_mut()?;
        let before = by.replace(leg.slot).and_then(|by| self.table.get(by));
        let beside = before.is_some_and(|before| {
            leg.called.is_number_of(&Tail::of(before.dialled.as_bytes())) && !came_to_nothing(before, leg.at)
        });
        self.origin = (!first.asked).then_some(first.slot);
        Some((*first, beside))
    }

    /// A call that reached the sender a while ago and still waits for an answer: whom else the PBX tries
    /// for it, it may try later than `WITHIN`; the same number only if that has come to nothing before, and
    /// anybody just when it has.
    fn pending(&self, second: &Second<'_>) -> Option<usize> {
        let now = second.leg.at;
        let fits = |(i, first, by): (usize, &Leg, Option<SlotId>)| {
            if first.asked || !second.meets(first) || !self.waits(first, now) {
                return None;
            }
            let before = by.and_then(|by| self.table.get(by));
            let again = || {
                before.is_some_and(|before| {
                    let same = Tail::of(before.caller.as_bytes()) == second.leg.caller;
                    (same || second.is_of_caller(first)) && came_to_nothing(before, now)
                })
            };
            let fits = if second.leg.called.continues(&first.called) {
                again()
            } else {
                let caller = &second.leg.caller;
                let anybody = !caller.is_known() || caller.is_number_of(caller) || *caller == first.called;
                second.likeness(first).is_some()
                    || (anybody && before.is_some_and(|before| was_given_up(before, now)))
            };
            fits.then_some(i)
        };
        self.legs.all().find_map(fits)
    }

    /// The waiting call of which a leg says that somebody diverted it: the one that reached him, or else what
    /// reached the sender last.
    fn diverted(&self, second: &Second<'_>) -> Option<usize> {
        let (by, at, now) = (second.diverter, second.leg.src, second.leg.at);
        let waiting = |(_, first, _): &(usize, &Leg, Option<SlotId>)| {
            !first.asked && first.dst == at && first.src != at && self.waits(first, now)
        };
        if !by.is_known() {
            return None;
        }
        let rang = |of: &Leg| {
            self.legs.all().any(|(_, leg, _)| leg.src == at && leg.call == of.call && leg.called == by)
        };
        let reached = self.legs.all().filter(waiting).find(|(_, first, _)| rang(first));
        let last =
            || self.legs.all().filter(waiting).filter(|(_, first, _)| now.since(first.at) <= WITHIN).last();
        reached.or_else(last).map(|(i, ..)| i)
    }

    /// Whether a leg's call waits for an answer.
    fn waits(&self, leg: &Leg, now: Timestamp) -> bool {
        let waits = |call: &Call<T>| {
            call.no == leg.call && matches!(call.phase, Phase::Attempted | Phase::Ringing) && call.code != 487
        };
        now.since(leg.at) <= PENDING && self.table.get(leg.slot).is_some_and(waits)
    }

    /// Whether a leg is diverted to where a call came from that is going on.
    fn goes_back(&self, second: &Second<'_>) -> bool {
        let up = |leg: &Leg| {
            self.table.get(leg.slot).is_some_and(|call| call.no == leg.call && !call.phase.is_over())
        };
        second.diverter.is_known()
            && self
                .legs
                .all()
                .any(|(_, first, _)| (first.src, first.dst) == (second.leg.dst, second.leg.src) && up(first))
    }

    /// What a leg from where no call was seen to go is to others; see `Legs::may_be_odd`.
    #[cold]
    fn is_odd(&mut self, leg: &Leg) -> Option<(CallNo, Tie)> {
        if let Some(second) = self.captured_before(leg) {
            let call = self.table.get_mut(second)?;
            (call.joined, call.tie) = (true, Tie::Leg);
            self.late = Some(second);
            return Some((call.no, Tie::Before));
        }
        let Some((i, hardware)) = self.first_elsewhere(leg) else {
            return self.tried_before(leg).then_some((CallNo(0), Tie::Again));
        };
        let (first, beside) = self.goes_on_by(i, leg)?;
        let elsewhere = beside || !hardware || leg.called.is_elsewhere(&first.called);
        Some((first.call, if elsewhere { Tie::Elsewhere } else { Tie::Leg }))
    }

    /// The leg that one from another address of the same PBX continues, and whether the hardware shows it:
    /// what the legs say of themselves could be said by anybody.
    fn first_elsewhere(&self, second: &Leg) -> Option<(usize, bool)> {
        let found = |(i, first, by): (usize, &Leg, Option<SlotId>)| {
            let apart = ![second.src, second.dst].contains(&first.src)
                && ![second.src, second.dst].contains(&first.dst);
            let near = !first.asked && second.at.since(first.at) <= WITHIN;
            let hardware =
                first.macs[1].is_some() && first.macs[1] == second.macs[0] && first.macs[0] != second.macs[0];
            let said = first.session != 0 && first.session == second.session;
            let before = by.and_then(|by| self.table.get(by));
            let again = |before: &Call<T>| {
                first.caller == second.caller || Tail::of(before.caller.as_bytes()) == second.caller
            };
            let free = by.is_none() || (hardware && before.is_some_and(again));
            let same = second.called.is_number_of(&first.called)
                || (hardware && second.caller.is_number_of(&first.caller));
            (apart && near && free && same && (hardware || said)).then_some((i, hardware))
        };
        self.legs.all().find_map(found)
    }

    /// Whether its sender tried to reach the same number over another server just before, and failed, and
    /// tries this one for the first time.
    fn tried_before(&self, leg: &Leg) -> bool {
        let failed = |call: &Call<T>| call.phase == Phase::Failed && leg.at.since(call.since) <= WITHIN;
        let same = |before: &Leg| {
            before.src == leg.src && leg.called.is_number_of(&before.called) && leg.caller == before.caller
        };
        let mut before = self.legs.all().map(|(_, before, _)| before).filter(|before| same(before));
        let mut elsewhere = before.clone();
        elsewhere.any(|before| {
            before.dst != leg.dst
                && self.table.get(before.slot).is_some_and(|call| call.no == before.call && failed(call))
        }) && before.all(|before| before.dst != leg.dst)
    }

    /// The second leg of a call whose first one comes only now.
    fn captured_before(&self, first: &Leg) -> Option<SlotId> {
        let fits = |(_, second, by): (usize, &Leg, Option<SlotId>)| {
            let near = first.at.since(second.at) <= AHEAD && second.at.since(first.at) <= WITHIN;
            let same = second.called.is_number_of(&first.called)
                || (first.session != 0 && first.session == second.session);
            let meets = second.src == first.dst && second.dst != first.src;
            let call = self.table.get(second.slot).filter(|_| near && same && meets)?;
            let first_so_far = match call.tie {
                Tie::None | Tie::Back => by.is_none() && !call.asked,
                Tie::Before => true,
                Tie::Leg | Tie::Asked | Tie::Again | Tie::Elsewhere => false,
            };
            (call.no == second.call && first_so_far).then_some(second.slot)
        };
        self.legs.all().find_map(fits)
    }
}

/// Whether nobody will answer a leg, or nobody has said anything to it for so long that its PBX gives up.
fn came_to_nothing<T>(call: &Call<T>, now: Timestamp) -> bool {
    let silent = call.phase == Phase::Attempted && !call.is_heard();
    call.phase == Phase::Failed
        || matches!(call.code, 300..=399 | 487)
        || (silent && now.since(call.started) >= GIVEN_UP)
}

/// Whether a leg has just failed, or is being cancelled.
fn was_given_up<T>(call: &Call<T>, now: Timestamp) -> bool {
    let failed = call.phase == Phase::Failed && now.since(call.since) <= AT_ONCE;
    failed || (call.phase == Phase::Ringing && call.code == 487)
}

/// Who diverted a call, as its INVITE says.
fn diverter(msg: &Message<'_>) -> Tail {
    Tail::of(diverted_by(msg))
}

/// Who forwards a call, as its INVITE says it: the Diversion header (RFC 5806), or the last entry of the
/// history from which it was sent elsewhere (RFC 7044).
pub fn diverted_by<'a>(msg: &Message<'a>) -> &'a [u8] {
    let diversion = NameAddr::parse(msg.diversion()).map_or(&[][..], |by| uri::user(by.uri));
    if diversion.is_empty() { history::diverted_by(msg) } else { diversion }
}

/// What of a message stays the same along the call: the caller's UUID (Session-ID, RFC 7989), or what stands
/// for the call in charging (RFC 7315 section 4.6) and in other names for the same.
fn session_of<'a>(msg: &Message<'a>) -> Option<&'a [u8]> {
    let own = session_part(msg.session_id());
    own.or_else(|| session_part(msg.charging()))
}

fn session_part(value: &[u8]) -> Option<&[u8]> {
    const ICID: &[u8] = b"icid-value=";
    let charging = value.windows(ICID.len()).position(|part| part.eq_ignore_ascii_case(ICID));
    let value = value.get(charging.map_or(0, |at| at + ICID.len())..).unwrap_or_default();
    let part = value.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    let part = part.strip_prefix(b"\"").and_then(|part| part.strip_suffix(b"\"")).unwrap_or(part);
    if part.len() < 16 || part.iter().all(|b| *b == b'0') { None } else { Some(part) }
}
