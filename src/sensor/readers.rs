//! What readers may know of the sensor, and how it takes other settings.
//!
//! In: questions, settings. Out: counts, handsets.
//! Never: changes a count.

use super::{Sensor, Totals, watch};
use crate::dial::{Dial, OutsideLine};
use crate::handsets::{self, Who};

impl Sensor {
    /// Takes another dial plan, other addresses and lists, between two frames; what was learnt stays.
    pub fn reload(&mut self, handsets: handsets::Settings, watch: watch::Settings, mut dial: Dial) {
        dial.keep_learned(&self.core.dial);
        self.core.outside = (!dial.has_outside_line()).then(OutsideLine::default);
        self.core.coverage.outside_line = None;
        self.core.dial = dial;
        self.core.calls.know_pbx(&handsets.pbx);
        self.core.handsets.reload(handsets);
        self.core.watch.reload(watch);
        self.set_due();
    }

    /// The handsets, for the inventory: at most `most`, those that registered first.
    pub fn handsets(&self, most: usize) -> Vec<Who> {
        self.core.handsets.list(most)
    }

    /// Addresses that accepted registrations, at most `most`.
    pub fn registrars(&self, most: usize) -> Vec<std::net::IpAddr> {
        self.core.handsets.registrars(most)
    }

    /// The counts for the summary.
    pub fn totals(&self) -> Totals {
        let core = &self.core;
        Totals {
            frames: core.outcomes.frames(),
            sip_messages: core.outcomes.messages(),
            invites: core.invites,
            attempts: core.attempts,
            answered: core.answered,
            handsets: core.handsets.office_count(),
        }
    }

    /// Whether the watch has just begun.
    pub fn is_warming_up(&self) -> bool {
        self.core.coverage.is_warming_up(self.clock.now().unwrap_or_default())
    }

    /// What an admin has to know before trusting a silence, one sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let coverage = &self.core.coverage;
        let warm_up = coverage.warm_up(self.clock.now().unwrap_or_default());
        warm_up.into_iter().chain(coverage.warnings()).collect()
    }

    /// What had to be forgotten because a table was full, by table.
    pub fn evicted(&self) -> [(&'static str, u64); 8] {
        let [touches, exchanges, strangers, web, passwords] = self.core.watch.evicted();
        [
            ("handsets", self.core.handsets.evicted()),
            ("calls", self.core.calls.evicted()),
            ("registrations", self.core.registrations.evicted()),
            touches,
            exchanges,
            strangers,
            web,
            passwords,
        ]
    }
}
