//! The cold half: decides what the facts mean.
//!
//! In: `Fact`, ticks, commands. Out: `Output`.
//! Never: touches a packet.

mod course;
mod dossiers;
mod findings;
mod incidents;
mod links;
mod lost;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::alert::{self, Alert, AlertState, Book, Chain, Key};
use crate::baseline::calls::Lane;
use crate::baseline::exposure::Prices;
use crate::baseline::handset::GROUPS;
use crate::baseline::hours::DayPart;
use crate::baseline::learning::Habitual;
use crate::baseline::odds::Odds;
use crate::baseline::past::Past;
use crate::baseline::{self, Baseline};
use crate::bounded::SlotId;
use crate::detect::sentence::Writer;
use crate::detect::{self, Moment, Verdict, clear_sip_drop, handset_ceiling, office_ceiling};
use crate::dial::{Group, Leg};
use crate::fact::{CallFact, CallNo, CallState, Direction, Fact};
use crate::finding::{CheckFinding, Finding, Severity, Subject};
use crate::handsets::HandsetId;
use crate::inventory::Inventory;
use crate::ledger::Ledger;
use crate::posture::{self, Posture};
use crate::tally::Label;
use crate::time::{OfficeHours, Timestamp};

use dossiers::Dossiers;
pub use snapshot::Snapshot;

/// What the judge has to say, in order.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are calls; boxing would allocate for each")]
pub enum Output {
    /// A call began or ended.
    Call(CallFact),
    /// A check of handset security found something, or something was mended.
    Finding(Box<CheckFinding>),
    /// An incident was raised, updated or cleared.
    Alert(Box<Alert>),
}

/// What somebody tells the judge to do.
#[derive(Clone, Debug)]
pub enum Command {
    /// Accept an incident until a moment.
    Acknowledge {
        /// Its number.
        id: u64,
        /// Until when.
        until: Timestamp,
        /// The reason.
        why: String,
    },
    /// Take new settings and prices; what was learnt and what is open stays.
    Reload(Box<Settings>, Prices),
}

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// What is remembered.
    pub baseline: baseline::Settings,
    /// From where on rules speak.
    pub detect: detect::Settings,
    /// What is allowed to and from handsets.
    pub posture: posture::Settings,
    /// When incidents grow, merge and end.
    pub alert: alert::Settings,
    /// When the office is open.
    pub hours: OfficeHours,
    /// Accounts and what people call them.
    pub names: BTreeMap<String, String>,
}

/// The cold half.
#[derive(Debug)]
pub struct Judge {
    detect: detect::Settings,
    names: BTreeMap<String, String>,
    ledger: Arc<Ledger>,
    baseline: Baseline,
    posture: Posture,
    inventory: Inventory,
    book: Book,
    chain: Chain,
    dossiers: Dossiers,
    suspects: Vec<HandsetId>,
    ticks: BTreeSet<(Timestamp, SlotId)>,
    /// Whether the last call was placed at night or on a day off.
    night: Option<bool>,
    office_room: [u32; GROUPS],
    /// What the office's ceiling said last of each group, and in which second.
    office_said: [Option<(i64, Verdict)>; GROUPS],
    verdicts: Vec<Verdict>,
    outputs: VecDeque<Output>,
}

impl Judge {
    /// Knows nothing yet.
    pub fn new(settings: Settings, ledger: Arc<Ledger>, prices: Prices) -> Self {
        Self {
            posture: Posture::new(settings.posture, settings.hours.clone()),
            inventory: Inventory::default(),
            baseline: Baseline::new(settings.baseline, settings.hours, prices),
            book: Book::new(settings.alert),
            chain: Chain::default(),
            detect: settings.detect,
            names: settings.names,
            ledger,
            dossiers: Dossiers::default(),
            suspects: Vec::new(),
            ticks: BTreeSet::new(),
            night: None,
            office_room: [0; GROUPS],
            office_said: [None; GROUPS],
            verdicts: Vec::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes a fact.
    pub fn handle_fact(&mut self, fact: &Fact, now: Timestamp) {
        if let Fact::Call(call) = fact {
            self.baseline.warm(call.who.id);
            self.inventory.warm(call.who.id);
        }
        self.handle_timeout(now);
        match fact {
            Fact::Registered { who, .. } => self.baseline.registered(who, now),
            Fact::Call(call) => self.handle_call(call, now),
            Fact::Sighting(_) | Fact::Lossy { .. } => {}
            Fact::ClearSipDrop { time, who, usual, last, encrypted } => {
                let (usual, last, encrypted) = (*usual, *last, *encrypted);
                self.fell_silent(&clear_sip_drop::Drop { time: *time, who, usual, last, encrypted }, now);
            }
        }
        self.inventory.handle_fact(fact);
        self.posture.handle_fact(fact, now);
        self.found(now);
    }

    /// Takes a fact of the past, from call records or an earlier capture: it is learnt from, and
    /// nothing is raised. Facts come in the order of their times.
    pub fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Registered { who, time } => self.baseline.registered(who, *time),
            Fact::Call(call) => self.baseline.learn(call),
            Fact::Sighting(_) | Fact::ClearSipDrop { .. } | Fact::Lossy { .. } => {}
        }
    }

    /// Where past calls can be learnt by a judge that watches already; see `know_past`.
    pub fn past(&self, now: Timestamp) -> Past {
        self.baseline.past(now)
    }

    /// Knows the past as if it had been learnt first; nothing is raised.
    pub fn know_past(&mut self, past: &Past) {
        self.baseline.precede(past);
        self.office_room = [0; GROUPS];
    }

    fn handle_call(&mut self, call: &CallFact, now: Timestamp) {
        if matches!(call.state, CallState::Attempted | CallState::Ended | CallState::Failed) {
            self.outputs.push_back(Output::Call(*call));
        }
        if !call.joined && call.direction == Direction::Inbound && call.state == CallState::Failed {
            self.baseline.missed(call, now);
        }
        if call.joined || call.direction == Direction::Inbound {
            return;
        }
        if call.state == CallState::Attempted {
            self.attempted(call, now);
        } else {
            self.progressed(call, now);
        }
    }

    fn attempted(&mut self, fact: &CallFact, now: Timestamp) {
        let learn = self.suspects.binary_search(&fact.who.id).is_err();
        let Some((lane, slot)) = self.baseline.attempt(fact, now, learn) else { return };
        if !learn && self.goes_on(lane, slot, now) {
            return self.follow(lane, slot, now);
        }
        let mut verdicts = std::mem::take(&mut self.verdicts);
        verdicts.clear();
        if let Some(moment) = self.moment(lane, slot, now) {
            detect::on_attempt(&moment, &mut verdicts);
        }
        self.ceilings(fact, lane, slot, now, &mut verdicts);
        self.decide(lane, slot, now, &mut verdicts);
        self.follow(lane, slot, now);
        self.verdicts = verdicts;
    }

    fn moment(&self, lane: Lane, slot: SlotId, now: Timestamp) -> Option<Moment<'_>> {
        Some(Moment {
            now,
            call: self.baseline.call(lane, slot)?,
            baseline: &self.baseline,
            ledger: &self.ledger,
            settings: &self.detect,
            suspects: &self.suspects,
        })
    }

    fn ceilings(
        &mut self,
        fact: &CallFact,
        lane: Lane,
        slot: SlotId,
        now: Timestamp,
        verdicts: &mut Vec<Verdict>,
    ) {
        let group = fact.target.group;
        self.night_falls(lane, slot);
        if !self.baseline.takes_room(fact.who.id, group)
            && let Some(moment) = self.moment(lane, slot, now)
        {
            let (verdict, room) = handset_ceiling::attempt(&moment, fact.leg == Leg::Trunk);
            verdicts.extend(verdict);
            if let Some(handset) = self.baseline.handset_mut(fact.who.id) {
                handset.room[group.index()] = room;
            }
        }
        verdicts.extend(self.office_ceiling(group, now));
    }

    /// Handsets have other ceilings at night: how far they are from them is asked anew then.
    fn night_falls(&mut self, lane: Lane, slot: SlotId) {
        let night = self.baseline.call(lane, slot).map(|call| call.part == DayPart::Shut);
        if night != self.night {
            self.night = night;
            self.baseline.forget_rooms();
        }
    }

    fn office_ceiling(&mut self, group: Group, now: Timestamp) -> Option<Verdict> {
        let room = &mut self.office_room[group.index()];
        if *room > 0 {
            *room -= 1;
            return None;
        }
        // It asks for every suspect: in a flood over many handsets, once a second is enough.
        let second = now.as_secs();
        if let Some((_, said)) = self.office_said[group.index()].filter(|(at, _)| *at == second) {
            return Some(said);
        }
        let (verdict, left) =
            office_ceiling::check(group, &self.ledger, &self.baseline, &self.detect, &self.suspects, now);
        *room = left;
        self.office_said[group.index()] = verdict.map(|verdict| (second, verdict));
        verdict
    }

    /// Lets time pass: calls that are up cost more, quiet incidents are cleared. Each thing happens
    /// at its own moment, however late this is called.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        while let Some(due) = self.poll_timeout().filter(|due| *due <= now) {
            match self.ticks.first().copied() {
                Some((at, slot)) if at == due => {
                    self.ticks.remove(&(at, slot));
                    self.tick(slot, due);
                }
                _ if self.posture.poll_timeout() == Some(due) => {
                    self.posture.handle_timeout(due);
                    self.found(due);
                }
                _ => self.clear(due),
            }
        }
    }

    fn clear(&mut self, now: Timestamp) {
        let (writer, dossiers) =
            (Writer { baseline: &self.baseline, names: &self.names, now }, &self.dossiers);
        let last_word = |key: &Key| {
            let dossier = dossiers.get(key)?;
            Some(writer.finding(dossier, &dossier.newest()?))
        };
        if let Some((key, alert)) = self.book.expire(now, last_word) {
            self.forget(&key);
            self.outputs.push_back(Output::Alert(Box::new(alert)));
        }
    }

    fn forget(&mut self, key: &Key) {
        self.dossiers.remove(key);
        match (key.cause, key.subject) {
            (alert::Cause::Toll, Subject::Handset(id)) => self.baseline.trust(Some(id)),
            (alert::Cause::Toll, Subject::Office) => self.baseline.trust(None),
            _ => {}
        }
        self.suspects_changed();
        self.office_room = [0; GROUPS];
    }

    fn tell(&mut self, told: Option<Alert>) {
        let Some(alert) = told else { return };
        if alert.state == AlertState::Raised && alert.finding.severity > Severity::Info {
            self.suspects_changed();
            if alert.finding.calls > 0 {
                self.note_incident(alert.finding.subject, false, alert.finding.last_call);
            }
        }
        self.outputs.push_back(Output::Alert(Box::new(alert)));
    }

    fn suspects_changed(&mut self) {
        self.suspects = self.book.suspects().collect();
        self.suspects.sort_unstable();
        self.office_said = [None; GROUPS];
    }

    /// Does what somebody says; false if it can't be done.
    pub fn handle_command(&mut self, command: Command, now: Timestamp) -> bool {
        match command {
            Command::Acknowledge { id, until, why } => {
                let accepted = self.book.accept(id, until, &why, now);
                if let Some(key) = accepted.filter(|key| key.cause == alert::Cause::Toll) {
                    self.note_incident(key.subject, true, now);
                }
                accepted.is_some()
            }
            Command::Reload(settings, prices) => {
                self.posture.reload(settings.posture, settings.hours.clone());
                self.baseline.reload(settings.baseline, settings.hours, prices);
                self.book.reload(settings.alert);
                self.detect = settings.detect;
                self.names = settings.names;
                true
            }
        }
    }

    /// When `handle_timeout` wants to be called next.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let tick = self.ticks.first().map(|(at, _)| *at);
        let quiet = Timestamp::earlier(self.posture.poll_timeout(), self.book.deadline());
        Timestamp::earlier(tick, quiet)
    }

    /// What there is to say next.
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front()?;
        if self.outputs.is_empty() {
            // From the ring's start again: its first places are in the cache.
            self.outputs.clear();
        }
        Some(output)
    }

    /// What there is to say, in order, lent where it stands: `poll_output` for whoever needn't keep it.
    pub fn outputs(&self) -> impl Iterator<Item = &Output> {
        self.outputs.iter()
    }

    /// All of it has been said.
    pub fn said(&mut self) {
        self.outputs.clear();
    }

    /// A replay is over: time stands at its end, incidents stay open.
    pub fn finish(&mut self, now: Timestamp) {
        self.handle_timeout(now);
    }

    /// Every open incident as it stands now, oldest first; not told to anybody.
    pub fn open_alerts(&self, now: Timestamp) -> Vec<Alert> {
        let writer = self.writer(now);
        let refresh = |(key, mut alert): (Key, Alert)| {
            let fresh = self.dossiers.get(&key).and_then(|d| Some(writer.finding(d, &d.newest()?)));
            if let Some(finding) = fresh {
                alert.finding = Finding { severity: alert.finding.severity, ..finding };
            }
            alert
        };
        self.book.open().into_iter().map(refresh).collect()
    }

    /// What is known of each device.
    pub const fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// What the learned odds said of a costly call when it was placed: of its handset, and of its
    /// destination for the whole office.
    pub fn weighed(&self, call: CallNo) -> Option<(Odds, Option<Odds>)> {
        let slot = self.baseline.find(Lane::Charged, call)?;
        let call = self.baseline.call(Lane::Charged, slot).filter(|call| call.zone.is_some())?;
        Some((call.judged.odds, call.crowd))
    }

    /// Handsets that call abroad as a habit which nobody has allowed yet; `None` before it is due.
    pub fn learning_report(&self, now: Timestamp) -> Option<Vec<Habitual>> {
        self.baseline.learning_report(now)
    }

    /// The checklist of handset security.
    pub const fn posture(&self) -> &Posture {
        &self.posture
    }

    /// Entries that had to go, or found no place, because a table was full.
    pub fn evicted(&self) -> Vec<(&'static str, u64)> {
        let mut evicted = self.baseline.evicted().to_vec();
        evicted.extend(self.posture.evicted());
        evicted.push(("judge_incidents", self.book.refused()));
        evicted
    }

    fn writer(&self, now: Timestamp) -> Writer<'_> {
        Writer { baseline: &self.baseline, names: &self.names, now }
    }
}

#[cfg(test)]
mod tests;
