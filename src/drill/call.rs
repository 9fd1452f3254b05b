//! A call as it is planned, before it becomes messages.
//!
//! In: what traffic and attacks decide. Out: `Call`, `Item`.
//! Never: knows how SIP looks.

use super::kit::Extra;
use crate::time::{Span, Timestamp};

/// Who calls whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The handset calls a number outside, or a feature code.
    Out,
    /// A number outside calls the handset.
    In,
    /// The handset calls another one, given by index.
    Internal(usize),
    /// A number outside calls the handset and an on-site PBX sends the call on to another number.
    Forwarded(String),
}

/// How a call ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Answered, talked for so long.
    Answered(Span),
    /// Refused with a final status code, 400..=699.
    Failed(u16),
    /// The caller gave up while it rang.
    Cancelled,
    /// The handset answered 302 with this number.
    Redirected(String),
    /// Answered, then the handset sent the other side to this number with REFER.
    Transferred(Span, String),
}

impl Ending {
    /// How long the two sides talked.
    pub(super) const fn talk(&self) -> Span {
        match self {
            Self::Answered(talk) | Self::Transferred(talk, _) => *talk,
            _ => Span::ZERO,
        }
    }
}

/// Marks a call as part of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which attack, counted from 0.
    pub(super) episode: usize,
    /// What a minute costs, in thousandths of a pound.
    pub(super) rate: u32,
}

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// When the first INVITE is sent.
    pub(super) at: Timestamp,
    /// The office's side, by index.
    pub(super) handset: usize,
    pub(super) way: Way,
    /// What is dialled; for calls from outside, who calls.
    pub(super) number: String,
    /// From the first INVITE to the answer, the refusal or the giving up.
    pub(super) setup: Span,
    pub(super) ending: Ending,
    /// Whether the handset may have other calls at the time; else a call outward isn't made and a
    /// call inward finds it busy.
    pub(super) may_overlap: bool,
    pub(super) mark: Option<Mark>,
    /// Call-ID and From-tag, if it shares them with other calls.
    pub(super) shared_id: Option<String>,
}

impl Call {
    /// A call outward.
    pub(super) const fn out(
        at: Timestamp,
        handset: usize,
        number: String,
        setup: Span,
        ending: Ending,
    ) -> Self {
        Self {
            at,
            handset,
            way: Way::Out,
            number,
            setup,
            ending,
            may_overlap: false,
            mark: None,
            shared_id: None,
        }
    }

    /// When both sides have hung up.
    pub(super) const fn end(&self) -> Timestamp {
        self.at.plus(self.setup).plus(self.ending.talk())
    }
}

/// What the office does next.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Call(Call),
    /// A handset registers, as it does every so many seconds.
    Register {
        at: Timestamp,
        handset: usize,
        every: i64,
    },
    /// A frame that isn't SIP.
    Frame(Extra),
}

impl Item {
    pub(super) const fn at(&self) -> Timestamp {
        match self {
            Self::Call(call) => call.at,
            Self::Register { at, .. } => *at,
            Self::Frame(extra) => extra.at,
        }
    }
}
