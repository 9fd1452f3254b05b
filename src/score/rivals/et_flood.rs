//! Emerging Threats' INVITE flood for Suricata: 100 INVITEs of one source in 60 seconds. The rule is
//! written for traffic that comes in; here it looks at what goes out.
//!
//! In: calls. Out: alerts.
//! Never: looks at where a call goes.

use std::collections::BTreeMap;

use super::{Rival, Said, Stage, Step, Window};
use crate::handsets::HandsetId;
use crate::time::Span;

const INVITES: usize = 100;

#[derive(Debug, Default)]
pub(super) struct EtFlood {
    windows: BTreeMap<HandsetId, Window>,
}

impl Rival for EtFlood {
    fn name(&self) -> &'static str {
        "et_flood"
    }

    fn step(&mut self, step: &Step, say: &mut dyn FnMut(Said)) {
        if step.stage == Stage::Dialled
            && self.windows.entry(step.handset).or_default().add(step.time, Span::MINUTE) >= INVITES
        {
            say(step.said());
        }
    }
}
