//! Six incidents that newspapers described, as nearly as they did.
//!
//! In: a scene. Out: the incident's calls.
//! Never: a rate or a count that the report contradicts; what it leaves open is drawn.

use super::attack::{Run, Scene, Target};
use super::call::Call;
use super::numbers::country;
use super::site::Role;
use crate::time::Span;

const OFFICE: [Role; 3] = [Role::Desk, Role::Sales, Role::Reception];

/// 45 calls to one number in a night.
pub(super) fn a(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&OFFICE);
    let mut target = Target::one_number(country("GM"), &mut scene.rng);
    let start = scene.day.clock(20, 5);
    let run = Run {
        start,
        until: start.plus(Span::hours(23)),
        most: 45,
        gap: Span::minutes(14),
        talk: (Span::minutes(3), Span::minutes(14)),
        answered: 950,
    };
    scene.run(&[victim], &mut target, run)
}

/// 2,400 calls from Friday 17:30 to Monday 09:00.
pub(super) fn b(scene: &mut Scene<'_>) -> Vec<Call> {
    let victims = [scene.victim(&OFFICE), scene.victim(&OFFICE)];
    let cuba = country("CU");
    let mut target = scene.target(cuba);
    let start = scene.day.next(4).clock(17, 30);
    let run = Run {
        start,
        until: start.plus(Span::minutes(63 * 60 + 30)),
        most: 2_400,
        gap: Span::seconds(95),
        talk: (Span::SECOND, Span::minutes(5)),
        answered: 870,
    };
    scene.run(&victims, &mut target, run)
}

/// A call about every minute.
pub(super) fn c(scene: &mut Scene<'_>) -> Vec<Call> {
    let victim = scene.victim(&OFFICE);
    let guinea = country("GN");
    let mut target = scene.target(guinea);
    let start = scene.day.clock(22, 40);
    let run = Run {
        start,
        until: start.plus(Span::hours(8)),
        most: 480,
        gap: Span::MINUTE,
        talk: (Span::minutes(1), Span::minutes(9)),
        answered: 870,
    };
    scene.run(&[victim], &mut target, run)
}

/// Calls of about 120 minutes to one number, six an hour, for a day.
pub(super) fn d(scene: &mut Scene<'_>) -> Vec<Call> {
    let victims = [scene.victim(&OFFICE), scene.victim(&OFFICE)];
    let mut target = Target::one_number(country("TW"), &mut scene.rng);
    let start = scene.day.clock(18, 20);
    let run = Run {
        start,
        until: start.plus(Span::DAY),
        most: 144,
        gap: Span::minutes(10),
        talk: (Span::minutes(112), Span::minutes(125)),
        answered: 990,
    };
    scene.run(&victims, &mut target, run)
}

/// Three countries; hundreds of calls at once, 220 call-minutes a minute.
pub(super) fn e(scene: &mut Scene<'_>) -> Vec<Call> {
    let victims = [scene.victim(&OFFICE), scene.victim(&OFFICE), scene.victim(&OFFICE)];
    let start = scene.saturday().clock(1, 30);
    let mut calls = Vec::new();
    for region in ["GM", "SO", "MV"] {
        let mut target = scene.target(country(region));
        let run = Run {
            start: start.plus(scene.seconds(0, 300)),
            until: start.plus(Span::hours(40)),
            most: 1_000,
            gap: Span::seconds(100),
            talk: (Span::HOUR, Span::hours(3)),
            answered: 950,
        };
        calls.extend(scene.run(&victims, &mut target, run));
    }
    calls
}

/// Eight lines that are never free, for four days.
pub(super) fn f(scene: &mut Scene<'_>) -> Vec<Call> {
    let victims = [scene.victim(&OFFICE), scene.victim(&OFFICE), scene.victim(&OFFICE)];
    let mut target = Target::in_block(country("SO"), &mut scene.rng);
    let start = scene.day.clock(18, 45);
    let mut calls = Vec::new();
    for _ in 0..8 {
        let run = Run {
            start: start.plus(scene.seconds(0, 900)),
            until: start.plus(Span::days(4)),
            most: 160,
            gap: Span::minutes(50),
            talk: (Span::minutes(25), Span::minutes(70)),
            answered: 970,
        };
        calls.extend(scene.run(&victims, &mut target, run));
    }
    calls
}
