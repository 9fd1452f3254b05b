//! The small owned things that cross the waist from the sensor to the judge.
//!
//! In: what the sensor learnt. Out: `Fact`.
//! Never: borrows.

pub mod secret;
pub mod sighting;

use std::fmt;

pub use crate::calls::CallNo;
use crate::dial::{Class, Leg, Target};
use crate::handsets::Who;
use crate::labels;
use crate::text::Text;
use crate::time::{Span, Timestamp};
pub use sighting::{Device, Role, Sighting, What};

labels! {
    /// How far a call has come.
    pub enum CallState {
        Attempted = "attempted", "Somebody dialled.";
        Ringing = "ringing", "The far end rings.";
        Answered = "answered", "The far end answered.";
        Ended = "ended", "It was answered and is over.";
        Failed = "failed", "It is over and was never answered.";
    }
}

labels! {
    /// Which way a call goes.
    pub enum Direction {
        Outbound = "outbound", "From the office to the outside.";
        Inbound = "inbound", "From the outside to a handset.";
        Internal = "internal", "Between handsets of the office.";
    }
}

impl Direction {
    /// Where a call goes that doesn't come in: what a PBX passes on leaves the office, whatever its number.
    pub const fn placed(leg: Leg, target: &Target) -> Self {
        match (leg, target.class) {
            (Leg::Handset, Class::Internal | Class::Feature) => Self::Internal,
            _ => Self::Outbound,
        }
    }
}

labels! {
    /// What made the call.
    pub enum Cause {
        Dialled = "dialled", "The handset dialled it.";
        Forwarded = "forwarded", "A call to the handset was forwarded there: 302, Diversion, History-Info or a feature code.";
        Transferred = "transferred", "The handset transferred a call there: REFER or Replaces.";
    }
}

labels! {
    /// Why a call counts as over though nobody said so.
    pub enum Lapse {
        TableFull = "table_full", "It had to go because the table of calls was full.";
        TimeLimit = "time_limit", "Five minutes without an answer, or four hours of talk without a sign that it goes on.";
        SessionTimer = "session_timer", "Its session timer ran out and nobody refreshed it (RFC 4028); it ended then.";
        MediaStopped = "media_stopped", "Its media stopped in both directions for five minutes, and nobody held it; it ended with the last of them.";
    }
}

/// A call changed its state. Its Debug form keeps what was dialled to itself (law 9).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CallFact {
    /// Of the packet that says so.
    pub time: Timestamp,
    /// Which call.
    pub call: CallNo,
    /// Its new state.
    pub state: CallState,
    /// On which side of the PBX it was seen.
    pub leg: Leg,
    /// Whether this is the second leg of a call whose first leg has facts of its own: detection
    /// and `attempts` pass it over, the trunk's own counts don't.
    pub joined: bool,
    /// Which way it goes.
    pub direction: Direction,
    /// What made it.
    pub cause: Cause,
    /// The final status code; 0 while there is none.
    pub code: u16,
    /// When it was attempted.
    pub started: Timestamp,
    /// How long it was talked for, for `Ended`; else zero.
    pub talked: Span,
    /// How much of `talked` was told before: its end was told, and then it went on after all.
    pub told: Span,
    /// Why it counts as over, if nobody said so.
    pub expired: Option<Lapse>,
    /// Whether a Call-ID was used again for another number.
    pub call_id_reused: bool,
    /// Whether an attempt was told before and is only charged otherwise now, or placed by the PBX that was
    /// asked for it: it was counted then.
    pub repeated: bool,
    /// Who is charged with it.
    pub who: Who,
    /// Its Call-ID.
    pub call_id: Text<128>,
    /// What was dialled, as it stood in the Request-URI's user part.
    pub dialled: Text<40>,
    /// Where that goes.
    pub target: Target,
    /// The last eight digits of who calls in, whatever stands before them; 0 for calls out, and where
    /// From has fewer. From is a label: it tells which number a call back would be for, nothing more.
    pub caller: u32,
}

impl CallFact {
    /// Says nothing yet: for whoever writes all of it.
    pub(crate) fn blank() -> Self {
        Self {
            time: Timestamp::default(),
            call: CallNo(0),
            state: CallState::Attempted,
            leg: Leg::Handset,
            joined: false,
            direction: Direction::Outbound,
            cause: Cause::Dialled,
            code: 0,
            started: Timestamp::default(),
            talked: Span::ZERO,
            told: Span::ZERO,
            expired: None,
            call_id_reused: false,
            repeated: false,
            who: Who::nobody(),
            call_id: Text::default(),
            dialled: Text::default(),
            target: Target::nowhere(),
            caller: 0,
        }
    }
}

impl fmt::Debug for CallFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFact")
            .field("time", &self.time)
            .field("call", &self.call)
            .field("state", &self.state)
            .field("leg", &self.leg)
            .field("joined", &self.joined)
            .field("direction", &self.direction)
            .field("cause", &self.cause)
            .field("code", &self.code)
            .field("who", &self.who)
            .field("target", &self.target)
            .field("dialled", &format_args!("{} bytes", self.dialled.as_bytes().len()))
            .finish_non_exhaustive()
    }
}

/// Something that the sensor learnt. Stored inline: the waist's queue is bounded and allocates once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A call changed its state.
    Call(CallFact),
    /// A registrar accepted an account from a handset for the first time.
    Registered {
        /// When.
        time: Timestamp,
        /// Who.
        who: Who,
    },
    /// Something that bears on a device's security.
    Sighting(Sighting),
    /// The mirror lost packets in the hour before: what wasn't seen in it proves nothing.
    Lossy {
        /// When.
        time: Timestamp,
        /// The thousandths that were lost, 10 to 1,000.
        permille: u16,
    },
    /// A handset's SIP in clear has fallen far below what it was: its calls may no longer be seen.
    ClearSipDrop {
        /// When.
        time: Timestamp,
        /// Who.
        who: Who,
        /// Its SIP messages in clear a day, as was usual.
        usual: u32,
        /// Its SIP messages in clear in the last day.
        last: u32,
        /// Whether it has begun to speak TLS or DTLS instead.
        encrypted: bool,
    },
}

impl Fact {
    /// When it happened.
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::Call(call) => call.time,
            Self::Registered { time, .. } | Self::ClearSipDrop { time, .. } | Self::Lossy { time, .. } => {
                *time
            }
            Self::Sighting(sighting) => sighting.time,
        }
    }
}
