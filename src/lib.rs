//! Ringfence watches an office's mirror port, follows every SIP call, and says within seconds
//! when a handset is being used for toll fraud.
//!
//! The modules stand in the order in which data flows: a file may name `crate::x` only if `x`
//! stands earlier in this list (`tests/architecture.rs` checks it). `ARCHITECTURE.md` shows the
//! way of one packet and of one alert through them.

// The ground everything stands on; none of it knows a packet.
pub mod time;
pub mod tally;
pub mod text;
pub mod bounded;

// The sensor: Frame -> Fact.
pub mod frame;
pub mod decode;
pub mod sip;
pub mod streams;
pub mod handsets;
pub mod calls;
pub mod touches;
pub mod hints;
pub mod dial;
pub mod ledger;
pub mod fact;
pub mod coverage;
pub mod sensor;

// The judge: Fact -> Output.
pub mod inventory;
pub mod baseline;
pub mod finding;
pub mod detect;
pub mod posture;
pub mod alert;
pub mod judge;
pub mod record;
pub mod view;

// The edges: files, settings, generated traffic, the command line.
pub mod capture;
#[cfg(feature = "daemon")]
pub mod store;
#[cfg(feature = "daemon")]
pub mod export;
pub mod config;
pub mod drill;
pub mod learn;
pub mod run;
pub mod score;
pub mod cli;
