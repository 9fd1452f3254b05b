//! What leaves the program: the journal, letters to people and machines.
//!
//! In: records. Out: files, HTTP requests, mail, syslog.
//! Never: blocks the judge; takes a label from the wire.

pub mod alertmanager;
mod client;
pub mod courier;
pub mod desk;
pub mod email;
pub mod journal;
pub mod outbox;
pub mod post;
pub mod sinks;
pub mod syslog;
pub mod webhook;
