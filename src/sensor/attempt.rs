//! From a step of a call to facts and counts: who is charged, where it goes, which rows change.
//!
//! In: a step. Out: facts, ledger updates.
//! Never: charges two handsets with one call.

use super::{Core, Tag};
use crate::bounded::SlotId;
use crate::calls::{Call, Phase, Seen};
use crate::coverage::Sign;
use crate::decode::Path;
use crate::dial::{Class, Group, Leg, Target};
use crate::fact::{CallState, Cause, Direction, Fact};
use crate::handsets::Who;
use crate::ledger::{Account, Key};
use crate::sip::digest::Credentials;
use crate::sip::{Message, NameAddr, Start, uri};
use crate::text::Text;
use crate::time::Timestamp;

impl Core {
    /// A new attempt: finds out who is charged and where it goes, counts it, and tells.
    pub(super) fn attempted(&mut self, slot: SlotId, msg: Option<&Message<'_>>, now: Timestamp) {
        let Some(call) = self.calls.get(slot).copied() else { return };
        let (src, dst) = (call.path.src.ip(), call.path.dst.ip());
        let trunk_side = self.is_trunk_side(src, dst);
        let inbound = !trunk_side
            && (self.handsets.is_pbx(src) || (!self.handsets.is_home(src) && self.handsets.is_home(dst)));
        let leg = if trunk_side { Leg::Trunk } else { Leg::Handset };
        let target = self.target(leg, msg, &call);
        let direction = match target.class {
            _ if inbound => Direction::Inbound,
            Class::Internal | Class::Feature if !trunk_side => Direction::Internal,
            _ => Direction::Outbound,
        };
        let (who, cause) = if inbound {
            (self.callee(&call.path, now), Cause::Dialled)
        } else {
            self.caller(&call, msg, trunk_side, now)
        };
        let username = msg.map_or_else(Text::default, username_of);
        let tag = Tag { who, target, leg, direction, cause, username };
        self.calls.tag(slot, tag);
        if !call.joined {
            self.attempts = self.attempts.saturating_add(1);
        }
        self.count(&call, &tag, now);
        if leg == Leg::Handset && !inbound {
            self.sample(&tag, call.dialled.as_bytes());
        }
        self.emit(Fact::Call(self.fact(&call, &tag, CallState::Attempted, now)));
    }

    /// Looks whether the office dials a digit for an outside line that nobody configured.
    fn sample(&mut self, tag: &Tag, dialled: &[u8]) {
        if let Some(outside) = &mut self.outside
            && self.handsets.may_sample(tag.who.id)
        {
            outside.observe(&self.dial, dialled);
            self.coverage.outside_line = outside.suggestion();
        }
    }

    /// The attempt goes to another number.
    pub(super) fn retargeted(&mut self, slot: SlotId, msg: &Message<'_>, now: Timestamp) {
        let Some(call) = self.calls.get(slot).copied() else { return };
        let Some(old) = call.tag else { return self.attempted(slot, Some(msg), now) };
        let target = self.target(old.leg, Some(msg), &call);
        let cause = if (300..400).contains(&call.code) { Cause::Forwarded } else { old.cause };
        let tag = Tag { target, cause, ..old };
        self.uncount(&call, &old);
        self.calls.tag(slot, tag);
        self.count(&call, &tag, now);
        self.emit(Fact::Call(self.fact(&call, &tag, CallState::Attempted, now)));
    }

    /// The far end rings.
    pub(super) fn progressed(&mut self, slot: SlotId, state: CallState, now: Timestamp) {
        let Some(call) = self.calls.get(slot).copied() else { return };
        let Some(mut tag) = call.tag else { return };
        // The PBX lets the call go on, so it accepted the credentials.
        if !tag.username.is_empty() && tag.leg == Leg::Handset && tag.direction != Direction::Inbound {
            tag.who = self.handsets.accepted(tag.username.as_bytes(), &tag.who);
            tag.username = Text::default();
            self.calls.tag(slot, tag);
        }
        self.emit(Fact::Call(self.fact(&call, &tag, state, now)));
    }

    pub(super) fn was_answered(&mut self, slot: SlotId, now: Timestamp) {
        self.progressed(slot, CallState::Answered, now);
        let Some(call) = self.calls.get(slot) else { return };
        if let Some(tag) = call.tag
            && !call.joined
        {
            self.answered = self.answered.saturating_add(1);
            self.ledger.answered().bump(tag.target.class);
        }
    }

    /// A call is over; `expired` if nobody said so.
    pub(super) fn over(&mut self, call: &Call<Tag>, now: Timestamp, expired: bool) {
        let Some(tag) = call.tag else { return };
        let ended = matches!(call.phase, Phase::Answered | Phase::Ended);
        if call.is_heard() {
            self.coverage.signs.bump(Sign::CallsHeard);
        } else if ended && !expired {
            self.coverage.signs.bump(Sign::CallsUnheard);
        }
        let state = if ended { CallState::Ended } else { CallState::Failed };
        self.uncount(call, &tag);
        let mut fact = self.fact(call, &tag, state, now);
        fact.expired = expired;
        if ended && !call.joined {
            let micros = u64::try_from(fact.talked.0).unwrap_or(0);
            self.ledger.talked_micros().add(tag.target.class, micros);
        }
        self.emit(Fact::Call(fact));
    }

    pub(super) fn reopened(&mut self, slot: SlotId) {
        if let Some(call) = self.calls.get(slot)
            && let Some(tag) = call.tag
        {
            for key in rows(call, &tag).into_iter().flatten() {
                self.ledger.reopened(key);
            }
            if !call.joined {
                self.ledger.back(tag.target.class);
            }
        }
    }

    /// A 3xx from a handset forwards the call: it is charged with what its Contact says.
    pub(super) fn redirected(&mut self, slot: SlotId, seen: &Seen<'_>) {
        let Some(call) = self.calls.get(slot).copied() else { return };
        let Some(contact) = NameAddr::parse(seen.msg.contact) else { return };
        if self.handsets.is_pbx(seen.path.src.ip()) {
            return;
        }
        self.sideways(seen, contact.uri, Cause::Forwarded, call.no);
    }

    /// REFER: whoever sends it is charged with the call it asks for.
    pub(super) fn transfer(&mut self, seen: &Seen<'_>) {
        let Some(refer_to) = NameAddr::parse(seen.msg.refer_to) else { return };
        if self.handsets.is_pbx(seen.path.src.ip()) {
            return;
        }
        let no = self.calls.next_no();
        self.sideways(seen, refer_to.uri, Cause::Transferred, no);
    }

    /// A call that somebody else places on a handset's behalf.
    fn sideways(&mut self, seen: &Seen<'_>, uri: &[u8], cause: Cause, no: crate::calls::CallNo) {
        let target = self.dial.classify(Leg::Handset, uri);
        if target.group == Group::Free {
            return;
        }
        let key = (self.calls.call_id_hash(seen.msg.call_id), seen.msg.cseq);
        if !self.sideways.find_or_insert(&key, seen.now, || ()).new {
            return;
        }
        let who = self.handsets.sender(seen.path, &[], seen.caller, seen.now).who;
        let fact = crate::fact::CallFact {
            time: seen.now,
            call: no,
            state: CallState::Attempted,
            leg: Leg::Handset,
            joined: false,
            direction: Direction::Outbound,
            cause,
            code: 0,
            started: seen.now,
            talked: crate::time::Span::ZERO,
            expired: false,
            call_id_reused: false,
            who,
            call_id: Text::new(seen.msg.call_id),
            dialled: Text::new(uri::user(uri)),
            target,
        };
        for account in [Account::Office, Account::Handset(who.id)] {
            let key = Key { account, group: target.group };
            self.ledger.attempt(key, seen.now);
            self.ledger.closed(key);
        }
        self.emit(Fact::Call(fact));
    }

    pub(super) fn note_username(&mut self, slot: SlotId, msg: &Message<'_>) {
        if let Some(mut tag) = self.calls.get(slot).and_then(|call| call.tag) {
            tag.username = username_of(msg);
            self.calls.tag(slot, tag);
        }
    }

    /// Where the call goes.
    fn target(&self, leg: Leg, msg: Option<&Message<'_>>, call: &Call<Tag>) -> Target {
        match msg.map(|msg| msg.start) {
            Some(Start::Request { uri, .. }) => self.dial.classify(leg, uri),
            _ => self.dial.classify(leg, call.dialled.as_bytes()),
        }
    }

    /// The handset that a call comes to.
    fn callee(&mut self, path: &Path, now: Timestamp) -> Who {
        let back =
            Path { src: path.dst, dst: path.src, src_mac: path.dst_mac, dst_mac: path.src_mac, ..*path };
        let sender = self.handsets.sender(&back, &[], &[], now);
        self.forget(sender.forgotten);
        sender.who
    }

    /// Who is charged with a call: on the handset's side the handset, on the trunk's side whoever
    /// the PBX says diverted or placed it.
    fn caller(
        &mut self,
        call: &Call<Tag>,
        msg: Option<&Message<'_>>,
        trunk_side: bool,
        now: Timestamp,
    ) -> (Who, Cause) {
        let diverted =
            msg.and_then(|msg| NameAddr::parse(msg.diversion)).map_or(&[][..], |by| uri::user(by.uri));
        let cause = if diverted.is_empty() { Cause::Dialled } else { Cause::Forwarded };
        let account = if !trunk_side || (call.joined && diverted.is_empty()) {
            &[][..]
        } else if !diverted.is_empty() {
            diverted
        } else {
            let asserted =
                msg.and_then(|msg| NameAddr::parse(msg.asserted)).map_or(&[][..], |by| uri::user(by.uri));
            if asserted.is_empty() { call.caller.as_bytes() } else { asserted }
        };
        let sender = self.handsets.sender(&call.path, account, call.caller.as_bytes(), now);
        self.forget(sender.forgotten);
        (sender.who, cause)
    }

    fn forget(&self, handset: Option<crate::handsets::HandsetId>) {
        if let Some(handset) = handset {
            self.ledger.forget(handset);
        }
    }

    fn count(&self, call: &Call<Tag>, tag: &Tag, now: Timestamp) {
        for key in rows(call, tag).into_iter().flatten() {
            self.ledger.attempt(key, now);
        }
        if !call.joined {
            self.ledger.attempted().bump(tag.target.class);
        }
    }

    fn uncount(&self, call: &Call<Tag>, tag: &Tag) {
        for key in rows(call, tag).into_iter().flatten() {
            self.ledger.closed(key);
        }
        if !call.joined {
            self.ledger.over(tag.target.class);
        }
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
    [Some(Key { account: Account::Handset(tag.who.id), group }), (!call.joined).then_some(office)]
}

fn username_of(msg: &Message<'_>) -> Text<32> {
    if msg.credentials.is_empty() {
        return Text::default();
    }
    Credentials::parse(msg.credentials)
        .map_or_else(Text::default, |credentials| Text::new(credentials.username))
}
