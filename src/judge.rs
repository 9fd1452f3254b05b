//! The cold half: decides what the facts mean.
//!
//! In: `Fact`, ticks, commands. Out: `Output`.
//! Never: touches a packet.

use crate::alert::Alert;
use crate::fact::CallFact;

/// What the judge has to say, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A call began or ended.
    Call(Box<CallFact>),
    /// An incident was raised, updated or cleared.
    Alert(Box<Alert>),
}
