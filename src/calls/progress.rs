//! What happens to a call after its INVITE: responses, BYE, CANCEL, session refreshes.
//!
//! In: a message of a call. Out: a `Step`.
//! Never: lets a copy count twice.

use super::{Calls, Phase, REFRESH_EVERY, REOPEN_MAX, Step, is_retried};
use crate::bounded::SlotId;
use crate::sip::Message;
use crate::time::{Span, Timestamp};

/// 100 to anything but an INVITE comes no sooner over UDP (RFC 4320 section 4.1: until timer E is T2).
const NON_INVITE_SILENCE: Span = Span(3_500_000);

impl<T: Copy> Calls<T> {
    pub(super) fn response(&mut self, msg: &Message<'_>, code: u16, now: Timestamp) -> Step {
        let Some((slot, far)) = self.find_both(msg) else { return Step::Unknown };
        let tag = if far.is_empty() { 0 } else { self.tag_hash(far) };
        let Some(call) = self.table.get_mut(slot) else { return Step::Unknown };
        if call.phase.is_unproved() {
            return match call.phase {
                Phase::Doubted => self.doubted_response(slot, msg, code, now),
                _ => self.provisional_response(slot, msg, code, now),
            };
        }
        if tag != 0
            && code < 300
            && !call.peers.contains(&tag)
            && let Some(free) = call.peers.iter_mut().find(|peer| **peer == 0)
        {
            *free = tag;
        } else if tag != 0 && (200..300).contains(&code) && !call.peers.contains(&tag) {
            // Many rang; the one that answered is the one whose dialog goes on.
            call.peers[0] = tag;
        }
        if (200..300).contains(&code) {
            call.up |= bit_of(&call.peers, tag);
        }
        match (code, call.phase) {
            (100..=179, _) => Step::Same(slot),
            (180..=199, Phase::Attempted) => {
                self.enter(slot, Phase::Ringing, now);
                Step::Ringing(slot)
            }
            (200..=299, Phase::Attempted | Phase::Ringing) => {
                self.answer(slot, code, now, Step::Answered(slot))
            }
            (200..=299, Phase::Failed) if call.reopened < REOPEN_MAX => {
                call.reopened = call.reopened.saturating_add(1);
                self.answer(slot, code, now, Step::Reopened(slot))
            }
            (300..=399, Phase::Attempted | Phase::Ringing) => {
                call.code = code;
                Step::Redirected(slot)
            }
            (400..=699, Phase::Attempted | Phase::Ringing) => self.fail(slot, code, now),
            _ => Step::Same(slot),
        }
    }

    fn answer(&mut self, slot: SlotId, code: u16, now: Timestamp, step: Step) -> Step {
        if let Some(call) = self.table.get_mut(slot) {
            call.code = code;
            call.answered = Some(now);
        }
        self.table.protect(slot);
        self.enter(slot, Phase::Answered, now);
        step
    }

    fn fail(&mut self, slot: SlotId, code: u16, now: Timestamp) -> Step {
        if let Some(call) = self.table.get_mut(slot) {
            call.code = code;
            if matches!(code, 401 | 407) {
                self.challenged.note(slot, call.path.src.ip());
            }
        }
        if is_retried(code) {
            return Step::Same(slot);
        }
        self.enter(slot, Phase::Failed, now);
        Step::Failed(slot)
    }

    /// 481 says that the dialog doesn't exist; 100 comes from a hop that doesn't know, but then 481 must
    /// follow soon.
    fn provisional_response(&mut self, slot: SlotId, msg: &Message<'_>, code: u16, now: Timestamp) -> Step {
        match code {
            100 => {
                self.tried(slot, now);
                Step::Same(slot)
            }
            481 => {
                self.table.remove(slot);
                Step::Unknown
            }
            _ => {
                self.attempt(slot, None, Some(msg), now);
                Step::Attempted(slot)
            }
        }
    }

    /// Who takes an INVITE in the wrong case lets it ring, answers, redirects it, or says something of the
    /// callee; a challenge says nothing yet. Other failures may mean the method: who doesn't know that says so,
    /// or 400; but who said 100 at once takes it for an INVITE, since nothing else is answered with it so soon
    /// (RFC 4320 section 4.1).
    fn doubted_response(&mut self, slot: SlotId, msg: &Message<'_>, code: u16, now: Timestamp) -> Step {
        let Some(call) = self.table.get_mut(slot) else { return Step::Unknown };
        let tried = call.code == 100;
        match code {
            100 => {
                if now.since(call.started) < NON_INVITE_SILENCE {
                    call.code = 100;
                }
                Step::Same(slot)
            }
            401 | 407 => Step::Same(slot),
            400 | 405 | 481 | 501 | 505 => self.denied(slot),
            101..=399 | 480 | 486 | 487 | 600..=699 => self.proved(slot, msg, now),
            _ if tried => self.proved(slot, msg, now),
            _ => self.denied(slot),
        }
    }

    fn proved(&mut self, slot: SlotId, msg: &Message<'_>, now: Timestamp) -> Step {
        if let Some(call) = self.table.get_mut(slot) {
            call.code = 0;
        }
        self.attempt(slot, None, Some(msg), now);
        Step::Attempted(slot)
    }

    fn denied(&mut self, slot: SlotId) -> Step {
        self.table.discard(slot);
        Step::Unknown
    }

    pub(super) fn bye(&mut self, msg: &Message<'_>, now: Timestamp) -> Step {
        let Some((slot, far)) = self.find_both(msg) else { return Step::Unknown };
        // Few calls ring at more than one.
        let forked = self.table.get(slot).is_some_and(|call| call.peers[1] != 0);
        let tag = if forked { self.tag_hash(far) } else { 0 };
        let Some(call) = self.table.get_mut(slot) else { return Step::Unknown };
        match call.phase {
            Phase::Provisional | Phase::Doubted => {
                self.table.discard(slot);
                Step::Unknown
            }
            // Two answered, and one of them is hung up, mostly at once (RFC 3261 section 13.2.2.4).
            Phase::Answered if bit_of(&call.peers, tag) != 0 && call.up & !bit_of(&call.peers, tag) != 0 => {
                call.up &= !bit_of(&call.peers, tag);
                Step::Same(slot)
            }
            Phase::Attempted | Phase::Ringing | Phase::Answered => {
                self.enter(slot, Phase::Ended, now);
                Step::Ended(slot)
            }
            Phase::Ended | Phase::Failed => Step::Same(slot),
        }
    }

    /// The 487 that follows ends the call; should it be lost, the call expires with its code.
    pub(super) fn cancel(&mut self, msg: &Message<'_>) -> Step {
        let Some(slot) = self.find(msg) else { return Step::Unknown };
        if let Some(call) = self.table.get_mut(slot)
            && matches!(call.phase, Phase::Attempted | Phase::Ringing)
        {
            call.code = 487;
        }
        Step::Same(slot)
    }

    /// A request inside a dialog shows that the call goes on.
    pub(super) fn refresh(&mut self, msg: &Message<'_>, now: Timestamp) -> Step {
        let Some(slot) = self.find(msg) else { return Step::Unknown };
        if self
            .table
            .get(slot)
            .is_some_and(|call| call.phase == Phase::Answered && now.since(call.since) >= REFRESH_EVERY)
        {
            self.enter(slot, Phase::Answered, now);
        }
        Step::Same(slot)
    }
}

/// Which of a call's peers has this tag: a bit, or none.
fn bit_of(peers: &[u32; 4], tag: u32) -> u8 {
    peers.iter().zip([1, 2, 4, 8]).find(|(peer, _)| tag != 0 && **peer == tag).map_or(0, |(_, bit)| bit)
}
