//! TransNexus ClearIP (documentation: types of fraud, fraud rates, trigger calibration): sliding
//! sums of scores, where a call's score is its price a minute.
//!
//! In: calls. Out: alerts.
//! Never: blocks; alerts within its first week, which is report-only by its own advice.
//!
//! Triggers: one country in 5 min and in 60 min, all destinations in 60 min, calls to one number in
//! 15 min. The documentation's one example is a slow-pumping threshold of 4; the fast one is taken as
//! half of it. After the first week each trigger is calibrated as advised: above the highest sum that
//! any caller reached.

use std::collections::{BTreeMap, VecDeque};

use super::{Rival, Said, Stage, Step};
use crate::handsets::HandsetId;
use crate::time::{Span, Timestamp};

/// Window and least threshold: country fast, country slow, everything, one number.
const TRIGGERS: [(Span, f64); 4] =
    [(Span::minutes(5), 2.0), (Span::minutes(60), 4.0), (Span::minutes(60), 4.0), (Span::minutes(15), 20.0)];
const REPORT_ONLY: Span = Span::days(7);

#[derive(Debug, Default)]
struct Sum(VecDeque<(Timestamp, f64)>, f64);

impl Sum {
    fn add(&mut self, at: Timestamp, score: f64, window: Span) -> f64 {
        self.0.push_back((at, score));
        self.1 += score;
        while let Some((first, old)) = self.0.front().copied().filter(|(first, _)| at.since(*first) >= window)
        {
            debug_assert!(first <= at);
            self.1 -= old;
            self.0.pop_front();
        }
        self.1
    }
}

#[derive(Debug, Default)]
pub(super) struct ClearIp {
    since: Option<Timestamp>,
    highest: [f64; 4],
    sums: BTreeMap<(HandsetId, usize, u64), Sum>,
}

impl Rival for ClearIp {
    fn name(&self) -> &'static str {
        "clearip"
    }

    fn step(&mut self, step: &Step, say: &mut dyn FnMut(Said)) {
        if step.stage != Stage::Dialled {
            return;
        }
        let since = *self.since.get_or_insert(step.time);
        let learns = step.time.since(since) < REPORT_ONLY;
        let country = u64::from(step.prefix);
        let mut speaks = false;
        let keyed = [
            (country, step.per_minute),
            (country, step.per_minute),
            (0, step.per_minute),
            (step.number, 1.0),
        ];
        for (trigger, (key, score)) in keyed.into_iter().enumerate() {
            let (window, least) = TRIGGERS[trigger];
            let sum = self.sums.entry((step.handset, trigger, key)).or_default();
            let sum = sum.add(step.time, score, window);
            if learns {
                self.highest[trigger] = self.highest[trigger].max(sum);
            } else {
                speaks |= sum > self.highest[trigger].max(least);
            }
        }
        if speaks {
            say(step.said());
        }
    }
}
