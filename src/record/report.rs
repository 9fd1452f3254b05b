//! The incidents of a replay, each once: how it was raised and what became of it.

use std::collections::BTreeMap;

use crate::alert::{Alert, AlertState};
use crate::finding::Severity;

/// Incidents that a report keeps; the rest are counted.
const MAX_INCIDENTS: usize = 10_000;

/// One incident from its first moment to its last.
#[derive(Clone, Debug)]
pub(super) struct Incident {
    pub(super) raised: Alert,
    pub(super) last: Alert,
}

/// Collects incidents.
#[derive(Clone, Debug, Default)]
pub struct Report {
    incidents: BTreeMap<u64, Incident>,
    raised: u64,
    paging: u64,
    left_out: u64,
}

impl Report {
    /// Takes in what the judge said of an incident.
    pub fn add(&mut self, alert: &Alert) {
        let pages = alert.finding.severity >= Severity::Warning;
        if alert.state == AlertState::Raised {
            self.raised = self.raised.saturating_add(1);
        }
        let full = self.incidents.len() >= MAX_INCIDENTS;
        match self.incidents.get_mut(&alert.id) {
            Some(known) => {
                let paged = known.last.finding.severity >= Severity::Warning;
                self.paging = self.paging.saturating_add(u64::from(pages && !paged));
                known.last = alert.clone();
            }
            None if alert.state != AlertState::Raised => {}
            None => {
                self.paging = self.paging.saturating_add(u64::from(pages));
                if full {
                    self.left_out = self.left_out.saturating_add(1);
                } else {
                    self.incidents.insert(alert.id, Incident { raised: alert.clone(), last: alert.clone() });
                }
            }
        }
    }

    /// How many incidents were raised.
    pub const fn raised(&self) -> u64 {
        self.raised
    }

    /// How many of them paged somebody: warning or critical.
    pub const fn paging(&self) -> u64 {
        self.paging
    }

    /// How many incidents were too many to be kept.
    pub(super) const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// In the order in which they were raised.
    pub(super) fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values()
    }
}
