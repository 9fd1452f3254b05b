//! What is usual: who calls where, when and how much, learnt without being poisoned by an attack.
//!
//! In: call facts, office hours, prices. Out: each call with what is known about its number, its
//! country and its handset; counts, costs and histories that the rules share.
//! Never: raises.

pub mod calls;
pub mod countries;
pub mod excuse;
pub mod exposure;
pub mod handset;
pub mod hours;
pub mod learning;
pub mod lures;
pub mod memory;
pub mod numbers;
pub mod odds;
pub mod past;
mod progress;
mod weigh;
pub mod windows;

use std::collections::BTreeMap;

use crate::bounded::{SlotId, Table};
use crate::dial::{Group, Region};
use crate::fact::{CallFact, CallNo};
use crate::handsets::{HandsetId, Who};
use crate::ledger::Key;
use crate::time::{LocalTime, OfficeHours, Span, Timestamp};

use calls::{Call, Lane, Progress, Ring, Tier};
use countries::Countries;
use excuse::{Allowance, Excuse};
use exposure::{Money, Prices};
use handset::Handset;
use hours::DayPart;
use numbers::Numbers;
use odds::{Judged, Learned, Odds, Zone};
use windows::Windows;

/// How much is remembered, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Handsets that never registered, at the most.
    pub strangers: usize,
    /// Handsets that registered, at the most.
    pub handsets: usize,
    /// Calls that are open or less than a day old, at the most; as many again of the home country.
    pub calls: usize,
    /// Numbers that were called, at the most.
    pub numbers: usize,
    /// For how long a new installation learns before a first-ever country can page.
    pub grace: Span,
    /// How long before opening and after closing the office is half awake.
    pub shoulder: Span,
    /// The country the office is in.
    pub home: Region,
    /// For how long the learning report waits.
    pub report_after: Span,
    /// What is allowed, to whom, until when.
    pub allowances: Vec<Allowance>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            strangers: 4_096,
            handsets: 8_192,
            calls: 16_384,
            numbers: 32_768,
            grace: Span::days(7),
            shoulder: Span::hours(2),
            home: Region::GB,
            report_after: Span::days(7),
            allowances: Vec::new(),
        }
    }
}

/// Calls of the whole office that are remembered in order, for each lane.
const OFFICE_RING: usize = 64;

/// Of so many of a handset's latest calls the memory is asked for before the rules read them.
const LATEST: usize = 4;

/// Numbers are learnt from calls that are ordinary by so much: test calls come before an attack.
const LEARNT: f32 = 0.1;

fn short(no: CallNo) -> u32 {
    u32::try_from(no.0 & u64::from(u32::MAX)).unwrap_or(0)
}

/// The money that a step of a call cost, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accrual {
    /// Which call.
    pub slot: SlotId,
    /// How much more than was known before.
    pub money: Money,
}

/// What is usual for this office and its handsets.
#[derive(Debug)]
pub struct Baseline {
    settings: Settings,
    hours: OfficeHours,
    prices: Prices,
    lanes: [Table<CallNo, Call>; 2],
    handsets: Table<HandsetId, Handset>,
    office: [Ring<OFFICE_RING>; 2],
    office_spend: [handset::Spend; 2],
    numbers: Numbers,
    countries: Countries,
    excused: Table<Key, Windows>,
    learned: Learned,
    lures: lures::Lures,
    /// Odds from before a restart, of handsets that weren't seen since.
    waiting: BTreeMap<HandsetId, odds::HandsetOdds>,
    since: Option<Timestamp>,
}

impl Baseline {
    /// Nothing is known yet.
    pub fn new(settings: Settings, hours: OfficeHours, prices: Prices) -> Self {
        Self {
            lanes: [Table::new(settings.calls, 0), Table::new(settings.calls, 0)],
            handsets: Table::loose(settings.strangers, settings.handsets),
            office: [Ring::default(), Ring::default()],
            office_spend: Default::default(),
            numbers: Numbers::new(settings.numbers),
            countries: Countries::default(),
            excused: Table::new(4_096, 64),
            learned: Learned::new(&hours),
            lures: lures::Lures::default(),
            waiting: BTreeMap::new(),
            since: None,
            settings,
            hours,
            prices,
        }
    }

    /// Takes new settings; what was learnt stays.
    pub fn reload(&mut self, settings: Settings, hours: OfficeHours, prices: Prices) {
        self.settings = settings;
        self.hours = hours;
        self.prices = prices;
    }

    /// Prices and their basis.
    pub const fn prices(&self) -> &Prices {
        &self.prices
    }

    /// Whether a moment lies in office hours, near them, or far from them.
    pub fn part(&self, at: Timestamp) -> DayPart {
        hours::part(&self.hours, self.settings.shoulder, at)
    }

    /// A moment by the office's clock.
    pub fn local(&self, at: Timestamp) -> LocalTime {
        self.hours.local(at)
    }

    /// Whether the installation is too young to know which countries are usual.
    pub fn in_grace(&self, now: Timestamp) -> bool {
        self.since.is_none_or(|since| now.since(since) < self.settings.grace)
    }

    /// The handset registered: strangers can't push it out.
    pub fn registered(&mut self, who: &Who, now: Timestamp) {
        self.since.get_or_insert(now);
        let slot = self.handset_slot(who, now);
        self.handsets.protect(slot);
    }

    /// A call from outside came to nothing.
    pub fn missed(&mut self, fact: &CallFact, now: Timestamp) {
        if now.since(fact.started) < lures::MOMENT {
            self.lures.ring(fact.who.id, fact.caller, now);
        }
    }

    /// An outbound call begins. `learn` is false while its handset is under suspicion. `None` if
    /// such calls count against nobody, or if the call is known already.
    pub fn attempt(&mut self, fact: &CallFact, now: Timestamp, learn: bool) -> Option<(Lane, SlotId)> {
        self.since.get_or_insert(now);
        let Some(lane) = Lane::of(&fact.target) else {
            self.ordinary(self.find_handset(fact.who.id), now);
            return None;
        };
        if let Some(row) = self.lanes[lane.index()].find(&fact.call) {
            return self.retarget(fact, lane, row, now, learn);
        }
        self.replace(fact.call, lane);
        let slot = self.handset_slot(&fact.who, now);
        if fact.who.verified {
            self.handsets.protect(slot);
        }
        let (row, learnt) = match lane {
            Lane::Charged => {
                self.warm_calls(slot);
                let call = self.describe(fact, slot, now, learn, None);
                (self.lanes[lane.index()].find_or_insert(&fact.call, now, || call).slot, call.learnt)
            }
            Lane::Home => {
                self.ordinary(Some(slot), now);
                let part = self.part(fact.time);
                let call = || Call::new(fact, part);
                (self.lanes[lane.index()].find_or_insert(&fact.call, now, call).slot, false)
            }
        };
        self.office[lane.index()].push(row);
        if let Some(handset) = self.handsets.get_mut(slot) {
            handset.push(lane, row, learnt);
        }
        Some((lane, row))
    }

    /// The call is known: `None` unless it goes to another number now.
    fn retarget(
        &mut self,
        fact: &CallFact,
        lane: Lane,
        row: SlotId,
        now: Timestamp,
        learn: bool,
    ) -> Option<(Lane, SlotId)> {
        let old = *self.lanes[lane.index()].get(row)?;
        let to = Call::new(fact, old.part);
        if old.number == to.number && old.cause == to.cause {
            return None;
        }
        let slot = self.handset_slot(&fact.who, now);
        // Overlap dialling: the shorter number wasn't a call, so it must not excuse the longer one,
        // nor weigh twice.
        let weighed =
            old.zone.filter(|zone| Some(*zone) == Zone::of(&fact.target)).map(|_| (old.judged, old.crowd));
        self.lanes[lane.index()].get_mut(row)?.number = to.number;
        let call = match lane {
            Lane::Charged => self.describe(fact, slot, now, learn, weighed),
            Lane::Home => {
                self.ordinary(Some(slot), now);
                Call::new(fact, self.part(fact.time))
            }
        };
        self.lanes[lane.index()].get_mut(row)?.retarget(&call);
        Some((lane, row))
    }

    /// The same call may be remembered in the other lane, under a number that it left.
    fn replace(&mut self, call: CallNo, lane: Lane) {
        let other = match lane {
            Lane::Charged => Lane::Home,
            Lane::Home => Lane::Charged,
        };
        if let Some(call) = self.find(other, call).and_then(|slot| self.call_mut(other, slot)) {
            call.excuse = Some(Excuse::Replaced);
            call.progress = Progress::Failed;
        }
    }

    /// Asks for the memory of what is kept of a handset: a fact of it comes.
    #[inline]
    pub fn warm(&self, id: HandsetId) {
        self.handsets.warm_near(id.0);
    }

    /// Asks for the memory of a handset's latest costly calls: the rules read them.
    #[inline]
    fn warm_calls(&self, handset: SlotId) {
        let lane = Lane::Charged.index();
        let ring = self.handsets.get(handset).map(|handset| handset.rings[lane].iter());
        ring.into_iter().flatten().take(LATEST).for_each(|call| self.lanes[lane].warm(call));
    }

    fn find_handset(&self, id: HandsetId) -> Option<SlotId> {
        self.handsets.find_near(Some(id.0), &id)
    }

    fn handset_slot(&mut self, who: &Who, now: Timestamp) -> SlotId {
        let inserted =
            self.handsets.find_or_insert_near(Some(who.id.0), &who.id, now, || Handset::new(*who, now));
        let slot = inserted.slot;
        let known = if inserted.new { self.waiting.remove(&who.id) } else { None };
        if let Some(handset) = self.handsets.get_mut(slot) {
            handset.who = *who;
            if let Some(odds) = known {
                handset.odds = odds;
            }
        }
        slot
    }

    /// A costly call; `weighed` are its odds, if the same call was weighed before.
    fn describe(
        &mut self,
        fact: &CallFact,
        slot: SlotId,
        now: Timestamp,
        learn: bool,
        weighed: Option<(Judged, Option<Odds>)>,
    ) -> Call {
        let mut call = Call::new(fact, self.part(fact.time));
        let day = self.hours.local(fact.time).day;
        let handset = self.handsets.get(slot);
        call.new_to_site = !self.countries.is_known(call.region, now);
        call.familiar = handset.is_some_and(|h| h.countries.is_familiar(call.region));
        if call.tier == Tier::Hot && call.group == Group::Risky && call.familiar {
            call.tier = Tier::Warm;
        }
        call.excuse = self.find_excuse(&call, fact, slot, now);
        match weighed {
            Some((judged, crowd)) => {
                call.zone = Zone::of(&fact.target);
                (call.judged, call.crowd) = (Judged { learnt: 0.0, ..judged }, crowd);
            }
            None => self.weigh(&mut call, fact, slot, now, learn),
        }
        self.numbers.attempt(call.number, call.handset, now);
        if learn && !matches!(call.excuse, Some(Excuse::Retry)) {
            call.learnt = true;
            if call.judged.weight >= LEARNT {
                self.numbers.learn(call.number, day, now);
            }
            self.countries.learn(call.region, now);
            if let Some(handset) = self.handsets.get_mut(slot) {
                handset.countries.learn(call.region, day);
            }
        }
        if call.excuse.is_some() {
            self.excuse(&call, now);
        }
        call
    }

    /// How many attempts of a ledger row were redials, known numbers and the like, by window.
    pub fn excused(&self, key: &Key, now: Timestamp) -> [u32; 4] {
        self.excused.find(key).and_then(|slot| self.excused.get(slot)).map_or([0; 4], |w| w.sums(now))
    }

    /// Where a call is remembered.
    pub fn find(&self, lane: Lane, call: CallNo) -> Option<SlotId> {
        self.lanes[lane.index()].find(&call)
    }

    /// A call, while it is remembered.
    pub fn call(&self, lane: Lane, slot: SlotId) -> Option<&Call> {
        self.lanes[lane.index()].get(slot)
    }

    /// A call, to mark it.
    pub fn call_mut(&mut self, lane: Lane, slot: SlotId) -> Option<&mut Call> {
        self.lanes[lane.index()].get_mut(slot)
    }

    /// A handset, while it is remembered.
    pub fn handset(&self, id: HandsetId) -> Option<&Handset> {
        self.find_handset(id).and_then(|slot| self.handsets.get(slot))
    }

    /// A handset, to change it.
    pub fn handset_mut(&mut self, id: HandsetId) -> Option<&mut Handset> {
        self.find_handset(id).and_then(|slot| self.handsets.get_mut(slot))
    }

    /// What the whole office spent in a lane in the last hour and day.
    pub fn office_spend(&self, lane: Lane, now: Timestamp) -> [i64; 2] {
        self.office_spend[lane.index()].sums(now)
    }

    /// The last calls of a handset, newest first.
    pub fn history(&self, id: HandsetId, lane: Lane) -> impl Iterator<Item = &Call> {
        self.slots(id, lane).filter_map(move |slot| self.call(lane, slot))
    }

    /// The slots of a handset's last calls, newest first.
    pub fn slots(&self, id: HandsetId, lane: Lane) -> impl Iterator<Item = SlotId> {
        self.handset(id).map_or(const { &Ring::NONE }, |handset| &handset.rings[lane.index()]).iter()
    }

    fn history_of(&self, slot: SlotId, lane: Lane) -> impl Iterator<Item = &Call> {
        let ring =
            self.handsets.get(slot).map_or(const { &Ring::NONE }, |handset| &handset.rings[lane.index()]);
        ring.iter().filter_map(move |row| self.call(lane, row))
    }

    /// The last calls of the whole office, newest first.
    pub fn office_history(&self, lane: Lane) -> impl Iterator<Item = &Call> {
        self.office_slots(lane).filter_map(move |slot| self.call(lane, slot))
    }

    /// The slots of the whole office's last calls, newest first.
    pub fn office_slots(&self, lane: Lane) -> impl Iterator<Item = SlotId> {
        self.office[lane.index()].iter()
    }

    /// The slots of all calls of a lane that were placed since a moment and are remembered, oldest
    /// first: of one handset, or of the whole office. For incidents; it reads the whole table.
    pub fn slots_since(&self, id: Option<HandsetId>, lane: Lane, since: Timestamp) -> Vec<SlotId> {
        let wanted = |call: &Call| call.time >= since && id.is_none_or(|id| call.handset == id);
        let calls = self.lanes[lane.index()].iter().filter(|(_, _, call)| wanted(call));
        let mut slots: Vec<(Timestamp, CallNo, SlotId)> =
            calls.map(|(slot, no, call)| (call.time, *no, slot)).collect();
        slots.sort_unstable();
        slots.into_iter().map(|(.., slot)| slot).collect()
    }

    /// Entries that had to go because a table was full: calls, handsets, numbers, excuses.
    pub fn evicted(&self) -> [(&'static str, u64); 4] {
        [
            ("judge_calls", self.lanes.iter().map(Table::evicted).sum()),
            ("judge_handsets", self.handsets.evicted()),
            ("judge_numbers", self.numbers.evicted()),
            ("judge_excused", self.excused.evicted()),
        ]
    }
}
