//! INVITEs: which are new attempts, which are copies, answers to a challenge, re-INVITEs, more
//! digits or a redirection, and which hide a new call behind an old Call-ID.
//!
//! In: an INVITE. Out: a `Step`.
//! Never: makes two attempts of one.

use super::legs::Tail;
use super::{Call, CallNo, Calls, Phase, REOPEN_MAX, REORDERED, Seen, Step, Tie, may_be_retried};
use crate::bounded::SlotId;
use crate::sip::NameAddr;
use crate::text::Text;

impl<T: Copy> Calls<T> {
    pub(super) fn invite(&mut self, seen: &Seen<'_>) -> Step {
        let msg = seen.msg;
        let key = self.key(msg.call_id, msg.from_tag);
        match self.table.find(&key) {
            Some(slot) => self.invite_again(slot, seen),
            None if msg.to_tag.is_empty() => {
                if let Some(step) = self.retried(seen, key) {
                    return step;
                }
                let replaced = self.replaced(seen);
                let slot = self.insert(key, seen);
                self.attempt(slot, replaced, Some(msg), seen.now);
                Step::Attempted(slot)
            }
            // The callee may re-INVITE too: then the tags are swapped.
            None => match self.table.find(&self.key(msg.call_id, msg.to_tag)) {
                Some(_) => self.refresh(msg, seen.now),
                None => {
                    let slot = self.insert(key, seen);
                    self.enter(slot, Phase::Provisional, seen.now);
                    Step::InDialogUnknown
                }
            },
        }
    }

    /// An INVITE of a call that is known: a copy, an answer to a challenge, a re-INVITE, more
    /// digits, a redirection, or the same Call-ID for something new.
    fn invite_again(&mut self, slot: SlotId, seen: &Seen<'_>) -> Step {
        let msg = seen.msg;
        let tag = self.tag_hash(msg.to_tag);
        let dialled = Text::new(seen.dialled);
        let this = Some((msg.cseq, self.dialled_hash(&dialled)));
        let before = self.table.get(slot).map(|call| (call.cseq, self.dialled_hash(&call.dialled)));
        let Some(call) = self.table.get_mut(slot) else { return Step::Unknown };
        if call.phase == Phase::Doubted {
            self.table.discard(slot);
            return self.invite(seen);
        }
        let elsewhere = Tail::of(seen.dialled).is_elsewhere(&Tail::of(call.dialled.as_bytes()));
        // Where no response is seen (a one-way mirror), no tag can be known; but no end of a dialog
        // calls itself by another telephone number.
        let unheard = call.peers == [0; 4] && call.code == 0 || call.phase == Phase::Provisional;
        if !msg.to_tag.is_empty() && (call.peers.contains(&tag) || (unheard && !elsewhere)) {
            return self.refresh(msg, seen.now);
        }
        if seen.path.src.ip() != call.path.src.ip()
            && let Some(step) = another_hop(call, slot, seen, &dialled)
        {
            if msg.via_count > call.via_count {
                self.hop(slot, seen);
            }
            return step;
        }
        let resent = msg.cseq <= call.cseq && dialled == call.dialled;
        if resent || call.before == this {
            return Step::Same(slot);
        }
        call.credentials |= !msg.credentials.is_empty();
        let other_number = dialled != call.dialled;
        if other_number && !may_change_number(call, &dialled) {
            return self.reuse(slot, seen, true);
        }
        if call.phase == Phase::Failed && may_be_retried(call.code) && call.reopened < REOPEN_MAX {
            call.reopened = call.reopened.saturating_add(1);
            call.cseq = msg.cseq;
            self.enter(slot, Phase::Attempted, seen.now);
            return Step::Resumed(slot);
        }
        if call.phase.is_over() {
            return self.reuse(slot, seen, false);
        }
        call.before = before;
        call.cseq = msg.cseq;
        call.dialled = dialled;
        if other_number { Step::Retargeted(slot) } else { Step::Same(slot) }
    }

    /// An INVITE whose method is in the wrong case (RFC 3261 section 7.1: another method; Kamailio and
    /// Asterisk take it). It waits for a response that shows that somebody takes it.
    pub fn doubted(&mut self, seen: &Seen<'_>) -> Step {
        let msg = seen.msg;
        let Some(slot) = self.find(msg) else {
            let slot = self.insert(self.key(msg.call_id, msg.from_tag), seen);
            self.enter(slot, Phase::Doubted, seen.now);
            return Step::Unknown;
        };
        match self.table.get_mut(slot) {
            // The next hop has more Vias: whoever sends it first is charged.
            Some(call) if call.phase == Phase::Doubted => {
                call.credentials |= !msg.credentials.is_empty();
                if msg.via_count <= call.via_count {
                    (call.via_count, call.path, call.cseq) = (msg.via_count, *seen.path, msg.cseq);
                    (call.dialled, call.caller) = (Text::new(seen.dialled), Text::new(seen.caller));
                }
                Step::Unknown
            }
            _ => self.invite(seen),
        }
    }

    /// The call that goes on under the INVITE's own Call-ID (Replaces, RFC 3891): an attended
    /// transfer or a pick-up is no new attempt. Only with one of that call's two numbers, or any
    /// call could hide behind a dialog that is going on.
    fn replaced(&self, seen: &Seen<'_>) -> Option<(CallNo, SlotId)> {
        self.replaces(seen.msg.replaces(), seen.dialled)
    }

    /// The same for any value of Replaces and whoever is called.
    pub fn replaces(&self, value: &[u8], dialled: &[u8]) -> Option<(CallNo, SlotId)> {
        let dialog = NameAddr::parse(value)?;
        let of = |tag: &[u8]| self.table.find(&self.key(dialog.uri, dialog.param(tag).unwrap_or_default()));
        let slot = of(b"from-tag").or_else(|| of(b"to-tag"))?;
        let call = self.table.get(slot)?;
        let same_number = [call.dialled.as_bytes(), call.caller.as_bytes()].contains(&dialled);
        (same_number && !call.phase.is_over() && !call.phase.is_unproved()).then_some((call.no, slot))
    }

    /// The same Call-ID and From-tag for a new call; the old one is over.
    fn reuse(&mut self, slot: SlotId, seen: &Seen<'_>, other_number: bool) -> Step {
        let Some((key, old)) = self.table.remove(slot) else { return Step::Unknown };
        let before = Some((old.cseq, self.dialled_hash(&old.dialled)));
        self.pushed_out = Some(old);
        let slot = self.insert(key, seen);
        if let Some(call) = self.table.get_mut(slot) {
            call.call_id_reused = other_number;
            call.before = before;
        }
        self.attempt(slot, None, Some(seen.msg), seen.now);
        Step::Attempted(slot)
    }

    fn insert(&mut self, key: u64, seen: &Seen<'_>) -> SlotId {
        let inserted = self.table.insert_new(&key, seen.now, || Call {
            no: CallNo(0),
            joined: false,
            asked: false,
            phase: Phase::Attempted,
            started: seen.now,
            answered: None,
            code: 0,
            call_id_reused: false,
            credentials: !seen.msg.credentials.is_empty(),
            call_id: Text::new(seen.msg.call_id),
            dialled: Text::new(seen.dialled),
            path: *seen.path,
            caller: Text::new(seen.caller),
            tag: None,
            via_count: seen.msg.via_count,
            cseq: seen.msg.cseq,
            before: None,
            peers: [0; 4],
            up: 0,
            tie: Tie::None,
            since: seen.now,
            reopened: 0,
        });
        if let Some((_, _, evicted)) = inserted.evicted {
            self.pushed_out = Some(evicted);
        }
        inserted.slot
    }
}

/// The same INVITE on another hop, or a forward that a proxy hides behind the same Call-ID; `None` if
/// it is neither.
fn another_hop<T>(call: &mut Call<T>, slot: SlotId, seen: &Seen<'_>, dialled: &Text<40>) -> Option<Step> {
    let msg = seen.msg;
    let (old, new) = (Tail::of(call.dialled.as_bytes()), Tail::of(seen.dialled));
    if msg.via_count > call.via_count {
        // It may go to several at once; whoever tells of it tells of each once.
        let passed_on = new.is_another(&old) && *dialled != call.dialled;
        return Some(if passed_on { Step::Elsewhere(slot) } else { Step::Same(slot) });
    }
    let at_once = msg.cseq == call.cseq && seen.now.since(call.started) <= REORDERED;
    if !at_once || !(new.continues(&old) || *dialled == call.dialled) {
        return None;
    }
    if msg.via_count == call.via_count || call.phase.is_over() {
        return Some(Step::Same(slot));
    }
    call.via_count = msg.via_count;
    call.path = *seen.path;
    call.dialled = *dialled;
    call.caller = Text::new(seen.caller);
    Some(Step::Nearer(slot))
}

/// Whether another number is the same attempt: after a redirection, or more digits after
/// 484 Address Incomplete (RFC 3578).
fn may_change_number<T>(call: &Call<T>, new: &Text<40>) -> bool {
    match call.code {
        300..=399 => !call.phase.is_over(),
        484 => new.as_bytes().starts_with(call.dialled.as_bytes()),
        _ => false,
    }
}
