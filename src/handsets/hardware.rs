//! Which hardware address is a handset's own.
//!
//! In: hardware addresses and the addresses that they speak for. Out: the handset's, unless a router's.
//! Never: believes one for longer than a minute without looking again.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Handsets;
use crate::bounded::SlotId;
use crate::decode::Mac;
use crate::time::{Span, Timestamp};

/// A hardware address that speaks for two addresses within this time is a router's.
const ROUTER_WITHIN: Span = Span::minutes(5);

/// How long it's believed that a hardware address is still the handset's own.
const MAC_BELIEVED: Span = Span::MINUTE;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct HardwareAddress {
    ip: IpAddr,
    seen: Timestamp,
    shared: bool,
}

impl Handsets {
    /// The hardware address, unless it's a router's.
    pub(super) fn own_mac(
        &mut self,
        slot: SlotId,
        mac: Option<Mac>,
        ip: IpAddr,
        now: Timestamp,
    ) -> Option<Mac> {
        let mac = mac?;
        let known = self.table.get(slot)?;
        if known.mac_checked.is_some_and(|(checked, at)| checked == mac && now.since(at) < MAC_BELIEVED) {
            return known.mac;
        }
        let own = if self.is_router(mac, ip, now) { None } else { Some(mac) };
        if let Some(handset) = self.table.get_mut(slot) {
            handset.mac_checked = Some((mac, now));
            let before = std::mem::replace(&mut handset.mac, own);
            // A stranger's first packet changes nothing that anybody built on.
            if before.is_some() && before != own {
                self.changed();
            }
        }
        own
    }

    fn is_router(&mut self, mac: Mac, ip: IpAddr, now: Timestamp) -> bool {
        let first = HardwareAddress { ip, seen: now, shared: false };
        let slot = self.macs.find_or_insert(&mac, now, || first).slot;
        let Some(known) = self.macs.get_mut(slot) else { return false };
        if known.ip != ip {
            known.shared |= now.since(known.seen) < ROUTER_WITHIN;
            known.ip = ip;
        }
        known.seen = now;
        known.shared
    }
}
