//! What the engine says, written down: JSON lines for machines, text for people.
//!
//! In: `Output`, `Fact`, the replay's totals. Out: lines of bytes.
//! Never: decides, or writes a number in full unless it is told to.

pub mod advice;
mod checklist;
mod coverage;
mod findings;
mod json;
mod layout;
mod learning;
mod money;
mod privacy;
mod report;
mod sighting;
mod summary;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use json::explained;
pub use layout::line as folded;
pub use money::{grouped, units};
pub use privacy::{NumberKey, Privacy};
pub use report::Report;
pub use sighting::inventory;
pub use summary::Summary;
pub use text::{Style, Writer, length};

use crate::dial::{Class, Kind, Number, Target};
use crate::handsets::Who;
use crate::text::{Text, escape};

/// Writes records.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    /// How numbers are written.
    pub privacy: Privacy,
    /// Accounts and what people call them.
    pub names: BTreeMap<String, String>,
}

impl Recorder {
    fn number(&self, number: &Number) -> String {
        match &self.privacy {
            Privacy::Full => number.full(),
            Privacy::Masked => number.to_string(),
            Privacy::Hashed(key) => key.token(&number.full()),
        }
    }

    /// Strings that stay inside the office's own PBX name nobody outside, and stay whole.
    fn dialled<'a>(&self, dialled: &'a Text<40>, target: &Target) -> Cow<'a, str> {
        let ours = matches!(target.class, Class::Internal | Class::Emergency | Class::Short)
            || (target.class == Class::Feature && target.kind != Kind::ForwardTo);
        let whole = wire(dialled);
        match &self.privacy {
            Privacy::Masked if !ours => Cow::Owned(masked(&whole)),
            Privacy::Hashed(key) if !ours => Cow::Owned(key.token(&whole)),
            _ => whole,
        }
    }

    fn name(&self, who: &Who) -> Option<&str> {
        let user = std::str::from_utf8(who.user.as_bytes()).ok()?;
        self.names.get(user).map(String::as_str)
    }
}

/// At most the first four characters and the last two, as a masked `Number` shows them.
fn masked(whole: &str) -> String {
    let chars: Vec<char> = whole.chars().collect();
    let head = chars.len().saturating_sub(6).min(4);
    let tail = chars.len().saturating_sub(2);
    chars.iter().take(head).chain(['…'].iter()).chain(chars.iter().skip(tail)).collect()
}

/// Text from outside as it was, if a sink can't misread it; else escaped.
fn wire<const N: usize>(text: &Text<N>) -> Cow<'_, str> {
    let escaped = escape(text.as_bytes());
    match std::str::from_utf8(text.as_bytes()) {
        // JSON has its own way to write a backslash.
        Ok(whole) if !text.is_cut() && escaped.replace("\\\\", "\\") == whole => Cow::Borrowed(whole),
        _ => Cow::Owned(text.to_string()),
    }
}

/// The extension where one is known, else the address.
pub fn handset(who: &Who) -> String {
    if who.user.is_empty() { who.ip.to_string() } else { wire(&who.user).into_owned() }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
