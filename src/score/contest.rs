//! One stretch of labelled traffic, followed by everybody who is scored.
//!
//! In: facts and alerts, in order. Out: every exceedance of every contestant.
//! Never: shows a contestant anything that another one doesn't see.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::labels::call_key;
use super::rivals::{self, Rival, Said, Stage, Step};
use crate::alert::AlertState;
use crate::baseline::exposure::Prices;
use crate::dial::{Class, Group, Risk};
use crate::fact::{CallFact, CallState, Direction, Fact};
use crate::finding::{Severity, Subject};
use crate::handsets::{HandsetId, Who};
use crate::judge::Output;
use crate::run::engine::Sink;
use crate::time::{OfficeHours, Timestamp};

/// A moment at which a contestant wants somebody to look.
#[derive(Clone, Debug)]
pub(super) struct Exceedance {
    pub(super) time: Timestamp,
    /// `None`: the whole office.
    pub(super) handset: Option<HandsetId>,
    /// The calls it names.
    pub(super) calls: Vec<u64>,
    /// What it says, where that is kept.
    pub(super) sentence: String,
}

/// What is known of a handset.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) user: String,
    pub(super) ip: String,
    pub(super) mac: String,
}

/// What one stretch showed.
#[derive(Debug)]
pub(super) struct Followed {
    /// By contestant, ours first.
    pub(super) exceedances: Vec<(&'static str, Vec<Exceedance>)>,
    pub(super) handsets: BTreeMap<HandsetId, Named>,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// Follows it.
pub(super) struct Contest<'a> {
    hours: &'a OfficeHours,
    prices: Prices,
    ours: Vec<Exceedance>,
    rivals: Vec<(Box<dyn Rival>, Vec<Exceedance>)>,
    /// Whether checks of handset security saw what they need, so that their pages count.
    checks: bool,
    /// Calls that rivals were told of and that aren't over.
    open: BTreeSet<u64>,
    handsets: BTreeMap<HandsetId, Named>,
    first: Option<Timestamp>,
    last: Timestamp,
}

/// Our name in tables.
pub(super) const OURS: &str = "ringfence";

impl<'a> Contest<'a> {
    pub(super) fn new(hours: &'a OfficeHours, prices: Prices, alone: bool, checks: bool) -> Self {
        let rivals = if alone { Vec::new() } else { rivals::all() };
        Self {
            hours,
            prices,
            ours: Vec::new(),
            checks,
            rivals: rivals.into_iter().map(|rival| (rival, Vec::new())).collect(),
            open: BTreeSet::new(),
            handsets: BTreeMap::new(),
            first: None,
            last: Timestamp::default(),
        }
    }

    pub(super) fn finish(self) -> Followed {
        let rivals = self.rivals.into_iter().map(|(rival, said)| (rival.name(), said));
        Followed {
            exceedances: std::iter::once((OURS, self.ours)).chain(rivals).collect(),
            handsets: self.handsets,
            first: self.first.unwrap_or_default(),
            last: self.last,
        }
    }

    fn meet(&mut self, who: &Who) {
        let named = self.handsets.entry(who.id).or_insert_with(|| Named {
            user: String::new(),
            ip: who.ip.to_string(),
            mac: String::new(),
        });
        if named.user.is_empty() {
            named.user = who.user.to_string();
        }
        if let Some(mac) = who.mac.filter(|_| named.mac.is_empty()) {
            named.mac = mac.to_string();
        }
    }

    fn tell_rivals(&mut self, call: &CallFact) {
        let stage = match call.state {
            CallState::Attempted => Stage::Dialled,
            CallState::Answered => Stage::Answered,
            CallState::Ended | CallState::Failed => Stage::Over(call.talked),
            CallState::Ringing => return,
        };
        let is_known = match stage {
            Stage::Dialled => self.open.insert(call.call.0),
            Stage::Answered => self.open.contains(&call.call.0),
            Stage::Over(_) => self.open.remove(&call.call.0),
        };
        if !is_known {
            return;
        }
        let step = self.step(call, stage);
        for (rival, exceedances) in &mut self.rivals {
            rival.step(&step, &mut |said: Said| {
                exceedances.push(Exceedance {
                    time: said.time,
                    handset: Some(said.handset),
                    calls: vec![said.id],
                    sentence: String::new(),
                });
            });
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "prices are small")]
    fn step(&self, call: &CallFact, stage: Stage) -> Step {
        let target = &call.target;
        let number = target
            .number
            .map_or_else(|| call_key(call.dialled.as_bytes()), |number| call_key(number.digits()));
        let region = target.region.map_or(0, |region| {
            region.as_str().bytes().fold(0, |code: u32, byte| code * 256 + u32::from(byte))
        });
        Step {
            time: call.time,
            local: self.hours.local(call.time),
            open: self.hours.is_open(call.time),
            stage,
            handset: call.who.id,
            id: call_key(call.call_id.as_bytes()),
            no: call.call.0,
            number,
            prefix: region * 8 + target.group as u32,
            chargeable: !matches!(target.group, Group::Free | Group::National),
            international: matches!(target.class, Class::Overseas | Class::Global),
            high_risk: target.risk == Risk::High,
            per_minute: self.prices.per_minute(target.rate) as f64 / 1e6,
        }
    }
}

impl Sink for Contest<'_> {
    fn fact(&mut self, fact: &Fact) -> io::Result<()> {
        self.first.get_or_insert(fact.time());
        self.last = self.last.max(fact.time());
        match fact {
            Fact::Registered { who, .. } => self.meet(who),
            Fact::Call(call) if call.joined || call.direction == Direction::Inbound => {}
            Fact::Call(call) => {
                if call.state == CallState::Attempted {
                    self.meet(&call.who);
                }
                if call.direction == Direction::Outbound {
                    self.tell_rivals(call);
                }
            }
            Fact::Sighting(_) | Fact::ClearSipDrop { .. } | Fact::Lossy { .. } => {}
        }
        Ok(())
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        let Output::Alert(alert) = output else { return Ok(()) };
        if alert.state == AlertState::Cleared || alert.finding.severity < Severity::Warning {
            return Ok(());
        }
        let finding = &alert.finding;
        if finding.rule.check().is_some() && !self.checks {
            return Ok(());
        }
        self.ours.push(Exceedance {
            time: alert.time,
            handset: match finding.subject {
                Subject::Handset(id) => Some(id),
                Subject::Office => None,
            },
            calls: finding.samples.iter().map(|sample| call_key(sample.call_id.as_bytes())).collect(),
            sentence: format!("{}: {}", finding.rule.name(), finding.sentence),
        });
        Ok(())
    }
}
