//! More of what looks odd and is honest: what worlds have and short scenarios don't.
//!
//! In: the office, a day. Out: calls.
//! Never: fraud.

use super::calendar::Day;
use super::call::{Call, Ending, Way};
use super::happening::{anyone, office_hour, seconds, seller};
use super::numbers::{self, dialled_abroad};
use super::ordinary::{attempt, talk};
use super::rng::Rng;
use super::site::{Role, Site};
use super::variety::{honest_country, neighbour};
use crate::time::{Span, Timestamp};

/// Calls one after another to a number, until one is answered or patience ends.
fn insist(who: usize, to: &str, mut at: Timestamp, patience: i64, rng: &mut Rng) -> Vec<Call> {
    let mut calls = Vec::new();
    for _ in 0..patience {
        let call = attempt(at, who, dialled_abroad(to, rng), rng);
        at = call.end().plus(seconds(15, 400, rng));
        let is_answered = matches!(call.ending, Ending::Answered(_));
        calls.push(call);
        if is_answered && rng.chance(700) {
            break;
        }
    }
    calls
}

/// Somebody who never calls abroad does, once: a supplier, a parcel, a hotel.
pub(super) fn desk_abroad(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let who = anyone(site, rng);
    let first = honest_country(rng).number(rng);
    let mut calls = insist(who, &first, office_hour(day, rng), 4, rng);
    // Passed on to a colleague of theirs.
    if rng.chance(350) {
        let second = neighbour(&first, rng);
        calls.extend(insist(who, &second, office_hour(day, rng), 2, rng));
    }
    calls
}

/// Somebody calls from abroad and is called back: at once after a missed call, or later.
pub(super) fn call_back(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let number = honest_country(rng).number(rng);
    let (first, at) = (anyone(site, rng), office_hour(day, rng));
    let mut calls = Vec::new();
    let rings = if rng.chance(500) { 1 } else { rng.between(2, 4) };
    for ring in 0..rings {
        let who = (first + usize::try_from(ring).unwrap_or(0)) % site.handsets.len();
        let at = at.plus(Span::seconds(ring * rng.between(20, 90)));
        let missed = Call::out(at, who, format!("+{number}"), seconds(2, 30, rng), Ending::Cancelled);
        calls.push(Call { way: Way::In, may_overlap: true, ..missed });
    }
    let who = if rng.chance(800) { first } else { anyone(site, rng) };
    calls.extend(insist(who, &number, at.plus(seconds(120, 5_400, rng)), 3, rng));
    calls
}

/// Cleaners or a guard call home: always the same country, late, from a phone in a corridor.
pub(super) fn night_staff(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let who = anyone(site, rng);
    // The same families all through: a number that follows from the office.
    let families = ["4822", "40721", "9198", "351912", "48601"];
    let stem = families[site.handsets.len() % families.len()];
    let open = 11_usize.saturating_sub(stem.len());
    let serial = format!("{:09}", site.handsets.len() * 7_919_131 % 1_000_000_000);
    let number = format!("{stem}{}", &serial[..open.min(9)]);
    let at = day.clock(rng.between(19, 22), rng.between(0, 59));
    let ending = Ending::Answered(seconds(240, 2_400, rng));
    vec![Call::out(at, who, dialled_abroad(&number, rng), seconds(4, 20, rng), ending)]
}

/// Somebody is in on a Saturday and calls a customer abroad a few times.
pub(super) fn saturday_worker(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let who = seller(site, rng);
    let known = &site.handsets[who].abroad;
    let number = if known.is_empty() || rng.chance(250) {
        honest_country(rng).number(rng)
    } else {
        known[rng.below(known.len())].0.clone()
    };
    let at = day.clock(rng.between(9, 17), rng.between(0, 59));
    let calls = rng.between(1, 4);
    insist(who, &number, at, calls, rng)
}

/// The office is shut, but a small team is in and calls the customers that have no holiday.
pub(super) fn holiday_team(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let mut calls = Vec::new();
    for _ in 0..rng.between(1, 3) {
        let who = seller(site, rng);
        for _ in 0..rng.between(2, 7) {
            let known = &site.handsets[who].abroad;
            let number = if known.is_empty() || rng.chance(300) {
                honest_country(rng).number(rng)
            } else {
                known[rng.below(known.len())].0.clone()
            };
            let at = day.clock(rng.between(9, 16), rng.between(0, 59));
            calls.push(attempt(at, who, dialled_abroad(&number, rng), rng));
        }
    }
    calls
}

/// A partner on the other side of the world is called before breakfast or late in the evening.
pub(super) fn far_partner(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let executives = site.of_role(Role::Executive);
    let who = if executives.is_empty() { seller(site, rng) } else { rng.pick(&executives) };
    let (region, hour) = rng.pick(&[("AU", 7), ("JP", 7), ("SG", 7), ("US", 19), ("US", 21), ("CA", 20)]);
    let number = numbers::country(region).number(rng);
    let at = day.clock(hour, rng.between(0, 50));
    let calls = rng.between(1, 3);
    insist(who, &number, at, calls, rng)
}

/// A long call abroad: support, a board meeting, a lecture.
pub(super) fn long_talk(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let who = anyone(site, rng);
    let number = honest_country(rng).number(rng);
    let at = day.clock(rng.between(9, 15), rng.between(0, 59));
    let ending = Ending::Answered(seconds(3_000, 10_000, rng));
    let mut calls = vec![Call::out(at, who, dialled_abroad(&number, rng), seconds(4, 20, rng), ending)];
    if rng.chance(300) {
        let again = calls[0].end().plus(seconds(10, 90, rng));
        let ending = Ending::Answered(talk(rng));
        calls.push(Call::out(again, who, dialled_abroad(&number, rng), seconds(4, 20, rng), ending));
    }
    calls
}

/// Several people vote, or one does many times.
pub(super) fn voting(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let (number, fan) = (numbers::premium(rng), anyone(site, rng));
    let mut at = day.clock(rng.between(12, 17), rng.between(0, 50));
    let mut calls = Vec::new();
    for _ in 0..rng.between(1, 6) {
        let who = if rng.chance(500) { fan } else { anyone(site, rng) };
        let call =
            Call::out(at, who, number.clone(), seconds(2, 6, rng), Ending::Answered(seconds(12, 50, rng)));
        at = call.end().plus(seconds(8, 600, rng));
        calls.push(call);
    }
    calls
}

/// Somebody dials a number abroad wrongly in the ways in which people do, then rightly.
pub(super) fn misdialling(site: &Site, day: Day, rng: &mut Rng) -> Vec<Call> {
    let (who, mut at) = (anyone(site, rng), office_hour(day, rng));
    let wanted = honest_country(rng).number(rng);
    let (head, tail) = wanted.split_at(2);
    let mut calls = Vec::new();
    for _ in 0..rng.between(1, 4) {
        let dialled = match rng.between(0, 3) {
            // The trunk 0 left in, the country code wrong, a digit too few, a digit too many.
            0 => format!("00{head}0{tail}"),
            1 => format!("00{}{tail}", numbers::fill("nx", rng)),
            2 => format!("00{}", &wanted[..wanted.len() - 1]),
            _ => format!("00{wanted}{}", rng.between(0, 9)),
        };
        let call = Call::out(at, who, dialled, seconds(2, 5, rng), Ending::Failed(404));
        at = call.end().plus(seconds(12, 90, rng));
        calls.push(call);
    }
    calls.push(Call::out(at, who, format!("00{wanted}"), Span::seconds(7), Ending::Answered(talk(rng))));
    calls
}
