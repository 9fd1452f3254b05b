//! From a step of a call to facts and counts: who is charged, where it goes, which rows change.
//!
//! In: a step. Out: facts, ledger updates.
//! Never: counts a call twice that is told again.

use super::origin::{Origin, costs};
use super::{Core, Facts, Tag};
use crate::bounded::SlotId;
use crate::calls::{Call, Phase, Tie, diverted_by};
use crate::coverage::{Coverage, Sign};
use crate::decode::Path;
use crate::dial::{Dial, Leg, Target};
use crate::fact::{CallFact, CallState, Cause, Direction, Lapse};
use crate::handsets::{HandsetId, Handsets, Named, Said, Sender, Standing, Who, is_hidden};
use crate::ledger::{Account, Key, Ledger};
use crate::sip::digest::Credentials;
use crate::sip::{Message, NameAddr, Start, uri};
use crate::text::Text;
use crate::time::{Span, Timestamp};

impl Core {
    /// A new attempt: finds out who is charged and where it goes, counts it, and tells.
    pub(super) fn attempted(&mut self, slot: SlotId, msg: Option<&Message<'_>>, now: Timestamp) {
        let origin = match self.calls.get(slot).map(|call| call.tie) {
            Some(Tie::None) | None => Origin::default(),
            Some(tie) => self.origin(slot, tie),
        };
        let Self { calls, handsets, dial, ledger, watch, groups, .. } = self;
        let Some(call) = calls.get(slot) else { return };
        let (standing, known) = match watch.relation(&call.path, handsets, now) {
            Some(relation) => (relation.standing, relation.sender),
            None => (handsets.standing_of(call.path.src.ip(), call.path.dst.ip()), None),
        };
        let Standing { from_pbx, from_registered, to_registered, from_home, to_home } = standing;
        // Whoever passes a call on to the outside is a PBX, though no registration was seen yet.
        let outwards = !to_home || (call.tie == Tie::Leg && !to_registered && goes_out(calls.origin()));
        let passed_on = from_home && outwards && passes_on(handsets, call, msg);
        let trunk_side = passed_on || from_pbx && !to_registered && (from_home || !to_home);
        let inbound = !trunk_side && (from_pbx || (!from_home && to_home && !from_registered));
        let leg = if trunk_side { Leg::Trunk } else { Leg::Handset };
        let target = target(dial, leg, msg, call);
        if let Some(known) = known {
            ledger.warm(Key { account: Account::Handset(HandsetId(known)), group: target.group });
        }
        let username = msg.map_or_else(Text::default, username_of);
        let direction = if inbound { Direction::Inbound } else { Direction::placed(leg, &target) };
        let (sender, cause) = if inbound {
            (callee(handsets, ledger, &call.path, now), Cause::Dialled)
        } else {
            let said = Told {
                trunk_side,
                instead: origin.account.as_bytes(),
                made_by: origin.cause,
                username: username.as_bytes(),
            };
            caller((handsets, ledger), call, msg, &said, known, now)
        };
        let caller = msg.filter(|_| inbound).map_or(0, |msg| uri::last_digits(uri::user(msg.from.uri)));
        // What is written there is read from there: a copy on the way would wait for the row's memory.
        let (mut who, cause) = match origin.asked {
            Some(asked) => asked,
            None => (handsets.who_is(&sender), cause),
        };
        if let Some(ip) = origin.outside {
            (who.ip, who.mac) = (ip, None);
        }
        if sender.named != Named::Handset && origin.asked.is_none() {
            let diverted = msg.map_or(&[][..], diverted_by);
            let asserted = if diverted.is_empty() { origin.account.as_bytes() } else { diverted };
            name(
                &mut who,
                sender.named,
                &Said { account: asserted, from: call.caller.as_bytes(), username: username.as_bytes() },
            );
        }
        calls.tag(slot, Tag { who, target, leg, direction, cause, stood_for: false, username, caller });
        if inbound && from_pbx && to_registered && groups.rings_too(calls, slot, now) {
            calls.counted(slot);
        }
        let Some(call) = calls.get(slot) else { return };
        let Some(tag) = &call.tag else { return };
        self.attempts = self.attempts.saturating_add(u64::from(is_new(call)));
        if is_new(call) && !inbound && target.number.is_some() && dial.missing_from_deck(target.rate) {
            self.coverage.signs.bump(Sign::CallsNotInDeck);
        }
        // Of a leg that was captured too late its second one was counted in its place.
        let before = calls.second().filter(|_| call.tie == Tie::Before);
        let before = before.and_then(|second| second.tag.as_ref()).map_or([None; 2], both_rows);
        count(ledger, call, tag, before, now);
        // Does the office dial a digit for an outside line that nobody configured?
        if leg == Leg::Handset
            && !inbound
            && let Some(outside) = &mut self.outside
            && handsets.may_sample(tag.who.id)
        {
            outside.observe(dial, call.dialled.as_bytes());
            self.coverage.outside_line = outside.suggestion();
        }
        self.facts.call(&self.coverage, |fact| write(fact, call, tag, CallState::Attempted, now));
        if call.tie == Tie::Before
            && let Some(second) = self.calls.take_second()
        {
            self.was_second(second, now);
        }
    }

    /// A call that was counted turns out to be the second leg of one whose first leg came later.
    #[cold]
    fn was_second(&mut self, slot: SlotId, now: Timestamp) {
        let Some(call) = self.calls.get(slot) else { return };
        let Some(old) = &call.tag else { return };
        let tag = Tag { leg: Leg::Trunk, ..*old };
        if old.direction != Direction::Inbound && !call.phase.is_over() {
            self.ledger.closed(Key { account: Account::Office, group: tag.target.group });
            if !call.asked {
                self.ledger.over(tag.target.class);
            }
        }
        self.facts.call(&self.coverage, |fact| write(fact, call, &tag, CallState::Attempted, now));
        self.calls.tag(slot, tag);
    }

    /// The attempt goes to another number.
    pub(super) fn retargeted(&mut self, slot: SlotId, msg: &Message<'_>, now: Timestamp) {
        let Some(call) = self.calls.get(slot) else { return };
        let Some(old) = call.tag else { return self.attempted(slot, Some(msg), now) };
        let target = target(&self.dial, old.leg, Some(msg), call);
        let cause = if (300..400).contains(&call.code) { Cause::Forwarded } else { old.cause };
        let comes_in = old.direction == Direction::Inbound;
        let direction = if comes_in { Direction::Inbound } else { Direction::placed(old.leg, &target) };
        let tag = Tag { target, direction, cause, ..old };
        uncount(&self.ledger, call, &old);
        let before = rows(call, &old);
        // A part of another call, or what was asked for, goes somewhere else now.
        let part = call.joined || was_told(call.tie);
        if part && costs(target.group) && target.number != old.target.number {
            self.calls.stands_alone(slot);
        }
        let Some(call) = self.calls.get(slot) else { return };
        count(&self.ledger, call, &tag, before, now);
        self.facts.call(&self.coverage, |fact| write(fact, call, &tag, CallState::Attempted, now));
        self.calls.tag(slot, tag);
    }

    /// The call was seen at its second hop first: it is charged anew, and counted once.
    pub(super) fn nearer(&mut self, slot: SlotId, msg: &Message<'_>, now: Timestamp) {
        self.over(slot, now, None);
        self.calls.counted(slot);
        self.attempted(slot, Some(msg), now);
    }

    /// The far end rings.
    pub(super) fn progressed(&mut self, slot: SlotId, state: CallState, now: Timestamp) {
        let Some(tag) = self.calls.tag_mut(slot) else { return };
        if !tag.username.is_empty() && tag.leg == Leg::Handset {
            self.proved(slot, now);
        }
        if let Some(call) = self.calls.get(slot)
            && let Some(tag) = &call.tag
        {
            self.facts.call(&self.coverage, |fact| write(fact, call, tag, state, now));
        }
    }

    pub(super) fn was_answered(&mut self, slot: SlotId, now: Timestamp) {
        self.progressed(slot, CallState::Answered, now);
        let Some(call) = self.calls.get(slot) else { return };
        if let Some(tag) = &call.tag
            && !call.joined
            && call.tie != Tie::Elsewhere
            && (call.tie != Tie::Asked || tag.cause == Cause::Transferred)
        {
            self.answered = self.answered.saturating_add(1);
            self.ledger.answered().bump(tag.target.class);
        }
    }

    /// A call had to go because the table was full.
    #[cold]
    pub(super) fn pushed_out(&mut self, call: &Call<Tag>, now: Timestamp) {
        let end = (Some(Lapse::TableFull), now, Span::ZERO);
        over(call, &self.ledger, &self.coverage, &mut self.facts, now, end);
    }

    /// Tells that a call is over.
    pub(super) fn tell_end(&mut self, slot: SlotId, now: Timestamp, end: End) {
        if let Some(call) = self.calls.get(slot) {
            over(call, &self.ledger, &self.coverage, &mut self.facts, now, end);
        }
    }

    pub(super) fn reopened(&mut self, slot: SlotId) {
        if let Some(call) = self.calls.get(slot)
            && let Some(tag) = &call.tag
        {
            for key in rows(call, tag).into_iter().flatten() {
                self.ledger.reopened(key);
            }
            if is_new(call) {
                self.ledger.back(tag.target.class);
            }
        }
    }

    pub(super) fn note_username(&mut self, slot: SlotId, msg: &Message<'_>) {
        if let Some(tag) = self.calls.tag_mut(slot) {
            tag.username = username_of(msg);
        }
    }
}

/// Why a call is over if nobody said so, when, and how much of its talk was told before.
pub(super) type End = (Option<Lapse>, Timestamp, Span);

/// A call is over.
fn over(
    call: &Call<Tag>,
    ledger: &Ledger,
    coverage: &Coverage,
    facts: &mut Facts,
    now: Timestamp,
    (expired, end, told): End,
) {
    let Some(tag) = &call.tag else { return };
    let ended = matches!(call.phase, Phase::Answered | Phase::Ended);
    if call.is_heard() {
        coverage.signs.bump(Sign::CallsHeard);
    } else if ended && expired.is_none() {
        coverage.signs.bump(Sign::CallsUnheard);
    }
    let state = if ended { CallState::Ended } else { CallState::Failed };
    uncount(ledger, call, tag);
    if ended && !call.joined {
        let micros = u64::try_from(call.talked(end).0.saturating_sub(told.0)).unwrap_or(0);
        ledger.talked_micros().add(tag.target.class, micros);
    }
    let talked = if ended { call.talked(end) } else { Span::ZERO };
    facts.call(coverage, |fact| {
        write(fact, call, tag, state, now);
        (fact.expired, fact.talked, fact.told) = (expired, talked, told);
    });
}

/// Writes all of a fact but why and when a call ended.
#[inline(always)]
pub(super) fn write(fact: &mut CallFact, call: &Call<Tag>, tag: &Tag, state: CallState, now: Timestamp) {
    fact.call_id.set(&call.call_id);
    fact.dialled.set(&call.dialled);
    // Named one by one, so that none is forgotten.
    let CallFact {
        time,
        call: no,
        state: its_state,
        leg,
        joined,
        direction,
        cause,
        code,
        started,
        talked,
        told,
        expired,
        call_id_reused,
        repeated,
        who,
        call_id: _,
        dialled: _,
        target,
        caller,
    } = fact;
    (*time, *no, *its_state, *started) = (now, call.no, state, call.started);
    (*leg, *direction, *cause, *caller) = (tag.leg, tag.direction, tag.cause, tag.caller);
    (*joined, *code, *call_id_reused) = (call.joined, call.code, call.call_id_reused);
    *repeated = was_told(call.tie) && state == CallState::Attempted;
    (*who, *target) = (tag.who, tag.target);
    (*talked, *told, *expired) = (Span::ZERO, Span::ZERO, None);
}

/// Where the call goes.
fn target(dial: &Dial, leg: Leg, msg: Option<&Message<'_>>, call: &Call<Tag>) -> Target {
    match msg {
        Some(msg) if matches!(msg.start, Start::Request { .. }) => dial.classify(leg, msg.called()),
        _ => dial.classify(leg, call.dialled.as_bytes()),
    }
}

/// The handset that a call comes to.
fn callee(handsets: &mut Handsets, ledger: &Ledger, path: &Path, now: Timestamp) -> Sender {
    let back = Path { src: path.dst, dst: path.src, src_mac: path.dst_mac, dst_mac: path.src_mac, ..*path };
    charged(handsets.sender(&back, &Said::default(), None, now), ledger)
}

/// What is known of who is to be charged.
struct Told<'a> {
    /// Whether a PBX sends it, not a handset.
    trunk_side: bool,
    /// Who caused the call of which it is a part.
    instead: &'a [u8],
    /// How.
    made_by: Cause,
    /// The username of its credentials.
    username: &'a [u8],
}

/// Who is charged with a call: on the handset's side the handset, on the trunk's side whoever
/// the PBX says diverted or placed it.
fn caller(
    (handsets, ledger): (&mut Handsets, &Ledger),
    call: &Call<Tag>,
    msg: Option<&Message<'_>>,
    told: &Told<'_>,
    known: Option<SlotId>,
    now: Timestamp,
) -> (Sender, Cause) {
    let diverted = msg.map_or(&[][..], diverted_by);
    let cause = if diverted.is_empty() { told.made_by } else { Cause::Forwarded };
    let account = if !told.trunk_side || (call.joined && diverted.is_empty()) {
        &[][..]
    } else if !diverted.is_empty() {
        diverted
    } else if !told.instead.is_empty() {
        told.instead
    } else {
        let asserted =
            msg.and_then(|msg| NameAddr::parse(msg.asserted())).map_or(&[][..], |by| uri::user(by.uri));
        let by = if asserted.is_empty() { call.caller.as_bytes() } else { asserted };
        if is_hidden(by) { &[][..] } else { by }
    };
    let said = Said { account, from: call.caller.as_bytes(), username: told.username };
    let sender = handsets.sender(&call.path, &said, known, now);
    (charged(sender, ledger), cause)
}

/// The handset that sends; whoever had to be forgotten for it is forgotten by the ledger too.
fn charged(sender: Sender, ledger: &Ledger) -> Sender {
    if let Some(handset) = sender.forgotten {
        ledger.forget(handset);
    }
    sender
}

/// Names a caller as this call does.
#[cold]
pub(super) fn name(who: &mut Who, named: Named, said: &Said<'_>) {
    (who.user, who.verified) = match named {
        Named::Handset => return,
        Named::Account => (Text::new(said.account), false),
        Named::From => (Text::new(said.from), true),
        Named::Username => (Text::new(said.username), true),
    };
}

/// Whether a handset dialled it, and to the outside.
#[cold]
fn goes_out(call: Option<&Call<Tag>>) -> bool {
    call.and_then(|call| call.tag.as_ref()).is_some_and(|tag| tag.direction == Direction::Outbound)
}

/// Whether who sends a leg was seen to pass it on. A registered handset isn't believed that somebody else
/// diverted its call.
fn passes_on(handsets: &Handsets, call: &Call<Tag>, msg: Option<&Message<'_>>) -> bool {
    match call.tie {
        Tie::Leg => msg.is_some_and(|msg| msg.replaces().is_empty()),
        Tie::Elsewhere => !handsets.has_registered(call.path.src.ip()),
        Tie::Back => {
            msg.is_some_and(|msg| !diverted_by(msg).is_empty())
                && !handsets.has_registered(call.path.src.ip())
        }
        Tie::None | Tie::Asked | Tie::Again | Tie::Before => false,
    }
}

/// Whether another leg's attempt, or whoever asked for it, was told before it.
const fn was_told(tie: Tie) -> bool {
    matches!(tie, Tie::Asked | Tie::Again | Tie::Before)
}

/// Whether it is a human call that wasn't counted before.
const fn is_new(call: &Call<Tag>) -> bool {
    !call.joined && !call.asked
}

/// Counts a call in its rows, but not anew in those that counted it `before`.
fn count(ledger: &Ledger, call: &Call<Tag>, tag: &Tag, before: [Option<Key>; 2], now: Timestamp) {
    count_rows(ledger, call, tag, before, now);
    if is_new(call) {
        ledger.attempted().bump(tag.target.class);
    }
}

pub(super) fn count_rows(
    ledger: &Ledger,
    call: &Call<Tag>,
    tag: &Tag,
    before: [Option<Key>; 2],
    now: Timestamp,
) {
    for key in rows(call, tag).into_iter().flatten() {
        if matches!(call.tie, Tie::Asked | Tie::Again) || before.contains(&Some(key)) {
            ledger.reopened(key);
        } else {
            ledger.attempt(key, now);
        }
    }
}

fn uncount(ledger: &Ledger, call: &Call<Tag>, tag: &Tag) {
    for key in rows(call, tag).into_iter().flatten() {
        ledger.closed(key);
    }
    if is_new(call) {
        ledger.over(tag.target.class);
    }
}

/// The ledger's rows of a call: the caller's, and the office's for a first leg. Calls that come
/// in cost nothing and are in none.
fn rows(call: &Call<Tag>, tag: &Tag) -> [Option<Key>; 2] {
    if tag.direction == Direction::Inbound {
        return [None, None];
    }
    let group = tag.target.group;
    let office = Key { account: Account::Office, group };
    [Some(row(tag)), (!call.joined).then_some(office)]
}

/// The rows of a call out that is no second leg.
fn both_rows(tag: &Tag) -> [Option<Key>; 2] {
    let office = Key { account: Account::Office, group: tag.target.group };
    if tag.direction == Direction::Inbound { [None; 2] } else { [Some(row(tag)), Some(office)] }
}

/// The row of whoever is charged.
pub(super) const fn row(tag: &Tag) -> Key {
    Key { account: Account::Handset(tag.who.id), group: tag.target.group }
}

fn username_of(msg: &Message<'_>) -> Text<32> {
    if msg.credentials.is_empty() {
        return Text::default();
    }
    Credentials::parse(msg.credentials)
        .map_or_else(Text::default, |credentials| Text::new(credentials.username))
}
