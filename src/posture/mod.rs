//! Handset security: the provider's checklist, answered from the wire; one file a check.
//!
//! In: `Fact`, ticks. Out: `CheckFinding`, `Checklist`.
//! Never: says "pass" where it could not see.

pub mod board;
pub mod checklist;
pub mod opened_port;
pub mod scene;
pub mod sheet;

use std::collections::VecDeque;

use crate::fact::Fact;
use crate::finding::{Check, Severity};
use crate::tally::Label;
use crate::time::{OfficeHours, Span, Timestamp};

use board::Board;
pub use board::Told;
pub use checklist::{Blind, Checklist, Row, Sight};
use opened_port::OpenedPort;
use scene::{Found, Scene, Watcher};

/// What is allowed, and from where on checks speak.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {}

/// The checklist's state.
#[derive(Debug)]
pub struct Posture {
    settings: Settings,
    hours: OfficeHours,
    watchers: Vec<Box<dyn Watcher>>,
    board: Board,
    found: Vec<Found>,
    told: VecDeque<Told>,
    /// When the next round is due; none until something was seen.
    round: Option<Timestamp>,
    /// How long until the one after it.
    pause: Span,
}

/// Everything is looked over so often while something is seen …
const ROUND: Span = Span::HOUR;
/// … and at least so often over a gap in the traffic.
const LONG_ROUND: Span = Span::days(4);

impl Posture {
    /// Has seen nothing.
    pub fn new(settings: Settings, hours: OfficeHours) -> Self {
        Self {
            settings,
            hours,
            watchers: vec![Box::new(OpenedPort::default())],
            board: Board::default(),
            found: Vec::new(),
            told: VecDeque::new(),
            round: None,
            pause: ROUND,
        }
    }

    /// Takes new settings; what was found stays.
    pub fn reload(&mut self, settings: Settings, hours: OfficeHours) {
        self.settings = settings;
        self.hours = hours;
    }

    /// Takes a fact.
    pub fn handle_fact(&mut self, fact: &Fact, now: Timestamp) {
        self.handle_timeout(now);
        self.pause = ROUND;
        self.round = Some(self.round.map_or(now.plus(ROUND), |due| due.min(now.plus(ROUND))));
        if let Fact::Sighting(sighting) = fact {
            let scene = Scene { now, settings: &self.settings, hours: &self.hours };
            for watcher in &mut self.watchers {
                watcher.sighting(sighting, &scene, &mut self.found);
            }
        }
        self.pin();
    }

    /// Lets time pass.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        if self.round.is_some_and(|due| due <= now) {
            self.round = Some(now.plus(self.pause));
            // Over a long gap there is less and less to look for.
            self.pause = Span(self.pause.0.saturating_mul(2)).min(LONG_ROUND);
            self.board.expire(now);
        }
        let scene = Scene { now, settings: &self.settings, hours: &self.hours };
        for watcher in &mut self.watchers {
            watcher.tick(&scene, &mut self.found);
        }
        self.pin();
    }

    /// When `handle_timeout` wants to be called next.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.watchers.iter().filter_map(|watcher| watcher.deadline()).chain(self.round).min()
    }

    /// What was found, in order.
    pub fn poll(&mut self) -> Option<Told> {
        self.told.pop_front()
    }

    fn pin(&mut self) {
        for found in self.found.drain(..) {
            let told = self.board.report(found.detail, found.finding);
            self.told.push_back(Told { fresh: told.fresh || found.again, ..told });
        }
    }

    /// The whole checklist as it stands.
    pub fn checklist(&self, sight: Sight, now: Timestamp) -> Checklist {
        let scene = Scene { now, settings: &self.settings, hours: &self.hours };
        let row = |check: &Check| {
            let watcher = self.watchers.iter().find(|watcher| watcher.check() == *check)?;
            Some(Row::new(*check, self.board.of(*check), watcher.say(&scene, sight)))
        };
        Checklist { rows: Check::ALL.iter().filter_map(row).collect() }
    }

    /// How many findings stand, for each check and severity.
    pub fn counts(&self) -> Vec<(Check, Severity, u64)> {
        self.board.counts()
    }

    /// Entries that had to go because a table was full.
    pub fn evicted(&self) -> [(&'static str, u64); 2] {
        let strangers = self.watchers.iter().map(|watcher| watcher.evicted()).sum();
        [("posture_findings", self.board.evicted()), ("posture_state", strangers)]
    }
}
