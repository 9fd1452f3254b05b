//! Made-up fraud at the level of calls.

use super::dice::Dice;
use super::office::{COUNTRIES, Call, DAY, HOUR, MIN, Office, Role, World, home, number, of_tier};

pub const SCHEMES: &[&str] = &[
    "irsf_fast",
    "slow_drip",
    "ultra_slow",
    "long_held",
    "distributed",
    "premium_dom",
    "wangiri",
    "exec_comp",
    "range_hunt",
    "forwarding",
    "camouflage",
    "dormant_use",
    "incident_a",
    "incident_b",
    "incident_c",
    "incident_d",
];

#[derive(Clone, Debug)]
pub struct Episode {
    pub scheme: &'static str,
    pub start: f64,
    pub calls: Vec<Call>,
    pub again: bool,
}

/// Where a fraud's numbers come from.
enum Range {
    Block(String),
    Scatter(usize),
}

impl Range {
    fn new(world: &World, tiers: &[u8], dice: &mut Dice) -> Self {
        let tiers: Vec<u8> = if world.low_risk { vec![0, 0, 1] } else { tiers.to_vec() };
        let country = of_tier(*dice.pick(&tiers), dice);
        if world.scatter {
            return Self::Scatter(country);
        }
        let whole = number(country, dice);
        Self::Block(whole[..whole.len() - 4].to_owned())
    }

    fn numbers(&self, n: usize, dice: &mut Dice) -> Vec<String> {
        (0..n)
            .map(|_| match self {
                Self::Block(block) => format!("{block}{}", dice.digits(4)),
                Self::Scatter(country) => number(*country, dice),
            })
            .collect()
    }
}

fn start_of(day: usize, dice: &mut Dice) -> f64 {
    let hour = if dice.chance(0.65) { dice.between(18.5, 30.0) } else { dice.between(9.0, 16.0) };
    day as f64 * DAY + hour * HOUR
}

fn costly(at: f64, i: usize, to: String, median: f64, dice: &mut Dice) -> Call {
    let talk = dice.chance(0.87).then(|| dice.about(median, 0.7));
    let mut call = Call::new(at, i, to, dice.between(3.0, 12.0), talk);
    call.alone = false;
    call
}

#[allow(clippy::too_many_arguments)]
fn stream(
    i: usize,
    start: f64,
    hours: f64,
    per_hour: f64,
    numbers: &[String],
    median: f64,
    most: usize,
    dice: &mut Dice,
) -> Vec<Call> {
    let mut at = start;
    let mut calls = Vec::new();
    while at < start + hours * HOUR && calls.len() < most {
        calls.push(costly(at, i, dice.pick(numbers).clone(), median, dice));
        at += dice.wait(HOUR / per_hour).max(2.0);
    }
    calls
}

pub fn plan(scheme: &'static str, world: &World, office: &Office, day: usize, dice: &mut Dice) -> Episode {
    let used = office.used();
    let any = *dice.pick(&used);
    let start = start_of(day, dice);
    let range = Range::new(world, &[0, 1, 1, 2, 2, 2], dice);
    let n = dice.whole(4, 40);
    let calls = match scheme {
        "irsf_fast" => {
            let ns = range.numbers(n, dice);
            let (h, r) = (dice.between(1.0, 6.0), dice.between(15.0, 90.0));
            stream(any, start, h, r, &ns, 240.0, 250, dice)
        }
        "slow_drip" => {
            let ns = range.numbers(n.min(12), dice);
            let (h, r) = (dice.between(14.0, 48.0), dice.between(1.0, 5.0));
            stream(any, start, h, r, &ns, 420.0, 200, dice)
        }
        "ultra_slow" => {
            let ns = range.numbers(n.min(10), dice);
            let (h, r) = (dice.between(60.0, 150.0), dice.between(0.15, 0.6));
            stream(any, start, h, r, &ns, 600.0, 100, dice)
        }
        "long_held" => {
            let ns = range.numbers(dice.whole(2, 6), dice);
            let (h, r) = (dice.between(2.0, 8.0), dice.between(2.0, 6.0));
            stream(any, start, h, r, &ns, 2.0 * HOUR, 60, dice)
        }
        "distributed" => {
            let ns = range.numbers(n, dice);
            let hours = dice.between(1.0, 6.0);
            let mut calls = Vec::new();
            for _ in 0..dice.whole(world.handsets.min(90) / 8, world.handsets.min(90) / 3) {
                let i = *dice.pick(&used);
                for _ in 0..dice.whole(1, 3) {
                    let at = start + dice.between(0.0, hours * HOUR);
                    calls.push(costly(at, i, dice.pick(&ns).clone(), 300.0, dice));
                }
            }
            calls
        }
        "premium_dom" => {
            let prefix = dice.pick(&["+449098", "+447077", "+449115"]).to_string();
            let ns: Vec<String> =
                (0..dice.whole(1, 4)).map(|_| format!("{prefix}{}", dice.digits(6))).collect();
            let ns: Vec<String> = ns.iter().map(|n| n[..13.min(n.len())].to_owned()).collect();
            let (h, r) = (dice.between(5.0, 20.0), dice.between(2.0, 10.0));
            stream(any, start, h, r, &ns, 300.0, 120, dice)
        }
        "wangiri" => {
            let ns = range.numbers(n.min(8), dice);
            let start = day as f64 * DAY + dice.between(9.0, 14.0) * HOUR;
            let mut calls = Vec::new();
            let rung = dice.whole(world.handsets.min(90) / 3, world.handsets.min(90) / 2).max(6);
            for _ in 0..rung {
                let (i, to) = (*dice.pick(&used), dice.pick(&ns).clone());
                let at = start + dice.between(0.0, 1.5 * HOUR);
                let mut ring = Call::new(at, i, to.clone(), dice.between(1.0, 3.5), None);
                (ring.inbound, ring.alone) = (true, false);
                calls.push(ring);
                if dice.chance(0.3) {
                    calls.push(costly(at + dice.between(60.0, 1.2 * HOUR), i, to, 150.0, dice));
                }
            }
            calls
        }
        "exec_comp" => {
            let execs = office.of_role(Role::Executive);
            let i = if execs.is_empty() { any } else { *dice.pick(&execs) };
            let ns = range.numbers(n, dice);
            let start = day as f64 * DAY + dice.between(8.5, 15.0) * HOUR;
            let (h, r) = (dice.between(1.0, 5.0), dice.between(6.0, 25.0));
            stream(i, start, h, r, &ns, 200.0, 150, dice)
        }
        "range_hunt" => {
            let mut at = start;
            (0..dice.whole(25, 70))
                .map(|_| {
                    let tier = *dice.pick(&[0u8, 1, 1, 2, 2, 2]);
                    let country = if world.low_risk { of_tier(0, dice) } else { of_tier(tier, dice) };
                    let talk = dice.chance(0.25).then(|| dice.between(2.0, 20.0));
                    let mut call = Call::new(at, any, number(country, dice), dice.between(1.0, 6.0), talk);
                    call.alone = false;
                    at += dice.wait(80.0).max(2.0);
                    call
                })
                .collect()
        }
        "forwarding" => {
            let ns = range.numbers(dice.whole(1, 3), dice);
            let (h, r) = (dice.between(2.0, 10.0), dice.between(10.0, 60.0));
            let mut calls = stream(any, start, h, r, &ns, 400.0, 200, dice);
            calls.iter_mut().for_each(|call| call.forwarded = true);
            calls
        }
        "camouflage" => {
            let ns = range.numbers(n.max(12), dice);
            let mut calls = Vec::new();
            for d in 0..dice.whole(5, 10) {
                for _ in 0..dice.poisson(10.0) {
                    let at = (day + d) as f64 * DAY + dice.between(8.5, 17.5) * HOUR;
                    if (day + d) % 7 < 5 {
                        calls.push(costly(at, any, dice.pick(&ns).clone(), 160.0, dice));
                    }
                }
            }
            calls
        }
        "dormant_use" => {
            let spare = office.of_role(Role::Spare);
            let i = if spare.is_empty() { any } else { *dice.pick(&spare) };
            let ns = range.numbers(n, dice);
            let (h, r) = (dice.between(3.0, 10.0), dice.between(4.0, 30.0));
            stream(i, start, h, r, &ns, 240.0, 200, dice)
        }
        "incident_a" => {
            let ns = vec![number(55, dice)];
            let night = (day as f64 + 0.8) * DAY;
            stream(any, night, 20.0, 2.3, &ns, 600.0, 45, dice)
        }
        "incident_b" => {
            let ns = (0..20).map(|_| number(50, dice)).collect::<Vec<_>>();
            stream(any, start, 20.0, 38.0, &ns, 120.0, 300, dice)
        }
        "incident_c" => {
            let ns = (0..10).map(|_| number(53, dice)).collect::<Vec<_>>();
            stream(any, start, 6.0, 60.0, &ns, 200.0, 300, dice)
        }
        "incident_d" => {
            let ns = vec![number(35, dice)];
            stream(any, start, 12.0, 6.0, &ns, 7_200.0, 144, dice)
        }
        _ => {
            let _ = home(dice);
            Vec::new()
        }
    };
    let mut calls = calls;
    calls.sort_by(|a, b| a.at.total_cmp(&b.at));
    let start = calls.iter().find(|c| !c.inbound).map_or(start, |c| c.at);
    let _ = (MIN, COUNTRIES.len());
    Episode { scheme, start, calls, again: false }
}

/// The same attack, three weeks later.
pub fn again(first: &Episode) -> Episode {
    let mut later = first.clone();
    later.again = true;
    later.start += 21.0 * DAY;
    later.calls.iter_mut().for_each(|call| call.at += 21.0 * DAY);
    later
}
