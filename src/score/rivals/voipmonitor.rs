//! VoIPmonitor's sequential-call alert (sniffer, fraud.cpp type 27) with the numbers of its
//! documentation's example: 100 connected calls of one address to one number in 600 seconds.
//!
//! In: answers. Out: alerts, when a window has closed.
//! Never: judges a window before its end: that is how the sniffer does it.
//!
//! The sniffer ships no thresholds at all. Its concurrency alert (type 21) has none in its
//! documentation either, so it takes OpenSIPS' critical one here: 5 connected calls abroad.

use std::collections::{BTreeMap, BTreeSet};

use super::{Rival, Said, Stage, Step};
use crate::handsets::HandsetId;
use crate::time::{Span, Timestamp};

const INTERVAL: Span = Span::seconds(600);
const CALLS: u32 = 100;
const CONCURRENT: usize = 5;

#[derive(Debug, Default)]
pub(super) struct VoipMonitor {
    since: Timestamp,
    counts: BTreeMap<(HandsetId, u64), (u32, u64)>,
    talking: BTreeMap<HandsetId, BTreeSet<u64>>,
    told: BTreeMap<HandsetId, Timestamp>,
}

impl Rival for VoipMonitor {
    fn name(&self) -> &'static str {
        "voipmonitor"
    }

    fn step(&mut self, step: &Step, say: &mut dyn FnMut(Said)) {
        if step.time.since(self.since) >= INTERVAL {
            for ((handset, _), (calls, id)) in std::mem::take(&mut self.counts) {
                if calls >= CALLS {
                    say(Said { time: step.time, handset, id });
                }
            }
            self.since = step.time;
        }
        match step.stage {
            Stage::Dialled => {}
            Stage::Answered => {
                let count = self.counts.entry((step.handset, step.number)).or_default();
                *count = (count.0 + 1, step.id);
                if !step.international {
                    return;
                }
                let talking = self.talking.entry(step.handset).or_default();
                talking.insert(step.no);
                let told = self.told.get(&step.handset).copied().unwrap_or_default();
                // Once a second at the most.
                if talking.len() >= CONCURRENT && step.time.since(told) >= Span::SECOND {
                    self.told.insert(step.handset, step.time);
                    say(step.said());
                }
            }
            Stage::Over(_) => {
                if let Some(talking) = self.talking.get_mut(&step.handset) {
                    talking.remove(&step.no);
                }
            }
        }
    }
}
