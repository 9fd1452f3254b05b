//! Yeastar S-Series and Cloud PBX: more than 5 outbound calls of an extension in a minute (documented
//! default).
//!
//! In: calls. Out: alerts.
//! Never: looks at where a call goes.

use std::collections::BTreeMap;

use super::{Rival, Said, Stage, Step, Window};
use crate::handsets::HandsetId;
use crate::time::Span;

const CALLS: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Yeastar {
    windows: BTreeMap<HandsetId, Window>,
}

impl Rival for Yeastar {
    fn name(&self) -> &'static str {
        "yeastar"
    }

    fn step(&mut self, step: &Step, say: &mut dyn FnMut(Said)) {
        if step.stage == Stage::Dialled
            && self.windows.entry(step.handset).or_default().add(step.time, Span::MINUTE) > CALLS
        {
            say(step.said());
        }
    }
}
