//! Where frames come from: a capture file, a mirror port, a HEP feed.
//!
//! In: files, standard input, sockets. Out: `Frame`.
//! Never: parses SIP, allocates by what a file claims.

mod classic;
mod error;
pub mod file;
#[cfg(feature = "daemon")]
pub mod hep;
mod input;
#[cfg(feature = "daemon")]
pub mod live;
mod pcapng;
mod savefile;

pub use error::CaptureError;
