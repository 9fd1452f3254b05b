//! What a judge knows, as plain data that can be kept over a restart.
//!
//! In: a judge. Out: `Snapshot`, and a judge again.
//! Never: trusts what it is given: a broken snapshot gives a judge that knows less.

use serde::{Deserialize, Serialize};

use super::Judge;
use crate::baseline::memory::Memory;
use crate::posture;

/// What a judge knows of what is usual, and the number of its next incident. Opaque: keep it, give it
/// back. Open incidents are not in it yet: one that goes on after a restart is raised anew.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    memory: Memory,
    next_id: u64,
    posture: posture::Memory,
}

impl Judge {
    /// What it knows now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            memory: self.baseline.memory(),
            next_id: self.book.next_id(),
            posture: self.posture.memory(),
        }
    }

    /// Takes back what it knew. Settings, names and prices stay as they are.
    pub fn restore(&mut self, snapshot: Snapshot) {
        self.baseline.recall(snapshot.memory);
        self.book.number_from(snapshot.next_id);
        self.posture.recall(snapshot.posture);
    }
}
