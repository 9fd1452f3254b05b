//! What becomes of a call that is remembered: answered, costing, over.
//!
//! In: facts of a known call, ticks. Out: `Accrual`; the learned odds hear of it.
//! Never: makes a call that nobody attempted.

use std::collections::BTreeMap;

use super::calls::{Call, Lane, Progress};
use super::excuse::Excuse;
use super::exposure::Money;
use super::{Accrual, Baseline, short};
use crate::bounded::SlotId;
use crate::dial::Group;
use crate::fact::{CallFact, CallState};
use crate::handsets::HandsetId;
use crate::tally::Label;
use crate::time::{Span, Timestamp};

impl Baseline {
    /// Where the call of a later fact is remembered, if it is.
    pub fn locate(&self, fact: &CallFact) -> Option<(Lane, SlotId)> {
        let lane = Lane::of(&fact.target)?;
        Some((lane, self.find(lane, fact.call)?))
    }

    /// The call goes on or is over: what it cost since the last step.
    pub fn progress(&mut self, fact: &CallFact, lane: Lane, slot: SlotId, now: Timestamp) -> Option<Accrual> {
        self.lanes[lane.index()].touch(slot, now);
        let call = self.lanes[lane.index()].get_mut(slot)?;
        match fact.state {
            CallState::Attempted | CallState::Ringing => None,
            CallState::Answered => {
                if call.answered.is_none() {
                    call.answered = Some(fact.time);
                    call.progress = Progress::Talking;
                    self.outcome(lane, slot, false, now);
                }
                self.accrue(lane, slot, now)
            }
            CallState::Ended => {
                call.progress = Progress::Over;
                let rate = call.rate;
                self.outcome(lane, slot, true, now);
                let money = self.prices.cost(rate, fact.talked);
                Some(self.settle(lane, slot, money, now))
            }
            CallState::Failed => {
                call.progress = Progress::Failed;
                let number = call.number;
                self.outcome(lane, slot, true, now);
                self.numbers.failed(number, now);
                None
            }
        }
    }

    /// The learned odds hear of an answer or an end.
    fn outcome(&mut self, lane: Lane, slot: SlotId, over: bool, now: Timestamp) {
        let call = self.lanes[lane.index()].get(slot).filter(|call| call.zone.is_some());
        let Some(call) = call else { return };
        let handset = self.find_handset(call.handset).and_then(|slot| self.handsets.get_mut(slot));
        let Some(handset) = handset else { return };
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

    /// Calls that are taken for up beyond those that `open` knows of, for each handset and group: the
    /// oldest ones, and whether they talked. Their end was never told.
    pub fn ended_unseen(
        &self,
        open: impl Fn(HandsetId, Group) -> u32,
        now: Timestamp,
    ) -> Vec<(Lane, SlotId, bool)> {
        type Up = (Timestamp, Lane, SlotId, bool);
        let mut up: BTreeMap<(HandsetId, Group), Vec<Up>> = BTreeMap::new();
        for lane in Lane::ALL {
            for (slot, _, call) in self.lanes[lane.index()].iter().filter(|(_, _, call)| call.is_up(now)) {
                let talks = call.progress == Progress::Talking;
                let since = call.answered.unwrap_or(call.time);
                up.entry((call.handset, call.group)).or_default().push((since, *lane, slot, talks));
            }
        }
        let mut ended = Vec::new();
        for ((handset, group), mut calls) in up {
            let open = usize::try_from(open(handset, group)).unwrap_or(usize::MAX);
            calls.sort_by_key(|(since, _, slot, _)| (*since, *slot));
            let surplus = calls.len().saturating_sub(open);
            ended.extend(calls.into_iter().take(surplus).map(|(_, lane, slot, talks)| (lane, slot, talks)));
        }
        ended
    }

    /// Whether one more call of a group can't bring a handset to any ceiling.
    pub fn takes_room(&mut self, id: HandsetId, group: Group) -> bool {
        let room = self.handset_mut(id).map(|handset| &mut handset.room[group.index()]);
        let Some(room) = room.filter(|room| **room > 0) else { return false };
        *room -= 1;
        true
    }

    /// Nobody can say any more how far handsets are from their ceilings.
    pub fn forget_rooms(&mut self) {
        self.handsets.values_mut().for_each(|handset| handset.room = Default::default());
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
        if let Some(handset) = self.find_handset(handset).and_then(|s| self.handsets.get_mut(s)) {
            handset.spend[lane.index()].add(money.amount, now);
        }
        Accrual { slot, money }
    }
}
