//! What a capture really contains: the labels beside it.
//!
//! In: attacks as they were played. Out: one JSON object a line.
//! Never: guesses; times are those of the frames written.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// One attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Its name, unique in the file: scenario and number.
    pub episode: String,
    /// The attack's scenario.
    pub scenario: String,
    /// When its first call was dialled, RFC 3339 with microseconds, UTC.
    pub start: String,
    /// When its last call was over, the same form.
    pub end: String,
    /// The extensions that placed its calls, in order of their first call.
    pub handsets: Vec<String>,
    /// Its calls in time order.
    pub calls: Vec<EpisodeCall>,
    /// ISO 4217 code of the prices.
    pub currency: String,
}

/// One call of an attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpisodeCall {
    /// Its Call-ID.
    pub call_id: String,
    /// When its first INVITE passed, RFC 3339 with microseconds, UTC.
    pub time: String,
    /// Seconds from the first INVITE to the answer, or to the failure.
    pub setup_s: f64,
    /// Seconds from the answer to the BYE; 0 if nobody answered.
    pub duration_s: f64,
    /// Price of a minute in `currency`.
    pub rate_per_min: f64,
}

/// Writes one line an attack.
pub(super) fn write(episodes: &[Episode], out: &mut dyn Write) -> io::Result<()> {
    for episode in episodes {
        serde_json::to_writer(&mut *out, episode).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
