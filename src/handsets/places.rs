//! What an address is: the office's own, a PBX's, a registered handset's.
//!
//! In: an address. Out: who is there, and when such answers must be asked for anew.
//! Never: makes an entry.

use std::net::IpAddr;

use super::{Handset, HandsetId, Handsets, Key, Who};

impl Handsets {
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
    /// handset's, or its hardware address is another: what was made of those holds until then. Strangers that come and go don't count.
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
