//! What is usual, as plain data that can be kept over a restart.
//!
//! In: a baseline. Out: `Memory`, and a baseline again.
//! Never: trusts what it is given: what calls couldn't have led to is left out.

use serde::{Deserialize, Serialize};

use super::Baseline;
use super::lures::Lures;
use super::odds::{HandsetOdds, Learned};
use crate::handsets::HandsetId;
use crate::time::Timestamp;

/// The learned odds of the office and of its handsets.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    learned: Option<Learned>,
    handsets: Vec<(HandsetId, HandsetOdds)>,
    lures: Lures,
    since: Option<Timestamp>,
}

impl Baseline {
    /// What it has learnt.
    pub fn memory(&self) -> Memory {
        let known = self.handsets.iter().map(|(_, id, handset)| (*id, handset.odds.clone()));
        let waiting = self.waiting.iter().map(|(id, odds)| (*id, odds.clone()));
        Memory {
            learned: Some(self.learned.clone()),
            handsets: known.chain(waiting).collect(),
            lures: self.lures.clone(),
            since: self.since,
        }
    }

    /// Takes back what it had learnt; a handset's odds wait until it is seen again.
    pub fn recall(&mut self, memory: Memory) {
        let Some(learned) = memory.learned.filter(Learned::is_whole) else { return };
        self.learned = learned;
        self.lures = memory.lures.bounded();
        self.since = memory.since;
        let room = self.settings.strangers.saturating_add(self.settings.handsets);
        let whole = memory.handsets.into_iter().take(room).filter(|(_, odds)| odds.is_whole());
        self.waiting = whole.collect();
    }
}
