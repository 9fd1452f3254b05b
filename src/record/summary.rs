//! The end of a replay: what was there, what was passed over, what could not be seen.

use std::net::IpAddr;

use crate::baseline::learning::Habitual;
use crate::coverage::{Coverage, Loss, Phone};
use crate::judge::Judge;
use crate::posture::{Checklist, Sight};
use crate::sensor::{Sensor, Totals};
use crate::tally::Label;
use crate::time::{Span, Timestamp};

/// What a replay comes to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Frames, messages, calls.
    pub totals: Totals,
    /// Incidents that were raised, of any severity.
    pub alerts: u64,
    /// The checklist of handset security.
    pub checklist: Checklist,
    /// Handsets that call abroad as a habit which nobody has allowed yet; `None` before the report is due.
    pub learning: Option<Vec<Habitual>>,
    /// Why frames or messages were passed over, and how many.
    pub skipped: Vec<(&'static str, u64)>,
    /// Signs of what can and can't be seen, those that were met.
    pub signs: Vec<(&'static str, u64)>,
    /// What had to be forgotten because a table was full.
    pub evicted: Vec<(&'static str, u64)>,
    /// Why no call could have been seen, if that is so.
    pub blind: Option<&'static str>,
    /// What was lost on the way here.
    pub loss: Loss,
    /// Which share of SIP messages was seen twice, if that can be told.
    pub doubled: Option<f64>,
    /// Encrypted signalling connections, and compressed WebSocket messages.
    pub hidden: (u64, u64),
    /// Handsets whose signalling can't be read.
    pub hidden_handsets: Vec<(IpAddr, Phone)>,
    /// Whether only one direction was mirrored, if that can be told.
    pub one_way: Option<bool>,
    /// What to know before trusting a silence.
    pub warnings: Vec<String>,
    /// Whether the watch had just begun.
    pub warming_up: bool,
    /// From the first frame to the last.
    pub length: Span,
}

impl Summary {
    /// How many attempts were answered; `None` where no answer could have been seen.
    pub fn answered(&self) -> Option<u64> {
        let unheard = self.one_way == Some(true) && self.totals.answered == 0;
        (!unheard).then_some(self.totals.answered)
    }

    /// Reads both halves' counts.
    pub fn new(sensor: &Sensor, judge: &Judge, alerts: u64, now: Timestamp, length: Span) -> Self {
        let sight = Sight::of(sensor.coverage(), sensor.totals().frames);
        let mut seen = Self::seen(sensor);
        seen.evicted.extend(judge.evicted().into_iter().filter(|(_, n)| *n > 0));
        let (checklist, learning) = (judge.posture().checklist(sight, now), judge.learning_report(now));
        Self { alerts, checklist, learning, length, ..seen }
    }

    /// Reads the sensor's counts: what was there and what could be seen.
    pub fn seen(sensor: &Sensor) -> Self {
        let coverage: &Coverage = sensor.coverage();
        Self {
            totals: sensor.totals(),
            skipped: sensor.outcomes().skipped_reasons().collect(),
            signs: coverage.signs.iter().map(|(sign, n)| (sign.name(), n)).filter(|(_, n)| *n > 0).collect(),
            evicted: sensor.evicted().into_iter().filter(|(_, n)| *n > 0).collect(),
            blind: coverage.blind(),
            loss: coverage.loss(),
            doubled: coverage.doubles.share(),
            hidden: (coverage.encrypted.begun(), coverage.compressed()),
            hidden_handsets: coverage.encrypted.phones().map(|(ip, phone)| (ip, *phone)).collect(),
            one_way: coverage.one_way(),
            warming_up: sensor.is_warming_up(),
            warnings: sensor.warnings(),
            ..Self::default()
        }
    }
}
