//! How each sort of attack goes.
//!
//! In: a scene. Out: its calls.
//! Never: depends on another attack.

use super::attack::{Run, Scene, Target};
use super::calendar::Day;
use super::call::{Call, Ending, Way};
use super::numbers::{self, MOBILE_RATE, PREMIUM_RATE, SATELLITE, country};
use super::site::{Pbx, Role, home_number};
use crate::time::{Span, Timestamp};

const ANY: [Role; 5] = [Role::Desk, Role::Agent, Role::Sales, Role::Reception, Role::MeetingRoom];

const fn minutes(low: i64, high: i64) -> (Span, Span) {
    (Span::minutes(low), Span::minutes(high))
}

/// Some minutes past `hour` of a day.
fn past(scene: &mut Scene<'_>, day: Day, low: i64, high: i64) -> Timestamp {
    // Where attacks differ widely, some don't wait for the night.
    if scene.is_diverse && scene.rng.chance(250) {
        return sharp(scene, day, 0, 23);
    }
    sharp(scene, day, low, high)
}

/// The same, always.
fn sharp(scene: &mut Scene<'_>, day: Day, low: i64, high: i64) -> Timestamp {
    let (hour, minute) = (scene.rng.between(low, high), scene.rng.between(0, 59));
    day.clock(hour, minute)
}

pub(super) fn fast(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let country = scene.country();
    let mut target = scene.target(country);
    let day = scene.saturday();
    let start = past(scene, day, 0, 5);
    burst(scene, victim, &mut target, start)
}

/// Test calls, then 60 to 200 calls an hour for up to an hour.
fn burst(scene: &mut Scene<'_>, victim: usize, target: &mut Target, start: Timestamp) -> Vec<Call> {
    let mut calls = scene.tests(victim, target, start);
    let gap = Span::seconds(3_600 / scene.rng.between(60, 200));
    let most = scene.rng.between(40, 90);
    let most = usize::try_from(scene.more(most, 2, 8)).unwrap_or(40);
    let until = start.plus(Span::hours(scene.more(1, 2, 8)));
    let run = Run { start, until, most, gap, talk: minutes(1, 9), answered: 870 };
    calls.extend(scene.run(&[victim], target, run));
    calls
}

pub(super) fn slow_drip(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let country = scene.country();
    let mut target = scene.target(country);
    let start = past(scene, scene.day, 18, 21);
    let gap = scene.rng.span(Span::minutes(15), Span::minutes(40));
    let hours = scene.rng.between(10, 14);
    let until = start.plus(Span::hours(scene.more(hours, 2, 6)));
    let most = usize::try_from(scene.more(40, 2, 6)).unwrap_or(40);
    scene.run(&[victim], &mut target, Run { start, until, most, gap, talk: minutes(4, 20), answered: 870 })
}

pub(super) fn long_held(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let country = scene.country();
    let mut target = scene.target(country);
    let start = past(scene, scene.day, 19, 22);
    let most = scene.rng.between(3, 8);
    let most = usize::try_from(scene.more(most, 1, 4)).unwrap_or(3);
    let (until, gap) =
        (start.plus(Span::hours(scene.more(3, 1, 4))), Span::minutes(scene.rng.between(2, 12)));
    scene.run(&[victim], &mut target, Run { start, until, most, gap, talk: minutes(60, 240), answered: 950 })
}

pub(super) fn distributed(scene: &mut Scene<'_>) -> Vec<Call> {
    let count = (scene.site.handsets.len() / 2).clamp(4, 16);
    let victims: Vec<_> = (0..count).map(|_| scene.victim(&ANY)).collect();
    let country = scene.country();
    let mut target = scene.target(country);
    let start = past(scene, scene.day, 19, 22);
    let most = count + scene.rng.below(count);
    let most = if scene.is_diverse { count * (2 + scene.rng.below(9)) } else { most };
    let gap = Span::minutes(scene.rng.between(3, 8));
    let until = start.plus(Span::hours(scene.more(4, 1, 5)));
    if scene.is_diverse && scene.rng.chance(600) {
        return in_turn(scene, &victims, &mut target, start, until);
    }
    scene.run(&victims, &mut target, Run { start, until, most, gap, talk: minutes(5, 25), answered: 870 })
}

/// Each handset in turn places a few calls, then the next one does.
fn in_turn(
    scene: &mut Scene<'_>,
    victims: &[usize],
    target: &mut Target,
    start: Timestamp,
    until: Timestamp,
) -> Vec<Call> {
    let (mut at, mut calls) = (start, Vec::new());
    for victim in victims {
        let most = usize::try_from(scene.rng.between(2, 6)).unwrap_or(2);
        let gap = Span::seconds(scene.rng.between(25, 200));
        let run = Run { start: at, until, most, gap, talk: minutes(5, 25), answered: 870 };
        calls.extend(scene.run(&[*victim], target, run));
        at = at.plus(scene.seconds(200, 1_500));
    }
    calls
}

pub(super) fn premium(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let mut at = past(scene, scene.day, 18, 22);
    let gap = Span::seconds(3_600 / scene.rng.between(10, 40));
    let shops: Vec<_> = (0..4).map(|_| numbers::premium(&mut scene.rng)).collect();
    let most = scene.rng.between(20, 50);
    (0..scene.more(most, 1, 4))
        .map(|_| {
            let number = scene.rng.pick(&shops.iter().collect::<Vec<_>>()).clone();
            let (setup, ending) = scene.luck(950, minutes(1, 8));
            let call = scene.call(at, victim, number, PREMIUM_RATE, setup, ending);
            at = at.plus(Span(gap.0 / 2)).plus(scene.rng.wait(Span(gap.0 / 2)));
            call
        })
        .collect()
}

pub(super) fn range_hunt(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let country = scene.country();
    let mut target = scene.target(country);
    let mut at = past(scene, scene.day, 19, 23);
    let gap = Span::seconds(scene.rng.between(25, 110));
    (0..scene.rng.between(30, 70))
        .map(|_| {
            let number = format!("00{}", target.fresh(&mut scene.rng));
            let (setup, ending) = scene.luck(250, (Span::seconds(2), Span::seconds(15)));
            let call = scene.call(at, victim, number, country.rate, setup, ending);
            at = at.plus(scene.rng.wait(gap)).plus(Span::seconds(4));
            call
        })
        .collect()
}

/// `*21*` to a number abroad; then the number is called from outside, as often as the lines allow.
/// Only an on-site PBX shows the forwarded calls to the mirror port.
pub(super) fn forwarding(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let country = scene.country();
    let mut target = scene.target(country);
    let day = scene.saturday();
    let start = past(scene, day, 0, 4);
    let number = format!("00{}", target.fresh(&mut scene.rng));
    let code = Ending::Answered(Span::seconds(3));
    let mut calls = vec![scene.call(start, victim, format!("*21*{number}#"), 0, Span::SECOND, code)];
    if scene.site.pbx == Pbx::Cloud {
        return calls;
    }
    let mut at = start.plus(scene.seconds(120, 1_500));
    for _ in 0..scene.rng.between(30, 60) {
        let caller = home_number(&mut scene.rng);
        let (setup, ending) = scene.luck(900, minutes(10, 120));
        let mut call = scene.call(at, victim, caller, country.rate, setup, ending);
        call.way = Way::Forwarded(number.clone());
        calls.push(call);
        at = at.plus(scene.seconds(3, 60));
    }
    calls
}

pub(super) fn redirecting(scene: &mut Scene<'_>) -> Vec<Call> {
    let country = scene.country();
    let mut target = scene.target(country);
    let number = target.fresh(&mut scene.rng);
    let ending = Ending::Redirected(format!("00{number}"));
    inward(scene, country.rate, ending, 20, 45)
}

pub(super) fn transferring(scene: &mut Scene<'_>) -> Vec<Call> {
    let number = numbers::premium(&mut scene.rng);
    let ending = Ending::Transferred(Span::seconds(9), number);
    inward(scene, PREMIUM_RATE, ending, 10, 25)
}

/// Calls from outside that all end the same way.
fn inward(scene: &mut Scene<'_>, rate: u32, ending: Ending, low: i64, high: i64) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let mut at = past(scene, scene.day, 19, 22);
    (0..scene.rng.between(low, high))
        .map(|_| {
            let caller = home_number(&mut scene.rng);
            let mut call = scene.call(at, victim, caller, rate, Span::SECOND, ending.clone());
            call.way = Way::In;
            at = at.plus(scene.seconds(20, 240));
            call
        })
        .collect()
}

pub(super) fn camouflage(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let country = numbers::of_tier(numbers::Tier::Medium, &mut scene.rng);
    let mut target = scene.target(country);
    let gap = Span::minutes(scene.rng.between(10, 30));
    let mut calls = Vec::new();
    for offset in 0..6 {
        let day = scene.day.plus(offset);
        if day.is_weekend() {
            continue;
        }
        let (start, until) = (sharp(scene, day, 9, 10), day.clock(17, 0));
        let run = Run { start, until, most: 20, gap, talk: minutes(1, 14), answered: 800 };
        calls.extend(scene.run(&[victim], &mut target, run));
    }
    calls
}

pub(super) fn ultra_slow(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let country = scene.country();
    let mut target = scene.target(country);
    let start = past(scene, scene.day, 9, 20);
    let gap = scene.rng.span(Span::minutes(110), Span::minutes(390));
    let until = start.plus(Span::days(scene.more(5, 1, 3)));
    let most = usize::try_from(scene.more(40, 1, 3)).unwrap_or(40);
    scene.run(&[victim], &mut target, Run { start, until, most, gap, talk: minutes(4, 25), answered: 870 })
}

/// Missed calls from a block abroad ring many handsets; some people call back. Only the
/// call-backs cost money, so only they are marked.
pub(super) fn wangiri(scene: &mut Scene<'_>) -> Vec<Call> {
    let country = scene.country();
    let mut target = scene.target(country);
    let day = if scene.day.is_weekend() { scene.day.next(0) } else { scene.day };
    let start = sharp(scene, day, 9, 13);
    let mut calls = Vec::new();
    for handset in 0..scene.site.handsets.len() {
        if scene.site.handsets[handset].role == Role::Spare {
            continue;
        }
        let number = target.fresh(&mut scene.rng);
        let at = start.plus(scene.seconds(0, 1_200));
        let ring = Span(scene.rng.between(900_000, 3_000_000));
        let missed = Call::out(at, handset, format!("+{number}"), ring, Ending::Cancelled);
        calls.push(Call { way: Way::In, may_overlap: true, ..missed });
        // Somebody always falls for it.
        let is_first = !calls.iter().any(|call: &Call| call.mark.is_some());
        if scene.rng.chance(500) || is_first {
            let back = at.plus(scene.seconds(60, 5_400));
            let (setup, ending) = scene.luck(900, minutes(1, 6));
            let mut again = back.plus(setup).plus(ending.talk());
            calls.push(scene.call(back, handset, format!("00{number}"), country.rate, setup, ending));
            let stubborn =
                if scene.is_diverse && scene.rng.chance(350) { scene.rng.between(1, 4) } else { 0 };
            for _ in 0..stubborn {
                again = again.plus(scene.seconds(8, 240));
                let (setup, ending) = scene.luck(900, minutes(1, 6));
                let end = again.plus(setup).plus(ending.talk());
                calls.push(scene.call(again, handset, format!("00{number}"), country.rate, setup, ending));
                again = end;
            }
        }
    }
    calls
}

pub(super) fn executive(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&[Role::Executive, Role::Sales, Role::Desk, Role::Agent]);
    let country = scene.country();
    let mut target = scene.target(country);
    let day = if scene.day.is_weekend() { scene.day.next(0) } else { scene.day };
    let start = sharp(scene, day, 11, 14);
    let gap = Span::seconds(3_600 / scene.rng.between(20, 45));
    let until = start.plus(Span::hours(scene.more(3, 1, 3)));
    let most = usize::try_from(scene.more(60, 1, 4)).unwrap_or(60);
    scene.run(&[victim], &mut target, Run { start, until, most, gap, talk: minutes(1, 8), answered: 870 })
}

pub(super) fn dormant(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&[Role::Spare, Role::MeetingRoom, Role::Desk]);
    let country = scene.country();
    let mut target = scene.target(country);
    let start = past(scene, scene.day, 16, 22);
    let gap = Span::minutes(scene.rng.between(3, 12));
    let until = start.plus(Span::hours(scene.more(6, 1, 5)));
    let most = usize::try_from(scene.more(40, 1, 5)).unwrap_or(40);
    scene.run(&[victim], &mut target, Run { start, until, most, gap, talk: minutes(2, 15), answered: 870 })
}

/// Stems that attackers try in front of a number (honeypot logs).
const STEMS: [&str; 12] = ["9011", "011", "9", "90", "900", "9000", "000", "0011", "810", "+", "0", "00"];

pub(super) fn probing(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let country = scene.country();
    let mut target = scene.target(country);
    let tail = target.fresh(&mut scene.rng);
    let mut at = past(scene, scene.day, 20, 23);
    let mut calls = Vec::new();
    for stem in STEMS {
        let is_right = stem == "00";
        let number = format!("{stem}{tail}");
        let short = (Span::seconds(5), Span::seconds(12));
        let (setup, ending) =
            if is_right { scene.luck(1_000, short) } else { (scene.seconds(1, 2), Ending::Failed(404)) };
        calls.push(scene.call(at, victim, number, country.rate, setup, ending));
        at = at.plus(scene.seconds(4, 30));
    }
    let start = at.plus(scene.seconds(300, 2_400));
    let until = start.plus(Span::hours(scene.more(1, 1, 6)));
    let most = usize::try_from(scene.more(40, 1, 6)).unwrap_or(40);
    let run = Run { start, until, most, gap: Span::seconds(50), talk: minutes(1, 9), answered: 870 };
    calls.extend(scene.run(&[victim], &mut target, run));
    calls
}

pub(super) fn flood(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let day = scene.saturday();
    let mut at = past(scene, day, 0, 12);
    let gap = Span::seconds(3_600 / scene.rng.between(100, 240));
    let most = scene.rng.between(110, 140);
    (0..scene.more(most, 2, 6))
        .map(|_| {
            let number = numbers::mobile(&mut scene.rng);
            let (setup, ending) = scene.luck(700, (Span::seconds(10), Span::seconds(90)));
            let call = scene.call(at, victim, number, MOBILE_RATE, setup, ending);
            at = at.plus(Span::SECOND).plus(scene.rng.wait(gap));
            call
        })
        .collect()
}

pub(super) fn satellite(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let mut target = Target::in_block(&SATELLITE, &mut scene.rng);
    let start = past(scene, scene.day, 20, 23);
    let until = start.plus(Span::hours(scene.more(6, 1, 4)));
    let most = usize::try_from(scene.more(6, 1, 5)).unwrap_or(6);
    let run = Run { start, until, most, gap: Span::minutes(25), talk: minutes(10, 45), answered: 950 };
    scene.run(&[victim], &mut target, run)
}

pub(super) fn repeat(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let country = scene.country();
    let mut target = scene.target(country);
    let day = scene.saturday();
    let first = past(scene, day, 0, 5);
    let mut calls = burst(scene, victim, &mut target, first);
    let second = past(scene, day.plus(21), 0, 5);
    calls.extend(burst(scene, victim, &mut target, second));
    calls
}

/// Whoever counts Call-IDs sees one call.
pub(super) fn callid_reuse(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&ANY);
    let country = scene.country();
    let mut target = scene.target(country);
    let id = scene.rng.hex(16);
    let mut at = past(scene, scene.day, 20, 22);
    (0..scene.rng.between(12, 24))
        .map(|_| {
            let number = format!("00{}", target.fresh(&mut scene.rng));
            let (setup, ending) = scene.luck(1_000, (Span::seconds(40), Span::seconds(200)));
            let mut call = scene.call(at, victim, number, country.rate, setup, ending);
            call.shared_id = Some(id.clone());
            at = call.end().plus(scene.seconds(3, 12));
            call
        })
        .collect()
}

pub(super) fn demo(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.site.handsets.iter().position(|h| h.role == Role::Reception).unwrap_or(0);
    let day = scene.saturday();
    let latvia = country("LV");
    let mut target = Target::in_block(latvia, &mut scene.rng);
    let mut calls = Vec::new();
    for minute in [10, 16] {
        let number = format!("00{}", target.fresh(&mut scene.rng));
        let short = Ending::Answered(scene.seconds(6, 12));
        calls.push(scene.call(day.clock(1, minute), victim, number, latvia.rate, Span::seconds(4), short));
    }
    let start = day.clock(2, 14);
    let until = start.plus(Span::HOUR);
    let run = Run { start, until, most: 44, gap: Span::seconds(45), talk: minutes(1, 9), answered: 870 };
    calls.extend(scene.run(&[victim], &mut target, run));
    let mut cuba = Target::in_block(country("CU"), &mut scene.rng);
    let (start, until) = (day.clock(3, 20), day.clock(4, 0));
    let run = Run { start, until, most: 16, gap: Span::seconds(60), talk: minutes(1, 9), answered: 870 };
    calls.extend(scene.run(&[victim], &mut cuba, run));
    calls
}
