//! What leaves the program: the journal, letters to people and machines.
//!
//! In: records. Out: files, HTTP requests, mail, syslog.
//! Never: blocks the judge; takes a label from the wire.

pub mod journal;
