//! What a judge knows, as plain data that can be kept over a restart.
//!
//! In: a judge. Out: `Snapshot`, and a judge that goes on as if nothing had happened.
//! Never: trusts a snapshot: what doesn't fit or contradicts itself is left out.

use serde::{Deserialize, Serialize};

use super::course::LONGEST;
use super::{GROUPS, Judge};
use crate::alert::book::Pages;
use crate::alert::chain::Links;
use crate::alert::{Key, Whom};
use crate::baseline::calls::{Lane, Progress};
use crate::baseline::memory::Memory;
use crate::bounded::{Image, Keep as _, SlotId};
use crate::detect::dossier::Dossier;
use crate::time::{Span, Timestamp};
use crate::{inventory, posture};

/// What a judge knows: what is usual, every open incident with its calls so far, what was accepted,
/// the steps of attacks, calls that are up, handsets and their security. Opaque: keep it, give it back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    memory: Memory,
    pages: Pages,
    dossiers: Vec<(Key, Dossier)>,
    links: Image<Whom, Links>,
    ticks: Vec<(Timestamp, SlotId)>,
    office_room: [u32; GROUPS],
    posture: posture::Memory,
    inventory: inventory::Memory,
}

impl Judge {
    /// What it knows now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            memory: self.baseline.memory(),
            pages: self.book.image(),
            dossiers: self.dossiers.all(),
            links: self.chain.image(),
            ticks: self.ticks.iter().copied().filter(|tick| self.is_due(tick)).collect(),
            office_room: self.office_room,
            posture: self.posture.memory(),
            inventory: self.inventory.kept(),
        }
    }

    /// Takes back what it knew, into a judge that has seen nothing. Settings, names and prices stay as
    /// they are. Calls that are up go on; where they can't be, see `lose_sight`.
    pub fn restore(&mut self, snapshot: Snapshot) {
        self.baseline.recall(snapshot.memory);
        self.posture.recall(snapshot.posture);
        self.inventory.recall(snapshot.inventory);
        self.book.restore(snapshot.pages);
        self.chain.restore(snapshot.links);
        self.office_room = snapshot.office_room;
        let open = snapshot.dossiers.into_iter().filter(|(key, _)| self.book.is_open(key));
        self.dossiers.hold(open.map(|(key, dossier)| (key, dossier.bounded())));
        self.ticks = snapshot.ticks.into_iter().filter(|tick| self.is_due(tick)).collect();
        self.suspects_changed();
    }

    /// Whether a call is up that wants to be judged again, at a time that can be.
    fn is_due(&self, (at, slot): &(Timestamp, SlotId)) -> bool {
        let call = self.baseline.call(Lane::Charged, *slot);
        let answered = call.filter(|c| c.progress == Progress::Talking).and_then(|call| call.answered);
        answered.is_some_and(|a| (a..=a.plus(LONGEST).plus(Span::HOUR)).contains(at))
    }

    /// Nobody watched for a while: calls that were up are no longer followed. Incidents keep what
    /// those had cost by then.
    pub fn lose_sight(&mut self) {
        for (lane, slot) in self.baseline.lose_sight() {
            self.talking_changed(lane, slot, true, false);
        }
        self.ticks.clear();
    }
}
