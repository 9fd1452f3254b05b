//! What is usual, as plain data that can be kept over a restart.
//!
//! In: a baseline. Out: `Memory`, and a baseline again.
//! Never: trusts what it is given: what calls couldn't have led to is left out.

use serde::{Deserialize, Serialize};

use super::Baseline;
use super::calls::{Call, Ring};
use super::countries::Visit;
use super::handset::{Handset, Spend};
use super::lures::Lures;
use super::numbers::Seen;
use super::odds::{HandsetOdds, Learned};
use super::windows::Windows;
use super::{Lane, OFFICE_RING};
use crate::bounded::{Image, SlotId};
use crate::dial::Region;
use crate::fact::CallNo;
use crate::handsets::HandsetId;
use crate::ledger::Key;
use crate::tally::Label;
use crate::time::Timestamp;

/// Everything that a baseline knows: the learned odds, every handset with its last calls and what it
/// spent, the calls of the last day, the numbers and countries that the office calls.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    learned: Option<Learned>,
    handsets: Image<HandsetId, Handset>,
    waiting: Vec<(HandsetId, HandsetOdds)>,
    calls: [Image<CallNo, Call>; 2],
    office: [Ring<OFFICE_RING>; 2],
    office_spend: [Spend; 2],
    numbers: Image<u64, Seen>,
    countries: Image<Region, Visit>,
    excused: Image<Key, Windows>,
    lures: Lures,
    since: Option<Timestamp>,
}

impl Baseline {
    /// What it has learnt.
    pub fn memory(&self) -> Memory {
        let [charged, home] = &self.lanes;
        Memory {
            learned: Some(self.learned.clone()),
            handsets: self.handsets.image(),
            waiting: self.waiting.iter().map(|(id, odds)| (*id, odds.clone())).collect(),
            calls: [charged.image(), home.image()],
            office: self.office,
            office_spend: self.office_spend.clone(),
            numbers: self.numbers.image(),
            countries: self.countries.image(),
            excused: self.excused.image(),
            lures: self.lures.clone(),
            since: self.since,
        }
    }

    /// Takes back what it had learnt, into a baseline that has learnt nothing.
    pub fn recall(&mut self, memory: Memory) {
        let Some(learned) = memory.learned.filter(Learned::is_whole) else { return };
        self.learned = learned;
        self.lures = memory.lures.bounded();
        self.since = memory.since;
        self.handsets.restore(memory.handsets);
        let broken = |(slot, _, handset): (SlotId, _, &Handset)| (!handset.odds.is_whole()).then_some(slot);
        let broken: Vec<SlotId> = self.handsets.iter().filter_map(broken).collect();
        for slot in broken {
            self.handsets.discard(slot);
        }
        for (lane, image) in self.lanes.iter_mut().zip(memory.calls) {
            lane.restore(image);
        }
        self.office = memory.office;
        self.office_spend = memory.office_spend;
        self.numbers.restore(memory.numbers);
        self.countries.restore(memory.countries);
        self.excused.restore(memory.excused);
        let room = self.settings.strangers.saturating_add(self.settings.handsets);
        let whole = memory.waiting.into_iter().take(room).filter(|(_, odds)| odds.is_whole());
        self.waiting = whole.collect();
    }

    /// Calls that were up when nobody watched: whether they still are, nobody can say, so they neither
    /// cost nor count any more. Answers with those that were talking.
    pub fn lose_sight(&mut self) -> Vec<(Lane, SlotId)> {
        use super::calls::Progress::{Over, Talking, Trying};
        let mut lost = Vec::new();
        for lane in Lane::ALL {
            let table = &mut self.lanes[lane.index()];
            let up = table.iter().filter(|(_, _, call)| matches!(call.progress, Trying | Talking));
            let up: Vec<(SlotId, bool)> =
                up.map(|(slot, _, call)| (slot, call.progress == Talking)).collect();
            for (slot, talking) in up {
                if let Some(call) = table.get_mut(slot) {
                    call.progress = Over;
                }
                if talking {
                    lost.push((*lane, slot));
                }
            }
        }
        lost
    }
}
