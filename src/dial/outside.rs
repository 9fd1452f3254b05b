//! Which digit the office dials for an outside line, where nobody configured it.
//!
//! In: what handsets dial. Out: a suggestion, once enough strings agree.
//! Never: changes how a string is read; that is the operator's decision.

use serde::{Deserialize, Serialize};

use super::extract::{Extracted, extract};
use super::reading::Steps;
use super::{Class, Dial, Leg};

/// Shorter strings say little: they may be extensions.
const SHORTEST: usize = 9;
/// Strings that must agree.
const ENOUGH: u32 = 20;
/// Their share of all strings that were long enough, in percent.
const SHARE: u32 = 60;
/// After so many strings the office's habit is known.
const MOST: u32 = 1_000;

/// Counts, for each digit, the strings that are a number only without it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideLine {
    only_without: [u32; 10],
    seen: u32,
}

impl OutsideLine {
    /// Takes a string that was dialled on a handset. Let each handset count but a few times, so that a
    /// scanner's strings don't outvote the office.
    pub fn observe(&mut self, dial: &Dial, user: &[u8]) {
        if self.seen >= MOST {
            return;
        }
        let Extracted::Dialled(dialled) = extract(user) else { return };
        let digits = dialled.bytes();
        if dialled.plus || !dialled.digits || digits.len() < SHORTEST {
            return;
        }
        self.seen = self.seen.saturating_add(1);
        let Some((first, rest)) = digits.split_first() else { return };
        let sound = |digits| {
            let reading = dial.read_public(Leg::Handset, digits, Steps::default());
            reading.is_good()
                && matches!(reading.target.class, Class::National | Class::Overseas | Class::Global)
        };
        let slot = self.only_without.get_mut(usize::from(first.wrapping_sub(b'0')));
        if let Some(count) = slot
            && !sound(digits)
            && sound(rest)
        {
            *count = count.saturating_add(1);
        }
    }

    /// The digit that most strings need off, once at least 20 strings and 60% of all agree.
    pub fn suggestion(&self) -> Option<char> {
        let (digit, count) = ('0'..='9').zip(self.only_without).max_by_key(|(_, count)| *count)?;
        let most = u64::from(count) * 100 >= u64::from(self.seen) * u64::from(SHARE);
        (count >= ENOUGH && most).then_some(digit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    fn suggestion(inputs: &[&str]) -> Option<char> {
        let dial = Dial::new(&Settings::default()).unwrap();
        let mut line = OutsideLine::default();
        for input in inputs.iter().cycle().take(40) {
            line.observe(&dial, input.as_bytes());
        }
        line.suggestion()
    }

    #[test]
    fn suggests_a_digit_that_most_strings_need_off() {
        assert_eq!(
            suggestion(&["902079460958", "900442079460958", "907400123456", "02079460958"]),
            Some('9')
        );
        assert_eq!(suggestion(&["902079460958", "02079460958", "07400123456"]), None);
        assert_eq!(suggestion(&["02079460958", "00442079460958", "+442079460958"]), None);
        assert_eq!(suggestion(&["9999", "214", "alice"]), None);
    }

    #[test]
    fn has_heard_enough_after_a_thousand_strings() {
        let dial = Dial::new(&Settings::default()).unwrap();
        let mut line = OutsideLine::default();
        for _ in 0..MOST {
            line.observe(&dial, b"902079460958");
        }
        let known = line.clone();
        line.observe(&dial, b"02079460958");
        assert_eq!(line, known);
    }

    #[test]
    fn needs_enough_strings() {
        let dial = Dial::new(&Settings::default()).unwrap();
        let mut line = OutsideLine::default();
        for _ in 0..ENOUGH - 1 {
            line.observe(&dial, b"902079460958");
        }
        assert_eq!(line.suggestion(), None);
        line.observe(&dial, b"902079460958");
        assert_eq!(line.suggestion(), Some('9'));
    }
}
