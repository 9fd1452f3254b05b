//! Past calls as facts: what a replay learns before it begins, and a running daemon on demand.
//!
//! In: past calls. Out: their steps, as the sensor would have told them.
//! Never: counts a past call as one of now.

#[cfg(feature = "daemon")]
use std::sync::mpsc::SyncSender;

use crate::fact::{CallFact, CallState};
use crate::learn::PastCall;
use crate::sensor::Sensor;
use crate::time::Span;

/// A past call, and who is charged with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    dialled: CallFact,
    setup: Span,
    talked: Option<Span>,
}

/// Where a past call went, as the sensor's dial plan says.
pub(super) fn told(sensor: &mut Sensor, call: &PastCall) -> Told {
    let dialled = sensor.past_call(call.account.as_bytes(), call.dialled.as_bytes(), call.time);
    Told { dialled, setup: call.setup, talked: call.talked }
}

impl Told {
    /// Its attempt, and what became of it.
    pub(super) fn steps(self) -> impl Iterator<Item = CallFact> {
        let Self { dialled, setup, talked } = self;
        let answer = dialled.time.plus(setup);
        let after = |state, time| CallFact { time, state, ..dialled };
        let rest = match talked {
            None => [Some(after(CallState::Failed, answer)), None],
            Some(talked) => {
                let end = CallFact { talked, ..after(CallState::Ended, answer.plus(talked)) };
                [Some(after(CallState::Answered, answer)), Some(end)]
            }
        };
        std::iter::once(dialled).chain(rest.into_iter().flatten())
    }
}

/// Some of the calls that somebody wants a running daemon to learn from.
#[cfg(feature = "daemon")]
pub(super) struct Lesson<Call> {
    /// Which lesson: one is given at a time.
    pub(super) number: u64,
    /// In time order, after those before.
    pub(super) calls: Vec<Call>,
    /// Whether these are the last ones.
    pub(super) last: bool,
    /// Where the answer goes.
    pub(super) answer: SyncSender<Result<Learnt, &'static str>>,
}

/// What became of a lesson's calls so far.
#[cfg(feature = "daemon")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Learnt {
    /// Learnt from.
    pub(super) calls: u64,
    /// Passed over: not older than what is known already.
    pub(super) known: u64,
}
