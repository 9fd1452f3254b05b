//! The wall clock, and how far behind it the engine's ticks run.
//!
//! In: nothing. Out: the time. Never: asked by the core.

use crate::time::{Span, Timestamp};

/// Ticks run so far behind the wall clock, so that packets that come late aren't taken for later
/// than they are.
pub(super) const LATE: Span = Span::seconds(1);

/// What the wall clock says.
#[expect(clippy::disallowed_methods, reason = "the program is where the wall clock comes in")]
pub(crate) fn wall() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// A moment of the clock that never steps.
#[expect(clippy::disallowed_methods, reason = "progress is measured by a clock that never steps")]
pub(super) fn moment() -> std::time::Instant {
    std::time::Instant::now()
}
