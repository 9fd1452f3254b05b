//! Where frames come from: a capture file, a mirror port, a HEP feed.
//!
//! In: files, standard input. Out: `Frame`.
//! Never: parses SIP, allocates by what a file claims.

mod classic;
mod error;
pub mod file;
mod input;
mod pcapng;
mod savefile;

pub use error::CaptureError;
