//! Check `outdated_firmware`: a handset runs firmware with known holes, or below the office's floor.
//!
//! What a handset says of itself can be set by hand, so `critical` needs two sources or a day.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::sighting::HintSighting;
use crate::fact::{Device, Role, Sighting, What};
use crate::finding::{Check, Severity};
use crate::handsets::Who;
use crate::hints::Source;
use crate::tally::Label;
use crate::text::Text;
use crate::time::{Span, Timestamp};

use super::checklist::{Blind, Say, Sight};
use super::scene::{Found, Scene, Watcher, called, key_of, mix, octets, plural};
use super::version::Version;

/// A row of the table of firmware floors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Floor {
    /// The maker, whatever its case.
    pub vendor: String,
    /// Models: `?` is one character, `*` any number of them.
    pub models: Vec<String>,
    /// Everything below has known holes; empty = not known.
    pub min_secure: String,
    /// Everything below is older than the office wants; empty = any.
    pub min: String,
    /// Holes are known and no release mends them.
    pub no_fix: bool,
    /// What is wrong below the floor.
    pub reason: String,
    /// Where that is written.
    pub source: String,
}

/// Handsets that are remembered, at the most; sources of each; models, and branches of each.
const ROOM: usize = 8_192;
const CLAIMS: usize = 4;
const MODELS: usize = 512;
const BRANCHES: usize = 16;
/// More branches of one model side by side than this is a muddle.
const MUDDLE: usize = 2;
/// One source alone is believed after so long.
const BELIEVED: Span = Span::DAY;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Claim {
    source: Source,
    vendor: Text<16>,
    model: Text<32>,
    firmware: Text<32>,
    since: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Handset {
    device: Device,
    /// As what it was when it was told of: its findings stay together when it registers.
    told_as: Option<Device>,
    claims: Vec<Claim>,
    told: Option<Severity>,
    known: bool,
}

/// What handsets say of their firmware.
#[derive(Debug)]
pub struct OutdatedFirmware {
    handsets: Table<u64, Handset>,
    /// Where hardware addresses have their handset's entry.
    places: Table<u64, u64>,
    branches: Table<(Text<16>, Text<32>), BTreeSet<(u64, u64)>>,
}

impl Default for OutdatedFirmware {
    fn default() -> Self {
        Self { handsets: Table::new(ROOM, 0), places: Table::new(ROOM, 0), branches: Table::new(MODELS, 0) }
    }
}

crate::kept! {
    /// What handsets said of their firmware before a restart.
    pub struct Memory of OutdatedFirmware {
        handsets: Table<u64, Handset>,
        places: Table<u64, u64>,
        branches: Table<(Text<16>, Text<32>), BTreeSet<(u64, u64)>>,
    }
}

impl Watcher for OutdatedFirmware {
    fn check(&self) -> Check {
        Check::OutdatedFirmware
    }

    fn sighting(&mut self, sighting: &Sighting, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Hint(hint) = &sighting.what else { return };
        let said = &hint.identity;
        if said.vendor.is_empty() || said.model.is_empty() || said.firmware.is_empty() {
            return;
        }
        let now = sighting.time;
        let Some(handset) = self.handset(&sighting.device, now) else { return };
        handset.hear(hint, now);
        out.extend(handset.judge(scene));
        out.extend(self.muddle(hint, now));
    }

    fn registered(&mut self, who: &Who, _scene: &Scene<'_>) {
        let slot = self.handsets.find(&mix(3, &[&octets(who.ip)]));
        if let Some(handset) = slot.and_then(|slot| self.handsets.get_mut(slot)) {
            handset.device = Device { role: Role::Handset, who: Some(*who), ..handset.device };
        }
    }

    fn tick(&mut self, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let slots: Vec<_> = self.handsets.iter().map(|(slot, ..)| slot).collect();
        for slot in slots {
            if let Some(handset) = self.handsets.get_mut(slot)
                && handset.told == Some(Severity::Warning)
            {
                out.extend(handset.judge(scene));
            }
        }
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        let all = self.handsets.len() as u64;
        let known = self.handsets.iter().filter(|(.., handset)| handset.known).count() as u64;
        match (all, known) {
            _ if !sight.home => Say::CannotSee(Blind::NoTraffic, String::new()),
            (0, _) if sight.encrypted && !sight.sip => Say::CannotSee(Blind::Encrypted, String::new()),
            (0, _) => Say::NotSeen("no handset said which firmware it runs".to_owned()),
            (all, 0) => Say::NotSeen(format!(
                "the versions of {} are known, but no floor for their models: set your own",
                plural(all, "handset")
            )),
            (all, known) if known < all => Say::NotSeen(format!(
                "{known} of {} are at or above their floor, the others have none: set your own",
                plural(all, "handset")
            )),
            (all, _) => Say::Pass(format!("all {} are at or above their floor", plural(all, "handset"))),
        }
    }

    fn evicted(&self) -> u64 {
        self.handsets.evicted() + self.branches.evicted()
    }
}

impl Handset {
    fn takes_over(&mut self, before: Self) {
        self.told = self.told.max(before.told);
        self.told_as = self.told_as.or(before.told_as);
        let new = |claim: &Claim| self.claims.iter().all(|known| known.source != claim.source);
        let claims: Vec<_> = before.claims.into_iter().filter(new).collect();
        self.claims.extend(claims);
        self.claims.truncate(CLAIMS);
    }

    fn hear(&mut self, hint: &HintSighting, now: Timestamp) {
        let said = &hint.identity;
        let known = self.claims.iter().position(|claim| claim.source == hint.source);
        let claim = Claim {
            source: hint.source,
            vendor: said.vendor,
            model: said.model,
            firmware: said.firmware,
            since: now,
        };
        let Some(n) = known else {
            if self.claims.len() < CLAIMS {
                self.claims.push(claim);
            }
            return;
        };
        if let Some(known) = self.claims.get_mut(n)
            && (known.firmware != said.firmware || known.model != said.model)
        {
            *known = claim;
        }
    }

    /// The claim that was made last decides.
    fn judge(&mut self, scene: &Scene<'_>) -> Option<Found> {
        let claim = *self.claims.iter().max_by_key(|claim| claim.since)?;
        let (vendor, model) = (claim.vendor.to_string(), claim.model.to_string());
        let version = Version::read(&vendor, &claim.firmware.to_string())?;
        let floors = scene.settings.floors.iter().filter(|floor| floor.is_for(&vendor, &model));
        let rows: Vec<&Floor> = floors.collect();
        self.known = !rows.is_empty();
        let below = |floor: &str| Version::read(&vendor, floor).is_some_and(|floor| version < floor);
        let unsafe_row = rows.iter().find(|row| row.no_fix || below(&row.min_secure));
        let old_row = rows.iter().find(|row| below(&row.min));
        let Some(row) = unsafe_row.or(old_row) else {
            self.told.take()?;
            let sentence = format!("{} was updated to {}", called(&self.device), claim.firmware);
            let found = Found::office(Check::OutdatedFirmware, Severity::Info, scene.now, sentence);
            let told_as = self.told_as.take().unwrap_or(self.device);
            return Some(found.on(&told_as).mended());
        };
        let agree = self.claims.iter().filter(|other| other.firmware == claim.firmware).count();
        let sure = agree > 1 || scene.now.since(claim.since) >= BELIEVED;
        let severity = if unsafe_row.is_some() && sure { Severity::Critical } else { Severity::Warning };
        if self.told >= Some(severity) {
            return None;
        }
        self.told = Some(severity);
        let told_as = *self.told_as.get_or_insert(self.device);
        let mut found = finding(&self.device, &claim, row, severity, agree, scene.now);
        found.detail = 0;
        found = found.on(&told_as);
        found.finding.who = self.device.who;
        Some(found)
    }
}

impl OutdatedFirmware {
    /// A device's entry. LLDP and CDP name it by its hardware address alone: what was heard of that
    /// goes over to its address once both are seen together, and later words find it there.
    fn handset(&mut self, device: &Device, now: Timestamp) -> Option<&mut Handset> {
        let own = key_of(device);
        let by_mac = device.mac.map(|mac| mix(6, &[&mac.0]));
        let key = match (device.ip, by_mac) {
            (None, Some(mac)) => self.places.find(&mac).and_then(|slot| self.places.get(slot)).copied(),
            _ => None,
        }
        .unwrap_or(own);
        let mut before = None;
        if let (Some(_), Some(mac)) = (device.ip, by_mac) {
            let place = self.places.find_or_insert(&mac, now, || own).slot;
            if let Some(known) = self.places.get_mut(place) {
                *known = own;
            }
            let alone = key_of(&Device { ip: None, who: None, ..*device });
            before = self.handsets.find(&alone).and_then(|slot| self.handsets.remove(slot));
        }
        let fresh =
            || Handset { device: *device, told_as: None, claims: Vec::new(), told: None, known: false };
        let slot = self.handsets.find_or_insert(&key, now, fresh).slot;
        let handset = self.handsets.get_mut(slot)?;
        if let Some((_, before)) = before {
            handset.takes_over(before);
        }
        if device.ip.is_some() || handset.device.ip.is_none() {
            handset.device = *device;
        }
        Some(handset)
    }

    /// Many branches of one model side by side.
    fn muddle(&mut self, hint: &HintSighting, now: Timestamp) -> Option<Found> {
        let said = &hint.identity;
        let branch = Version::read(&said.vendor.to_string(), &said.firmware.to_string())?.branch();
        let slot = self.branches.find_or_insert(&(said.vendor, said.model), now, BTreeSet::new).slot;
        let branches = self.branches.get_mut(slot)?;
        if branches.len() >= BRANCHES || !branches.insert(branch) || branches.len() <= MUDDLE {
            return None;
        }
        let n = branches.len();
        let sentence =
            format!("{} {} handsets run {n} branches of firmware side by side", said.vendor, said.model);
        Some(
            Found::office(Check::OutdatedFirmware, Severity::Info, now, sentence)
                .about(&[said.vendor.as_bytes(), said.model.as_bytes()])
                .word("vendor", said.vendor)
                .word("model", said.model)
                .count("branches", n as u64),
        )
    }
}

fn finding(
    device: &Device,
    claim: &Claim,
    row: &Floor,
    severity: Severity,
    agree: usize,
    now: Timestamp,
) -> Found {
    let (vendor, model, firmware) = (claim.vendor, claim.model, claim.firmware);
    let floor = if row.min_secure.is_empty() { &row.min } else { &row.min_secure };
    let cure =
        if row.no_fix { "no release mends it".to_owned() } else { format!("from {floor} on it is mended") };
    let reason = if row.reason.is_empty() { "older than the office's floor" } else { &row.reason };
    let sentence =
        format!("{} ({vendor} {model}) runs firmware {firmware}: {reason}; {cure}", called(device));
    Found::office(Check::OutdatedFirmware, severity, now, sentence)
        .on(device)
        .seen(1, claim.since)
        .word("vendor", vendor)
        .word("model", model)
        .word("firmware", firmware)
        .word("floor", floor)
        .word("source", claim.source.name())
        .count("sources", agree as u64)
        .word("reason", &row.reason)
        .word("reference", &row.source)
}

impl Floor {
    fn is_for(&self, vendor: &str, model: &str) -> bool {
        let model = model.to_ascii_uppercase();
        self.vendor.eq_ignore_ascii_case(vendor)
            && self
                .models
                .iter()
                .any(|pattern| matches(pattern.to_ascii_uppercase().as_bytes(), model.as_bytes()))
    }
}

/// Whether a pattern with `?` and `*` stands for a text. Linear: a `*` never gives back what an
/// earlier one took.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut back) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((after, from)) = back else { return false };
                back = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_models() {
        let is = |pattern: &str, text: &str| matches(pattern.as_bytes(), text.as_bytes());
        assert!(is("GXP16??", "GXP1628") && !is("GXP16??", "GXP162") && is("GRP261*", "GRP2614W"));
        assert!(is("*", "") && is("*A*B", "XAYB") && !is("*A*B", "XAYBC") && is("SPA5*", "SPA504G"));
    }
}
