//! The program's loops: what turns sources into outputs.
//!
//! In: settings, sources. Out: outputs, handed to a sink.
//! Never: holds a rule.

#[cfg(feature = "daemon")]
pub(crate) mod clock;
#[cfg(feature = "daemon")]
pub mod control;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
mod decide;
#[cfg(feature = "daemon")]
mod destinations;
#[cfg(feature = "daemon")]
mod direction;
pub mod doctor;
pub mod engine;
pub mod guess;
#[cfg(feature = "daemon")]
mod keep;
#[cfg(feature = "daemon")]
mod keeper;
#[cfg(feature = "daemon")]
mod landlock;
mod lesson;
#[cfg(feature = "daemon")]
pub mod outlet;
#[cfg(feature = "daemon")]
mod panics;
#[cfg(feature = "daemon")]
mod passwords;
#[cfg(feature = "daemon")]
mod privileges;
pub mod replay;
#[cfg(feature = "daemon")]
mod seccomp;
#[cfg(feature = "daemon")]
mod sense;
#[cfg(feature = "daemon")]
mod watch;
