//! Calls that somebody places on another's behalf: transfers, redirections, forwards in a proxy.
//!
//! In: REFER, 3xx, an INVITE that goes elsewhere. Out: facts, ledger updates.
//! Never: counts one twice, however often it is sent.

use std::collections::VecDeque;

use super::{Core, attempt};
use crate::bounded::SlotId;
use crate::calls::{CallNo, Seen, diverted_by};
use crate::dial::{Group, Leg};
use crate::fact::{CallFact, CallState, Cause, Direction, Fact};
use crate::handsets::{Named, Said, Who};
use crate::ledger::{Account, Key};
use crate::sip::{NameAddr, uri};
use crate::text::Text;
use crate::time::Span;

/// A transfer or forward that was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sideways {
    /// The last digits of where it goes.
    to: u32,
    /// Whether it came with credentials.
    credentials: bool,
}

/// The latest calls that somebody asked for: who is charged with what the PBX makes of them.
#[derive(Debug, Default)]
pub(super) struct Latest {
    calls: VecDeque<Told>,
}

/// A call that was told before anybody placed it.
#[derive(Clone, Copy, Debug)]
struct Told {
    call: CallNo,
    /// The last digits of where it goes.
    to: u32,
    who: Who,
    cause: Cause,
}

/// As many as `Calls` remembers legs.
const LATEST: usize = 64;

impl Latest {
    fn note(&mut self, told: Told) {
        self.calls.truncate(LATEST - 1);
        self.calls.push_front(told);
    }

    /// Whether a call of this number goes somewhere else already.
    fn goes_elsewhere(&self, call: CallNo, to: u32) -> bool {
        self.calls.iter().any(|told| told.call == call && told.to != to)
    }

    /// Who asked for a call, and how; of several with one number, the one that goes there.
    pub(super) fn who_asked(&self, call: CallNo, dialled: &[u8]) -> Option<(Who, Cause)> {
        let to = uri::last_digits(dialled);
        let all = || self.calls.iter().filter(|told| told.call == call);
        all().find(|told| told.to == to).or_else(|| all().next()).map(|told| (told.who, told.cause))
    }
}

/// An extension or a device's own name seldom has as many digits.
const TELEPHONE_DIGITS: usize = 8;

impl Core {
    /// A 3xx from a handset forwards the call: it is charged with what its Contact says. A carrier's only says
    /// where the call is to be sent: whoever does so is charged.
    pub(super) fn redirected(&mut self, slot: SlotId, seen: &Seen<'_>) {
        let Some(call) = self.calls.get(slot) else { return };
        let Some(contact) = NameAddr::parse(seen.msg.contact) else { return };
        let trunk = call.tag.as_ref().is_some_and(|tag| tag.leg == Leg::Trunk);
        let (call, by) = (call.no, seen.path.src.ip());
        let outside = !self.handsets.is_home(by) && !self.handsets.has_registered(by);
        if trunk || outside || self.handsets.is_pbx(by) {
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
        if self.handsets.has_registered(dst) && !self.handsets.is_pbx(dst) {
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
        // Several forwards of one call are several that cost.
        let to = uri::last_digits(uri::user(uri));
        let of = of.filter(|call| !self.told.goes_elsewhere(*call, to));
        // What a proxy passes on is on its way already.
        let call = match of {
            Some(call) if !seen.dialled.is_empty() => call,
            _ => self.calls.asked_for(seen, uri::user(uri), of),
        };
        let said = Said { account: by, from: seen.caller, username: &[] };
        let sender = self.handsets.sender(seen.path, &said, None, seen.now);
        let mut who = self.handsets.who_is(&sender);
        if sender.named != Named::Handset {
            attempt::name(&mut who, sender.named, &said);
        }
        self.told.note(Told { call, to, who, cause });
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
            repeated: false,
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
}
