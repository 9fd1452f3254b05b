//! Check `scanner`: somebody searches the network for SIP devices, by name or by behaviour.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bounded::Table;
use crate::fact::sighting::{SipSighting, SipStep};
use crate::fact::{Role, Sighting, What};
use crate::finding::{Check, Severity};
use crate::sip::Method;
use crate::time::{Span, Timestamp};
use crate::touches::Zone;

use super::checklist::{Blind, Say, Sight};
use super::scanner_names::{self, ScannerName, Sort};
use super::scene::{Found, Scene, Watcher, octets, plural, sender};

/// Sources that are remembered, at the most, and targets of each.
const ROOM: usize = 1_024;
const TARGETS: usize = 256;
/// So many targets in a minute are a search.
const MANY: usize = 20;
const WINDOW: Span = Span::MINUTE;

/// Who asked whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Source {
    first: Timestamp,
    requests: u32,
    targets: Vec<(IpAddr, Timestamp)>,
    /// Whether it ever was let in as a phone is.
    ordinary: bool,
    answered: bool,
    /// Why it is taken for a scanner.
    why: Option<String>,
}

/// Everybody who asks as a stranger.
#[derive(Debug)]
pub struct Scanner {
    sources: Table<IpAddr, Source>,
}

impl Default for Scanner {
    fn default() -> Self {
        Self { sources: Table::new(ROOM, 0) }
    }
}

crate::kept! {
    /// Who searched before a restart.
    pub struct Memory of Scanner {
        sources: Table<IpAddr, Source>,
    }
}

impl Watcher for Scanner {
    fn check(&self) -> Check {
        Check::Scanner
    }

    fn sighting(&mut self, sighting: &Sighting, scene: &Scene<'_>, out: &mut Vec<Found>) {
        let What::Sip(sip) = &sighting.what else { return };
        if sip.client_zone.is_allowed() {
            return;
        }
        let now = sighting.time;
        let fresh = || Source {
            first: now,
            requests: 0,
            targets: Vec::new(),
            ordinary: false,
            answered: false,
            why: None,
        };
        let slot = self.sources.find_or_insert_near(sender(sip, sighting), &sip.client.ip(), now, fresh).slot;
        let Some(source) = self.sources.get_mut(slot) else { return };
        source.take(sip, now);
        out.extend(judge(source, sip, sighting, &scene.settings.scanners));
    }

    fn say(&self, _scene: &Scene<'_>, sight: Sight) -> Say {
        match sight {
            Sight { home: false, .. } => Say::CannotSee(Blind::NoTraffic, String::new()),
            Sight { sip: false, encrypted: true, .. } => Say::CannotSee(Blind::Encrypted, String::new()),
            _ => Say::NotSeen("nobody searched for SIP devices where this mirror port sees it".to_owned()),
        }
    }

    fn evicted(&self) -> u64 {
        self.sources.evicted()
    }
}

impl Source {
    fn take(&mut self, sip: &SipSighting, now: Timestamp) {
        let asks = matches!(sip.step, SipStep::Request | SipStep::Credentials);
        self.requests = self.requests.saturating_add(u32::from(asks));
        self.ordinary |= sip.method == Method::Register && sip.step == SipStep::Accepted;
        self.answered |= matches!(sip.step, SipStep::Accepted | SipStep::Ringing);
        let server = sip.server.ip();
        match &mut self.targets[..] {
            // Nearly everybody asks one server.
            [(only, seen)] if *only == server => *seen = now,
            _ => self.asked(server, now),
        }
    }

    fn asked(&mut self, server: IpAddr, now: Timestamp) {
        self.targets.retain(|(_, seen)| now.since(*seen) < WINDOW);
        if let Some((_, seen)) = self.targets.iter_mut().find(|(known, _)| *known == server) {
            *seen = now;
        } else if self.targets.len() < TARGETS {
            self.targets.push((server, now));
        }
    }
}

/// Why it is taken for a scanner.
fn judge(
    source: &mut Source,
    sip: &SipSighting,
    sighting: &Sighting,
    names: &[ScannerName],
) -> Option<Found> {
    let outside = sip.client_zone == Zone::Outside;
    let asks = matches!(sip.step, SipStep::Request | SipStep::Credentials);
    let name = scanner_names::sort(sip.agent.as_bytes(), names)
        // An answer's User-Agent is the answerer's.
        .filter(|_| asks);
    let search = source.targets.len() >= MANY && !source.ordinary;
    let seen = match &name {
        Some(ScannerName { name, sort: Sort::Scanner, .. }) => Some(format!("calls itself {name}")),
        Some(ScannerName { name, sort: Sort::Tool, .. }) => Some(format!("calls itself {name}, a test tool")),
        Some(ScannerName { name, sort: Sort::Softphone, .. }) if outside => {
            Some(format!("calls itself {name}"))
        }
        _ if search => {
            Some(format!("asked {} within a minute", plural(source.targets.len() as u64, "device")))
        }
        _ if asks && sip.bogus_host && (outside || (sip.method == Method::Options && sip.same_user)) => {
            Some("gives an address that can't be its own, as scanners do".to_owned())
        }
        _ => None,
    };
    let why = seen.or_else(|| source.why.clone().filter(|_| !source.ordinary))?;
    source.why = Some(why.clone());
    let tool = name.is_some_and(|name| name.sort == Sort::Tool) && !search;
    let severity = match () {
        () if tool => Severity::Info,
        () if source.answered && (outside || search) => Severity::Critical,
        () if outside || search => Severity::Warning,
        () => Severity::Info,
    };
    let from = sip.client.ip();
    let place = if outside { "outside" } else { "inside the office" };
    let sentence = format!("{from}, {place}, searches for SIP devices: it {why}");
    let device = &sighting.device;
    let found = Found::office(Check::Scanner, severity, sighting.time, sentence)
        .about(&[&octets(from)])
        .seen(source.requests.max(1), source.first)
        .word("source", from)
        .word("source_zone", sip.client_zone)
        .word("agent", if asks { sip.agent.to_string() } else { String::new() })
        .word("method", sip.method.to_string())
        .count("requests", source.requests)
        .count("targets", u32::try_from(source.targets.len()).unwrap_or(u32::MAX))
        .with("answered", crate::finding::Evidence::Flag(source.answered));
    Some(if device.role == Role::Pbx { found.word("asked", "the PBX") } else { found })
}
