//! Numbers behind guessed stems: how scanners search for a PBX's way to the outside.
//!
//! In: digits that fit no plan. Out: the number behind the stem.
//! Never: finds a stem other than an international prefix in front of a number that doesn't exist.

use super::packed::Packed;
use super::reading::Reading;
use super::{Class, Dial, Group, Kind, Risk};

/// International prefixes of the world behind outside lines, as scanners dial them; longest first.
const STEMS: [&[u8]; 20] = [
    b"900011", b"00011", b"90011", b"90810", b"99011", b"0011", b"9000", b"9011", b"9810", b"8011", b"011",
    b"810", b"900", b"800", b"000", b"00", b"90", b"80", b"9", b"8",
];
/// The longest stem of digits that stand for nothing.
const LONGEST_STEM: usize = 6;
/// A single digit in front of a number that doesn't exist is no sign of anything.
const SHORTEST_CLEAR_STEM: usize = 2;
/// Fewer digits are no number worth probing for, and begin too many strings.
const SHORTEST_NUMBER: usize = 9;

impl Dial {
    /// A number that exists, behind a stem; `plus` if the string began with `+`.
    #[cold]
    pub(crate) fn read_probe(&self, digits: &[u8], plus: bool) -> Option<Reading> {
        if digits.len() <= SHORTEST_NUMBER {
            return None;
        }
        let known = STEMS.iter().filter_map(|stem| digits.strip_prefix(*stem));
        if let Some(reading) = known.filter_map(|rest| self.read_behind(rest)).next() {
            return Some(reading);
        }
        if self.is_overdialled(digits) {
            return None;
        }
        let guessed = (1..=LONGEST_STEM).filter_map(|len| digits.split_at_checked(len));
        guessed.filter(|(stem, _)| !plus && guessed_stem(stem)).find_map(|(_, rest)| self.read_behind(rest))
    }

    /// A number that nobody has, but of the right length for its country, behind another country's
    /// international prefix: test numbers of fraud often lie in ranges that were never allocated. Asked
    /// once nothing else can be made of the string.
    #[cold]
    pub(crate) fn read_unallocated_probe(&self, digits: &[u8]) -> Option<Reading> {
        if digits.len() <= SHORTEST_NUMBER {
            return None;
        }
        if self.is_overdialled(digits) {
            return None;
        }
        let clear = STEMS.iter().filter(|stem| stem.len() >= SHORTEST_CLEAR_STEM);
        let rest = clear.filter_map(|stem| digits.strip_prefix(*stem)).find(|rest| is_whole(rest))?;
        let place = self.world.place(rest).filter(|place| self.world.is_of_full_length(place))?;
        Some(self.read_place(&place, "").probed())
    }

    /// Whether a number that exists stands behind the international prefix, with digits too many: a slip
    /// of the finger or an extension, and no guess at a prefix.
    fn is_overdialled(&self, digits: &[u8]) -> bool {
        let Some(found) = self.home.international.find(digits) else { return false };
        let rest = digits.get(found.len..).unwrap_or_default();
        let exact = |len| rest.get(..len).and_then(|number| self.world.automaton.find(number));
        (SHORTEST_NUMBER..rest.len()).filter_map(exact).any(|found| found.exact)
    }

    /// Whether [`Dial::read_probe`] makes anything of digits behind a single nought, of which nothing but
    /// their beginning was taken; may say so of some that it leaves alone.
    #[inline]
    pub(crate) fn may_be_probe(&self, digits: &[u8], packed: &Packed) -> bool {
        let longest = packed.len.saturating_sub(SHORTEST_NUMBER);
        if longest > 2 && digits.starts_with(b"011") {
            return true;
        }
        // As in `guessed_stem`, a digit at a time.
        let (mut plain, mut doubled, mut before) = (true, false, b' ');
        let stems = digits.iter().zip(1..=longest.min(LONGEST_STEM));
        for (byte, len) in stems {
            plain &= matches!(byte, b'0' | b'9');
            doubled |= *byte == b'0' && before == b'0';
            before = *byte;
            let rest = digits.get(len..).unwrap_or_default();
            let guessed = (plain || doubled) && rest.first() != Some(&b'0');
            if guessed && self.world.exists(&packed.without(len), rest) {
                return true;
            }
        }
        false
    }

    fn read_behind(&self, rest: &[u8]) -> Option<Reading> {
        if !is_whole(rest) {
            return None;
        }
        let place = self.world.place(rest).filter(|place| place.found.exact)?;
        Some(self.read_place(&place, "").probed())
    }
}

/// Whether digits can be a number with its calling code.
fn is_whole(digits: &[u8]) -> bool {
    digits.len() >= SHORTEST_NUMBER && digits.first() != Some(&b'0')
}

impl Reading {
    /// The same number, reached by guessing.
    #[must_use]
    pub(crate) const fn probed(mut self) -> Self {
        self.target.class = Class::Suspect;
        self.target.kind = Kind::PrefixProbe;
        self.target.exact = false;
        self.target.risk = Risk::High;
        self.target.group = Group::Suspect;
        self.target.rule = "number behind a guessed prefix";
        self
    }
}

/// Whether digits look like a guess at an access code: they hold an international prefix, or nothing
/// but noughts and nines. Any other digits in front of a number are more likely a slip of the finger.
fn guessed_stem(stem: &[u8]) -> bool {
    stem.windows(2).any(|pair| pair == b"00") || stem.iter().all(|byte| matches!(byte, b'0' | b'9'))
}
