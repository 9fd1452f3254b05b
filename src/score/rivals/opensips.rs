//! OpenSIPS `fraud_detection` (modules/fraud_detection, commit 00f929c) with the thresholds of its
//! tutorial ("Tutorials-FraudDetection-2-3"), the only ones it publishes.
//!
//! In: steps of chargeable calls. Out: its warnings, or its critical events.
//! Never: keeps a count across local midnight or into another part of the day: the module zeroes
//! all of them whenever another rule matches.
//!
//! State is kept for each user and matched prefix; a prefix is a country here, or a sort of service
//! at home. High-risk countries have half of every threshold. Only chargeable calls are in the
//! profile. A call's duration is compared when it ends.

use std::collections::BTreeMap;

use super::{Rival, Said, Stage, Step, Window};
use crate::handsets::HandsetId;
use crate::time::{LocalTime, Span};

/// Calls a minute, seconds of a call, calls in all, at once, in a row to one number.
type Limits = [u32; 5];

/// Work, evening, night, weekend: warning and critical.
const TUTORIAL: [[Limits; 2]; 4] = [
    [[3, 7_200, 16, 3, 6], [5, 13_200, 35, 5, 20]],
    [[3, 9_600, 21, 3, 8], [5, 16_000, 35, 5, 26]],
    [[3, 4_800, 10, 3, 5], [4, 9_600, 20, 4, 15]],
    [[3, 11_400, 24, 3, 5], [5, 17_400, 40, 5, 12]],
];

#[derive(Debug, Default)]
struct Stats {
    /// Local day and part of the day that the counts belong to.
    rule: (i64, usize),
    minute: Window,
    total: u32,
    concurrent: u32,
    last: u64,
    sequential: u32,
}

#[derive(Debug)]
pub(super) struct OpenSips {
    name: &'static str,
    level: usize,
    stats: BTreeMap<(HandsetId, u32), Stats>,
}

impl OpenSips {
    pub(super) fn warning() -> Self {
        Self { name: "opensips_warning", level: 0, stats: BTreeMap::new() }
    }

    pub(super) fn critical() -> Self {
        Self { name: "opensips_critical", level: 1, stats: BTreeMap::new() }
    }

    fn limits(&self, part: usize, step: &Step) -> Limits {
        let limits = TUTORIAL[part][self.level];
        if step.high_risk { limits.map(|limit| limit.div_ceil(2)) } else { limits }
    }
}

/// Mon-Fri 09-17, evening until 22, night, weekend.
const fn part(local: LocalTime) -> usize {
    match (local.weekday, local.minute / 60) {
        (5.., _) => 3,
        (_, 9..=16) => 0,
        (_, 17..=21) => 1,
        _ => 2,
    }
}

impl Rival for OpenSips {
    fn name(&self) -> &'static str {
        self.name
    }

    fn step(&mut self, step: &Step, say: &mut dyn FnMut(Said)) {
        if !step.chargeable {
            return;
        }
        let part = part(step.local);
        let [per_minute, duration, total, concurrent, sequential] = self.limits(part, step);
        let stats = self.stats.entry((step.handset, step.prefix)).or_default();
        match step.stage {
            Stage::Dialled => {
                if stats.rule != (step.local.day, part) {
                    *stats = Stats { rule: (step.local.day, part), ..Stats::default() };
                }
                let in_minute = stats.minute.add(step.time, Span::MINUTE);
                stats.total += 1;
                stats.concurrent += 1;
                stats.sequential = if stats.last == step.number { stats.sequential + 1 } else { 1 };
                stats.last = step.number;
                if in_minute >= per_minute as usize
                    || stats.total >= total
                    || stats.concurrent >= concurrent
                    || stats.sequential >= sequential
                {
                    say(step.said());
                }
            }
            Stage::Answered => {}
            Stage::Over(talked) => {
                stats.concurrent = stats.concurrent.saturating_sub(1);
                if talked >= Span::seconds(i64::from(duration)) {
                    say(step.said());
                }
            }
        }
    }
}
