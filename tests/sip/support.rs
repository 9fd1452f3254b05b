//! Where the shared messages are, and how to read them.

use std::path::PathBuf;

/// The shared captures and messages; `None` (and a line that says so) where there are none.
pub(crate) fn corpora() -> Option<PathBuf> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpora"));
    let named = std::env::var_os("RINGFENCE_CORPORA").map(PathBuf::from);
    let found = [Some(beside), named].into_iter().flatten().find(|path| path.is_dir());
    if found.is_none() {
        println!("skipped: corpora not present");
    }
    found
}

/// The messages of the call-flow files: lists of block scalars, indented by two blanks.
pub(crate) fn call_flows(corpora: &std::path::Path) -> Vec<Vec<u8>> {
    let mut folders = vec![corpora.join("rfc-callflows/misc")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { folders.push(entry) } else { files.push(entry) }
        }
    }
    files.sort();
    let mut messages: Vec<Vec<u8>> = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            if line.starts_with("- |") {
                messages.push(Vec::new());
            } else if let (Some(message), false) = (messages.last_mut(), line.starts_with('#')) {
                message.extend_from_slice(line.strip_prefix("  ").unwrap_or(line).as_bytes());
                message.extend_from_slice(b"\r\n");
            }
        }
    }
    messages
}

/// Folds read as one blank, as RFC 3261 section 7.3.1 has it.
pub(crate) fn unfolded(value: &[u8]) -> String {
    String::from_utf8_lossy(value).split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
