//! OpenSIPS' fraud_detection with its tutorial's thresholds, to see how busy the made-up office is.

use std::collections::BTreeMap;

use super::office::{DAY, HOUR, MIN, World};
use super::play::Played;

#[derive(Default)]
struct Stats {
    rule: i64,
    minute: Vec<f64>,
    total: u32,
    up: Vec<f64>,
    last: String,
    sequential: u32,
}

/// False warnings and criticals after the fourth week, one a handset in 12 h.
pub fn opensips(world: &World, played: &Played) -> (usize, usize) {
    let mut stats: BTreeMap<(usize, String), Stats> = BTreeMap::new();
    let mut told = [vec![-DAY; world.handsets], vec![-DAY; world.handsets]];
    let mut false_alarms = [0; 2];
    for call in &played.calls {
        if call.inbound || (call.to.starts_with("+44") && !call.to.starts_with("+449")) {
            continue;
        }
        let (day, hour) = ((call.at / DAY) as i64, (call.at % DAY) / HOUR);
        let (slot, limits) = match (day % 7 >= 5, hour) {
            (true, _) => (3, [[3, 24, 3, 12], [5, 40, 4, 30]]),
            (_, h) if (9.0..17.0).contains(&h) => (0, [[3, 16, 3, 6], [5, 35, 5, 20]]),
            (_, h) if (17.0..22.0).contains(&h) => (1, [[3, 21, 3, 8], [5, 35, 5, 26]]),
            _ => (2, [[3, 10, 3, 5], [4, 20, 4, 15]]),
        };
        let entry = stats.entry((call.handset, call.to[..4].to_owned())).or_default();
        if entry.rule != day * 4 + slot {
            *entry = Stats { rule: day * 4 + slot, ..Stats::default() };
        }
        entry.minute.retain(|at| call.at - at < MIN);
        entry.minute.push(call.at);
        entry.up.retain(|end| *end > call.at);
        entry.up.push(call.end());
        entry.total += 1;
        entry.sequential = if entry.last == call.to { entry.sequential + 1 } else { 1 };
        entry.last.clone_from(&call.to);
        let counts = [entry.minute.len() as u32, entry.total, entry.up.len() as u32, entry.sequential];
        if call.episode.is_some() {
            continue;
        }
        for level in 0..2 {
            if counts.iter().zip(limits[level]).any(|(n, limit)| *n >= limit)
                && call.at - told[level][call.handset] > DAY / 2.0
            {
                if call.at > 28.0 * DAY {
                    false_alarms[level] += 1;
                }
                told[level][call.handset] = call.at;
            }
        }
    }
    (false_alarms[0], false_alarms[1])
}
