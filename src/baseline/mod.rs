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
pub mod numbers;
pub mod odds;
pub mod windows;

use crate::bounded::{SlotId, Table};
use crate::dial::Group;
use crate::fact::{CallFact, CallNo, CallState, Cause};
use crate::handsets::{HandsetId, Who};
use crate::ledger::{Account, Key};
use crate::time::{OfficeHours, Span, Timestamp};

use calls::{Call, Lane, Progress, Ring, Tier};
use countries::Countries;
use excuse::{Allowance, Excuse};
use exposure::{Money, Prices};
use handset::Handset;
use hours::DayPart;
use numbers::Numbers;
use odds::{Dialled, Judged, Learned, Moment, Odds, Zone};
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
            allowances: Vec::new(),
        }
    }
}

/// Calls of the whole office that are remembered in order, for each lane.
const OFFICE_RING: usize = 64;

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
    since: Option<Timestamp>,
}

impl Baseline {
    /// Nothing is known yet.
    pub fn new(settings: Settings, hours: OfficeHours, prices: Prices) -> Self {
        Self {
            lanes: [Table::new(settings.calls, 0), Table::new(settings.calls, 0)],
            handsets: Table::new(settings.strangers, settings.handsets),
            office: [Ring::default(), Ring::default()],
            office_spend: Default::default(),
            numbers: Numbers::new(settings.numbers),
            countries: Countries::default(),
            excused: Table::new(4_096, 64),
            learned: Learned::new(&hours),
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

    /// An outbound call begins. `learn` is false while its handset is under suspicion. `None` if
    /// such calls count against nobody, or if the call is known already.
    pub fn attempt(&mut self, fact: &CallFact, now: Timestamp, learn: bool) -> Option<(Lane, SlotId)> {
        self.since.get_or_insert(now);
        let Some(lane) = Lane::of(&fact.target) else {
            self.ordinary(fact.who.id, now);
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
        let call = self.describe(fact, slot, now, learn, None);
        if call.excuse.is_some() {
            self.excuse(&call, now);
        }
        let row = self.lanes[lane.index()].find_or_insert(&fact.call, now, || call).slot;
        self.office[lane.index()].push(row);
        if let Some(handset) = self.handsets.get_mut(slot) {
            handset.push(lane, row, call.learnt);
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
        let call = self.describe(fact, slot, now, learn, weighed);
        if call.excuse.is_some() {
            self.excuse(&call, now);
        }
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

    fn handset_slot(&mut self, who: &Who, now: Timestamp) -> SlotId {
        let slot = self.handsets.find_or_insert(&who.id, now, || Handset::new(*who, now)).slot;
        if let Some(handset) = self.handsets.get_mut(slot) {
            handset.who = *who;
        }
        slot
    }

    /// `weighed` are its odds, if the same call was weighed before.
    fn describe(
        &mut self,
        fact: &CallFact,
        slot: SlotId,
        now: Timestamp,
        learn: bool,
        weighed: Option<(Judged, Option<Odds>)>,
    ) -> Call {
        let mut call = Call::new(fact, self.part(fact.time));
        if call.lane == Lane::Home {
            self.ordinary(fact.who.id, now);
            return call;
        }
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
        call
    }

    /// A call that costs little or nothing says when its handset is used.
    fn ordinary(&mut self, id: HandsetId, now: Timestamp) {
        let moment = self.odds_moment(now);
        self.learned.ordinary(&moment);
        if let Some(handset) = self.handset_mut(id) {
            handset.odds.ordinary(moment.place.part, moment.unit);
        }
    }

    fn odds_moment(&mut self, now: Timestamp) -> Moment {
        let (moment, rebased) = self.learned.moment(now, &self.hours, self.handsets.len());
        if let Some(by) = rebased {
            self.handsets.values_mut().for_each(|handset| handset.odds.rebase(by));
        }
        moment
    }

    /// Weighs a costly call.
    fn weigh(&mut self, call: &mut Call, fact: &CallFact, slot: SlotId, now: Timestamp, learn: bool) {
        call.judged.weight = 1.0;
        if call.excuse == Some(Excuse::Allowed) {
            return;
        }
        let Some((zone, class)) = Zone::of(&fact.target) else { return };
        let moment = self.odds_moment(now);
        let Some(handset) = self.handsets.get_mut(slot) else { return };
        let known = self.numbers.get(call.number).is_some_and(|seen| seen.is_known(false, now));
        let dialled = Dialled {
            zone,
            class,
            risk: fact.target.risk,
            number: call.number,
            block: call.block(),
            known,
            forwarded: fact.cause != Cause::Dialled && call.tier <= Tier::Warm,
            lured: false,
            call: short(call.no),
            price: self.prices.in_units(call.rate),
        };
        let id = call.handset.0.as_u64();
        let (judged, crowd) = self.learned.attempt(id, &mut handset.odds, &dialled, &moment, learn);
        call.zone = Some((zone, class));
        (call.judged, call.crowd) = (judged, crowd);
    }

    fn find_excuse(&self, call: &Call, fact: &CallFact, slot: SlotId, now: Timestamp) -> Option<Excuse> {
        if self.settings.allowances.iter().any(|a| a.covers(fact, now)) {
            return Some(Excuse::Allowed);
        }
        let seen = self.numbers.get(call.number)?;
        // Variants of one number behind guessed prefixes fail until one gets through.
        if seen.is_retry(now) && call.group != Group::Suspect {
            return Some(Excuse::Retry);
        }
        if seen.is_known(call.tier == Tier::Hot, now) {
            return Some(Excuse::Known);
        }
        if call.part == DayPart::Shut || call.tier == Tier::Hot {
            return None;
        }
        if seen.is_conference(call.handset, now) {
            return Some(Excuse::Conference);
        }
        let again =
            self.history_of(slot, call.lane).filter(|past| past.number == call.number && past.no != call.no);
        let (mut seen_before, mut still_up) = (false, false);
        for past in again {
            seen_before = true;
            still_up |= past.is_up(now);
        }
        (seen_before && !still_up).then_some(Excuse::Redial)
    }

    fn excuse(&mut self, call: &Call, now: Timestamp) {
        for account in [Account::Office, Account::Handset(call.handset)] {
            let key = Key { account, group: call.group };
            let inserted = self.excused.find_or_insert(&key, now, Windows::default);
            if account == Account::Office && inserted.new {
                self.excused.protect(inserted.slot);
            }
            if let Some(windows) = self.excused.get_mut(inserted.slot) {
                windows.bump(now);
            }
        }
    }

    /// How many attempts of a ledger row were redials, known numbers and the like, by window.
    pub fn excused(&self, key: &Key, now: Timestamp) -> [u32; 4] {
        self.excused.find(key).and_then(|slot| self.excused.get(slot)).map_or([0; 4], |w| w.sums(now))
    }

    /// The call goes on or is over: what it cost since the last step.
    pub fn progress(&mut self, fact: &CallFact, now: Timestamp) -> Option<Accrual> {
        let lane = Lane::of(&fact.target)?;
        let slot = self.lanes[lane.index()].find(&fact.call)?;
        self.lanes[lane.index()].touch(slot, now);
        let call = self.lanes[lane.index()].get_mut(slot)?;
        match fact.state {
            CallState::Attempted | CallState::Ringing => None,
            CallState::Answered => {
                if call.answered.is_none() {
                    call.answered = Some(fact.time);
                    call.progress = Progress::Talking;
                    let call = *call;
                    self.outcome(&call, false, now);
                }
                self.accrue(lane, slot, now)
            }
            CallState::Ended => {
                call.progress = Progress::Over;
                let call = *call;
                self.outcome(&call, true, now);
                let money = self.prices.cost(call.rate, fact.talked);
                Some(self.settle(lane, slot, money, now))
            }
            CallState::Failed => {
                call.progress = Progress::Failed;
                let call = *call;
                self.outcome(&call, true, now);
                self.numbers.failed(call.number, now);
                None
            }
        }
    }

    /// The learned odds hear of an answer or an end.
    fn outcome(&mut self, call: &Call, over: bool, now: Timestamp) {
        if call.zone.is_none() {
            return;
        }
        let Some(handset) = self.handset_mut(call.handset) else { return };
        if over {
            handset.odds.over(short(call.no), call.number, call.answered.is_some(), now);
        } else {
            handset.odds.answered(short(call.no));
        }
    }

    /// A call is still up after so many minutes.
    pub fn holds(&mut self, call: &Call, minutes: i64) {
        if call.zone.is_some()
            && let Some(handset) = self.handset_mut(call.handset)
        {
            handset.odds.holds(minutes);
        }
    }

    /// An incident is over: its handset, or the office, is trusted again.
    pub fn trust(&mut self, handset: Option<HandsetId>) {
        match handset {
            None => self.learned.forget_crowds(),
            Some(id) => {
                if let Some(handset) = self.handset_mut(id) {
                    handset.odds.forget();
                }
            }
        }
    }

    /// Charges an open call for the time it has been talked for by `now`.
    pub fn accrue(&mut self, lane: Lane, slot: SlotId, now: Timestamp) -> Option<Accrual> {
        let call = self.lanes[lane.index()].get(slot)?;
        let answered = call.answered.filter(|_| call.progress == Progress::Talking)?;
        let talked = now.since(answered).max(Span::SECOND);
        let money = self.prices.cost(call.rate, talked);
        self.lanes[lane.index()].touch(slot, now);
        Some(self.settle(lane, slot, money, now))
    }

    /// A call has ended unseen.
    pub fn give_up(&mut self, lane: Lane, slot: SlotId) {
        if let Some(call) = self.lanes[lane.index()].get_mut(slot) {
            call.progress = Progress::Over;
        }
    }

    fn settle(&mut self, lane: Lane, slot: SlotId, total: Money, now: Timestamp) -> Accrual {
        let Some(call) = self.lanes[lane.index()].get_mut(slot) else {
            return Accrual { slot, money: Money::default() };
        };
        let money = total.minus(call.accrued);
        call.accrued = total;
        let handset = call.handset;
        if matches!(call.excuse, Some(Excuse::Allowed | Excuse::Known)) {
            return Accrual { slot, money };
        }
        self.office_spend[lane.index()].add(money.amount, now);
        if let Some(handset) = self.handsets.find(&handset).and_then(|s| self.handsets.get_mut(s)) {
            handset.spend[lane.index()].add(money.amount, now);
        }
        Accrual { slot, money }
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
        self.handsets.find(&id).and_then(|slot| self.handsets.get(slot))
    }

    /// A handset, to change it.
    pub fn handset_mut(&mut self, id: HandsetId) -> Option<&mut Handset> {
        self.handsets.find(&id).and_then(|slot| self.handsets.get_mut(slot))
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
        self.handset(id).into_iter().flat_map(move |h| h.rings[lane.index()].iter())
    }

    fn history_of(&self, slot: SlotId, lane: Lane) -> impl Iterator<Item = &Call> {
        self.handsets
            .get(slot)
            .into_iter()
            .flat_map(move |h| h.rings[lane.index()].iter())
            .filter_map(move |row| self.call(lane, row))
    }

    /// The last calls of the whole office, newest first.
    pub fn office_history(&self, lane: Lane) -> impl Iterator<Item = &Call> {
        self.office_slots(lane).filter_map(move |slot| self.call(lane, slot))
    }

    /// The slots of the whole office's last calls, newest first.
    pub fn office_slots(&self, lane: Lane) -> impl Iterator<Item = SlotId> {
        self.office[lane.index()].iter()
    }

    /// A call turned out to be part of an attack: what was learnt from it is taken back.
    pub fn unlearn(&mut self, lane: Lane, slot: SlotId) {
        let Some(call) = self.lanes[lane.index()].get_mut(slot) else { return };
        let taught = std::mem::take(&mut call.judged.learnt);
        let (zone, of) = (call.zone, call.handset);
        let learnt = std::mem::take(&mut call.learnt);
        if let Some((zone, class)) = zone.filter(|_| taught > 0.0) {
            let handset = self.handsets.find(&of).and_then(|slot| self.handsets.get_mut(slot));
            self.learned.unlearn(handset.map(|h| &mut h.odds), zone, class, taught);
        }
        if !learnt {
            return;
        }
        let Some(call) = self.lanes[lane.index()].get(slot) else { return };
        let (number, region, handset) = (call.number, call.region, call.handset);
        self.numbers.taint(number);
        self.countries.unlearn(region);
        if let Some(handset) = self.handset_mut(handset) {
            handset.unlearn(lane, region);
        }
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
