//! One fraud over many handsets: the odds of each zone for the whole office, over distinct handsets.
//!
//! In: each handset's first call of a day to a zone. Out: `Odds` of the zone.
//! Never: counts a handset twice a day; speaks of one handset alone.

use libm::{exp, log10};
use serde::{Deserialize, Serialize};

use crate::time::{Span, Timestamp};

use super::evidence::{Odds, to_f32};
use super::handset::Dialled;
use super::office::{Moment, Office};
use super::zone::{Prior, Zone};

/// Handsets an hour that are drawn into a stream of fraud.
const SPEEDS: [f64; 3] = [0.7, 5.0, 40.0];
const CAP: f64 = 1e14;
const MONEY: f64 = 10.0;
const MONEY_RANGE: [f64; 2] = [0.03, 10.0];
const MINUTES: f64 = 6.0;
/// How long a call makes others like it ordinary, in hours, and how much.
const LASTS: f64 = 12.0;
const EXCITES: f64 = 0.45;
/// No zone is rarer than this, an hour.
const RAREST: f64 = 1e-6;
/// A stream's share of a zone that was quiet for a day, and of one that wasn't.
const SHARE: [f64; 2] = [0.02, 0.5];
/// Known, repeated, fresh or beside.
const KNOWN: f64 = 0.1;
const REPEAT: f64 = 0.8;
const FRESH: f64 = 1.2;
/// Another handset's other number of the block; the same number a moment ago, as for a conference;
/// a number that rang for a moment to be called back.
const BLOCK: f64 = 15.0;
const CONFERENCE: f64 = 0.3;
/// The same on a working day, unless the number rang to be called back.
const MEETING: f64 = 0.02;
const LURED: f64 = 10.0;
const CONFERENCE_S: i64 = 20 * 60;
const CALLERS: usize = 8;
/// Zones that are watched at once.
const ZONES: usize = 192;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Caller {
    handset: u64,
    number: u64,
    block: Option<u64>,
    at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Crowd {
    zone: Zone,
    ratios: [f32; SPEEDS.len()],
    excited: f32,
    at: Timestamp,
    callers: Vec<Caller>,
}

/// The zones that the office called lately.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Crowds {
    zones: Vec<Crowd>,
}

impl Crowds {
    /// A handset calls a zone; `None` if it isn't its first call there today, or the only handset's.
    pub fn attempt(
        &mut self,
        handset: u64,
        call: &Dialled,
        prior: Prior,
        office: &Office,
        moment: &Moment,
        watched: f64,
    ) -> Option<Odds> {
        let crowd = self.crowd(call.zone, moment.now);
        let day = |caller: &Caller| moment.now.since(caller.at) < Span::DAY;
        let earlier = crowd.callers.iter().rposition(|caller| caller.handset == handset);
        if let Some(i) = earlier.filter(|i| day(&crowd.callers[*i])) {
            crowd.callers[i].number = call.number;
            crowd.callers[i].block = call.block;
            return None;
        }
        let (factor, others) = crowd.factor(handset, call, moment);
        let hours = moment.now.since(crowd.at).as_secs_f64() / 3_600.0;
        let excited = f64::from(crowd.excited) * exp(-hours / LASTS);
        let season = office.season(moment.place, [0.0; 4]);
        let usual = 0.5
            * office.rate(call.class, moment, watched)
            * office.share(call.zone, call.class, prior, moment)
            * season
            + EXCITES / LASTS * excited;
        let share = if hours < 24.0 && !crowd.callers.is_empty() { SHARE[1] } else { SHARE[0] };
        let odds = crowd.weigh(usual.max(RAREST), share * factor, hours, call.price);
        crowd.excited = to_f32(excited + 1.0);
        crowd.at = moment.now;
        crowd.remember(Caller { handset, number: call.number, block: call.block, at: moment.now });
        others.then_some(odds)
    }

    fn crowd(&mut self, zone: Zone, now: Timestamp) -> &mut Crowd {
        let place = match self.zones.binary_search_by_key(&zone, |crowd| crowd.zone) {
            Ok(i) => i,
            Err(i) => {
                let fresh =
                    Crowd { zone, ratios: [1.0; SPEEDS.len()], excited: 0.0, at: now, callers: Vec::new() };
                if self.zones.len() >= ZONES {
                    self.forget_oldest();
                }
                let i = i.min(self.zones.len());
                let i = self.zones[..i].partition_point(|crowd| crowd.zone < zone);
                self.zones.insert(i, fresh);
                i
            }
        };
        &mut self.zones[place]
    }

    fn forget_oldest(&mut self) {
        let oldest = self.zones.iter().enumerate().min_by_key(|(_, crowd)| crowd.at).map(|(i, _)| i);
        if let Some(i) = oldest {
            self.zones.remove(i);
        }
    }

    /// An incident of the office is over: no zone is suspected any more.
    pub fn forget(&mut self) {
        for crowd in &mut self.zones {
            crowd.ratios = [1.0; SPEEDS.len()];
        }
    }

    /// Whether it is a state that calls could have led to; a snapshot may hold anything.
    pub fn is_whole(&self) -> bool {
        let fine = |n: &f32| n.is_finite() && *n >= 0.0;
        self.zones.len() <= ZONES
            && self.zones.is_sorted_by(|a, b| a.zone < b.zone)
            && self.zones.iter().all(|crowd| {
                crowd.callers.len() <= CALLERS && fine(&crowd.excited) && crowd.ratios.iter().all(fine)
            })
    }
}

impl Crowd {
    /// How much likelier what is special about a call makes fraud; and whether another handset called
    /// the zone within a day.
    fn factor(&self, handset: u64, call: &Dialled, moment: &Moment) -> (f64, bool) {
        let (now, at_work) = (moment.now, moment.place.is_work());
        let (mut repeat, mut others, mut beside, mut together) = (false, false, false, false);
        for caller in &self.callers {
            let same = caller.number == call.number;
            let ago = now.since(caller.at);
            if caller.handset == handset {
                repeat |= same;
            } else if ago < Span::DAY {
                others = true;
                beside |= !same && caller.block.is_some() && caller.block == call.block;
                together |= same && ago <= Span::seconds(CONFERENCE_S);
            }
        }
        let mut factor = if call.known {
            KNOWN
        } else if repeat {
            REPEAT
        } else {
            FRESH
        };
        if beside {
            factor *= BLOCK;
        }
        if together {
            factor *= if at_work && !call.lured { MEETING } else { CONFERENCE };
        }
        if call.lured {
            factor *= LURED;
        }
        (factor, others)
    }

    fn weigh(&mut self, usual: f64, share: f64, hours: f64, price: [f64; 2]) -> Odds {
        let (mut before, mut after, mut worth) = (0.0, 0.0, 0.0);
        let weight = 1.0 / 3.0;
        for (ratio, speed) in self.ratios.iter_mut().zip(SPEEDS) {
            let old = (f64::from(*ratio) * exp(-speed * hours)).clamp(1.0, CAP);
            let new = (old * (1.0 + speed * share / usual)).min(CAP);
            let money = speed * (price[0] + MINUTES * price[1]) / MONEY;
            before += weight * old;
            after += weight * new;
            worth += weight * new * money.clamp(MONEY_RANGE[0], MONEY_RANGE[1]);
            *ratio = to_f32(new);
        }
        Odds { score: to_f32(log10(worth)), decades: to_f32(log10(after)), due: to_f32(1.0 - before / after) }
    }

    fn remember(&mut self, caller: Caller) {
        self.callers.retain(|c| c.handset != caller.handset);
        if self.callers.len() >= CALLERS {
            self.callers.remove(0);
        }
        self.callers.push(caller);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::odds::week::Place;
    use crate::baseline::odds::zone::Class;
    use crate::dial::Risk;
    use proptest::prelude::*;

    /// What is special about a call, one thing after the other.
    fn one_by_one(crowd: &Crowd, handset: u64, call: &Dialled, moment: &Moment) -> (f64, bool) {
        let others = || crowd.callers.iter().filter(move |caller| caller.handset != handset);
        let today = || others().filter(|caller| moment.now.since(caller.at) < Span::DAY);
        let repeated = crowd.callers.iter().any(|c| c.handset == handset && c.number == call.number);
        let fresh = if repeated { REPEAT } else { FRESH };
        let mut factor = if call.known { KNOWN } else { fresh };
        if today().any(|c| c.block.is_some() && c.block == call.block && c.number != call.number) {
            factor *= BLOCK;
        }
        let soon = |c: &Caller| moment.now.since(c.at) <= Span::seconds(CONFERENCE_S);
        if today().any(|c| c.number == call.number && soon(c)) {
            factor *= if moment.place.is_work() && !call.lured { MEETING } else { CONFERENCE };
        }
        (if call.lured { factor * LURED } else { factor }, today().count() > 0)
    }

    proptest! {
        #[test]
        fn one_look_at_the_callers_sees_all(
            callers in proptest::collection::vec((0u64..4, 0u64..5, any::<bool>(), 0i64..90_000), 0..CALLERS),
            (handset, number, known, lured) in (0u64..4, 0u64..5, any::<bool>(), any::<bool>()),
            part in 0u8..4,
        ) {
            let now = Timestamp::from_parts(1_794_787_200, 0);
            let block = |number: u64| (number > 0).then_some(number / 3);
            let caller = |(handset, number, numbered, ago): (u64, u64, bool, i64)| Caller {
                handset,
                number,
                block: block(number).filter(|_| numbered),
                at: now.minus(Span::seconds(ago)),
            };
            let callers = callers.into_iter().map(caller).collect();
            let crowd = Crowd { zone: Zone::NONE, ratios: [1.0; SPEEDS.len()], excited: 0.0, at: now, callers };
            let call = Dialled {
                zone: Zone::NONE,
                class: Class::Abroad,
                risk: Risk::Low,
                number,
                block: block(number),
                known,
                forwarded: false,
                lured,
                call: 1,
                price: [0.0; 2],
            };
            let moment = Moment { now, place: Place { hour: 9, part }, unit: 1.0, handsets: 4.0 };
            prop_assert_eq!(crowd.factor(handset, &call, &moment), one_by_one(&crowd, handset, &call, &moment));
        }
    }
}
