//! Handset security: the provider's checklist, answered from the wire; one file a check.
//!
//! In: `Fact`, ticks. Out: `CheckFinding`, `Checklist`.
//! Never: says "pass" where it could not see.

pub mod board;
pub mod checklist;
pub mod sheet;

use std::collections::VecDeque;

use crate::fact::Fact;
use crate::finding::{Check, CheckFinding, Severity};
use crate::tally::Label;
use crate::time::Timestamp;

use board::Board;
pub use board::Told;
use checklist::Say;
pub use checklist::{Blind, Checklist, Row, Sight};

/// What is allowed, and from where on checks speak.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {}

/// The checklist's state.
#[derive(Debug)]
pub struct Posture {
    settings: Settings,
    board: Board,
    told: VecDeque<Told>,
}

impl Posture {
    /// Has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self { settings, board: Board::default(), told: VecDeque::new() }
    }

    /// Takes new settings; what was found stays.
    pub fn reload(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// Takes a fact.
    pub fn handle_fact(&mut self, _fact: &Fact, now: Timestamp) {
        self.handle_timeout(now);
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.board.expire(now);
    }

    /// When `handle_timeout` wants to be called next.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.board.deadline()
    }

    /// What was found, in order.
    pub fn poll(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    /// A check found something.
    fn report(&mut self, detail: u64, finding: CheckFinding) {
        let told = self.board.report(detail, finding);
        self.told.push_back(told);
    }

    /// The whole checklist as it stands.
    pub fn checklist(&self, sight: Sight) -> Checklist {
        let row = |check: &Check| Row::new(*check, self.board.of(*check), say(*check, sight));
        Checklist { rows: Check::ALL.iter().map(row).collect() }
    }

    /// How many findings stand, for each check and severity.
    pub fn counts(&self) -> Vec<(Check, Severity, u64)> {
        self.board.counts()
    }

    /// Entries that had to go because a table was full.
    pub fn evicted(&self) -> [(&'static str, u64); 1] {
        [("posture_findings", self.board.evicted())]
    }
}

fn say(_check: Check, sight: Sight) -> Say {
    match sight {
        Sight { sip: false, encrypted: true, .. } => Say::CannotSee(Blind::Encrypted, String::new()),
        Sight { sip: false, .. } => Say::CannotSee(Blind::NoTraffic, String::new()),
        Sight { one_way: true, .. } => Say::CannotSee(Blind::OneWay, String::new()),
        _ => Say::NotSeen(String::new()),
    }
}
