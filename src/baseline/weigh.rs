//! A new call is weighed: excused or not, how odd it is, how much is learnt from it.
//!
//! In: a call as its fact tells it. Out: the call with its odds and its excuse.
//! Never: raises.

use super::calls::{Call, Lane, Tier};
use super::excuse::Excuse;
use super::hours::DayPart;
use super::odds::{Dialled, Moment, Zone};
use super::windows::Windows;
use super::{Baseline, short};
use crate::bounded::SlotId;
use crate::dial::Group;
use crate::fact::{CallFact, Cause};
use crate::ledger::{Account, Key};
use crate::time::Timestamp;

impl Baseline {
    /// A call that costs little or nothing says when its handset is used.
    pub(super) fn ordinary(&mut self, handset: Option<SlotId>, now: Timestamp) {
        let moment = self.odds_moment(now);
        self.learned.ordinary(&moment);
        if let Some(handset) = handset.and_then(|slot| self.handsets.get_mut(slot)) {
            handset.odds.ordinary(moment.place.part, moment.unit);
        }
    }

    pub(super) fn odds_moment(&mut self, now: Timestamp) -> Moment {
        let (moment, rebased) = self.learned.moment(now, &self.hours, self.handsets.len());
        if let Some(by) = rebased {
            self.handsets.values_mut().for_each(|handset| handset.odds.rebase(by));
        }
        moment
    }

    /// Weighs a costly call.
    pub(super) fn weigh(
        &mut self,
        call: &mut Call,
        fact: &CallFact,
        slot: SlotId,
        now: Timestamp,
        learn: bool,
    ) {
        call.judged.weight = 1.0;
        if call.excuse == Some(Excuse::Allowed) {
            return;
        }
        let Some((zone, class)) = Zone::of(&fact.target) else { return };
        call.lured = self.lures.lured(call.number, now);
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
            lured: call.lured,
            call: short(call.no),
            price: self.prices.in_units(call.rate),
        };
        let id = call.handset.0.as_u64();
        let (judged, crowd) = self.learned.attempt(id, &mut handset.odds, &dialled, &moment, learn);
        call.zone = Some((zone, class));
        (call.judged, call.crowd) = (judged, crowd);
    }

    pub(super) fn find_excuse(
        &self,
        call: &Call,
        fact: &CallFact,
        slot: SlotId,
        now: Timestamp,
    ) -> Option<Excuse> {
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

    pub(super) fn excuse(&mut self, call: &Call, now: Timestamp) {
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

    /// A call turned out to be part of an attack: what was learnt from it is taken back.
    pub fn unlearn(&mut self, lane: Lane, slot: SlotId) {
        let Some(call) = self.lanes[lane.index()].get_mut(slot) else { return };
        let taught = std::mem::take(&mut call.judged.learnt);
        let (zone, of) = (call.zone, call.handset);
        let learnt = std::mem::take(&mut call.learnt);
        if let Some((zone, class)) = zone.filter(|_| taught > 0.0) {
            let handset = self.find_handset(of).and_then(|slot| self.handsets.get_mut(slot));
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
}
