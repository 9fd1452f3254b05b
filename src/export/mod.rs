//! What leaves the program: metrics, an API, a page; the journal, letters to people and machines.
//!
//! In: records, the `Board`. Out: HTTP, files, mail, syslog.
//! Never: blocks the judge; takes a label from the wire.

pub mod alertmanager;
pub mod api;
mod client;
pub mod courier;
pub mod desk;
pub mod email;
pub mod history;
pub mod http;
pub mod journal;
pub mod metrics;
pub mod outbox;
mod page;
pub mod post;
pub mod report;
pub mod sinks;
pub mod syslog;
pub mod webhook;

use crate::time::Timestamp;

/// The wall clock: what `since` in a question counts from.
#[expect(clippy::disallowed_methods, reason = "somebody outside asks for what happened since a while ago")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
