//! Which exceedance belongs to which attack, and which to none.
//!
//! In: exceedances and attacks. Out: what became of each attack; false alarms.
//! Never: counts an exceedance both for and against somebody.

use std::collections::BTreeMap;

use super::contest::{Exceedance, Followed};
use super::labels::Attack;
use crate::handsets::HandsetId;
use crate::time::{Span, Timestamp};

/// Exceedances of one subject within this time are one alert.
pub(super) const ONE_ALERT: Span = Span::hours(12);

/// What became of one attack.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) scenario: String,
    pub(super) name: String,
    /// `None`: never found.
    pub(super) found: Option<Found>,
    /// What the whole attack cost.
    pub(super) cost: f64,
}

/// At the moment of the first alert.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// Calls dialled so far.
    pub(super) calls: usize,
    /// What they had cost.
    pub(super) money: f64,
    pub(super) after: Span,
}

impl Outcome {
    /// Money lost before anybody could act: all of it if nobody was told.
    pub(super) fn lost(&self) -> f64 {
        self.found.map_or(self.cost, |found| found.money)
    }
}

/// An alert that belongs to no attack.
#[derive(Clone, Debug)]
pub(super) struct FalseAlarm {
    pub(super) time: Timestamp,
    pub(super) sentence: String,
}

/// One contestant's result on one stretch.
#[derive(Clone, Debug)]
pub(super) struct Result {
    pub(super) outcomes: Vec<Outcome>,
    pub(super) false_alarms: Vec<FalseAlarm>,
}

/// Sorts one contestant's exceedances, which are in time order.
pub(super) fn sort(followed: &Followed, exceedances: &[Exceedance], attacks: &[Attack]) -> Result {
    let index = Index::new(followed, attacks);
    let mut first: Vec<Option<Timestamp>> = vec![None; attacks.len()];
    let mut false_alarms = Vec::new();
    let mut last: BTreeMap<Option<HandsetId>, Timestamp> = BTreeMap::new();
    for exceedance in exceedances {
        let hits = index.hits(exceedance, attacks);
        for hit in &hits {
            first[*hit].get_or_insert(exceedance.time);
        }
        if !hits.is_empty() {
            continue;
        }
        let before = last.insert(exceedance.handset, exceedance.time);
        if before.is_none_or(|before| exceedance.time.since(before) >= ONE_ALERT) {
            false_alarms.push(FalseAlarm { time: exceedance.time, sentence: exceedance.sentence.clone() });
        }
    }
    let outcomes = attacks.iter().zip(first).map(|(attack, at)| outcome(attack, at)).collect();
    Result { outcomes, false_alarms }
}

fn outcome(attack: &Attack, at: Option<Timestamp>) -> Outcome {
    Outcome {
        scenario: attack.scenario.clone(),
        name: attack.name.clone(),
        found: at.map(|at| Found {
            calls: attack.calls.iter().filter(|call| call.time <= at).count(),
            money: attack.calls.iter().map(|call| call.cost_until(at)).sum(),
            after: at.since(attack.start),
        }),
        cost: attack.calls.iter().map(super::labels::AttackCall::cost).sum(),
    }
}

/// Finds attacks by their calls and handsets.
struct Index {
    by_call: BTreeMap<u64, Vec<usize>>,
    by_handset: BTreeMap<HandsetId, Vec<usize>>,
}

impl Index {
    fn new(followed: &Followed, attacks: &[Attack]) -> Self {
        let mut index = Self { by_call: BTreeMap::new(), by_handset: BTreeMap::new() };
        for (number, attack) in attacks.iter().enumerate() {
            for call in &attack.calls {
                let attacks = index.by_call.entry(call.id).or_default();
                if attacks.last() != Some(&number) {
                    attacks.push(number);
                }
            }
            for (id, named) in &followed.handsets {
                let is_meant = |name: &String| {
                    !name.is_empty() && (*name == named.user || *name == named.ip || *name == named.mac)
                };
                if attack.handsets.iter().any(is_meant) {
                    index.by_handset.entry(*id).or_default().push(number);
                }
            }
        }
        index
    }

    /// The attacks that an exceedance names: by a call of theirs that was dialled by then, or by a
    /// handset of theirs while they last.
    fn hits(&self, exceedance: &Exceedance, attacks: &[Attack]) -> Vec<usize> {
        let named = exceedance.calls.iter().filter_map(|call| self.by_call.get(call)).flatten();
        let of_handset = exceedance.handset.and_then(|id| self.by_handset.get(&id)).into_iter().flatten();
        let during = of_handset.filter(|number| {
            let attack = &attacks[**number];
            (attack.start..=attack.end).contains(&exceedance.time)
        });
        let mut hits: Vec<usize> = named
            .filter(|number| attacks[**number].start <= exceedance.time)
            .chain(during)
            .copied()
            .collect();
        hits.sort_unstable();
        hits.dedup();
        hits
    }
}
