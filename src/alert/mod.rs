//! From findings to incidents: raised once, updated when they grow, cleared when they are over.
//!
//! In: `Finding`, time. Out: `Alert`.
//! Never: sends.

use crate::finding::Finding;
use crate::labels;
use crate::time::Timestamp;

labels! {
    /// Where an incident stands.
    pub enum AlertState {
        Raised = "raised", "New.";
        Updated = "updated", "It got markedly worse, or its severity rose.";
        Cleared = "cleared", "Nothing more happened for the hold time.";
    }
}

/// What to tell people about an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// The incident's number in this run, counted from 1; the same from raised to cleared.
    pub id: u64,
    /// Where it stands.
    pub state: AlertState,
    /// When this was decided; for `raised` the deciding packet's time.
    pub time: Timestamp,
    /// When the incident was raised.
    pub since: Timestamp,
    /// What the rule said last; its severity is the incident's highest.
    pub finding: Finding,
}
