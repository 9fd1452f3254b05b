//! Extensions of the office: configured patterns, and accounts that the registrar accepted.
//!
//! In: `2XX`, `4000-4099`, `214`; learned accounts. Out: whether digits are one of them.
//! Never: learns what could be a number of the public plan, or more than fits.

use super::DialError;

/// How many accounts are learned; a registrar that accepts more is counted.
const MOST_LEARNED: usize = 16_384;
/// Longer accounts could be subscriber numbers.
const LONGEST_LEARNED: usize = 6;
const LONGEST: usize = 15;

/// Digits as a number, after their count, so that 012 isn't 12.
pub(crate) type Key = (usize, u64);

/// The office's extensions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extensions {
    /// One bit set of digits for each position.
    patterns: Vec<Vec<u16>>,
    ranges: Vec<(Key, Key)>,
    /// In ascending order.
    learned: Vec<Key>,
    refused: u64,
}

impl Extensions {
    /// From the configuration.
    pub(crate) fn new(texts: &[String]) -> Result<Self, DialError> {
        let mut all = Self::default();
        for text in texts {
            all.configure(text.trim()).ok_or_else(|| DialError::Extension(text.clone()))?;
        }
        Ok(all)
    }

    fn configure(&mut self, text: &str) -> Option<()> {
        if let Some((from, to)) = text.split_once('-') {
            let (from, to) = (key(from.trim().as_bytes())?, key(to.trim().as_bytes())?);
            if from.0 != to.0 || from.1 > to.1 {
                return None;
            }
            self.ranges.push((from, to));
            return Some(());
        }
        let places: Vec<u16> = text.bytes().map(place).collect::<Option<_>>()?;
        if places.is_empty() || places.len() > LONGEST {
            return None;
        }
        self.patterns.push(places);
        Some(())
    }

    /// Learns an account; false if it can't be an extension or the table is full.
    pub(crate) fn learn(&mut self, user: &[u8]) -> bool {
        let Some(key) = key(user).filter(|key| key.0 <= LONGEST_LEARNED) else { return false };
        let Err(at) = self.learned.binary_search(&key) else { return true };
        if self.learned.len() >= MOST_LEARNED {
            self.refused = self.refused.saturating_add(1);
            return false;
        }
        self.learned.insert(at, key);
        true
    }

    /// Takes over what another plan learned.
    pub(crate) fn keep_learned(&mut self, other: &Self) {
        self.learned.clone_from(&other.learned);
        self.refused = other.refused;
    }

    /// The learned accounts: digits and how many there are.
    pub(crate) fn learned(&self) -> &[Key] {
        &self.learned
    }

    /// Takes learned accounts back; what can't be one is left out.
    pub(crate) fn restore_learned(&mut self, mut keys: Vec<Key>) {
        keys.retain(|(len, digits)| {
            (1..=LONGEST_LEARNED).contains(len)
                && u32::try_from(*len).is_ok_and(|len| *digits < 10u64.saturating_pow(len))
        });
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(MOST_LEARNED);
        self.learned = keys;
    }

    /// How many accounts found no room.
    pub(crate) const fn refused(&self) -> u64 {
        self.refused
    }

    pub(crate) fn is_configured(&self, digits: &[u8]) -> bool {
        if self.patterns.is_empty() && self.ranges.is_empty() {
            return false;
        }
        let fits = |places: &Vec<u16>| {
            places.len() == digits.len()
                && places.iter().zip(digits).all(|(set, byte)| set >> (byte.wrapping_sub(b'0') & 15) & 1 == 1)
        };
        let within =
            |key: Key| self.ranges.iter().any(|(from, to)| *from <= key && key <= *to && key.0 == from.0);
        self.patterns.iter().any(fits) || key(digits).is_some_and(within)
    }

    pub(crate) fn is_learned(&self, digits: &[u8]) -> bool {
        digits.len() <= LONGEST_LEARNED
            && !self.learned.is_empty()
            && key(digits).is_some_and(|key| self.learned.binary_search(&key).is_ok())
    }
}

fn key(digits: &[u8]) -> Option<Key> {
    if digits.is_empty() || digits.len() > LONGEST || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((digits.len(), digits.iter().fold(0, |n, byte| n * 10 + u64::from(byte - b'0'))))
}

/// Digits, and the letters of Asterisk's patterns: X any digit, Z 1 to 9, N 2 to 9.
const fn place(byte: u8) -> Option<u16> {
    match byte {
        b'0'..=b'9' => Some(1 << (byte - b'0')),
        b'X' | b'x' => Some(0x3ff),
        b'Z' | b'z' => Some(0x3fe),
        b'N' | b'n' => Some(0x3fc),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Result<Extensions, DialError> {
        Extensions::new(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn knows_patterns_and_ranges() {
        let all = of(&["2XX", "4000-4099", "77"]).unwrap();
        for yes in ["200", "299", "4000", "4099", "77"] {
            assert!(all.is_configured(yes.as_bytes()), "{yes}");
        }
        for no in ["20", "2000", "300", "4100", "04000", "", "2*0"] {
            assert!(!all.is_configured(no.as_bytes()), "{no}");
        }
        for bad in ["", "2Q", "5-", "500-400", "10-200", "1234567890123456"] {
            assert!(matches!(of(&[bad]), Err(DialError::Extension(_))), "{bad}");
        }
    }

    #[test]
    fn learns_short_accounts_up_to_a_limit() {
        let mut all = Extensions::default();
        assert!(all.learn(b"214") && all.learn(b"214"));
        assert!(all.is_learned(b"214") && !all.is_learned(b"0214"));
        assert!(!all.learn(b"02079460958") && !all.learn(b"alice") && !all.learn(b""));
        let mut extra = 0;
        for n in 0..20_000u32 {
            extra += u32::from(!all.learn(n.to_string().as_bytes()));
        }
        // 214 is among them.
        assert_eq!((all.learned.len(), all.refused()), (MOST_LEARNED, u64::from(extra)));
        assert_eq!(extra, 20_000 - 16_384);
    }

    #[test]
    fn what_was_learned_can_be_taken_back() {
        let mut all = Extensions::default();
        all.restore_learned(vec![(3, 214), (3, 14), (3, 214), (2, 100), (0, 0), (9, 1), (usize::MAX, 3)]);
        assert!(all.is_learned(b"214") && all.is_learned(b"014") && !all.is_learned(b"14"));
        assert_eq!(all.learned(), [(3, 14), (3, 214)]);
        all.restore_learned((0..20_000).map(|n| (6, n)).collect());
        assert_eq!(all.learned().len(), MOST_LEARNED);
    }
}
