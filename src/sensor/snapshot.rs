//! What a sensor knows, as plain data that can be kept over a restart.
//!
//! In: a sensor. Out: `Snapshot`, and a sensor that knows the same handsets under the same ids.
//! Never: trusts a snapshot: what doesn't fit or contradicts itself is left out.

use serde::{Deserialize, Serialize};

use super::Sensor;
use crate::dial::OutsideLine;
use crate::{handsets, ledger};

/// What a sensor knows: handsets and accounts, what bears on their security, who the registrars are, learned extensions, the
/// outside line, counts. Opaque: keep it, give it back. It holds the keys of two hashes, so it is as
/// secret as the state file.
///
/// Calls in flight aren't part of it: whether they were still up after the restart, with what was
/// missed in between, nobody could say; their ends would be guesses. A re-INVITE
/// of a call that goes on makes it known again. Half-read packets and streams aren't either, nor is
/// the coverage: it says what this run could see.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    handsets: handsets::Snapshot,
    registrations: handsets::Waiting,
    extensions: Vec<(usize, u64)>,
    outside: Option<OutsideLine>,
    ledger: ledger::Snapshot,
    last_call: u64,
    invites: u64,
    attempts: u64,
    answered: u64,
    watch: super::watch::Memory,
}

impl Sensor {
    /// What it knows now.
    pub fn snapshot(&self) -> Snapshot {
        let core = &self.core;
        Snapshot {
            handsets: core.handsets.snapshot(),
            registrations: core.registrations.snapshot(),
            extensions: core.dial.learned_extensions(),
            outside: core.outside.clone(),
            ledger: core.ledger.snapshot(),
            last_call: core.calls.last_no().0,
            invites: core.invites,
            attempts: core.attempts,
            answered: core.answered,
            watch: core.watch.memory(),
        }
    }

    /// Takes back what it knew, into a sensor and a ledger that have seen nothing. Settings stay as
    /// they are: an outside line that has been configured since needs no guess any more.
    pub fn restore(&mut self, snapshot: Snapshot) {
        let core = &mut self.core;
        core.handsets.restore(snapshot.handsets);
        core.registrations.restore(snapshot.registrations);
        core.dial.restore_learned(snapshot.extensions);
        if let Some(outside) = &mut core.outside {
            *outside = snapshot.outside.unwrap_or_default();
            core.coverage.outside_line = outside.suggestion();
        }
        core.ledger.restore(snapshot.ledger);
        core.calls.go_on_from(crate::calls::CallNo(snapshot.last_call));
        core.invites = snapshot.invites;
        core.attempts = snapshot.attempts;
        core.answered = snapshot.answered;
        core.watch.recall(snapshot.watch);
        self.set_due();
    }
}
