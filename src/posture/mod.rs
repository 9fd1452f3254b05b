//! Handset security: the provider's checklist, answered from the wire; one file a check.
//!
//! In: `Fact`, ticks. Out: `CheckFinding`, `Checklist`.
//! Never: says "pass" where it could not see.

pub mod backdoor_inbound;
pub mod backdoor_outbound;
pub mod board;
pub mod brute_force;
pub mod checklist;
pub mod clear_provisioning;
pub mod countries;
pub mod default_sip_password;
pub mod default_web_password;
pub mod digest_leak;
pub mod enumeration;
pub mod exposed_interface;
pub mod idle_handset;
pub mod lapsed_registration;
pub mod new_device;
pub mod opened_port;
pub mod outdated_firmware;
pub mod password;
pub mod scanner;
pub mod scanner_names;
pub mod scene;
pub mod services;
pub mod sheet;
mod snapshot;
pub mod stranger_sip;
pub mod unregistered_handset;
pub mod unsolicited_inbound;
pub mod version;
pub mod watchers;
pub mod weak_auth;

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;

use crate::bounded::Table;
use crate::fact::{Device, Fact, Sighting};
use crate::finding::{Check, Severity};
use crate::handsets::{self, Network, Who};
use crate::tally::Label;
use crate::time::{OfficeHours, Span, Timestamp};

pub use board::Told;
use board::{Board, Mark};
use checklist::Say;
pub use checklist::{Blind, Checklist, Row, Sight};
pub use countries::Countries;
use outdated_firmware::Floor;
use password::Verdict;
use scanner_names::ScannerName;
use scene::{Found, Scene, Watched};
pub use snapshot::Memory;
use watchers::Watchers;

/// What is allowed, and from where on checks speak.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The office's own networks.
    pub home: Vec<Network>,
    /// Whether the operator named the PBX.
    pub has_pbx: bool,
    /// Accounts of handsets that may stay silent: emergency phones, meeting rooms.
    pub keep: BTreeSet<String>,
    /// A handset that nobody used for so many days is worth knowing of …
    pub idle_days: u32,
    /// … and one for so many is worth a look.
    pub idle_warning_days: u32,
    /// Names by which scanners are known.
    pub scanners: Vec<ScannerName>,
    /// Firmware floors.
    pub floors: Vec<Floor>,
    /// Countries of addresses, if the operator gave a table.
    pub countries: Countries,
    /// The password check.
    pub password: password::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            home: handsets::Settings::default().home,
            has_pbx: false,
            keep: BTreeSet::new(),
            idle_days: 30,
            idle_warning_days: 90,
            scanners: Vec::new(),
            floors: Vec::new(),
            countries: Countries::default(),
            password: password::Settings::default(),
        }
    }
}

impl Settings {
    /// Whether a handset may stay silent.
    fn keeps(&self, who: &Who) -> bool {
        std::str::from_utf8(who.user.as_bytes()).is_ok_and(|user| self.keep.contains(user))
    }
}

/// The checklist's state.
#[derive(Debug)]
pub struct Posture {
    settings: Settings,
    hours: OfficeHours,
    watched: Watched,
    watchers: Watchers,
    board: Board,
    /// Who was at an address last.
    people: Table<IpAddr, Who>,
    found: Vec<Found>,
    told: VecDeque<Told>,
    /// When the next round is due; none until something was seen.
    round: Option<Timestamp>,
    /// How long until the one after it.
    pause: Span,
    /// What `poll_timeout` says: it's asked before every packet and changes with facts alone.
    due: Option<Timestamp>,
}

/// Which list of default passwords findings name.
pub const LIST_VERSION: &str = "built-in list 2026-11";

/// Addresses whose handset is remembered, at the most.
const PEOPLE: usize = 8_192;

/// Everything is looked over so often while something is seen …
const ROUND: Span = Span::HOUR;
/// … and at least so often over a gap in the traffic.
const LONG_ROUND: Span = Span::days(4);

impl Posture {
    /// Has seen nothing.
    pub fn new(settings: Settings, hours: OfficeHours) -> Self {
        Self {
            settings,
            hours,
            watched: Watched::default(),
            watchers: Watchers::default(),
            board: Board::default(),
            people: Table::loose(PEOPLE, 0),
            found: Vec::new(),
            told: VecDeque::new(),
            round: None,
            pause: ROUND,
            due: None,
        }
    }

    /// Takes new settings; what was found stays.
    pub fn reload(&mut self, settings: Settings, hours: OfficeHours) {
        self.settings = settings;
        self.hours = hours;
    }

    /// Takes a fact.
    pub fn handle_fact(&mut self, fact: &Fact, now: Timestamp) {
        self.handle_timeout(now);
        self.pause = ROUND;
        let soon = now.plus(ROUND);
        let sooner = self.round.is_none_or(|due| due > soon);
        if sooner {
            self.round = Some(soon);
        }
        self.watched.note(now);
        if let Fact::Lossy { time, .. } = fact {
            self.watched.lost(*time);
        }
        self.meet(fact, now);
        let scene = Scene { now, settings: &self.settings, hours: &self.hours, watched: self.watched };
        self.watchers.hear(fact, &scene, &mut self.found);
        // No check waits for anything because of a call.
        if sooner || !self.found.is_empty() || !matches!(fact, Fact::Call(_)) {
            self.pin();
        }
        debug_assert_eq!(self.due, Timestamp::earlier(self.watchers.deadline(), self.round));
    }

    /// Takes in what the password check came to.
    pub fn handle_verdict(&mut self, verdict: &Verdict, now: Timestamp) {
        let mut verdict = *verdict;
        if let (None, Some(ip)) = (verdict.device.who, verdict.device.ip) {
            // The first password is proved before the registrar has let the handset in.
            let slot = self.people.find(&ip);
            verdict.device.who = slot.and_then(|slot| self.people.get(slot)).copied();
        }
        for watcher in self.watchers.all_mut() {
            watcher.verdict(&verdict, now, &mut self.found);
        }
        self.pin();
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        if self.round.is_some_and(|due| due <= now) {
            self.round = Some(now.plus(self.pause));
            // Over a long gap there is less and less to look for.
            self.pause = Span(self.pause.0.saturating_mul(2)).min(LONG_ROUND);
            self.board.expire(now);
        }
        let scene = Scene { now, settings: &self.settings, hours: &self.hours, watched: self.watched };
        for watcher in self.watchers.all_mut() {
            watcher.tick(&scene, &mut self.found);
        }
        self.pin();
    }

    /// When `handle_timeout` wants to be called next.
    pub const fn poll_timeout(&self) -> Option<Timestamp> {
        self.due
    }

    fn set_due(&mut self) {
        self.due = Timestamp::earlier(self.watchers.deadline(), self.round);
    }

    /// What was found, in order.
    pub fn poll(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    fn meet(&mut self, fact: &Fact, now: Timestamp) {
        let who = match fact {
            Fact::Registered { who, .. } => who,
            Fact::Sighting(Sighting { device: Device { who: Some(who), .. }, .. }) => who,
            _ => return,
        };
        let slot = self.people.find_or_insert_near(Some(who.id.0), &who.ip, now, || *who).slot;
        if let Some(known) = self.people.get_mut(slot) {
            *known = *who;
        }
    }

    fn pin(&mut self) {
        self.set_due();
        for found in self.found.drain(..) {
            if found.mended {
                let Found { detail, finding, .. } = found;
                let mark = Mark { check: finding.check, subject: finding.subject, detail };
                if self.board.mend(&mark).is_some() {
                    self.told.push_back(Told { finding, fresh: true });
                }
                continue;
            }
            let told = self.board.report(found.detail, found.finding);
            self.told.push_back(Told { fresh: told.fresh || found.again, ..told });
        }
    }

    /// The whole checklist as it stands.
    pub fn checklist(&self, sight: Sight, now: Timestamp) -> Checklist {
        let scene = Scene { now, settings: &self.settings, hours: &self.hours, watched: self.watched };
        let row = |check: &Check| {
            let watcher = self.watchers.all().into_iter().find(|watcher| watcher.check() == *check)?;
            let say = match watcher.say(&scene, sight) {
                Say::Pass(_) if self.board.has_faded(*check) => {
                    Say::NotSeen("what was found was not seen for a year, nor that it was mended".to_owned())
                }
                say => say,
            };
            Some(Row::new(*check, self.board.of(*check), say))
        };
        Checklist { rows: Check::ALL.iter().filter_map(row).collect() }
    }

    /// How many findings stand, for each check and severity.
    pub fn counts(&self) -> Vec<(Check, Severity, u64)> {
        self.board.counts()
    }

    /// Days on which something was seen.
    pub const fn days_watched(&self) -> u32 {
        self.watched.days
    }

    /// Entries that had to go because a table was full.
    pub fn evicted(&self) -> [(&'static str, u64); 2] {
        let strangers = self.watchers.all().into_iter().map(|watcher| watcher.evicted()).sum();
        [("posture_findings", self.board.evicted()), ("posture_state", strangers)]
    }
}

#[cfg(test)]
mod tests;
