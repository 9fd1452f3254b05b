//! Where an address belongs, and which device stands there.
//!
//! In: the operator's lists, what DHCP and DNS named, who registered. Out: `Place`, `Device`.
//! Never: allows an address because it says so itself.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use super::Settings;
use super::found::Found;
use crate::bounded::Table;
use crate::decode::Mac;
use crate::fact::{Device, Role};
use crate::handsets::{Handsets, Network};
use crate::time::Timestamp;
use crate::touches::{Place, Side, Zone};

/// Networks that DHCP named, at the most, and how many bits of an address may be the hosts' own there.
const HOMES: usize = 16;
const WIDEST: u32 = 12;
/// Addresses that are remembered of each kind.
const REMEMBERED: usize = 8_192;

/// What is known of addresses beyond who registered.
#[derive(Debug)]
pub(super) struct Zones {
    support: Vec<Network>,
    provisioning: Vec<Network>,
    /// Networks in which DHCP gave phones their addresses, and how many bits each has.
    homes: Table<(Ipv4Addr, u8), ()>,
    /// Servers that DHCP named.
    services: Table<IpAddr, ()>,
    /// Addresses that DNS gave for the provisioning servers' names.
    named: Table<IpAddr, ()>,
    /// Phones by what they say of themselves.
    phones: Table<IpAddr, Phone>,
    changes: u32,
    found: Found,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Phone {
    is_phone: bool,
    mac: Option<Mac>,
    vlan: Option<u16>,
}

crate::kept! {
    /// What addresses were before a restart.
    #[derive(PartialEq)]
    pub(in crate::sensor) struct Memory of Zones {
        homes: Table<(Ipv4Addr, u8), ()>,
        services: Table<IpAddr, ()>,
        named: Table<IpAddr, ()>,
        phones: Table<IpAddr, Phone>,
    } then recalled
}

impl Zones {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            support: settings.support.clone(),
            provisioning: settings.provisioning.clone(),
            homes: Table::new(HOMES, 0),
            services: Table::new(REMEMBERED, 0),
            named: Table::new(REMEMBERED, 0),
            phones: Table::new(REMEMBERED, 0),
            changes: 0,
            found: Found::default(),
        }
    }

    fn recalled(&mut self) {
        self.changed(true);
    }

    /// Other lists.
    pub(super) fn reload(&mut self, settings: &Settings) {
        self.support.clone_from(&settings.support);
        self.provisioning.clone_from(&settings.provisioning);
        self.changed(true);
    }

    /// Names were put on the list or taken off: what DNS says of them has to be said anew.
    pub(super) fn forget_names(&mut self) {
        self.named = Table::new(REMEMBERED, 0);
        self.changed(true);
    }

    /// DHCP gave a phone an address in a network: that is the office's own, be it a public one.
    pub(super) fn home_of(&mut self, ip: Ipv4Addr, bits: u8, now: Timestamp) {
        let free = 32u32.saturating_sub(u32::from(bits));
        if is_private(IpAddr::V4(ip)) || free > WIDEST {
            return;
        }
        let base = u32::from(ip).checked_shr(free).unwrap_or(0).checked_shl(free).unwrap_or(0);
        let new = self.homes.find_or_insert(&(Ipv4Addr::from(base), bits), now, || ()).new;
        self.changed(new);
    }

    fn is_home_of_phones(&self, ip: IpAddr) -> bool {
        let IpAddr::V4(ip) = ip else { return false };
        let in_it = |(base, bits): &(Ipv4Addr, u8)| {
            let free = 32u32.saturating_sub(u32::from(*bits));
            (u32::from(*base) ^ u32::from(ip)).checked_shr(free).unwrap_or(0) == 0
        };
        !self.homes.is_empty() && self.homes.iter().any(|(_, home, ())| in_it(home))
    }

    /// DHCP names a server. One within the office stays what it is: home.
    pub(super) fn service(&mut self, ip: IpAddr, now: Timestamp) {
        let new = self.services.find_or_insert(&ip, now, || ()).new;
        self.changed(new);
    }

    /// DNS gives an address for a provisioning server's name.
    pub(super) fn named(&mut self, ip: IpAddr, now: Timestamp) {
        let new = self.named.find_or_insert(&ip, now, || ()).new;
        self.changed(new);
    }

    /// What a device at an address showed of itself.
    pub(super) fn shows(
        &mut self,
        ip: IpAddr,
        mac: Option<Mac>,
        vlan: Option<u16>,
        phone: bool,
        now: Timestamp,
    ) {
        let inserted = self.phones.find_or_insert(&ip, now, Phone::default);
        let mut changed = inserted.evicted.is_some_and(|(_, _, gone)| gone.is_phone);
        if let Some(known) = self.phones.get_mut(inserted.slot) {
            let before = (known.is_phone, known.mac);
            // Another device at the same address begins anew.
            if mac.is_some() && known.mac.is_some() && mac != known.mac {
                *known = Phone::default();
            }
            known.is_phone |= phone;
            known.mac = mac.or(known.mac);
            known.vlan = vlan.or(known.vlan);
            changed |= before != (known.is_phone, known.mac);
        }
        self.changed(changed);
    }

    const fn changed(&mut self, it_is_so: bool) {
        self.changes = self.changes.wrapping_add(it_is_so as u32);
    }

    /// Another number whenever some address may have become another place.
    pub(super) const fn changes(&self, handsets: &Handsets) -> u32 {
        // Both only count up, so their sum stands still only while both do.
        self.changes.wrapping_add(handsets.changes())
    }

    /// Where an address belongs.
    #[inline]
    pub(super) fn place(&self, ip: IpAddr, handsets: &Handsets) -> Place {
        let IpAddr::V4(v4) = ip else { return self.look_up(ip, handsets) };
        let changes = self.changes(handsets);
        self.found.get(v4, changes).unwrap_or_else(|| {
            let place = self.look_up(ip, handsets);
            self.found.put(v4, changes, place);
            place
        })
    }

    #[cold]
    fn look_up(&self, ip: IpAddr, handsets: &Handsets) -> Place {
        let (pbx, registered) = handsets.standing(ip);
        let home = handsets.is_home(ip) || self.is_home_of_phones(ip);
        let zone = self.zone(ip, home, pbx);
        let phone = registered || self.phone(ip).is_some_and(|phone| phone.is_phone);
        let side = if is_private(ip) { Side::Lan } else { Side::Wan };
        Place { ours: home || registered, zone, phone, side }
    }

    fn zone(&self, ip: IpAddr, home: bool, pbx: bool) -> Zone {
        let among = |list: &[Network]| list.iter().any(|network| network.contains(ip));
        match () {
            () if among(&self.support) => Zone::Support,
            () if pbx => Zone::Pbx,
            () if among(&self.provisioning) || self.named.find(&ip).is_some() => Zone::Provisioning,
            () if home => Zone::Home,
            () if self.services.find(&ip).is_some() => Zone::Service,
            () => Zone::Outside,
        }
    }

    fn phone(&self, ip: IpAddr) -> Option<&Phone> {
        self.phones.find(&ip).and_then(|slot| self.phones.get(slot))
    }

    /// The device at an address. `mac` is what its packets carry: used only where nothing better
    /// is known and the handsets don't say that it's a router's.
    pub(super) fn device(&self, ip: IpAddr, vlan: Option<u16>, place: &Place, handsets: &Handsets) -> Device {
        let (who, registered) = handsets.known_registered(ip).unzip();
        let shown = self.phone(ip).copied().unwrap_or_default();
        let role = match place.zone {
            Zone::Pbx => Role::Pbx,
            _ if registered == Some(true) => Role::Handset,
            _ if shown.is_phone => Role::Phone,
            _ => Role::Unknown,
        };
        Device {
            role,
            ip: Some(ip),
            mac: shown.mac.or(who.and_then(|who| who.mac)),
            vlan: vlan.or(shown.vlan),
            who,
        }
    }
}

/// Not routed on the internet: RFC 1918, 3927, 4193, 4291 and the carriers' 100.64.0.0/10 (RFC 6598).
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private() || v4.is_link_local() || v4.is_loopback() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::Path;
    use crate::handsets;

    proptest! {
        /// What was found stays true whatever is learnt, and whoever is forgotten for it.
        #[test]
        fn a_place_is_what_a_look_up_says(steps in proptest::collection::vec((0u8..9, 0u8..12, 0u8..12), 1..80)) {
            let few = handsets::Settings { strangers: 3, registered: 3, ..handsets::Settings::default() };
            let (mut handsets, mut zones) = (Handsets::new(few.clone()), Zones::new(&Settings::default()));
            let ip = |n: u8| IpAddr::from(if n.is_multiple_of(2) { [10, 0, 3, n] } else { [192, 0, 2, n] });
            for (at, (what, a, b)) in (0i64..).map(Timestamp).zip(steps) {
                let path = Path {
                    src: (ip(a), 5_060).into(),
                    dst: (ip(b), 5_060).into(),
                    src_mac: Some(Mac([2, 0, 0, 0, 0, b])),
                    dst_mac: None,
                    vlan: None,
                    mirror: None,
                };
                match what {
                    0 => zones.service(ip(a), at),
                    1 => zones.named(ip(a), at),
                    2 => zones.shows(ip(a), Some(Mac([b; 6])), None, b % 3 == 0, at),
                    3 => zones.home_of([192, 0, 2, a].into(), 28 + b % 4, at),
                    4 => { handsets.registered(ip(a), None, ip(b), &[b'2', b'0' + b], at); }
                    5 | 6 => { handsets.sender(&path, &handsets::Said { account: &[b'3', b'0' + b], from: b"x", username: b"" }, None, at); }
                    7 => zones.reload(&Settings {
                        support: vec![Network { base: ip(a), prefix: 32 }],
                        ..Settings::default()
                    }),
                    _ => handsets.reload(handsets::Settings {
                        pbx: vec![Network { base: ip(a), prefix: 32 }],
                        ..few.clone()
                    }),
                }
                for n in 0..12 {
                    prop_assert_eq!(zones.place(ip(n), &handsets), zones.look_up(ip(n), &handsets));
                }
            }
        }
    }

    #[test]
    fn the_operators_lists_come_first_and_nobody_allows_himself() {
        let net = |text: &str| text.parse::<Network>().unwrap();
        let settings = Settings {
            support: vec![net("198.51.100.0/24")],
            provisioning: vec![net("192.0.2.7")],
            ..Settings::default()
        };
        let pbx = vec![net("203.0.113.10")];
        let handsets = Handsets::new(handsets::Settings { pbx, ..handsets::Settings::default() });
        let mut zones = Zones::new(&settings);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        zones.service(ip("9.9.9.9"), Timestamp(0));
        zones.named(ip("192.0.2.8"), Timestamp(0));
        zones.shows(ip("10.0.0.5"), Some(Mac([1; 6])), Some(30), true, Timestamp(0));
        for (address, zone) in [
            ("198.51.100.3", Zone::Support),
            ("203.0.113.10", Zone::Pbx),
            ("192.0.2.7", Zone::Provisioning),
            ("192.0.2.8", Zone::Provisioning),
            ("9.9.9.9", Zone::Service),
            ("10.0.0.5", Zone::Home),
            ("fd00::1", Zone::Home),
            ("8.8.8.8", Zone::Outside),
        ] {
            assert_eq!(zones.place(ip(address), &handsets).zone, zone, "{address}");
        }
        zones.home_of([192, 0, 2, 130].into(), 25, Timestamp(0));
        zones.home_of([11, 0, 0, 1].into(), 8, Timestamp(0));
        assert_eq!(
            zones.place(ip("192.0.2.129"), &handsets).zone,
            Zone::Home,
            "DHCP gave phones addresses there"
        );
        assert_eq!(zones.place(ip("192.0.2.9"), &handsets).zone, Zone::Outside);
        assert_eq!(zones.place(ip("11.0.0.1"), &handsets).zone, Zone::Outside, "too wide to be an office");
        let place = zones.place(ip("10.0.0.5"), &handsets);
        assert!(place.ours && place.phone && place.side == Side::Lan);
        let device = zones.device(ip("10.0.0.5"), None, &place, &handsets);
        assert_eq!((device.role, device.mac, device.vlan), (Role::Phone, Some(Mac([1; 6])), Some(30)));
        zones.shows(ip("10.0.0.5"), Some(Mac([2; 6])), None, false, Timestamp(0));
        assert!(!zones.place(ip("10.0.0.5"), &handsets).phone, "another device took the address");
        assert_eq!(zones.place(ip("203.0.113.10"), &handsets).side, Side::Wan);
    }
}
