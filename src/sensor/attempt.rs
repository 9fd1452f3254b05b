//! From a step of a call to facts and counts: who is charged, where it goes, which rows change.
//!
//! In: a step. Out: facts, ledger updates.
//! Never: charges two handsets with one call.

use super::{Core, Facts, Tag};
use crate::bounded::SlotId;
use crate::calls::{Call, CallNo, Phase, Seen};
use crate::coverage::{Coverage, Sign};
use crate::decode::Path;
use crate::dial::{Class, Dial, Group, Leg, Target};
use crate::fact::{CallFact, CallState, Cause, Direction, Fact, Lapse};
use crate::handsets::{HandsetId, Handsets, Sender, Standing};
use crate::ledger::{Account, Key, Ledger};
use crate::sip::digest::Credentials;
use crate::sip::{Message, NameAddr, Start, history, uri};
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// A transfer or forward that was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sideways {
    /// The last digits of where it goes.
    to: u32,
    /// Whether it came with credentials.
    credentials: bool,
}

/// An extension or a device's own name seldom has as many digits.
const TELEPHONE_DIGITS: usize = 8;

impl Core {
    /// A new attempt: finds out who is charged and where it goes, counts it, and tells.
    pub(super) fn attempted(&mut self, slot: SlotId, msg: Option<&Message<'_>>, now: Timestamp) {
        let Self { calls, handsets, dial, ledger, watch, .. } = self;
        let Some(call) = calls.get(slot) else { return };
        let (standing, known) = match watch.relation(&call.path, handsets, now) {
            Some(relation) => (relation.standing, relation.sender),
            None => (handsets.standing_of(call.path.src.ip(), call.path.dst.ip()), None),
        };
        let Standing { from_pbx, to_registered, from_home, to_home } = standing;
        // Whoever passes a call on to the outside is a PBX, though no registration was seen yet.
        let passed_on =
            call.joined && msg.is_some_and(|msg| msg.replaces().is_empty()) && from_home && !to_home;
        let trunk_side = passed_on || from_pbx && !to_registered && (from_home || !to_home);
        let inbound = !trunk_side && (from_pbx || (!from_home && to_home));
        let leg = if trunk_side { Leg::Trunk } else { Leg::Handset };
        let target = target(dial, leg, msg, call);
        if let Some(known) = known {
            ledger.warm(Key { account: Account::Handset(HandsetId(known)), group: target.group });
        }
        let direction = match target.class {
            _ if inbound => Direction::Inbound,
            Class::Internal | Class::Feature if !trunk_side => Direction::Internal,
            _ => Direction::Outbound,
        };
        let (sender, cause) = if inbound {
            (callee(handsets, ledger, &call.path, now), Cause::Dialled)
        } else {
            caller((handsets, ledger), call, msg, trunk_side, known, now)
        };
        let username = msg.map_or_else(Text::default, username_of);
        let caller = msg.filter(|_| inbound).map_or(0, |msg| uri::last_digits(uri::user(msg.from.uri)));
        // What is written there is read from there: a copy on the way would wait for the row's memory.
        let who = handsets.who_is(&sender);
        calls.tag(slot, Tag { who, target, leg, direction, cause, username, caller });
        let Some(call) = calls.get(slot) else { return };
        let Some(tag) = &call.tag else { return };
        self.attempts = self.attempts.saturating_add(u64::from(is_new(call)));
        if is_new(call) && !inbound && target.number.is_some() && dial.missing_from_deck(target.rate) {
            self.coverage.signs.bump(Sign::CallsNotInDeck);
        }
        count(ledger, call, tag, now);
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
    }

    /// The attempt goes to another number.
    pub(super) fn retargeted(&mut self, slot: SlotId, msg: &Message<'_>, now: Timestamp) {
        let Some(call) = self.calls.get(slot) else { return };
        let Some(old) = call.tag else { return self.attempted(slot, Some(msg), now) };
        let target = target(&self.dial, old.leg, Some(msg), call);
        let cause = if (300..400).contains(&call.code) { Cause::Forwarded } else { old.cause };
        let tag = Tag { target, cause, ..old };
        uncount(&self.ledger, call, &old);
        count(&self.ledger, call, &tag, now);
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
        // The PBX lets the call go on, so it accepted the credentials.
        if !tag.username.is_empty() && tag.leg == Leg::Handset && tag.direction != Direction::Inbound {
            tag.who = self.handsets.accepted(tag.username.as_bytes(), &tag.who);
            tag.username = Text::default();
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

    /// A 3xx from a handset forwards the call: it is charged with what its Contact says.
    pub(super) fn redirected(&mut self, slot: SlotId, seen: &Seen<'_>) {
        let Some(call) = self.calls.get(slot).map(|call| call.no) else { return };
        let Some(contact) = NameAddr::parse(seen.msg.contact) else { return };
        if self.handsets.is_pbx(seen.path.src.ip()) {
            return;
        }
        self.sideways(seen, contact.uri, Cause::Forwarded, Some(call), &[]);
    }

    /// REFER: whoever sends it is charged with the call it asks for.
    pub(super) fn transfer(&mut self, seen: &Seen<'_>) {
        let Some(refer_to) = NameAddr::parse(seen.msg.refer_to()) else { return };
        if self.calls.asked_on(seen, uri::user(refer_to.uri)) || self.handsets.is_pbx(seen.path.src.ip()) {
            return;
        }
        // An attended transfer joins two calls that were placed already.
        let replaces = uri::replaces(refer_to.uri, &mut [0; uri::REPLACES_MAX]).is_some_and(|dialog| {
            let number = uri::user(refer_to.uri);
            self.calls.replaces(dialog, number).is_some()
        });
        if !replaces {
            self.sideways(seen, refer_to.uri, Cause::Transferred, None, &[]);
        }
    }

    /// A proxy passes a call on to another number: it is charged to whoever it says diverted it, or to
    /// the account that was called.
    pub(super) fn passed_on(&mut self, slot: SlotId, seen: &Seen<'_>) {
        let Some(call) = self.calls.get(slot) else { return };
        let (no, called) = (call.no, call.dialled);
        // What goes to a handset has its number there, whatever it looks like, and so has what goes about
        // the office; outside, few digits are one only if the numbering plan has exactly them.
        let (src, dst) = (seen.path.src.ip(), seen.path.dst.ip());
        if self.handsets.has_registered(dst) {
            return;
        }
        let digits = uri::user(seen.msg.called()).iter().filter(|byte| byte.is_ascii_digit()).count();
        if digits < TELEPHONE_DIGITS
            && (self.handsets.standing_of(src, dst).to_home
                || !self.dial.classify(Leg::Handset, seen.msg.called()).exact)
        {
            return;
        }
        let by = diverted_by(seen.msg);
        let called = called.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        let by = if by.is_empty() { called } else { by };
        self.sideways(seen, seen.msg.called(), Cause::Forwarded, Some(no), by);
    }

    /// Whether a transfer was told already: a copy, or the same again with the credentials that were
    /// asked for.
    fn is_told(&mut self, seen: &Seen<'_>, uri: &[u8], apart: u32) -> bool {
        let msg = seen.msg;
        let call_id = self.calls.call_id_hash(msg.call_id) ^ u64::from(apart) << 32;
        let this =
            Sideways { to: uri::last_digits(uri::user(uri)), credentials: !msg.credentials.is_empty() };
        let before = self.sideways.find(&(call_id, msg.cseq.wrapping_sub(1)));
        let asked = before
            .and_then(|slot| self.sideways.get(slot))
            .copied()
            .filter(|before| this.credentials && !before.credentials && before.to == this.to);
        let new = self.sideways.find_or_insert(&(call_id, msg.cseq), seen.now, || this).new;
        !new || asked.is_some()
    }

    /// A call that somebody else places on a handset's behalf: part of the call `of`, or one of its own.
    /// `by` is the account that is charged; empty if it is whoever sends the message.
    fn sideways(&mut self, seen: &Seen<'_>, uri: &[u8], cause: Cause, of: Option<CallNo>, by: &[u8]) {
        let target = self.dial.classify(Leg::Handset, uri);
        if target.group == Group::Free {
            return;
        }
        // A proxy's forwards to several have one CSeq.
        let apart = if of.is_some() { uri::last_digits(uri::user(uri)) } else { 0 };
        if self.is_told(seen, uri, apart) {
            return;
        }
        if of.is_none() {
            self.attempts = self.attempts.saturating_add(1);
            self.ledger.attempted().bump(target.class);
            self.ledger.over(target.class);
        }
        let call = of.unwrap_or_else(|| self.calls.asked_for(seen, uri::user(uri)));
        let sender = self.handsets.sender(seen.path, by, seen.caller, None, seen.now);
        let who = self.handsets.who_is(&sender);
        let fact = CallFact {
            time: seen.now,
            call,
            state: CallState::Attempted,
            leg: Leg::Handset,
            joined: false,
            direction: Direction::Outbound,
            cause,
            code: 0,
            started: seen.now,
            talked: Span::ZERO,
            expired: None,
            told: Span::ZERO,
            call_id_reused: false,
            who,
            call_id: Text::new(seen.msg.call_id),
            dialled: Text::new(uri::user(uri)),
            target,
            caller: 0,
        };
        for account in [Account::Office, Account::Handset(who.id)] {
            let key = Key { account, group: target.group };
            self.ledger.attempt(key, seen.now);
            self.ledger.closed(key);
        }
        self.emit(Fact::Call(fact));
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
fn write(fact: &mut CallFact, call: &Call<Tag>, tag: &Tag, state: CallState, now: Timestamp) {
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
        who,
        call_id: _,
        dialled: _,
        target,
        caller,
    } = fact;
    (*time, *no, *its_state, *started) = (now, call.no, state, call.started);
    (*leg, *direction, *cause, *caller) = (tag.leg, tag.direction, tag.cause, tag.caller);
    (*joined, *code, *call_id_reused) = (call.joined, call.code, call.call_id_reused);
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
    charged(handsets.sender(&back, &[], &[], None, now), ledger)
}

/// Who is charged with a call: on the handset's side the handset, on the trunk's side whoever
/// the PBX says diverted or placed it.
fn caller(
    (handsets, ledger): (&mut Handsets, &Ledger),
    call: &Call<Tag>,
    msg: Option<&Message<'_>>,
    trunk_side: bool,
    known: Option<SlotId>,
    now: Timestamp,
) -> (Sender, Cause) {
    let diverted = msg.map_or(&[][..], diverted_by);
    let cause = if diverted.is_empty() { Cause::Dialled } else { Cause::Forwarded };
    let account = if !trunk_side || (call.joined && diverted.is_empty()) {
        &[][..]
    } else if !diverted.is_empty() {
        diverted
    } else {
        let asserted =
            msg.and_then(|msg| NameAddr::parse(msg.asserted())).map_or(&[][..], |by| uri::user(by.uri));
        if asserted.is_empty() { call.caller.as_bytes() } else { asserted }
    };
    let sender = handsets.sender(&call.path, account, call.caller.as_bytes(), known, now);
    (charged(sender, ledger), cause)
}

/// Who forwards a call, as the PBX says it: the Diversion header (RFC 5806), or the last entry of the
/// history from which it was sent elsewhere (RFC 7044).
fn diverted_by<'a>(msg: &Message<'a>) -> &'a [u8] {
    let diversion = NameAddr::parse(msg.diversion()).map_or(&[][..], |by| uri::user(by.uri));
    if diversion.is_empty() { history::diverted_by(msg) } else { diversion }
}

/// The handset that sends; whoever had to be forgotten for it is forgotten by the ledger too.
fn charged(sender: Sender, ledger: &Ledger) -> Sender {
    if let Some(handset) = sender.forgotten {
        ledger.forget(handset);
    }
    sender
}

/// Whether it is a human call that wasn't counted before.
const fn is_new(call: &Call<Tag>) -> bool {
    !call.joined && !call.asked
}

fn count(ledger: &Ledger, call: &Call<Tag>, tag: &Tag, now: Timestamp) {
    for key in rows(call, tag).into_iter().flatten() {
        ledger.attempt(key, now);
    }
    if is_new(call) {
        ledger.attempted().bump(tag.target.class);
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
