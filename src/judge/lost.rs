//! What a judge does when facts were lost on their way: it reads the ledger, which lost nothing.
//!
//! In: the ledger's open calls. Out: calls given up whose end was never told; ceilings looked at anew.
//! Never: takes a call for up that the sensor has closed.

use super::{GROUPS, Judge};
use crate::ledger::{Account, Key};
use crate::time::Timestamp;

impl Judge {
    /// Facts were lost. Calls whose end may have been among them cost no more from now on, and no
    /// handset is taken to be far from its ceilings. Answers with how many calls were given up. Best
    /// when no fact waits: the ledger is ahead of those.
    pub fn facts_lost(&mut self, now: Timestamp) -> usize {
        let ledger = &self.ledger;
        let open = |handset, group| {
            let row = Key { account: Account::Handset(handset), group };
            ledger.counts(row, now).open
        };
        let ended = self.baseline.ended_unseen(open, now);
        for (lane, slot, talking) in &ended {
            self.baseline.give_up(*lane, *slot);
            if *talking {
                self.talking_changed(*lane, *slot, true, false);
            }
        }
        self.ticks.retain(|(_, slot)| !ended.iter().any(|(_, gone, _)| gone == slot));
        self.baseline.forget_rooms();
        self.office_room = [0; GROUPS];
        ended.len()
    }
}
