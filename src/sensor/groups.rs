//! A call that comes in and rings several phones: a Cloud PBX sends each of them a call of its own.
//!
//! In: calls from a PBX to registered handsets. Out: whether one is another phone of a call that was counted.
//! Never: takes two callers for one, or a caller who hides for anybody.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::Tag;
use crate::bounded::SlotId;
use crate::calls::{Call, CallNo, Calls, Tie};
use crate::handsets::is_hidden;
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// Calls that are remembered; a group seldom has more phones.
const REMEMBERED: usize = 32;

/// A PBX rings the phones of a group within this time.
const AT_ONCE: Span = Span(200_000);

/// It goes on to the next phone within this time after the one before was given up.
const NEXT: Span = Span(500_000);

/// No telephone number has fewer.
const NUMBER_DIGITS: usize = 3;

#[derive(Clone, Copy, Debug)]
struct Rung {
    pbx: IpAddr,
    phone: IpAddr,
    caller: Text<32>,
    at: Timestamp,
    slot: SlotId,
    no: CallNo,
}

/// The latest calls that came in.
#[derive(Debug, Default)]
pub(super) struct Groups {
    rung: VecDeque<Rung>,
}

impl Groups {
    /// Whether a call to a phone is the one that rings, or just rang, another phone of the group.
    pub(super) fn rings_too(&mut self, calls: &Calls<Tag>, slot: SlotId, now: Timestamp) -> bool {
        let Some(call) = calls.get(slot).filter(|call| call.tie == Tie::None) else { return false };
        let caller = call.caller.as_bytes();
        if is_hidden(caller) || caller.iter().filter(|byte| byte.is_ascii_digit()).count() < NUMBER_DIGITS {
            return false;
        }
        let (pbx, phone) = (call.path.src.ip(), call.path.dst.ip());
        let this = Rung { pbx, phone, caller: call.caller, at: now, slot, no: call.no };
        let found = self.rung.iter().any(|before| this.is_of(before, calls));
        self.rung.truncate(REMEMBERED - 1);
        self.rung.push_front(this);
        found
    }
}

impl Rung {
    fn is_of(&self, before: &Self, calls: &Calls<Tag>) -> bool {
        let cancelled = |call: &Call<Tag>| call.code == 487 && !call.phase.is_over();
        let given_up =
            |call: &Call<Tag>| call.no == before.no && (cancelled(call) || call.failed_within(NEXT, self.at));
        self.pbx == before.pbx
            && self.phone != before.phone
            && self.caller == before.caller
            && (self.at.since(before.at) <= AT_ONCE || calls.get(before.slot).is_some_and(given_up))
    }
}
