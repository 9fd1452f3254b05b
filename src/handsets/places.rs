//! What an address is: the office's own, a PBX's, a registered handset's.
//!
//! In: an address. Out: who is there, and when such answers must be asked for anew.
//! Never: makes an entry.

use std::net::IpAddr;

use super::{Handset, HandsetId, Handsets, Key, Who, address_of};
use crate::bounded::SlotId;

/// What the two ends of a message are to the office's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The sender is a PBX: configured, or seen to accept registrations.
    pub from_pbx: bool,
    /// An account is registered from the sender's address, and the receiver is a PBX: a handset of the
    /// office, wherever it stands.
    pub from_registered: bool,
    /// An account is registered from the receiver's address.
    pub to_registered: bool,
    /// The sender's address is the office's own.
    pub from_home: bool,
    /// The receiver's address is.
    pub to_home: bool,
}

impl Handsets {
    /// Addresses that accepted registrations, at most `most`.
    pub fn registrars(&self, most: usize) -> Vec<IpAddr> {
        let registrars = self.table.iter().filter(|(_, _, handset)| handset.registrar);
        registrars.take(most).map(|(_, key, _)| address_of(key.ip)).collect()
    }

    /// How many addresses and accounts are remembered, PBXs apart.
    pub fn office_count(&self) -> u64 {
        let seen = |(_, key, handset): &(SlotId, &Key, &Handset)| !handset.registrar && !key.is_nowhere();
        self.table.iter().filter(seen).fold(0, |n, _| n + 1)
    }

    /// What two addresses are to the office's calls; holds until `changes` does.
    pub fn standing_of(&self, from: IpAddr, to: IpAddr) -> Standing {
        Standing {
            from_pbx: self.is_pbx(from),
            from_registered: self.has_registered(from) && self.is_pbx(to),
            to_registered: self.has_registered(to),
            from_home: self.is_home(from),
            to_home: self.is_home(to),
        }
    }

    /// Where an address is remembered, for `sender`.
    pub fn slot_of(&self, ip: IpAddr) -> Option<SlotId> {
        self.table.find(&Key::of(ip, 0))
    }

    /// Whether an address is the office's own.
    pub fn is_home(&self, ip: IpAddr) -> bool {
        self.settings.home.iter().any(|network| network.contains(ip))
    }

    /// Whether an address is a PBX: configured, or seen to accept registrations.
    pub fn is_pbx(&self, ip: IpAddr) -> bool {
        self.is_configured_pbx(ip) || self.address(ip).is_some_and(|address| address.registrar)
    }

    /// Whether an account is registered from the address.
    pub fn has_registered(&self, ip: IpAddr) -> bool {
        self.address(ip).is_some_and(|address| address.accounts[0] != 0)
    }

    /// Whether an address is a PBX, and whether an account is registered from it.
    pub fn standing(&self, ip: IpAddr) -> (bool, bool) {
        let address = self.address(ip);
        let registrar = address.is_some_and(|address| address.registrar);
        let registered = address.is_some_and(|address| address.accounts[0] != 0);
        (registrar || self.is_configured_pbx(ip), registered)
    }

    /// Who is at an address, if it is remembered.
    pub fn known(&self, ip: IpAddr) -> Option<Who> {
        self.table.find(&Key::of(ip, 0)).map(|slot| self.who(HandsetId(slot), ip))
    }

    /// Who is at an address, if it is remembered, and whether an account is registered from it.
    pub fn known_registered(&self, ip: IpAddr) -> Option<(Who, bool)> {
        let slot = self.table.find(&Key::of(ip, 0))?;
        let registered = self.table.get(slot).is_some_and(|address| address.accounts[0] != 0);
        Some((self.who(HandsetId(slot), ip), registered))
    }

    /// Another number whenever an address has become, or is no longer, a PBX's or a registered
    /// handset's, or its hardware address is another: what was made of those holds until then. Strangers
    /// that come and go don't count.
    pub const fn changes(&self) -> u32 {
        self.changes
    }

    pub(super) const fn changed(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    pub(super) fn is_configured_pbx(&self, ip: IpAddr) -> bool {
        self.settings.pbx.iter().any(|network| network.contains(ip))
    }

    fn address(&self, ip: IpAddr) -> Option<&Handset> {
        self.table.find(&Key::of(ip, 0)).and_then(|slot| self.table.get(slot))
    }
}
