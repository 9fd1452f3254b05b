//! What is known of the handsets' security, as plain data that can be kept over a restart.
//!
//! In: the checklist's state. Out: `Memory`, and the state again: what was found stays found and is
//! not told anew. Never: keeps a secret; it never had one.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::scene::Watched;
use super::{Posture, board, watchers};
use crate::bounded::{Image, Keep as _};
use crate::handsets::Who;
use crate::time::Timestamp;

/// What was known before a restart. Opaque: keep it, give it back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    watched: Watched,
    watchers: watchers::Memory,
    board: board::Memory,
    people: Image<IpAddr, Who>,
    round: Option<Timestamp>,
}

impl Posture {
    /// What it knows.
    pub fn memory(&self) -> Memory {
        Memory {
            watched: self.watched,
            watchers: self.watchers.kept(),
            board: self.board.kept(),
            people: self.people.kept(),
            round: self.round,
        }
    }

    /// Takes back what it knew. Settings stay as they are.
    pub fn recall(&mut self, memory: Memory) {
        self.watched = memory.watched;
        self.watchers.recall(memory.watchers);
        self.board.recall(memory.board);
        self.people.recall(memory.people);
        self.round = memory.round;
    }
}
