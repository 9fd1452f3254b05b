//! Check `unregistered_handset`: a phone is connected to the network but registers nowhere.

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::sighting::SipStep;
use crate::fact::{Device, Role, Sighting, What};
use crate::finding::{Check, Severity};
use crate::sip::Method;
use crate::tally::Label;
use crate::time::{Span, Timestamp};
use crate::touches::{Proto, TouchState, Way, Zone};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, called, detail_of, octets, plural};

/// A phone registers within this time, counted in hours in which anything was seen.
const SETTLED_HOURS: u32 = 24;
/// A phone that wasn't seen for so long is gone.
const GONE: Span = Span::days(2);
/// Phones that are remembered, at the most.
const ROOM: usize = 8_192;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Phone {
    device: Device,
    /// The hour, as they are counted, in which it was seen first or registered last.
    since: u32,
    first: Timestamp,
    last: Timestamp,
    reached: bool,
    told: Option<Severity>,
    vendor: crate::text::Text<16>,
}

/// Phones, by hardware address.
#[derive(Debug)]
pub struct UnregisteredHandset {
    phones: Table<u64, Phone>,
    /// Which of them has an address.
    at: Table<[u8; 16], u64>,
    registered: Table<[u8; 16], ()>,
}

impl Default for UnregisteredHandset {
    fn default() -> Self {
        Self { phones: Table::loose(ROOM, 0), at: Table::loose(ROOM, 0), registered: Table::loose(ROOM, 0) }
    }
}

crate::kept! {
    /// Which phones were there before a restart.
    pub struct Memory of UnregisteredHandset {
        phones: Table<u64, Phone>,
        at: Table<[u8; 16], u64>,
        registered: Table<[u8; 16], ()>,
    }
}

impl Watcher for UnregisteredHandset {
    fn check(&self) -> Check {
        Check::UnregisteredHandset
    }

    fn sighting(&mut self, sighting: &Sighting, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let device = &sighting.device;
        if device.role == Role::Handset || registers(sighting) {
            return self.is_registered(device, scene, out);
        }
        let claims = matches!(&sighting.what, What::Hint(hint) if hint.identity.phone);
        if device.role != Role::Phone && !claims {
            return;
        }
        let now = sighting.time;
        let key = detail_of(device);
        let fresh = || Phone {
            device: *device,
            since: scene.watched.hours,
            first: now,
            last: now,
            reached: false,
            told: None,
            vendor: crate::text::Text::default(),
        };
        let whose = device.who.map(|who| who.id.0);
        let slot = self.phones.find_or_insert_near(whose, &key, now, fresh).slot;
        let Some(phone) = self.phones.get_mut(slot) else { return };
        phone.last = now;
        phone.device = Device { ip: device.ip.or(phone.device.ip), role: Role::Phone, ..*device };
        match &sighting.what {
            What::Touch(touch) => {
                phone.reached |=
                    touch.unsolicited && touch.zone == Zone::Outside && touch.way == Way::Inbound;
            }
            What::Hint(hint) if !hint.identity.vendor.is_empty() => phone.vendor = hint.identity.vendor,
            _ => {}
        }
        if let Some(ip) = phone.device.ip {
            let slot = self.at.find_or_insert_near(whose, &octets(ip), now, || key).slot;
            if let Some(known) = self.at.get_mut(slot) {
                *known = key;
            }
            if self.registered.find_near(whose, &octets(ip)).is_some() {
                phone.since = scene.watched.hours;
            }
        }
    }

    fn tick(&mut self, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let slots: Vec<_> = self.phones.iter().map(|(slot, ..)| slot).collect();
        for slot in slots {
            let Some(phone) = self.phones.get_mut(slot) else { continue };
            let settled = scene.watched.hours.saturating_sub(phone.since) >= SETTLED_HOURS;
            let severity = if phone.reached { Severity::Critical } else { Severity::Warning };
            let here = scene.now.since(phone.last) < GONE;
            if settled && here && phone.told < Some(severity) {
                phone.told = Some(severity);
                out.push(finding(phone, severity, scene.now));
            }
        }
    }

    fn say(&self, scene: &Scene<'_>, sight: Sight) -> Say {
        let hours = scene.watched.hours;
        let phones = self.registered.len() as u64;
        match sight {
            Sight { home: false, .. } => Say::CannotSee(Blind::NoTraffic, String::new()),
            _ if hours < SETTLED_HOURS => {
                Say::CannotSee(Blind::History, format!("{hours} of {SETTLED_HOURS} hours"))
            }
            _ if self.phones.is_empty() => Say::CannotSee(
                Blind::Hidden,
                "no DHCP, ARP or LLDP of a phone was seen; where they pass, all phones would show".to_owned(),
            ),
            _ => Say::Pass(format!(
                "every phone seen has registered, {} in all",
                plural(phones, "address").replace("addresss", "addresses")
            )),
        }
    }

    fn evicted(&self) -> u64 {
        self.phones.evicted() + self.at.evicted() + self.registered.evicted()
    }
}

impl UnregisteredHandset {
    fn is_registered(&mut self, device: &Device, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let now = scene.now;
        let whose = device.who.map(|who| who.id.0);
        let mut keys = [Some(detail_of(device)), None];
        if let Some(ip) = device.ip {
            self.registered.find_or_insert_near(whose, &octets(ip), now, || ());
            keys[1] = self.at.find_near(whose, &octets(ip)).and_then(|slot| self.at.get(slot)).copied();
        }
        for key in keys.into_iter().flatten() {
            let Some(slot) = self.phones.find_near(whose, &key) else { continue };
            let Some(phone) = self.phones.get_mut(slot) else { continue };
            phone.since = scene.watched.hours;
            if phone.told.take().is_some() {
                let sentence = format!("{} has registered", called(device));
                let found = Found::office(Check::UnregisteredHandset, Severity::Info, now, sentence);
                out.push(Found { detail: key, ..found }.mended());
            }
        }
    }
}

/// It registers, or keeps a SIP connection over TLS, in which a registration can't be seen.
fn registers(sighting: &Sighting) -> bool {
    match &sighting.what {
        What::Sip(sip) => {
            sip.way == Way::Outbound && sip.method == Method::Register && sip.step == SipStep::Accepted
        }
        What::Touch(touch) => {
            touch.way == Way::Outbound
                && touch.proto == Proto::Tcp
                && touch.port == 5061
                && matches!(touch.state, TouchState::Established | TouchState::Data | TouchState::Lasting)
        }
        _ => false,
    }
}

fn finding(phone: &Phone, severity: Severity, now: Timestamp) -> Found {
    let device = called(&phone.device);
    let reached = if phone.reached { ", and strangers outside reach it" } else { "" };
    let sentence = format!("{device} is connected to the network but registers nowhere{reached}");
    let found = Found::office(Check::UnregisteredHandset, severity, now, sentence)
        .seen(1, phone.first)
        .word("mac", phone.device.mac.map(|mac| mac.to_string()).unwrap_or_default())
        .word("ip", phone.device.ip.map(|ip| ip.to_string()).unwrap_or_default())
        .word("vendor", phone.vendor)
        .word("role", phone.device.role.name());
    Found { detail: detail_of(&phone.device), ..found }
}
