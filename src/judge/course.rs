//! The course of a call after its attempt: answered, up, over; what it costs meanwhile.
//!
//! In: later facts of a call, ticks. Out: dossiers that grow, verdicts on money and length.
//! Never: judges a call that is over anew.

use super::{Judge, incidents};
use crate::baseline::Accrual;
use crate::baseline::calls::{Lane, Progress};
use crate::bounded::SlotId;
use crate::detect::{long_call, spend};
use crate::fact::CallFact;
use crate::time::{Span, Timestamp};

/// How often a costly call that is up is judged anew in its first hour, and after that.
const TICKS: [Span; 2] = [Span::MINUTE, Span::minutes(5)];
/// A call that is up for longer has ended unseen.
pub(super) const LONGEST: Span = Span::DAY;

impl Judge {
    pub(super) fn progressed(&mut self, fact: &CallFact, now: Timestamp) {
        let Some((lane, slot)) = self.baseline.locate(fact) else { return };
        let before = self.baseline.call(lane, slot).map(|call| call.progress);
        let accrual = self.baseline.progress(fact, lane, slot, now);
        let after = self.baseline.call(lane, slot).map(|call| call.progress);
        if before != after {
            self.talking_changed(
                lane,
                slot,
                before == Some(Progress::Talking),
                after == Some(Progress::Talking),
            );
            if after == Some(Progress::Talking) && lane == Lane::Charged {
                self.ticks.insert((now.plus(TICKS[0]), slot));
            }
        }
        if let Some(accrual) = accrual {
            self.accrued(lane, accrual, now);
        }
    }

    pub(super) fn talking_changed(&mut self, lane: Lane, slot: SlotId, was: bool, is: bool) {
        if was == is {
            return;
        }
        let Some(call) = self.baseline.call(lane, slot) else { return };
        let per_minute = self.baseline.prices().per_minute(call.rate);
        for key in incidents::cases(call) {
            if let Some(dossier) = self.dossiers.get_mut(&key) {
                match (was, is) {
                    (false, true) => dossier.talks(per_minute),
                    (true, false) => dossier.hangs_up(per_minute),
                    _ => {}
                }
            }
        }
    }

    /// A call cost more: incidents grow, spending is judged.
    fn accrued(&mut self, lane: Lane, accrual: Accrual, now: Timestamp) {
        let Some(call) = self.baseline.call(lane, accrual.slot).copied() else { return };
        for key in incidents::cases(&call) {
            self.grow(key, lane, accrual.slot, now, |_, dossier| {
                dossier.money = dossier.money.plus(accrual.money);
            });
        }
        let mut verdicts = std::mem::take(&mut self.verdicts);
        verdicts.clear();
        if let Some(moment) = self.moment(lane, accrual.slot, now).filter(|_| call.counts()) {
            verdicts.extend(spend::handset(&moment));
            verdicts.extend(spend::office(&moment));
            verdicts.extend(long_call::tick(&moment));
        }
        self.decide(lane, accrual.slot, now, &mut verdicts);
        self.verdicts = verdicts;
    }

    pub(super) fn tick(&mut self, slot: SlotId, now: Timestamp) {
        let lane = Lane::Charged;
        let Some(answered) = self.baseline.call(lane, slot).and_then(|call| call.answered) else { return };
        let talked = now.since(answered);
        if talked > LONGEST {
            self.baseline.give_up(lane, slot);
            self.talking_changed(lane, slot, true, false);
            return;
        }
        if talked.0 % Span::MINUTE.0 == 0
            && let Some(call) = self.baseline.call(lane, slot).copied()
        {
            self.baseline.holds(&call, talked.as_secs() / 60);
        }
        if let Some(accrual) = self.baseline.accrue(lane, slot, now) {
            let tick = if talked < Span::HOUR { TICKS[0] } else { TICKS[1] };
            self.ticks.insert((now.plus(tick), slot));
            self.accrued(lane, accrual, now);
        }
    }
}
