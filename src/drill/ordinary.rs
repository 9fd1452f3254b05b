//! An ordinary day: who calls whom, when and for how long.
//!
//! In: the office, a day. Out: calls.
//! Never: a call that a fraudster would place, or a number outside the public plan abroad.

use super::calendar::Day;
use super::call::{Call, Ending, Way};
use super::numbers::{self, Tier};
use super::rng::Rng;
use super::site::{self, Role, Site};
use super::variety::{honest_country, neighbour};
use crate::time::Span;

/// How much an office calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    /// Per cent of the usual number of calls.
    pub(super) volume: u32,
    /// Per cent of the usual share of calls abroad.
    pub(super) abroad: u32,
    /// Per cent of the usual number of calls in a row: call-backs, lists, redials.
    pub(super) bursts: u32,
}

impl Default for Habits {
    fn default() -> Self {
        Self { volume: 100, abroad: 100, bursts: 100 }
    }
}

/// Thousandths of a working day's calls that fall into each half hour from midnight.
const WORKDAY: [u32; 48] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 9, 25, 42, 62, 68, 68, 66, 62, 60, 46, 36, 36, 46, 60, 62,
    62, 60, 54, 46, 32, 18, 8, 5, 3, 2, 2, 1, 1, 0, 0, 0, 0, 0,
];

/// The same on a day off, when few people are in.
const DAY_OFF: [u32; 48] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 4, 4, 4, 3, 3, 3, 3, 3, 2, 2, 2, 1, 1, 1,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// Seconds that answered calls last, in tenths of all calls.
const TALK: [i64; 11] = [4, 12, 25, 45, 75, 120, 190, 300, 480, 900, 2_700];

/// Calls a working day, in tenths: outward, inward, to colleagues; and the calls in a thousand
/// of those outward that go abroad, for a handset that calls abroad at all.
const fn means(role: Role) -> (u32, u32, u32, u32) {
    match role {
        Role::Reception => (30, 80, 30, 40),
        Role::Desk => (30, 18, 15, 60),
        Role::Sales => (60, 20, 10, 150),
        Role::Executive => (40, 20, 15, 200),
        Role::MeetingRoom => (5, 2, 5, 0),
        Role::Agent => (250, 150, 4, 20),
        Role::Spare => (0, 0, 0, 0),
    }
}

/// Which sort of call is drawn.
#[derive(Clone, Copy)]
enum Sort {
    Outward,
    Inward,
    Colleague,
}

/// The calls of one day, in no order.
pub(super) fn day(site: &mut Site, day: Day, is_off: bool, habits: Habits, rng: &mut Rng) -> Vec<Call> {
    let curve = if is_off { &DAY_OFF } else { &WORKDAY };
    let mut calls = Vec::new();
    for handset in 0..site.handsets.len() {
        let (outward, inward, colleague, _) = means(site.handsets[handset].role);
        for (sort, mean) in [(Sort::Outward, outward), (Sort::Inward, inward), (Sort::Colleague, colleague)] {
            for (slot, weight) in (0..48).zip(curve) {
                // Millionths of a call: tenths x per cent x thousandths.
                let mean = i64::from(mean) * i64::from(habits.volume) * i64::from(*weight);
                while rng.between(0, 999_999 + mean) < mean {
                    let at = day.at(slot * 1_800).plus(rng.span(Span::ZERO, Span::seconds(1_799)));
                    place(site, handset, sort, at, habits, rng, &mut calls);
                }
            }
        }
    }
    calls
}

fn place(
    site: &mut Site,
    handset: usize,
    sort: Sort,
    at: crate::time::Timestamp,
    habits: Habits,
    rng: &mut Rng,
    calls: &mut Vec<Call>,
) {
    match sort {
        Sort::Outward => {
            let number = whom(site, handset, habits, rng);
            let goes_abroad = number.starts_with("00") || number.starts_with('+');
            calls.push(attempt(at, handset, number, rng));
            if site.is_diverse && goes_abroad {
                flurry(site, calls, habits, rng);
            } else {
                redial(calls, habits, rng);
            }
        }
        Sort::Inward => {
            let number = if rng.chance(30) {
                format!("+{}", numbers::of_tier(Tier::Low, rng).number(rng))
            } else {
                site::home_number(rng)
            };
            let mut call = attempt(at, handset, number, rng);
            call.way = Way::In;
            calls.push(call);
        }
        Sort::Colleague => {
            let to = rng.below(site.handsets.len());
            if to != handset {
                let number = site.handsets[to].user.clone();
                let mut call = attempt(at, handset, number, rng);
                call.way = Way::Internal(to);
                calls.push(call);
            }
        }
    }
}

/// What often follows a call abroad: the line is tried again within seconds, or one call leads to
/// the next, to the same number, its neighbour, or another one in the same matter.
fn flurry(site: &Site, calls: &mut Vec<Call>, habits: Habits, rng: &mut Rng) {
    for _ in 0..8 {
        let Some(last) = calls.last() else { return };
        let is_answered = matches!(last.ending, Ending::Answered(_));
        let chance = if is_answered { 220 } else { 480 };
        if !rng.chance((chance * habits.bursts / 100).min(850)) {
            return;
        }
        let hurried = rng.chance(if is_answered { 250 } else { 650 });
        let pause = rng.span(Span::seconds(3), Span::seconds(20));
        let wait = if hurried { Span::ZERO } else { rng.wait(Span::minutes(10)) };
        let known = &site.handsets[last.handset].abroad;
        let number = if is_answered && !known.is_empty() && rng.chance(350) {
            let (number, _) = &known[rng.below(known.len())];
            let number = if rng.chance(300) { neighbour(number, rng) } else { number.clone() };
            numbers::dialled_abroad(&number, rng)
        } else {
            last.number.clone()
        };
        let at = last.end().plus(pause).plus(wait);
        let again = attempt(at, last.handset, number, rng);
        calls.push(again);
    }
}

/// The number that somebody dials next: mostly one dialled before.
fn whom(site: &mut Site, handset: usize, habits: Habits, rng: &mut Rng) -> String {
    let (_, _, _, share) = means(site.handsets[handset].role);
    let is_diverse = site.is_diverse;
    let handset = &mut site.handsets[handset];
    let goes_abroad = !handset.countries.is_empty() && rng.chance(share * habits.abroad / 100);
    if goes_abroad {
        if rng.chance(700) {
            let (number, _) = &handset.abroad[rng.below(handset.abroad.len())];
            return numbers::dialled_abroad(number, rng);
        }
        let country = match rng.chance(40) {
            true if is_diverse => honest_country(rng),
            true => numbers::of_tier(Tier::Low, rng),
            false => rng.pick(&handset.countries),
        };
        let number = if is_diverse && rng.chance(300) {
            neighbour(&handset.abroad[rng.below(handset.abroad.len())].0, rng)
        } else {
            country.number(rng)
        };
        if rng.chance(300) {
            let old = rng.below(handset.abroad.len());
            handset.abroad[old] = (number.clone(), country.rate);
        }
        return numbers::dialled_abroad(&number, rng);
    }
    if rng.chance(650) { handset.home[rng.below(handset.home.len())].clone() } else { site::home_number(rng) }
}

/// A call that goes as calls go.
pub(super) fn attempt(at: crate::time::Timestamp, handset: usize, number: String, rng: &mut Rng) -> Call {
    let (setup, ending) = match rng.between(0, 999) {
        0..=719 => (rng.span(Span::seconds(3), Span::seconds(24)), Ending::Answered(talk(rng))),
        720..=789 => (rng.span(Span::SECOND, Span::seconds(3)), Ending::Failed(486)),
        790..=929 => (rng.span(Span::seconds(15), Span::seconds(45)), Ending::Cancelled),
        930..=969 => (rng.span(Span::seconds(5), Span::seconds(30)), Ending::Failed(480)),
        970..=989 => (rng.span(Span::SECOND, Span::seconds(4)), Ending::Failed(404)),
        _ => (rng.span(Span::seconds(4), Span::seconds(12)), Ending::Failed(603)),
    };
    Call::out(at, handset, number, setup, ending)
}

/// How long two people talk.
pub(super) fn talk(rng: &mut Rng) -> Span {
    Span(rng.quantile(&TALK) * 1_000_000 + rng.between(0, 999_999))
}

/// Tries the last call again a few times if nobody answered it.
pub(super) fn redial(calls: &mut Vec<Call>, habits: Habits, rng: &mut Rng) {
    for _ in 0..3 {
        let Some(last) = calls.last() else { return };
        let is_answered = matches!(last.ending, Ending::Answered(_));
        if is_answered || !rng.chance((400 * habits.bursts / 100).min(900)) {
            return;
        }
        let at = last.end().plus(rng.span(Span::seconds(8), Span::MINUTE)).plus(rng.wait(Span::minutes(2)));
        let again = attempt(at, last.handset, last.number.clone(), rng);
        calls.push(again);
    }
}
