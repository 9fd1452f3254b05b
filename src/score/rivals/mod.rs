//! The rules of other systems, re-implemented from their sources or documentation: each is told
//! the same calls as we are.
//!
//! In: calls. Out: the moments at which each would alert.
//! Never: is helped or hindered: the thresholds are the published ones, stated in each file.

mod clearip;
mod et_flood;
mod opensips;
mod tfps;
mod voipmonitor;
mod yeastar;

use std::collections::VecDeque;

use crate::handsets::HandsetId;
use crate::time::{LocalTime, Span, Timestamp};

/// How far a call has come, as rivals see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Dialled,
    Answered,
    /// Over; how long it was talked for.
    Over(Span),
}

/// A step of a call that leaves the office.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) time: Timestamp,
    pub(super) local: LocalTime,
    /// Whether the office is open.
    pub(super) open: bool,
    pub(super) stage: Stage,
    pub(super) handset: HandsetId,
    /// Stands for the Call-ID.
    pub(super) id: u64,
    /// The call's own number in this run.
    pub(super) no: u64,
    /// Stands for the dialled number.
    pub(super) number: u64,
    /// Stands for the country, or for the sort of service at home.
    pub(super) prefix: u32,
    /// Overseas, premium rate or worse: what a fraud profile lists.
    pub(super) chargeable: bool,
    /// To another country or an international network.
    pub(super) international: bool,
    /// A destination that lists name as risky.
    pub(super) high_risk: bool,
    /// Price of a minute.
    pub(super) per_minute: f64,
}

/// What a rival says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) time: Timestamp,
    pub(super) handset: HandsetId,
    /// The call it is about.
    pub(super) id: u64,
}

/// Another system.
pub(super) trait Rival {
    /// Its name in tables.
    fn name(&self) -> &'static str;
    /// Takes a step; says what it has to say.
    fn step(&mut self, step: &Step, say: &mut dyn FnMut(Said));
}

/// All of them.
pub(super) fn all() -> Vec<Box<dyn Rival>> {
    vec![
        Box::new(opensips::OpenSips::warning()),
        Box::new(opensips::OpenSips::critical()),
        Box::<voipmonitor::VoipMonitor>::default(),
        Box::<tfps::Tfps>::default(),
        Box::<clearip::ClearIp>::default(),
        Box::<yeastar::Yeastar>::default(),
        Box::<et_flood::EtFlood>::default(),
    ]
}

impl Step {
    /// An alert about this very call, now.
    fn said(&self) -> Said {
        Said { time: self.time, handset: self.handset, id: self.id }
    }
}

/// Moments within a sliding window.
#[derive(Debug, Default)]
struct Window(VecDeque<Timestamp>);

impl Window {
    /// Adds a moment; how many lie within `span` now.
    fn add(&mut self, at: Timestamp, span: Span) -> usize {
        self.0.push_back(at);
        while self.0.front().is_some_and(|first| at.since(*first) >= span) {
            self.0.pop_front();
        }
        self.0.len()
    }
}
