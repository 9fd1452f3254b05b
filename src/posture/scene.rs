//! What every check is given, and how it says what it found.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bounded::SlotId;
use crate::fact::sighting::SipSighting;
use crate::fact::{CallFact, Device, Role, Sighting};
use crate::finding::{Check, CheckFinding, Evidence, Severity, Status, Subject};
use crate::handsets::Who;
use crate::text::escape;
use crate::time::{OfficeHours, Span, Timestamp};
use crate::touches::{Side, Way};

use super::Settings;
use super::checklist::{Say, Sight};
use super::password::Verdict;

/// What holds at a moment.
pub struct Scene<'a> {
    /// Now.
    pub now: Timestamp,
    /// What is allowed.
    pub settings: &'a Settings,
    /// When the office is open.
    pub hours: &'a OfficeHours,
    /// For how long it was watched.
    pub watched: Watched,
}

impl Scene<'_> {
    /// On which side of the router a device's address lies.
    pub fn side(&self, device: &Device) -> Side {
        let home = |ip: IpAddr| self.settings.home.iter().any(|network| network.contains(ip));
        if device.ip.is_none_or(home) { Side::Lan } else { Side::Wan }
    }
}

/// For how long something was seen at all: a gap in the trace is no proof that nothing happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Hours in which something was seen.
    pub hours: u32,
    /// Days in which something was seen, without those in which packets were lost.
    pub days: u32,
    /// Days in which packets were lost: one in a hundred or more within an hour.
    pub lossy: u32,
    hour: i64,
    lossy_day: i64,
}

impl Watched {
    /// Something was seen.
    pub fn note(&mut self, now: Timestamp) {
        if now.0 < self.hour.saturating_mul(Span::HOUR.0) {
            return;
        }
        let hour = now.as_secs().div_euclid(3_600) + 1;
        if hour <= self.hour {
            return;
        }
        self.hours = self.hours.saturating_add(1);
        if (hour - 1).div_euclid(24) > (self.hour - 1).div_euclid(24) || self.hour == 0 {
            self.days = self.days.saturating_add(1);
        }
        self.hour = hour;
    }

    /// Packets were lost: the day counts no more, for what it didn't show may have passed.
    pub fn lost(&mut self, now: Timestamp) {
        let day = now.as_secs().div_euclid(86_400) + 1;
        if day > self.lossy_day {
            self.lossy_day = day;
            self.lossy = self.lossy.saturating_add(1);
            self.days = self.days.saturating_sub(1);
        }
    }
}

/// A check: what it makes of facts and of time passing.
pub trait Watcher: std::fmt::Debug + Send {
    /// Which check it is.
    fn check(&self) -> Check;

    /// Takes in what bears on a device's security.
    fn sighting(&mut self, _sighting: &Sighting, _scene: &Scene<'_>, _out: &mut Vec<Found>) {}

    /// Takes in a call.
    fn call(&mut self, _call: &CallFact, _scene: &Scene<'_>, _out: &mut Vec<Found>) {}

    /// A registrar accepted an account from a handset for the first time.
    fn registered(&mut self, _who: &Who, _scene: &Scene<'_>) {}

    /// The password check came to a result.
    fn verdict(&mut self, _verdict: &Verdict, _now: Timestamp, _out: &mut Vec<Found>) {}

    /// Lets time pass; called at `deadline`, and once an hour at the most.
    fn tick(&mut self, _scene: &Scene<'_>, _out: &mut Vec<Found>) {}

    /// When it wants to be called next, besides the hourly round.
    fn deadline(&self) -> Option<Timestamp> {
        None
    }

    /// What it can say if nothing was found.
    fn say(&self, scene: &Scene<'_>, sight: Sight) -> Say;

    /// Entries forgotten because a table was full.
    fn evicted(&self) -> u64 {
        0
    }
}

/// A finding on its way to the board.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What tells it from others of the same check and subject.
    pub detail: u64,
    /// What was found before is mended: it is told if it was found, else not.
    pub mended: bool,
    /// Told even if it is known: an audit line that has got its end.
    pub again: bool,
    /// The finding.
    pub finding: CheckFinding,
}

impl Found {
    /// A finding about the device of a sighting.
    pub fn of(check: Check, severity: Severity, sighting: &Sighting, sentence: String) -> Self {
        let device = &sighting.device;
        let detail = if device.who.is_some() { 0 } else { detail_of(device) };
        Self {
            detail,
            mended: false,
            again: false,
            finding: CheckFinding {
                time: sighting.time,
                check,
                status: Status::Finding,
                severity,
                subject: subject(device),
                who: device.who,
                sentence,
                evidence: Vec::new(),
                count: 1,
                first: sighting.time,
            },
        }
    }

    /// The finding is about a device.
    #[must_use]
    pub fn on(mut self, device: &Device) -> Self {
        self.finding.subject = subject(device);
        self.finding.who = device.who;
        if device.who.is_none() {
            self.detail = detail_of(device);
        }
        self
    }

    /// A finding about a handset, at a tick.
    pub fn handset(check: Check, severity: Severity, time: Timestamp, who: &Who, sentence: String) -> Self {
        let mut found = Self::office(check, severity, time, sentence);
        found.finding.subject = Subject::Handset(who.id);
        found.finding.who = Some(*who);
        found
    }

    /// A finding about the whole office, or about somebody outside it.
    pub fn office(check: Check, severity: Severity, time: Timestamp, sentence: String) -> Self {
        Self {
            detail: 0,
            mended: false,
            again: false,
            finding: CheckFinding {
                time,
                check,
                status: Status::Finding,
                severity,
                subject: Subject::Office,
                who: None,
                sentence,
                evidence: Vec::new(),
                count: 1,
                first: time,
            },
        }
    }

    /// What else tells it from others of its check and subject.
    #[must_use]
    pub fn about(mut self, parts: &[&[u8]]) -> Self {
        self.detail = mix(self.detail, parts);
        self
    }

    /// How often it was seen, and since when.
    #[must_use]
    pub fn seen(mut self, count: u32, first: Timestamp) -> Self {
        self.finding.count = count;
        self.finding.first = first;
        self
    }

    /// A piece of evidence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Evidence) -> Self {
        self.finding.evidence.push((name.into(), value));
        self
    }

    /// A word of evidence; text from outside is escaped, nothing is left out.
    #[must_use]
    pub fn word(self, name: &'static str, word: impl ToString) -> Self {
        let word = word.to_string();
        if word.is_empty() { self } else { self.with(name, Evidence::Word(word)) }
    }

    /// A count as evidence.
    #[must_use]
    pub fn count(self, name: &'static str, n: impl Into<u64>) -> Self {
        self.with(name, Evidence::Count(n.into()))
    }

    /// What was found before holds no longer.
    #[must_use]
    pub const fn mended(mut self) -> Self {
        self.finding.status = Status::Pass;
        self.mended = true;
        self
    }

    /// It isn't a fault: something allowed, for the record.
    #[must_use]
    pub fn allowed(mut self, again: bool) -> Self {
        self.finding.status = Status::Pass;
        self.finding.severity = Severity::Info;
        self.again = again;
        self
    }
}

/// Whom a device's findings are about.
pub fn subject(device: &Device) -> Subject {
    device.who.map_or(Subject::Office, |who| Subject::Handset(who.id))
}

/// A device in a sentence: `handset 214`, `the phone 00:15:65:..`, `10.0.3.17`.
pub fn called(device: &Device) -> String {
    let noun = match device.role {
        Role::Handset => "handset",
        Role::Phone => "the phone",
        Role::Pbx => "the PBX",
        Role::Unknown => "the device",
    };
    format!("{noun} {}", handle(device))
}

/// A handset in a sentence.
pub fn named(who: &Who) -> String {
    if who.user.is_empty() || !who.verified {
        format!("handset {}", who.ip)
    } else {
        format!("handset {}", escape(who.user.as_bytes()))
    }
}

fn handle(device: &Device) -> String {
    let account = |who: &Who| (!who.user.is_empty() && who.verified).then(|| escape(who.user.as_bytes()));
    device
        .who
        .as_ref()
        .and_then(account)
        .or_else(|| device.ip.map(|ip| ip.to_string()))
        .or_else(|| device.mac.map(|mac| mac.to_string()))
        .unwrap_or_else(|| "of unknown address".to_owned())
}

/// Tells devices that have no entry among the handsets apart.
pub fn detail_of(device: &Device) -> u64 {
    match (device.mac, device.ip) {
        (Some(mac), _) => mix(1, &[&mac.0]),
        (None, Some(ip)) => mix(2, &[&octets(ip)]),
        (None, None) => 0,
    }
}

/// The bytes of an address, both families in one form.
pub const fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The network that an address belongs to as far as one owner goes: /24, or /48 in IPv6.
pub fn block(ip: IpAddr) -> [u8; 16] {
    let mut bytes = octets(ip);
    let keep = if ip.is_ipv4() { 15 } else { 6 };
    bytes.iter_mut().skip(keep).for_each(|byte| *byte = 0);
    bytes
}

/// One number of several byte strings, the same on every run (FNV-1a, 64 bits): it is only ever
/// compared with those of the same check and subject.
pub fn mix(seed: u64, parts: &[&[u8]]) -> u64 {
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash = 0xcbf2_9ce4_8422_2325u64 ^ seed.wrapping_mul(PRIME);
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }
    hash
}

/// One number for a device: its address, which it has before and after it registers; else its entry
/// among the handsets, else its hardware address.
pub fn key_of(device: &Device) -> u64 {
    match (device.ip, device.who) {
        (Some(ip), _) => mix(3, &[&octets(ip)]),
        (None, Some(who)) => mix(5, &[&who.id.0.as_u64().to_be_bytes()]),
        (None, None) => mix(4, &[&detail_of(device).to_be_bytes()]),
    }
}

/// The entry among the handsets of who asks, if that is the device itself.
pub fn sender(sip: &SipSighting, sighting: &Sighting) -> Option<SlotId> {
    let who = sighting.device.who.as_ref()?;
    (sip.way == Way::Outbound && who.ip == sip.client.ip()).then_some(who.id.0)
}

/// A phone as far as the sensor knows: only what happens to phones is a finding.
pub const fn is_phone(role: Role) -> bool {
    matches!(role, Role::Handset | Role::Phone)
}

/// `1 packet`, `2 packets`.
pub fn plural(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
