//! Calls of the past, from records instead of packets.
//!
//! In: an account, what it dialled, when. Out: the fact that the packets would have given.
//! Never: counts such a call as one that was seen.

use super::Sensor;
use crate::dial::Leg;
use crate::fact::{CallFact, CallState, Cause, Direction};
use crate::text::Text;
use crate::time::{Span, Timestamp};

impl Sensor {
    /// The attempt that a record tells of. Its handset is the one that will register the account.
    pub fn past_call(&mut self, account: &[u8], dialled: &[u8], time: Timestamp) -> CallFact {
        let target = self.core.dial.classify(Leg::Handset, dialled);
        CallFact {
            time,
            call: self.core.calls.next_no(),
            state: CallState::Attempted,
            leg: Leg::Handset,
            joined: false,
            direction: Direction::placed(Leg::Handset, &target),
            cause: Cause::Dialled,
            code: 0,
            started: time,
            talked: Span::ZERO,
            expired: None,
            told: Span::ZERO,
            call_id_reused: false,
            repeated: false,
            who: self.core.handsets.foretold(account, time),
            call_id: Text::new(b"call record"),
            dialled: Text::new(dialled),
            target,
            caller: 0,
        }
    }
}
