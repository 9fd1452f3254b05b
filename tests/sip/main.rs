//! The scanner against messages that nobody in this project wrote, against hostile ones, against
//! every spelling that a PBX accepts, and against `rsip`.

mod hostile;
mod leniency;
mod oracle;
mod rfc;
#[cfg(test)]
mod support;
