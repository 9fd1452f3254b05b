//! The two ways of a frame: the short one for speech of a flow that is known to say nothing, as nearly
//! all is on a mirror port, and the long one.
//!
//! In: `Frame`. Out: whether it passed: then it's counted, and nothing else would have come of it.
//! Never: lets a frame pass of which the long way would have told, learnt or counted anything else.

use super::{Sensor, carry};
use crate::decode::{self, Skip, Speech};
use crate::frame::Frame;
use crate::sip::Sniff;
use crate::time::Timestamp;

impl Sensor {
    /// Lets speech pass. It costs a look at its headers and one at its flow.
    #[inline(always)]
    pub(super) fn passes(&mut self, frame: &Frame<'_>, now: Timestamp) -> bool {
        let Some(speech) = Speech::read(frame) else { return false };
        let core = &self.core;
        let passes = core.watch.passes(&speech, now) && core.coverage.encrypted.passes(&speech);
        if passes {
            core.outcomes.datagram(Sniff::Rtp);
            speech.count(self.decoder.stats());
        }
        passes
    }

    /// The long way. The answer is whether anything came of the frame but counts. Apart, so that the short
    /// way saves no more registers than it needs.
    #[inline(never)]
    pub(super) fn reads(&mut self, frame: &Frame<'_>, now: Timestamp) -> bool {
        match self.decoder.decode(frame) {
            Ok(packet) => carry(&mut self.streams, &mut self.core, &packet, now, true),
            Err(skip) => self.skipped(skip, frame, now),
        }
    }

    #[cold]
    fn skipped(&mut self, skip: Skip, frame: &Frame<'_>, now: Timestamp) -> bool {
        self.core.outcomes.skipped(skip);
        if skip == Skip::NotIp
            && let Some(notice) = decode::notice(frame)
        {
            self.core.watch.notice(&notice, &self.core.handsets, now);
            self.core.sightings();
        }
        true
    }
}
