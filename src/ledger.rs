//! Running counts for each handset, for the whole office, and for each group of destinations.
//!
//! In: attempts, answers and ends. Out: sliding windows of 1 min, 15 min, 1 h and 24 h, and open
//! calls. Never: blocks the writer for a reader.

use crate::dial::Group;
use crate::handsets::HandsetId;
use crate::labels;

/// Whose counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// All handsets together; a call with two legs counts once.
    Office,
    /// One handset or trunk.
    Handset(HandsetId),
}

/// A row of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Whose.
    pub account: Account,
    /// Where to.
    pub group: Group,
}

labels! {
    /// The sliding windows.
    pub enum Window {
        Minute = "1m", "60 seconds, in steps of 5.";
        Quarter = "15m", "15 minutes, in steps of 60 seconds.";
        Hour = "1h", "60 minutes, in steps of 5.";
        Day = "24h", "24 hours, in steps of one.";
    }
}

/// What a row says at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Attempts in each window, in the order of `Window`.
    pub attempts: [u32; 4],
    /// Calls that ring or talk now.
    pub open: u32,
    /// Attempts since the row was made.
    pub total: u64,
}

impl Counts {
    /// Attempts in one window.
    pub const fn in_window(&self, window: Window) -> u32 {
        self.attempts[window as usize]
    }
}
