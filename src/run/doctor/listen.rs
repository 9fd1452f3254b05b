//! A minute of a live interface.
//!
//! In: an interface, a time. Out: frames and drops for the doctor. Never: sends.

use std::time::{Duration, Instant};

use super::Doctor;
use crate::capture::live::{Live, Settings};
use crate::coverage::Kernel;

/// How often it's looked whether the time is up.
const LOOK: Duration = Duration::from_millis(200);

/// Listens for so many seconds.
///
/// # Errors
/// Why the interface can't be captured from, as a sentence.
#[expect(clippy::disallowed_methods, reason = "how long to listen is a matter of the machine's time")]
pub fn listen(doctor: &mut Doctor, interface: &str, seconds: u64) -> Result<(), String> {
    let settings = Settings { interfaces: vec![interface.to_owned()], filter: String::new(), buffer_mib: 16 };
    let mut live = Live::open(settings).map_err(|error| error.to_string())?;
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        live.poll(LOOK, &mut |frame| doctor.take(frame)).map_err(|error| format!("{interface}: {error}"))?;
    }
    let counts = live.counts().next().map(|(_, counts)| counts).unwrap_or_default();
    doctor.note_kernel(Kernel {
        received: counts.received,
        dropped: counts.dropped_kernel,
        dropped_by_interface: counts.dropped_interface,
    });
    Ok(())
}
