//! Check `digest_leak`: a stranger challenges a handset, and the handset proves its password to it
//! (EnableSecurity's advisory ES2021-05: a 407 to the BYE that ends a ghost call).
//!
//! A first registration and a call through a PBX that isn't known yet look alike up to a point: so
//! a challenge counts only where the handset has a PBX already, or the challenger called it first.

use std::net::IpAddr;

use crate::bounded::Table;
use crate::fact::sighting::SipStep;
use crate::fact::{Sighting, What};
use crate::finding::{Check, Severity};
use crate::sip::Method;
use crate::time::Timestamp;
use crate::touches::{Way, Zone};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, block, called, key_of, octets};

/// Strangers and networks of PBXs that are remembered, at the most.
const ROOM: usize = 4_096;

/// Who may challenge, and who called first.
#[derive(Debug)]
pub struct DigestLeak {
    /// Strangers that sent a request to a device.
    callers: Table<(u64, IpAddr), ()>,
    /// Devices that registered, and the network of their registrar.
    homes: Table<u64, [u8; 16]>,
    /// Challenges of strangers, for the count.
    challenged: Table<(u64, IpAddr), (u32, Timestamp)>,
    watched: u64,
}

impl Default for DigestLeak {
    fn default() -> Self {
        Self {
            callers: Table::new(ROOM, 0),
            homes: Table::new(ROOM, 0),
            challenged: Table::new(ROOM, 0),
            watched: 0,
        }
    }
}

crate::kept! {
    /// Who asked for passwords before a restart.
    pub struct Memory of DigestLeak {
        callers: Table<(u64, IpAddr), ()>,
        homes: Table<u64, [u8; 16]>,
        challenged: Table<(u64, IpAddr), (u32, Timestamp)>,
        watched: u64,
    }
}

impl Watcher for DigestLeak {
    fn check(&self) -> Check {
        Check::DigestLeak
    }

    fn sighting(&mut self, sighting: &Sighting, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Sip(sip) = &sighting.what else { return };
        let now = sighting.time;
        if sip.way == Way::Inbound {
            if sip.client_zone == Zone::Outside {
                self.callers.find_or_insert(&(key_of(&sighting.device), sip.client.ip()), now, || ());
            }
            return;
        }
        let server = sip.server.ip();
        if sip.method == Method::Register && sip.step == SipStep::Accepted {
            self.watched = self.watched.saturating_add(1);
            let slot = self.homes.find_or_insert(&key_of(&sighting.device), now, || block(server)).slot;
            if let Some(home) = self.homes.get_mut(slot) {
                *home = block(server);
            }
        }
        if sip.method == Method::Register || sip.server_zone != Zone::Outside {
            return;
        }
        let answered = sip.step == SipStep::Credentials;
        let asked = answered || sip.step == SipStep::Challenged;
        if asked && self.is_stranger(key_of(&sighting.device), server, scene) {
            out.push(self.leak(sighting, server, answered, sip.method, sip));
        }
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match sight {
            Sight { home: false, .. } => Say::CannotSee(Blind::NoTraffic, String::new()),
            Sight { sip: false, encrypted: true, .. } => Say::CannotSee(Blind::Encrypted, String::new()),
            Sight { one_way: true, .. } => Say::CannotSee(Blind::OneWay, String::new()),
            _ => Say::NotSeen("no stranger asked a handset for its SIP password".to_owned()),
        }
    }

    fn evicted(&self) -> u64 {
        self.callers.evicted() + self.homes.evicted() + self.challenged.evicted()
    }
}

impl DigestLeak {
    fn is_stranger(&self, device: u64, server: IpAddr, scene: &Scene<'_>) -> bool {
        if self.callers.find(&(device, server)).is_some() {
            return true;
        }
        let home = self.homes.find(&device).and_then(|slot| self.homes.get(slot));
        // Providers have several proxies next to each other.
        let kin = home.is_some_and(|home| *home == block(server));
        !kin && (home.is_some() || scene.settings.has_pbx)
    }

    fn leak(
        &mut self,
        sighting: &Sighting,
        server: IpAddr,
        answered: bool,
        method: Method,
        sip: &crate::fact::sighting::SipSighting,
    ) -> Found {
        let now = sighting.time;
        let key = (key_of(&sighting.device), server);
        let slot = self.challenged.find_or_insert(&key, now, || (0, now)).slot;
        let (count, first) = match self.challenged.get_mut(slot) {
            Some((count, first)) => {
                *count = count.saturating_add(u32::from(!answered));
                (*count, *first)
            }
            None => (1, now),
        };
        let device = called(&sighting.device);
        let (severity, sentence) = if answered {
            let what = format!("{device} proved its SIP password to a stranger outside, {server}");
            (Severity::Critical, format!("{what}, who can now guess it: change this SIP password now"))
        } else {
            (Severity::Warning, format!("a stranger outside, {server}, asks {device} for its SIP password"))
        };
        Found::of(Check::DigestLeak, severity, sighting, sentence)
            .about(&[&octets(server)])
            .seen(count.max(1), first)
            .word("peer", server)
            .word("realm", sip.realm)
            .word("method", method.to_string())
            .word("account", sip.account)
    }
}
