//! When the sensor has something to do beside reading frames.
//!
//! In: what its stages wait for. Out: one moment, compared with each frame's time.
//! Never: asks the stages again while nothing has stirred them: most frames are speech.

use super::Sensor;
use crate::time::Timestamp;

/// Nothing waits.
const NEVER: Timestamp = Timestamp(i64::MAX);

/// The moments for which the stages wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// The first of all. Until then a frame need only be read.
    all: Timestamp,
    /// The first that a caller should not let pass when no frame comes.
    told: Timestamp,
}

impl Default for Due {
    fn default() -> Self {
        Self { all: Timestamp(i64::MIN), told: NEVER }
    }
}

impl Due {
    #[inline]
    pub(super) const fn is_now(&self, now: Timestamp) -> bool {
        now.0 >= self.all.0
    }

    pub(super) fn told(&self) -> Option<Timestamp> {
        (self.told < NEVER).then_some(self.told)
    }
}

impl Sensor {
    /// Asks all stages anew.
    pub(super) fn set_due(&mut self) {
        let core = &self.core;
        let first = |moments: &[Option<Timestamp>]| moments.iter().flatten().min().copied().unwrap_or(NEVER);
        let told = first(&[core.calls.next_expiry(), core.lifelines.next(), core.watch.poll_timeout()]);
        let others = first(&[Some(core.look), self.decoder.poll_timeout(), self.streams.poll_timeout()]);
        self.due = Due { all: told.min(others), told };
    }
}
