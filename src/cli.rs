//! The command line.
//!
//! In: arguments. Out: an exit code.
//! Never: holds logic.

use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
