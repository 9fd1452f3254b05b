//! The program's loops: what turns sources into outputs.
//!
//! In: settings, sources. Out: outputs, handed to a sink.
//! Never: holds a rule.

pub mod engine;
pub mod replay;
