//! The handsets of the office: what each is, where it is, when it was last heard of.
//!
//! In: `Fact`. Out: `Entry`, one for each device. Never: lets a weaker source overwrite a stronger one;
//! lets strangers push out a handset that registered.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bounded::{SlotId, Table};
use crate::decode::Mac;
use crate::fact::sighting::{HintSighting, SipSighting, SipStep};
use crate::fact::{CallFact, Device, Fact, Role, Sighting, What};
use crate::handsets::{HandsetId, Who};
use crate::hints::{Confidence, Source};
use crate::labels;
use crate::sip::Method;
use crate::text::Text;
use crate::time::{Span, Timestamp};
use crate::touches::Proto;

labels! {
    /// How a device stands.
    pub enum State {
        Registered = "registered", "A registration is in force.";
        Silent = "silent", "Registered, and no call in or out for 30 days.";
        Lapsed = "lapsed", "It was registered, and the registration ran out or was taken back.";
        Unregistered = "unregistered", "A phone by its hardware or its own words that never registered.";
        Stranger = "stranger", "It speaks SIP and is neither.";
    }
}

/// A registered handset without a call for so long is silent.
const SILENT_AFTER: Span = Span::days(30);
/// A registration is renewed in time; this much grace covers lost packets.
const GRACE: Span = Span::MINUTE;

/// A value, where it comes from and how far to believe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim<const N: usize> {
    /// The value; empty if nothing is known.
    pub value: Text<N>,
    /// Who says so.
    pub source: Option<Source>,
    /// How far to believe it.
    pub confidence: Confidence,
}

impl<const N: usize> Default for Claim<N> {
    fn default() -> Self {
        Self { value: Text::default(), source: None, confidence: Confidence::Low }
    }
}

impl<const N: usize> Claim<N> {
    fn take(&mut self, value: Text<N>, hint: &HintSighting) {
        if !value.is_empty() && (self.source.is_none() || hint.confidence >= self.confidence) {
            *self = Self { value, source: Some(hint.source), confidence: hint.confidence };
        }
    }
}

/// A device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its entry among the handsets, if it has spoken SIP.
    pub who: Option<Who>,
    /// Its hardware address.
    pub mac: Option<Mac>,
    /// Its last address.
    pub ip: Option<IpAddr>,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// The account that the registrar accepted last.
    pub account: Text<32>,
    /// What carries its SIP.
    pub transport: Option<Proto>,
    /// Its maker.
    pub vendor: Claim<16>,
    /// Its model.
    pub model: Claim<32>,
    /// Its firmware.
    pub firmware: Claim<32>,
    /// Whether it is a phone by its hardware or its own words.
    pub phone: bool,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it was seen last.
    pub last_seen: Timestamp,
    /// When its last call began, in or out.
    pub last_call: Option<Timestamp>,
    /// When its last registration was accepted.
    pub last_registration: Option<Timestamp>,
    /// Until when that holds.
    pub expires: Option<Timestamp>,
}

impl Entry {
    fn new(now: Timestamp) -> Self {
        Self {
            who: None,
            mac: None,
            ip: None,
            vlan: None,
            account: Text::default(),
            transport: None,
            vendor: Claim::default(),
            model: Claim::default(),
            firmware: Claim::default(),
            phone: false,
            first_seen: now,
            last_seen: now,
            last_call: None,
            last_registration: None,
            expires: None,
        }
    }

    /// How it stands.
    pub fn state(&self, now: Timestamp) -> State {
        match (self.last_registration, self.expires) {
            (Some(_), Some(until)) if now > until.plus(GRACE) => State::Lapsed,
            (Some(_), None) => State::Lapsed,
            (Some(_), Some(_)) => {
                let quiet = now.since(self.last_call.unwrap_or(self.first_seen));
                if quiet >= SILENT_AFTER { State::Silent } else { State::Registered }
            }
            (None, _) if self.phone => State::Unregistered,
            (None, _) => State::Stranger,
        }
    }
}

/// The hardware address, else the handset's own number, else address and VLAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Key {
    Mac(Mac),
    Who(SlotId),
    Place(IpAddr, Option<u16>),
}

/// All devices that are remembered.
#[derive(Debug)]
pub struct Inventory {
    table: Table<Key, Entry>,
}

crate::kept! {
    /// What was known before a restart.
    pub struct Memory of Inventory {
        table: Table<Key, Entry>,
    }
}

impl Default for Inventory {
    fn default() -> Self {
        Self::new(8_192, 16_384)
    }
}

impl Inventory {
    /// Room for so many strangers and so many handsets that registered.
    pub fn new(strangers: usize, registered: usize) -> Self {
        Self { table: Table::loose(strangers, registered) }
    }

    /// Learns from a fact.
    pub fn handle_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::Call(call) => self.call(call),
            Fact::Sighting(sighting) if sighting.device.role != Role::Pbx => self.sighting(sighting),
            _ => {}
        }
    }

    /// Every device, in the order of its place in the table.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.table.iter().map(|(_, _, entry)| entry)
    }

    /// How many there are of each state.
    pub fn states(&self, now: Timestamp) -> impl Iterator<Item = (State, u64)> {
        let mut counts = [0u64; 5];
        for entry in self.iter() {
            if let Some(count) = counts.get_mut(crate::tally::Label::index(entry.state(now))) {
                *count = count.saturating_add(1);
            }
        }
        <State as crate::tally::Label>::ALL.iter().copied().zip(counts)
    }

    /// Devices forgotten because the table was full.
    pub const fn evicted(&self) -> u64 {
        self.table.evicted()
    }

    fn call(&mut self, call: &CallFact) {
        // The other leg's handset is the trunk.
        if call.joined || !call.who.verified {
            return;
        }
        let entry = match self.known(&call.who, call.time) {
            Some(slot) => self.table.get_mut(slot),
            None => self.entry(&caller(&call.who), call.time),
        };
        if let Some(entry) = entry {
            entry.last_call = entry.last_call.max(Some(call.started));
        }
    }

    /// Asks for the memory of a handset's row: a fact of it comes.
    #[inline]
    pub fn warm(&self, id: HandsetId) {
        self.table.warm_near(id.0);
    }

    /// The short way to the place of a handset that is there already: what `slot` does for it.
    fn known(&mut self, who: &Who, now: Timestamp) -> Option<SlotId> {
        let key = who.mac.map_or(Key::Who(who.id.0), Key::Mac);
        let slot = self.table.find_near(Some(who.id.0), &key)?;
        self.table.touch(slot, now);
        let entry = self.table.get_mut(slot)?;
        entry.who = Some(*who);
        entry.mac = who.mac.or(entry.mac);
        entry.ip = Some(who.ip);
        entry.last_seen = entry.last_seen.max(now);
        Some(slot)
    }

    fn sighting(&mut self, sighting: &Sighting) {
        let tells = match &sighting.what {
            // Another's packet to it does not say that it's there.
            What::Sip(sip) => sip.method == Method::Register && sip.step != SipStep::Request,
            What::Hint(_) | What::Present(_) | What::Mechanism(_) => true,
            _ => false,
        };
        if !tells {
            return;
        }
        let Some(slot) = self.slot(&sighting.device, sighting.time) else { return };
        let registered = match (&sighting.what, self.table.get_mut(slot)) {
            (What::Sip(sip), Some(entry)) => registration(entry, sip, sighting.time),
            (What::Hint(hint), Some(entry)) => {
                entry.vendor.take(hint.identity.vendor, hint);
                entry.model.take(hint.identity.model, hint);
                entry.firmware.take(hint.identity.firmware, hint);
                entry.phone |= hint.identity.phone;
                false
            }
            (What::Mechanism(mechanism), Some(entry)) => {
                entry.transport = Some(mechanism.proto);
                false
            }
            _ => false,
        };
        if registered {
            self.table.protect(slot);
        }
    }

    fn entry(&mut self, device: &Device, now: Timestamp) -> Option<&mut Entry> {
        let slot = self.slot(device, now)?;
        self.table.get_mut(slot)
    }

    /// The device's place; what was known by a weaker key moves to the stronger one.
    fn slot(&mut self, device: &Device, now: Timestamp) -> Option<SlotId> {
        let place = device.ip.map(|ip| Key::Place(ip, None));
        let who = device.who.map(|who| Key::Who(who.id.0));
        let keys = [device.mac.map(Key::Mac), who, place];
        let key = keys.iter().flatten().next().copied()?;
        let fresh = || Entry::new(now);
        let whose = device.who.map(|who| who.id.0);
        let mut found = self.table.find_or_insert_near(whose, &key, now, fresh);
        if found.new {
            // A router's address hides several handsets: only a lone handset moves.
            let old = keys.iter().flatten().skip(1).find_map(|weaker| self.table.find(weaker));
            if let Some((_, entry)) = old.and_then(|slot| self.table.remove(slot)) {
                if let Some(fresh) = self.table.get_mut(found.slot) {
                    *fresh = entry;
                }
                if entry.last_registration.is_some() {
                    self.table.protect(found.slot);
                }
            }
            found.new = false;
        }
        let entry = self.table.get_mut(found.slot)?;
        entry.who = device.who.or(entry.who);
        entry.mac = device.mac.or(entry.mac);
        entry.ip = device.ip.or(entry.ip);
        entry.vlan = device.vlan.or(entry.vlan);
        entry.phone |= device.role == Role::Phone;
        entry.last_seen = entry.last_seen.max(now);
        Some(found.slot)
    }
}

/// The device that places a call.
const fn caller(who: &Who) -> Device {
    Device { role: Role::Handset, ip: Some(who.ip), mac: who.mac, vlan: None, who: Some(*who) }
}

/// Takes what a registrar answered; true if it accepted.
fn registration(entry: &mut Entry, sip: &SipSighting, now: Timestamp) -> bool {
    match sip.step {
        SipStep::Accepted => {
            entry.account = sip.account;
            entry.transport = Some(sip.proto);
            entry.last_registration = Some(now);
            entry.expires = Some(now.plus(Span::seconds(i64::from(sip.expires))));
            true
        }
        SipStep::Removed => {
            entry.expires = None;
            false
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded::Keep as _;
    use crate::fact::sighting::HintSighting;
    use crate::hints::Identity;
    use crate::touches::{Way, Zone};

    const MAC: Mac = Mac([0, 0x15, 0x65, 1, 2, 3]);

    fn device(mac: Option<Mac>) -> Device {
        Device { role: Role::Unknown, ip: Some([10, 0, 3, 17].into()), mac, vlan: Some(30), who: None }
    }

    fn hint(source: Source, confidence: Confidence, model: &str, firmware: &str) -> What {
        let identity = Identity {
            vendor: Text::from("Yealink"),
            model: Text::from(model),
            firmware: Text::from(firmware),
            phone: true,
            ..Identity::default()
        };
        What::Hint(HintSighting { source, confidence, identity, voice_vlan: None, raw: Text::default() })
    }

    fn register(step: SipStep, expires: u32) -> What {
        What::Sip(SipSighting {
            client: ([10, 0, 3, 17], 5_060).into(),
            client_zone: Zone::Home,
            server: ([203, 0, 113, 10], 5_060).into(),
            server_zone: Zone::Pbx,
            way: Way::Outbound,
            proto: Proto::Udp,
            peer_came_first: false,
            method: Method::Register,
            step,
            code: 200,
            exchange: 1,
            account: Text::from("214"),
            target: Text::from("214"),
            realm: Text::default(),
            agent: Text::default(),
            expires,
            same_user: true,
            bogus_host: false,
        })
    }

    fn see(inventory: &mut Inventory, seconds: i64, device: Device, what: What) {
        let time = Timestamp::from_parts(seconds, 0);
        inventory.handle_fact(&Fact::Sighting(Sighting { time, device, what }));
    }

    proptest::proptest! {
        /// The short way to a handset that calls leads where the long one does.
        #[test]
        fn a_known_handset_is_found_as_any(
            calls in proptest::collection::vec((0u8..6, proptest::option::of(0u8..4), 0u8..6), 1..80),
        ) {
            let mut others = Table::new(4, 0);
            let (mut short, mut long) = (Inventory::new(3, 2), Inventory::new(3, 2));
            for (n, (id, mac, ip)) in (0i64..).zip(calls) {
                let now = Timestamp::from_parts(n, 0);
                let who = Who {
                    id: crate::handsets::HandsetId(others.find_or_insert(&id, now, || ()).slot),
                    user: Text::from("214"),
                    verified: true,
                    ip: [10, 0, 3, ip].into(),
                    mac: mac.map(|n| Mac([n; 6])),
                };
                let known = short.known(&who, now);
                let asked = known.or_else(|| short.slot(&caller(&who), now));
                proptest::prop_assert_eq!(asked, long.slot(&caller(&who), now));
            }
            proptest::prop_assert_eq!(short.table.image(), long.table.image());
        }
    }

    #[test]
    fn a_handset_through_its_life() {
        let at = |seconds| Timestamp::from_parts(seconds, 0);
        let mut all = Inventory::default();
        see(&mut all, 0, device(Some(MAC)), hint(Source::Dhcp, Confidence::Medium, "T46U", ""));
        let entry = *all.iter().next().unwrap();
        assert_eq!((entry.state(at(0)), entry.vlan), (State::Unregistered, Some(30)));
        see(&mut all, 1, device(Some(MAC)), register(SipStep::Accepted, 60));
        let entry = *all.iter().next().unwrap();
        assert_eq!((entry.state(at(2)), entry.account), (State::Registered, Text::from("214")));
        assert_eq!(entry.state(at(500)), State::Lapsed);
        see(&mut all, 40 * 86_400, device(Some(MAC)), register(SipStep::Accepted, 60));
        let entry = *all.iter().next().unwrap();
        assert_eq!(entry.state(at(40 * 86_400)), State::Silent);
        see(&mut all, 40 * 86_400 + 1, device(Some(MAC)), register(SipStep::Removed, 0));
        let now = at(40 * 86_400 + 1);
        assert_eq!(all.iter().next().unwrap().state(now), State::Lapsed);
        assert_eq!(all.states(now).map(|(_, n)| n).collect::<Vec<_>>(), [0, 0, 1, 0, 0]);
    }

    #[test]
    fn stronger_sources_win_and_weaker_keys_move() {
        let mut all = Inventory::default();
        see(&mut all, 0, device(None), hint(Source::SipUserAgent, Confidence::High, "T46U", "108.86.0.20"));
        see(&mut all, 5, device(Some(MAC)), hint(Source::Dhcp, Confidence::Medium, "other", "1.0"));
        assert_eq!(all.iter().count(), 1, "one device, known by more");
        let entry = all.iter().next().unwrap();
        assert_eq!((entry.mac, entry.first_seen), (Some(MAC), Timestamp(0)));
        assert_eq!(
            (entry.model.value, entry.firmware.value),
            (Text::from("T46U"), Text::from("108.86.0.20"))
        );
        assert_eq!(entry.firmware.source, Some(Source::SipUserAgent));
        see(&mut all, 9, device(Some(MAC)), hint(Source::Lldp, Confidence::High, "T46U", "108.87.0.1"));
        assert_eq!(
            all.iter().next().unwrap().firmware.value,
            Text::from("108.87.0.1"),
            "as strong and newer"
        );
    }

    /// Make, model, firmware, first seen: after a restart all is as it was, and learnt on from there.
    #[test]
    fn a_restart_loses_nothing() {
        let mut all = Inventory::default();
        see(&mut all, 0, device(Some(MAC)), hint(Source::Lldp, Confidence::High, "T46U", "108.86.0.20"));
        see(&mut all, 7, device(Some(MAC)), register(SipStep::Accepted, 60));
        let mut again = Inventory::default();
        again.recall(all.kept());
        assert_eq!(again.iter().collect::<Vec<_>>(), all.iter().collect::<Vec<_>>());
        see(&mut again, 9, device(Some(MAC)), hint(Source::Dhcp, Confidence::Medium, "other", "1.0"));
        let entry = again.iter().next().unwrap();
        assert_eq!((entry.model.value, entry.first_seen), (Text::from("T46U"), Timestamp(0)));
        for n in 0..20_000u16 {
            let [high, low] = n.to_be_bytes();
            see(&mut again, 10, device(Some(Mac([9, 9, 9, 9, high, low]))), What::Present(Source::Arp));
        }
        assert!(again.iter().any(|entry| entry.mac == Some(MAC)), "it registered, so it stays");
    }

    #[test]
    fn strangers_do_not_push_out_the_registered() {
        let mut all = Inventory::new(4, 4);
        see(&mut all, 0, device(Some(MAC)), register(SipStep::Accepted, 60));
        for n in 0..100u8 {
            let mac = Some(Mac([9, 9, 9, 9, 9, n]));
            see(&mut all, 1, device(mac), What::Present(Source::Arp));
        }
        assert_eq!((all.iter().count(), all.evicted()), (5, 96));
        assert!(all.iter().any(|entry| entry.mac == Some(MAC)));
    }
}
