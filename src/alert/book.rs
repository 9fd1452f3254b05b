//! The open incidents.
//!
//! In: the gist of what a rule found, its finding when somebody must be told. Out: `Alert`.
//! Never: raises an incident that is open, or repeats itself.

use crate::bounded::{SlotId, Table};
use crate::finding::{Finding, Severity, Subject};
use crate::handsets::HandsetId;
use crate::time::Timestamp;

use super::{Alert, AlertState, Cause, Key, Settings};

/// As much of a finding as decides whether somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gist {
    /// How urgent.
    pub severity: Severity,
    /// How many calls so far.
    pub calls: u32,
    /// How much money so far, in millionths.
    pub amount: i64,
}

#[derive(Clone, Debug)]
struct Incident {
    id: u64,
    since: Timestamp,
    told: Gist,
    accepted: Option<(Timestamp, String)>,
    finding: Finding,
}

/// An acceptance outlives its incident.
#[derive(Clone, Debug)]
struct Accepted {
    until: Timestamp,
    severity: Severity,
    why: String,
}

/// The open incidents, and what was accepted.
#[derive(Debug)]
pub struct Book {
    settings: Settings,
    open: Table<Key, Incident>,
    accepted: Table<Key, Accepted>,
    next_id: u64,
}

/// What a report led to, in the order in which it is told.
#[derive(Debug, Default)]
pub struct Reported {
    /// An incident that had to go for want of room.
    pub evicted: Option<(Key, Alert)>,
    /// The incident that the report is about, if somebody must be told.
    pub told: Option<Alert>,
}

impl Book {
    /// Nothing is open.
    pub fn new(settings: Settings) -> Self {
        Self {
            open: Table::new(settings.open, 0),
            accepted: Table::new(settings.open, 0),
            next_id: 1,
            settings,
        }
    }

    /// Takes new settings; the number of open incidents stays bounded as it was.
    pub const fn reload(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Where a handset's new incident belongs: to the handset, or to the office if that has one
    /// already or many handsets have one since a short while.
    pub fn place(&self, key: Key, now: Timestamp) -> Key {
        let office = Key { subject: Subject::Office, cause: key.cause };
        let Subject::Handset(_) = key.subject else { return key };
        if self.open.find(&key).is_some() || matches!(key.cause, Cause::Notice(_)) {
            return key;
        }
        if self.open.find(&office).is_some() {
            return office;
        }
        let crowd = self.open.iter().filter(|(_, other, incident)| {
            other.cause == key.cause && now.since(incident.since) <= self.settings.crowd_within
        });
        if crowd.count() >= self.settings.crowd { office } else { key }
    }

    /// Whether an incident is open.
    pub fn is_open(&self, key: &Key) -> bool {
        self.open.find(key).is_some()
    }

    /// A rule has found something. `write` is called only if somebody must be told.
    pub fn report(
        &mut self,
        key: Key,
        gist: Gist,
        now: Timestamp,
        write: impl FnOnce() -> Finding,
    ) -> Reported {
        match self.open.find(&key) {
            Some(slot) => Reported { evicted: None, told: self.update(slot, gist, now, write) },
            None if self.is_accepted(&key, gist.severity, now) => Reported::default(),
            None => self.raise(key, gist, now, write()),
        }
    }

    fn is_accepted(&self, key: &Key, severity: Severity, now: Timestamp) -> bool {
        self.accepted
            .find(key)
            .and_then(|slot| self.accepted.get(slot))
            .is_some_and(|accepted| now < accepted.until && severity <= accepted.severity)
    }

    fn raise(&mut self, key: Key, gist: Gist, now: Timestamp, finding: Finding) -> Reported {
        let id = self.next_id;
        self.next_id += 1;
        let time = finding.time;
        let incident = Incident { id, since: time, told: gist, accepted: None, finding };
        let inserted = self.open.find_or_insert(&key, now, || incident);
        let evicted = inserted.evicted.map(|(_, key, incident)| (key, close(incident, now)));
        let told = self.open.get(inserted.slot).map(|incident| alert(incident, AlertState::Raised, time));
        Reported { evicted, told }
    }

    fn update(
        &mut self,
        slot: SlotId,
        gist: Gist,
        now: Timestamp,
        write: impl FnOnce() -> Finding,
    ) -> Option<Alert> {
        self.open.touch(slot, now);
        let settings = self.settings;
        let incident = self.open.get_mut(slot)?;
        let risen = gist.severity > incident.told.severity;
        let accepted = incident.accepted.as_ref().is_some_and(|(until, _)| now < *until);
        let pages = incident.told.severity > Severity::Info;
        if !risen && (accepted || !pages || !has_grown(&incident.told, &gist, &settings)) {
            return None;
        }
        incident.told = Gist { severity: gist.severity.max(incident.told.severity), ..gist };
        incident.finding = Finding { severity: incident.told.severity, ..write() };
        Some(alert(incident, AlertState::Updated, incident.finding.time))
    }

    /// Something of the incident goes on, even if nobody need be told.
    pub fn touch(&mut self, key: &Key, now: Timestamp) {
        if let Some(slot) = self.open.find(key) {
            self.open.touch(slot, now);
        }
    }

    /// When the next incident may be cleared.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.open.oldest().map(|(_, touched)| touched.plus(self.settings.hold))
    }

    /// Clears an incident that has been quiet for the hold time; `write` gives its final finding.
    pub fn expire(
        &mut self,
        now: Timestamp,
        write: impl FnOnce(&Key) -> Option<Finding>,
    ) -> Option<(Key, Alert)> {
        let (slot, touched) = self.open.oldest()?;
        if touched.plus(self.settings.hold) > now {
            return None;
        }
        let (key, mut incident) = self.open.remove(slot)?;
        if let Some(finding) = write(&key) {
            incident.finding = Finding { severity: incident.told.severity, ..finding };
        }
        Some((key, close(incident, now)))
    }

    /// Somebody accepts an incident until a moment: it isn't updated, nor raised anew, unless its
    /// severity rises. False if there is no such incident.
    pub fn accept(&mut self, id: u64, until: Timestamp, why: &str, now: Timestamp) -> bool {
        let found =
            self.open.iter().find(|(_, _, incident)| incident.id == id).map(|(slot, key, _)| (slot, *key));
        let Some((slot, key)) = found else { return false };
        let Some(incident) = self.open.get_mut(slot) else { return false };
        incident.accepted = Some((until, why.to_owned()));
        let severity = incident.told.severity;
        let accepted = Accepted { until, severity, why: why.to_owned() };
        let place = self.accepted.find_or_insert(&key, now, || accepted.clone()).slot;
        if let Some(entry) = self.accepted.get_mut(place) {
            *entry = accepted;
        }
        true
    }

    /// Handsets that have a page-worthy incident of their own.
    pub fn suspects(&self) -> impl Iterator<Item = HandsetId> {
        self.open.iter().filter_map(|(_, key, _)| match (key.subject, key.cause) {
            (Subject::Handset(id), Cause::Toll | Cause::Flood) => Some(id),
            _ => None,
        })
    }

    /// Every open incident in the order of their numbers, as it was told last.
    pub fn open(&self) -> Vec<(Key, Alert)> {
        let mut open: Vec<(Key, Alert)> = self
            .open
            .iter()
            .map(|(_, key, incident)| (*key, alert(incident, AlertState::Updated, incident.finding.time)))
            .collect();
        open.sort_by_key(|(_, alert)| alert.id);
        open
    }

    /// Why an open incident was accepted, if it was.
    pub fn accepted_why(&self, key: &Key) -> Option<&str> {
        let slot = self.accepted.find(key)?;
        self.accepted.get(slot).map(|accepted| accepted.why.as_str())
    }

    /// Incidents that were cleared early for want of room.
    pub const fn evicted(&self) -> u64 {
        self.open.evicted()
    }
}

fn has_grown(told: &Gist, gist: &Gist, settings: &Settings) -> bool {
    let money = told.amount.saturating_mul(settings.money_factor).max(settings.money_floor);
    gist.calls >= told.calls.saturating_mul(settings.calls_factor) || gist.amount >= money
}

fn alert(incident: &Incident, state: AlertState, time: Timestamp) -> Alert {
    Alert {
        id: incident.id,
        state,
        time,
        since: incident.since,
        accepted_until: incident.accepted.as_ref().map(|(until, _)| *until),
        finding: incident.finding.clone(),
    }
}

fn close(incident: Incident, now: Timestamp) -> Alert {
    alert(&incident, AlertState::Cleared, now)
}
