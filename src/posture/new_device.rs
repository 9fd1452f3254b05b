//! Check `new_device`: an account registers from a place or a device that was never seen with it.
//!
//! Only registrations that pass this mirror port can be judged: with a Cloud PBX, those made
//! elsewhere with a stolen password don't. Countries are compared only by a table that the operator gives.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::decode::Mac;
use crate::fact::sighting::{SipSighting, SipStep};
use crate::fact::{Sighting, What};
use crate::finding::{Check, Severity};
use crate::hints::Source;
use crate::sip::Method;
use crate::text::Text;
use crate::time::{Span, Timestamp};
use crate::touches::{Way, Zone};

use super::Countries;
use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, called, key_of, mix, plural};

/// Accounts that are remembered, at the most, and places of each.
const ROOM: usize = 16_384;
const PLACES: usize = 16;
/// A place is forgotten when nothing was seen of it for so long.
const KEPT: Span = Span::days(30);
/// An account's devices inside the office are learnt for so long.
const LEARNING: Span = Span::DAY;
/// Nobody registers from two countries within this time.
const JOURNEY: Span = Span::HOUR;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    ip: IpAddr,
    mac: Option<Mac>,
    agent: Text<64>,
    outside: bool,
    last: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Account {
    places: Vec<Place>,
    first: Timestamp,
}

/// Where each account registers from.
#[derive(Debug)]
pub struct NewDevice {
    accounts: Table<Text<32>, Account>,
    /// What devices call themselves.
    agents: Table<u64, Text<64>>,
}

impl Default for NewDevice {
    fn default() -> Self {
        Self { accounts: Table::new(ROOM, 0), agents: Table::new(ROOM, 0) }
    }
}

crate::kept! {
    /// Where accounts registered from before a restart.
    pub struct Memory of NewDevice {
        accounts: Table<Text<32>, Account>,
        agents: Table<u64, Text<64>>,
    }
}

impl Watcher for NewDevice {
    fn check(&self) -> Check {
        Check::NewDevice
    }

    fn sighting(&mut self, sighting: &Sighting, scene: &Scene<'_>, out: &mut Vec<Found>) {
        match &sighting.what {
            What::Hint(hint) if hint.source == Source::SipUserAgent => {
                let agent = Text::new(hint.raw.as_bytes());
                self.speaks(key_of(&sighting.device), agent, sighting.time);
            }
            What::Sip(sip) if sip.method == Method::Register => match sip.step {
                SipStep::Request | SipStep::Credentials => {
                    self.speaks(mix(4, &[&sip.exchange.to_be_bytes()]), sip.agent, sighting.time);
                }
                SipStep::Accepted => out.extend(self.registers(sip, sighting, &scene.settings.countries)),
                _ => {}
            },
            _ => {}
        }
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match sight {
            Sight { home: false, .. } => Say::CannotSee(Blind::NoTraffic, String::new()),
            Sight { sip: false, encrypted: true, .. } => Say::CannotSee(Blind::Encrypted, String::new()),
            Sight { one_way: true, .. } => Say::CannotSee(Blind::OneWay, String::new()),
            _ if self.accounts.is_empty() => Say::NotSeen("no registration was seen".to_owned()),
            _ => Say::NotSeen(format!(
                "{} stay on their devices as far as this mirror port sees; a Cloud PBX sees the rest",
                plural(self.accounts.len() as u64, "account")
            )),
        }
    }

    fn evicted(&self) -> u64 {
        self.accounts.evicted() + self.agents.evicted()
    }
}

impl NewDevice {
    fn speaks(&mut self, device: u64, agent: Text<64>, now: Timestamp) {
        let slot = self.agents.find_or_insert(&device, now, || agent).slot;
        if let Some(known) = self.agents.get_mut(slot) {
            *known = agent;
        }
    }

    fn registers(&mut self, sip: &SipSighting, sighting: &Sighting, countries: &Countries) -> Option<Found> {
        let now = sighting.time;
        let from_device = sip.way == Way::Outbound;
        // The answer's own User-Agent is the registrar's.
        let of = |key: u64| self.agents.find(&key).and_then(|slot| self.agents.get(slot)).copied();
        let agent = of(mix(4, &[&sip.exchange.to_be_bytes()]))
            .or_else(|| of(key_of(&sighting.device)).filter(|_| from_device))
            .unwrap_or_default();
        let place = Place {
            ip: sip.client.ip(),
            mac: sighting.device.mac.filter(|_| from_device),
            agent,
            outside: sip.client_zone == Zone::Outside,
            last: now,
        };
        let fresh = || Account { places: Vec::new(), first: now };
        let inserted = self.accounts.find_or_insert(&sip.account, now, fresh);
        let account = self.accounts.get_mut(inserted.slot)?;
        account.places.retain(|known| now.since(known.last) < KEPT);
        let verdict = if account.places.is_empty() { None } else { account.judge(&place, countries, now) };
        let old = account.places.iter().max_by_key(|known| known.last).copied();
        account.learn(place);
        let (severity, why) = verdict?;
        let old = old?;
        let [new_country, old_country] = [place.ip, old.ip].map(|ip| countries.of(ip).unwrap_or_default());
        let found = finding(sip, sighting, &place, old, severity, why);
        Some(found.word("new_country", new_country).word("old_country", old_country))
    }
}

impl Account {
    fn judge(
        &self,
        place: &Place,
        countries: &Countries,
        now: Timestamp,
    ) -> Option<(Severity, &'static str)> {
        let here = countries.of(place.ip);
        let abroad = |known: &Place| {
            let there = countries.of(known.ip);
            there.is_some() && there != here && now.since(known.last) < JOURNEY
        };
        if here.is_some() && self.places.iter().any(abroad) {
            return Some((Severity::Critical, "another country than within the last hour"));
        }
        let same_device = |known: &&Place| match (known.mac, place.mac) {
            (Some(known), Some(here)) => known == here,
            _ => known.ip == place.ip,
        };
        if self.places.iter().any(|known| same_device(&known)) {
            return None;
        }
        if place.outside && self.places.iter().all(|known| !known.outside) {
            return Some((Severity::Critical, "outside the office, where it never was"));
        }
        let same_agent = self.places.iter().any(|known| known.agent == place.agent);
        let learning = now.since(self.first) < LEARNING;
        (!same_agent && !learning).then_some((Severity::Warning, "a device of another make at a new address"))
    }

    fn learn(&mut self, place: Place) {
        let same = |known: &Place| known.ip == place.ip && known.mac == place.mac;
        if let Some(known) = self.places.iter_mut().find(|known| same(known)) {
            *known = place;
            return;
        }
        if self.places.len() >= PLACES
            && let Some(oldest) = (0..PLACES).min_by_key(|n| self.places[*n].last)
        {
            self.places.remove(oldest);
        }
        self.places.push(place);
    }
}

fn finding(
    sip: &SipSighting,
    sighting: &Sighting,
    place: &Place,
    old: Place,
    severity: Severity,
    why: &str,
) -> Found {
    let from = place.ip;
    let sentence = format!("account {} registered from {from}: {why}", sip.account);
    let found = if sip.way == Way::Outbound {
        Found::of(Check::NewDevice, severity, sighting, format!("{}: {sentence}", called(&sighting.device)))
    } else {
        Found::office(Check::NewDevice, severity, sighting.time, sentence)
    };
    found
        .about(&[sip.account.as_bytes(), &super::scene::octets(from)])
        .word("account", sip.account)
        .word("new_address", from)
        .word("new_zone", sip.client_zone)
        .word("new_agent", place.agent)
        .word("new_mac", place.mac.map(|mac| mac.to_string()).unwrap_or_default())
        .word("old_address", old.ip)
        .word("old_agent", old.agent)
        .word("old_seen", old.last)
}
