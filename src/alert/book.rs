//! The open incidents.
//!
//! In: the gist of what a rule found, its finding when somebody must be told. Out: `Alert`.
//! Never: raises an incident that is open, repeats itself, or lets notices push out what pages.

use serde::{Deserialize, Serialize};

use crate::bounded::{Image, SlotId, Table};
use crate::finding::{Finding, Severity, Subject};
use crate::handsets::HandsetId;
use crate::time::Timestamp;

use super::{Alert, AlertState, Cause, Key, Settings};

/// As much of a finding as decides whether somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gist {
    /// How urgent.
    pub severity: Severity,
    /// How many calls so far.
    pub calls: u32,
    /// How much money so far, in millionths.
    pub amount: i64,
    /// Hundredths of a decade of evidence, the most of any of its calls; 0 where nothing is learnt.
    pub evidence: i32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Incident {
    id: u64,
    since: Timestamp,
    told: Gist,
    accepted: Option<(Timestamp, String)>,
    finding: Finding,
}

/// An acceptance outlives its incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Accepted {
    until: Timestamp,
    severity: Severity,
    why: String,
}

/// The book as plain data that can be kept over a restart.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pages {
    open: [Image<Key, Incident>; SHELVES],
    accepted: Image<Key, Accepted>,
    refused: u64,
    next_id: u64,
}

/// The open incidents, and what was accepted.
#[derive(Debug)]
pub struct Book {
    settings: Settings,
    /// How many incidents that page, and how many notices, may be open.
    room: usize,
    /// One shelf for each sort, so that none can push out another.
    open: [Table<Key, Incident>; SHELVES],
    refused: u64,
    accepted: Table<Key, Accepted>,
    next_id: u64,
    /// Which incident went on last: in a flood it's nearly always the same.
    last: Option<(Key, SlotId)>,
    /// What `deadline` says: it's asked with every packet and fact, and changes with incidents alone.
    due: Option<Timestamp>,
}

const PAGES: usize = 0;
const NOTICES: usize = 1;
/// Attacks on handsets: over when they stop.
const ATTACKS: usize = 2;
/// Weaknesses of handsets: they last until somebody mends them.
const WEAKNESSES: usize = 3;
const SHELVES: usize = 4;
/// Room that handsets can't take from the office.
const RESERVED: usize = 2;

const fn shelf(key: &Key) -> usize {
    match key.cause {
        Cause::Toll | Cause::Flood => PAGES,
        Cause::Notice(_) => NOTICES,
        Cause::Unseen => WEAKNESSES,
        Cause::Posture(check) if check.lasts() => WEAKNESSES,
        Cause::Posture(_) => ATTACKS,
    }
}

impl Book {
    /// Nothing is open.
    pub fn new(settings: Settings) -> Self {
        let room = settings.open.max(RESERVED + 1);
        Self {
            open: std::array::from_fn(|_| Table::new(room, 0)),
            refused: 0,
            accepted: Table::new(room, 0),
            next_id: 1,
            room,
            settings,
            last: None,
            due: None,
        }
    }

    /// Takes new settings; the number of open incidents stays bounded as it was.
    pub fn reload(&mut self, settings: Settings) {
        self.settings = settings;
        self.set_due();
    }

    /// Everything that is open or accepted, as plain data.
    pub fn image(&self) -> Pages {
        Pages {
            open: std::array::from_fn(|shelf| self.open[shelf].image()),
            accepted: self.accepted.image(),
            refused: self.refused,
            next_id: self.next_id,
        }
    }

    /// Takes back what `image` gave; an incident that can't be is left out.
    pub fn restore(&mut self, pages: Pages) {
        for (n, (table, image)) in self.open.iter_mut().zip(pages.open).enumerate() {
            table.restore(image);
            let wrong = |(slot, key, incident): (SlotId, &Key, &Incident)| {
                (shelf(key) != n || incident.id >= pages.next_id).then_some(slot)
            };
            let wrong: Vec<SlotId> = table.iter().filter_map(wrong).collect();
            wrong.into_iter().for_each(|slot| table.discard(slot));
        }
        self.accepted.restore(pages.accepted);
        self.refused = pages.refused;
        self.next_id = self.next_id.max(pages.next_id.min(u64::MAX / 2));
        self.set_due();
    }

    /// Where a handset's new incident belongs: to the handset, or to the office if that has one open
    /// that it `joins`, if many handsets have one since a short while, or if there is no room for more.
    pub fn place(&self, key: Key, joins: bool, now: Timestamp) -> Key {
        let office = Key { subject: Subject::Office, cause: key.cause };
        let Subject::Handset(_) = key.subject else { return key };
        if shelf(&key) == NOTICES || self.is_open(&key) {
            return key;
        }
        let shelf = &self.open[shelf(&key)];
        if (joins && self.is_open(&office)) || shelf.len() + RESERVED >= self.room {
            return office;
        }
        let crowd = shelf.iter().filter(|(_, other, incident)| {
            other.cause == key.cause && now.since(incident.since) <= self.settings.crowd_within
        });
        if crowd.count() >= self.settings.crowd { office } else { key }
    }

    /// Whether an incident is open.
    pub fn is_open(&self, key: &Key) -> bool {
        self.open[shelf(key)].find(key).is_some()
    }

    /// A rule has found something: what to tell, if anybody must be told. `write` is called only then.
    pub fn report(
        &mut self,
        key: Key,
        gist: Gist,
        now: Timestamp,
        write: impl FnOnce() -> Finding,
    ) -> Option<Alert> {
        let shelf = shelf(&key);
        if let Some(slot) = self.find(shelf, &key) {
            return self.update(shelf, slot, gist, now, write);
        }
        if self.is_accepted(&key, gist.severity, now) {
            return None;
        }
        if self.refuses(&key) {
            return None;
        }
        Some(self.raise(key, gist, now, write()))
    }

    fn find(&mut self, shelf: usize, key: &Key) -> Option<SlotId> {
        let open = &self.open[shelf];
        let last = self.last.filter(|(last, slot)| last == key && open.key(*slot) == Some(key));
        let slot = last.map(|(_, slot)| slot).or_else(|| open.find(key))?;
        self.last = Some((*key, slot));
        Some(slot)
    }

    /// Whether there is no room for one more of its sort; counts it if so.
    pub fn refuses(&mut self, key: &Key) -> bool {
        let full = self.open[shelf(key)].len() >= self.room;
        self.refused = self.refused.saturating_add(u64::from(full));
        full
    }

    fn is_accepted(&self, key: &Key, severity: Severity, now: Timestamp) -> bool {
        self.accepted
            .find(key)
            .and_then(|slot| self.accepted.get(slot))
            .is_some_and(|accepted| now < accepted.until && severity <= accepted.severity)
    }

    fn raise(&mut self, key: Key, gist: Gist, now: Timestamp, finding: Finding) -> Alert {
        let id = self.next_id;
        self.next_id += 1;
        let time = finding.time;
        let incident = Incident { id, since: time, told: gist, accepted: None, finding };
        let raised = alert(&incident, AlertState::Raised, time);
        self.open[shelf(&key)].find_or_insert(&key, now, || incident);
        self.set_due();
        raised
    }

    fn update(
        &mut self,
        shelf: usize,
        slot: SlotId,
        gist: Gist,
        now: Timestamp,
        write: impl FnOnce() -> Finding,
    ) -> Option<Alert> {
        self.goes_on(shelf, slot, now);
        let incident = self.open[shelf].get_mut(slot)?;
        let risen = gist.severity > incident.told.severity;
        let accepted = incident.accepted.as_ref().is_some_and(|(until, _)| now < *until);
        let pages = incident.told.severity > Severity::Info;
        if !risen && (accepted || !pages || !has_grown(&incident.told, &gist, &self.settings)) {
            return None;
        }
        incident.told = Gist { severity: gist.severity.max(incident.told.severity), ..gist };
        incident.finding = Finding { severity: incident.told.severity, ..write() };
        Some(alert(incident, AlertState::Updated, incident.finding.time))
    }

    /// Something of the incident goes on, even if nobody need be told.
    pub fn touch(&mut self, key: &Key, now: Timestamp) {
        let shelf = shelf(key);
        if let Some(slot) = self.open[shelf].find(key) {
            self.goes_on(shelf, slot, now);
        }
    }

    fn goes_on(&mut self, shelf: usize, slot: SlotId, now: Timestamp) {
        let open = &mut self.open[shelf];
        let was_quietest = open.oldest().is_some_and(|(oldest, _)| oldest == slot);
        open.touch(slot, now);
        if was_quietest {
            self.set_due();
        }
    }

    /// When the next incident may be cleared.
    pub const fn deadline(&self) -> Option<Timestamp> {
        self.due
    }

    fn set_due(&mut self) {
        self.due = self.quietest().map(|(_, _, due)| due);
    }

    /// The incident that is due first, and when.
    fn quietest(&self) -> Option<(usize, SlotId, Timestamp)> {
        let due = |shelf: usize| {
            let (slot, touched) = self.open[shelf].oldest()?;
            let hold = if shelf == WEAKNESSES { self.settings.hold_weakness } else { self.settings.hold };
            Some((shelf, slot, touched.plus(hold)))
        };
        (0..SHELVES).filter_map(due).min_by_key(|(_, _, due)| *due)
    }

    /// Clears an incident that has been quiet for the hold time; `write` gives its final finding.
    pub fn expire(
        &mut self,
        now: Timestamp,
        write: impl FnOnce(&Key) -> Option<Finding>,
    ) -> Option<(Key, Alert)> {
        let (shelf, slot, due) = self.quietest()?;
        if due > now {
            return None;
        }
        let (key, mut incident) = self.open[shelf].remove(slot)?;
        self.set_due();
        if let Some(finding) = write(&key) {
            incident.finding = Finding { severity: incident.told.severity, ..finding };
        }
        Some((key, alert(&incident, AlertState::Cleared, now)))
    }

    /// Somebody accepts an incident until a moment: it isn't updated, nor raised anew, unless its
    /// severity rises. Says which incident that is, `None` if there is none.
    pub fn accept(&mut self, id: u64, until: Timestamp, why: &str, now: Timestamp) -> Option<Key> {
        let (slot, key) =
            self.incidents().find(|(_, _, incident)| incident.id == id).map(|(slot, key, _)| (slot, *key))?;
        let incident = self.open[shelf(&key)].get_mut(slot)?;
        incident.accepted = Some((until, why.to_owned()));
        let severity = incident.told.severity;
        let accepted = Accepted { until, severity, why: why.to_owned() };
        let place = self.accepted.find_or_insert(&key, now, || accepted.clone()).slot;
        if let Some(entry) = self.accepted.get_mut(place) {
            *entry = accepted;
        }
        Some(key)
    }

    fn incidents(&self) -> impl Iterator<Item = (SlotId, &Key, &Incident)> {
        self.open.iter().flat_map(Table::iter)
    }

    /// Handsets that have a page-worthy incident of their own.
    pub fn suspects(&self) -> impl Iterator<Item = HandsetId> {
        self.open[PAGES].iter().filter_map(|(_, key, _)| match key.subject {
            Subject::Handset(id) => Some(id),
            Subject::Office => None,
        })
    }

    /// Every open incident in the order of their numbers, as it was told last.
    pub fn open(&self) -> Vec<(Key, Alert)> {
        let told = |incident: &Incident| alert(incident, AlertState::Updated, incident.finding.time);
        let mut open: Vec<(Key, Alert)> =
            self.incidents().map(|(_, key, incident)| (*key, told(incident))).collect();
        open.sort_by_key(|(_, alert)| alert.id);
        open
    }

    /// Why an open incident was accepted, if it was.
    pub fn accepted_why(&self, key: &Key) -> Option<&str> {
        let slot = self.accepted.find(key)?;
        self.accepted.get(slot).map(|accepted| accepted.why.as_str())
    }

    /// Incidents and notices that nobody was told of, because too many were open.
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

fn has_grown(told: &Gist, gist: &Gist, settings: &Settings) -> bool {
    let money = told.amount.saturating_mul(settings.money_factor).max(settings.money_floor);
    gist.calls >= told.calls.saturating_mul(settings.calls_factor)
        || gist.amount >= money
        || gist.evidence >= told.evidence.saturating_add(settings.evidence_step)
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
