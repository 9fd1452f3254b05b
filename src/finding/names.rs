//! Evidence over a restart: its names are words of the program, so they are written as text and come
//! back as words of the program.
//!
//! In: evidence. Out: the same. Never: grows without bound, whatever a state file says.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Evidence;

/// Names that are known, at the most, and bytes of each.
const NAMES: usize = 512;
const LONGEST: usize = 40;

static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// A name that lasts as long as the program does; none for what can't be one.
pub fn lasting(name: &str) -> Option<&'static str> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > LONGEST || !name.bytes().all(is_word) {
        return None;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known.get(name) {
        return Some(known);
    }
    if known.len() >= NAMES {
        return None;
    }
    let name: &'static str = String::from(name).leak();
    known.insert(name);
    Some(name)
}

/// For `#[serde(with = "names")]`.
///
/// # Errors
/// As the serializer says.
pub fn serialize<S: Serializer>(
    evidence: &Vec<(&'static str, Evidence)>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    evidence.serialize(serializer)
}

/// For `#[serde(with = "names")]`. What has no proper name is left out.
///
/// # Errors
/// As the deserializer says.
pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(&'static str, Evidence)>, D::Error> {
    let rows = Vec::<(String, Evidence)>::deserialize(deserializer)?;
    Ok(rows.into_iter().filter_map(|(name, value)| Some((lasting(&name)?, value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_last_and_nonsense_is_left_out() {
        assert_eq!(lasting("user_agent"), Some("user_agent"));
        assert_eq!(lasting("user_agent").map(str::as_ptr), lasting("user_agent").map(str::as_ptr));
        for nonsense in ["", "A", "two words", "x\u{1b}", &"x".repeat(41)] {
            assert_eq!(lasting(nonsense), None);
        }
    }
}
