//! From findings to incidents: raised once, updated when they grow, cleared when they are over.
//!
//! In: `Gist`, `Finding`, time. Out: `Alert`.
//! Never: sends.

pub mod book;
pub mod chain;

use serde::{Deserialize, Serialize};

use crate::finding::{Check, Finding, Rule, Subject};
use crate::labels;
use crate::time::{Span, Timestamp};

pub use book::Book;
pub use chain::{Chain, Whom};

labels! {
    /// Where an incident stands.
    pub enum AlertState {
        Raised = "raised", "New.";
        Updated = "updated", "It got markedly worse, or its severity rose.";
        Cleared = "cleared", "Nothing more happened for the hold time.";
    }
}

/// What an incident is about: one is open at a time for a subject and a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// Calls that cost: whatever rules speak, people get one page.
    Toll,
    /// Too many ordinary calls at home.
    Flood,
    /// Something worth knowing that pages nobody, by rule.
    Notice(Rule),
    /// A handset's calls can no longer be seen.
    Unseen,
    /// A weakness of a handset, or an attack on it.
    Posture(Check),
}

/// Which incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Whom it is about.
    pub subject: Subject,
    /// What it is about.
    pub cause: Cause,
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
    /// Until when somebody has accepted it; then it is updated only if its severity rises.
    pub accepted_until: Option<Timestamp>,
    /// What the rule said last; its severity is the incident's highest.
    pub finding: Finding,
}

/// When incidents grow, merge and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Incidents that are open at once, at the most, and as many notices. Where there is no room for
    /// a handset's, it joins one of the office.
    pub open: usize,
    /// How long it must be quiet before an incident is cleared.
    pub hold: Span,
    /// The same for weaknesses that stay until somebody mends them: they show only now and then.
    pub hold_weakness: Span,
    /// An incident is updated at so many times the calls that were told last.
    pub calls_factor: u32,
    /// An incident is updated at so many hundredths of a decade of evidence more than was told last.
    pub evidence_step: i32,
    /// An incident is updated at so many times the money that was told last.
    pub money_factor: i64,
    /// Less money than this never makes an update, in millionths.
    pub money_floor: i64,
    /// So many handsets with an incident within `crowd_within`, and the next joins one of the office.
    pub crowd: usize,
    /// How close together they are.
    pub crowd_within: Span,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            open: 256,
            hold: Span::hours(12),
            hold_weakness: Span::days(7),
            calls_factor: 3,
            evidence_step: 300,
            money_factor: 10,
            money_floor: 10_000_000,
            crowd: 3,
            crowd_within: Span::HOUR,
        }
    }
}
