//! Requests whose method is in the wrong case: RFC 3261 section 7.1 has them refused, Kamailio and Asterisk
//! take them.
//!
//! In: a message that was refused for it. Out: what it does to a call.
//! Never: takes one for a call before somebody answers it.

use super::Core;
use crate::calls::Seen;
use crate::decode::Path;
use crate::sip::message::in_capitals;
use crate::sip::{Message, Method, Reject, Start, uri};
use crate::time::Timestamp;

impl Core {
    /// A message that can't be tracked.
    #[cold]
    pub(super) fn rejected(&mut self, reject: Reject, payload: &[u8], path: &Path, now: Timestamp) {
        self.outcomes.rejected(reject);
        if reject == Reject::MethodCase {
            self.miscased(payload, path, now);
        }
    }

    /// The message stays counted as refused; only calls hear of it.
    fn miscased(&mut self, payload: &[u8], path: &Path, now: Timestamp) {
        let text = in_capitals(payload);
        let Ok(msg) = &Message::parse(&text) else { return };
        let seen = Seen { msg, path, dialled: uri::user(msg.called()), caller: uri::user(msg.from.uri), now };
        let step = match msg.start {
            Start::Request { method: Method::Invite, .. } => self.calls.doubted(&seen),
            Start::Request { method: Method::Bye | Method::Cancel, .. } => self.calls.observe(&seen),
            _ => return,
        };
        if let Some(call) = self.calls.take_pushed_out() {
            self.pushed_out(&call, now);
        }
        self.step(step, &seen);
    }
}
