//! Files of past calls: what `learn` and `replay --learn` read.

use std::path::PathBuf;

use super::{Failure, complain};
use crate::config::Config;
use crate::learn::{self, Office, PastCall};

/// The past calls of all files in time order. What each file taught is said on standard error.
pub(super) fn calls(files: &[PathBuf], config: &Config) -> Result<Vec<PastCall>, Failure> {
    let office =
        Office { dial: config.dial(), sensor: config.sensor(), hours: config.office_hours().clone() };
    let mut calls = Vec::new();
    for file in files {
        let fault = |what: String| Failure::Runtime(format!("{}: {what}", file.display()));
        let (history, broken) = learn::load(file, &office).map_err(|error| fault(error.to_string()))?;
        complain(&format!("{}: {}", file.display(), history.describe()));
        if let Some(broken) = broken {
            complain(&broken.to_string());
        }
        calls.extend(history.calls);
    }
    calls.sort_by_key(|call| call.time);
    Ok(calls)
}
