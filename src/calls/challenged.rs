//! Calls that were asked for credentials, for devices that send them under another tag or Call-ID than
//! RFC 3261 section 8.1.3.5 wants.
//!
//! In: challenges, and INVITEs with credentials that belong to no call. Out: the call that such a one goes on with.
//! Never: lets one challenge take in two INVITEs.

use std::net::IpAddr;

use super::{Calls, Phase, Seen, Step};
use crate::bounded::SlotId;
use crate::text::Text;
use crate::time::Span;

/// Calls that are remembered for their credentials.
const REMEMBERED: usize = 16;

/// A device answers a challenge within this time of its call: nobody types a password into it.
const WITHIN: Span = Span::seconds(10);

/// The latest of them.
#[derive(Debug, Default)]
pub(super) struct Challenged {
    /// With the address that they come from: nearly all others need not be looked at.
    ring: [Option<(SlotId, IpAddr)>; REMEMBERED],
    next: usize,
}

impl Challenged {
    /// A call was challenged.
    pub(super) fn note(&mut self, slot: SlotId, src: IpAddr) {
        let this = Some((slot, src));
        if !self.ring.contains(&this) {
            self.ring[self.next] = this;
            self.next = (self.next + 1) % REMEMBERED;
        }
    }
}

impl<T: Copy> Calls<T> {
    /// An INVITE with credentials and tags that nobody knows: a challenged call of the same device to the
    /// same number, which has shown no credentials, goes on under these tags.
    pub(super) fn retried(&mut self, seen: &Seen<'_>, key: u64) -> Option<Step> {
        let msg = seen.msg;
        if msg.credentials.is_empty() {
            return None;
        }
        let challenged = |slot: &SlotId| {
            self.table.get(*slot).is_some_and(|call| {
                call.phase == Phase::Attempted
                    && matches!(call.code, 401 | 407)
                    && !call.credentials
                    && call.dialled.as_bytes() == seen.dialled
                    && call.caller.as_bytes() == seen.caller
                    && seen.now.since(call.since) <= WITHIN
            })
        };
        let src = seen.path.src.ip();
        let from_here = self.challenged.ring.iter().flatten().filter(|(_, of)| *of == src);
        let slot = from_here.map(|(slot, _)| *slot).find(challenged)?;
        let (_, mut call) = self.table.remove(slot)?;
        (call.credentials, call.cseq, call.before) = (true, msg.cseq, None);
        (call.call_id, call.path, call.via_count) = (Text::new(msg.call_id), *seen.path, msg.via_count);
        call.peers = [0; 4];
        let inserted = self.table.insert_new(&key, seen.now, || call);
        if let Some((_, _, evicted)) = inserted.evicted {
            self.pushed_out = Some(evicted);
        }
        self.enter(inserted.slot, Phase::Attempted, seen.now);
        Some(Step::Same(inserted.slot))
    }
}
