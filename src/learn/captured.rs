//! An earlier capture as a source of past calls.
//!
//! In: a capture. Out: `History`.
//! Never: raises; counts its frames as if they came from the mirror port now.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{History, PassedOver, PastCall};
use crate::capture::CaptureError;
use crate::capture::file::{self, Source};
use crate::dial::Dial;
use crate::fact::{CallFact, CallState, Direction, Fact};
use crate::sensor::{Sensor, Settings};
use crate::tally::Tally;
use crate::time::Span;

/// Reads a capture through a sensor of its own. What could be read before a fault is kept.
///
/// # Errors
/// A file that can't be opened.
pub(super) fn read(
    source: &Source,
    settings: Settings,
    dial: Dial,
) -> Result<(History, Option<CaptureError>), CaptureError> {
    let mut sensor = Sensor::new(settings, dial, Arc::default());
    let mut capture = file::open(source)?;
    let mut past = Past {
        open: BTreeMap::new(),
        history: History { calls: Vec::new(), rows: 0, passed_over: Tally::default(), layout: "capture" },
    };
    let fault = loop {
        match capture.next() {
            Ok(Some(frame)) => {
                sensor.handle_frame(&frame);
                past.drain(&mut sensor);
            }
            Ok(None) => break None,
            Err(fault) => break Some(fault),
        }
    };
    sensor.finish();
    past.drain(&mut sensor);
    past.history.calls.extend(past.open.into_values());
    past.history.calls.sort_by_key(|call| call.time);
    Ok((past.history, fault))
}

struct Past {
    open: BTreeMap<u64, PastCall>,
    history: History,
}

impl Past {
    fn drain(&mut self, sensor: &mut Sensor) {
        while let Some(fact) = sensor.poll_fact() {
            if let Fact::Call(call) = fact
                && !call.joined
            {
                self.call(call);
            }
        }
    }

    fn call(&mut self, fact: &CallFact) {
        match fact.state {
            CallState::Attempted => {
                self.history.rows = self.history.rows.saturating_add(1);
                if fact.direction != Direction::Outbound {
                    return self.history.passed_over.bump(PassedOver::Inward);
                }
                if fact.who.user.is_empty() {
                    return self.history.passed_over.bump(PassedOver::NoCaller);
                }
                let call = PastCall {
                    time: fact.time,
                    account: fact.who.user,
                    dialled: fact.dialled,
                    setup: Span::ZERO,
                    talked: None,
                };
                if let Some(before) = self.open.insert(fact.call.0, call) {
                    self.history.calls.push(before);
                }
            }
            CallState::Answered => {
                if let Some(call) = self.open.get_mut(&fact.call.0) {
                    (call.setup, call.talked) = (fact.time.since(call.time), Some(Span::ZERO));
                }
            }
            CallState::Ended | CallState::Failed => {
                if let Some(call) = self.open.remove(&fact.call.0) {
                    let talked = call.talked.map(|_| fact.talked);
                    self.history.calls.push(PastCall { talked, ..call });
                }
            }
            CallState::Ringing => {}
        }
    }
}
