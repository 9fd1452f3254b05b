//! Replays captures through the engine.
//!
//! In: files, in order, as one stream. Out: what the engine says, and which files were broken.
//! Never: stops at a broken file before everything readable in it was processed.

use std::io;

use super::engine::{Engine, Sink};
use crate::capture::CaptureError;
use crate::capture::file::{self, Source};

/// How far a replay has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Which file is read: its place in the list, from 0.
    pub file: usize,
    /// Bytes read of it, compressed ones where it is.
    pub bytes: u64,
    /// Frames read of all files.
    pub frames: u64,
}

/// Frames between two reports of progress.
const REPORT_EVERY: u64 = 16_384;

/// Runs the sources through the engine and to its end; gives the files that could not be read
/// whole, with what was wrong.
///
/// # Errors
/// Whatever the sink can't write.
pub fn replay(
    engine: &mut Engine,
    sources: &[Source],
    sink: &mut dyn Sink,
    report: &mut dyn FnMut(Progress),
) -> io::Result<Vec<CaptureError>> {
    let mut broken = Vec::new();
    let mut frames = 0;
    for (file, source) in sources.iter().enumerate() {
        let mut report = |bytes, frames| report(Progress { file, bytes, frames });
        if let Err(error) = one(engine, source, sink, &mut frames, &mut report)? {
            broken.push(error);
        }
    }
    engine.finish(sink)?;
    Ok(broken)
}

fn one(
    engine: &mut Engine,
    source: &Source,
    sink: &mut dyn Sink,
    frames: &mut u64,
    report: &mut dyn FnMut(u64, u64),
) -> io::Result<Result<(), CaptureError>> {
    let mut capture = match file::open(source) {
        Ok(capture) => capture,
        Err(error) => return Ok(Err(error)),
    };
    loop {
        match capture.next() {
            Ok(Some(frame)) => engine.frame(&frame, sink)?,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        }
        *frames = frames.saturating_add(1);
        if frames.is_multiple_of(REPORT_EVERY) {
            report(capture.progress().0, *frames);
        }
    }
}
