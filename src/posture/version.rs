//! Firmware versions in order, as their makers count.
//!
//! Numbers are split at `.`, `-` and `_`; a letter after a number comes after the bare number and
//! before any service release: 7.6.2 < 7.6.2a < 7.6.2SR1 < 7.6.2SR2. Brackets are notes.

use std::cmp::Ordering;

/// A version that can be compared within its maker's model.
#[derive(Clone, Debug, Eq)]
pub struct Version(Vec<Part>);

/// A number, its letter, and its service release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    number: u64,
    release: u64,
    letter: u8,
}

/// No version has more parts.
const PARTS: usize = 12;

impl Version {
    /// Reads what a maker writes; `None` if it is no version. Yealink's and Gigaset's first number
    /// names the model, not the version.
    pub fn read(vendor: &str, text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', 'V', 'R']);
        let text = text.split(['(', ' ', ';', '/']).next().unwrap_or_default();
        let words: Vec<&str> = text.split(['.', '-', '_']).filter(|word| !word.is_empty()).collect();
        if words.is_empty() || words.len() > PARTS {
            return None;
        }
        let mut parts: Vec<Part> = Vec::with_capacity(words.len());
        for word in words {
            match (part(word), parts.last_mut()) {
                (Some(part), _) => parts.push(part),
                (None, Some(last)) => last.release = last.release.max(release(word)?),
                (None, None) => return None,
            }
        }
        if matches!(vendor.to_ascii_lowercase().as_str(), "yealink" | "gigaset") && parts.len() > 1 {
            parts.remove(0);
        }
        Some(Self(parts))
    }

    /// The branch: the first two numbers.
    pub fn branch(&self) -> (u64, u64) {
        let number = |n: usize| self.0.get(n).map_or(0, |part| part.number);
        (number(0), number(1))
    }

    fn part(&self, n: usize) -> Part {
        self.0.get(n).copied().unwrap_or_default()
    }
}

/// `12`, `2d`, `2SR1`.
fn part(word: &str) -> Option<Part> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = word.split_at(digits);
    let number = number.parse().ok()?;
    match rest.as_bytes() {
        [] => Some(Part { number, ..Part::default() }),
        [letter] if letter.is_ascii_alphabetic() => {
            Some(Part { number, letter: letter.to_ascii_lowercase(), ..Part::default() })
        }
        _ => Some(Part { number, release: release(rest)?, ..Part::default() }),
    }
}

/// `SR1`, `HF2`, `SP3`; `SIP`, `MPP` and the like say nothing.
fn release(word: &str) -> Option<u64> {
    let lower = word.to_ascii_lowercase();
    for mark in ["sr", "hf", "sp"] {
        if let Some(rest) = lower.strip_prefix(mark)
            && let Ok(n) = rest.parse::<u64>()
        {
            return Some(n.saturating_add(1));
        }
    }
    lower.bytes().all(|byte| byte.is_ascii_alphabetic()).then_some(0)
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let longest = self.0.len().max(other.0.len());
        let parts = (0..longest).map(|n| self.part(n).cmp(&other.part(n)));
        parts.fold(Ordering::Equal, Ordering::then)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Version {
        Version::read("", text).unwrap()
    }

    #[test]
    fn makers_orders() {
        for rising in [
            &["7.6.2", "7.6.2a", "7.6.2d", "7.6.2SR1", "7.6.2SR2", "7.6.3"][..],
            &["1.0.7.80", "1.0.7.81", "1.0.10.1"],
            &["6.4.0.136", "6.4.0.137"],
            &["6.3", "6.3.1", "6.3.1.SP3", "6.3.1.SP4"],
            &["11.1", "11.1.2", "11.2", "11.2.1", "11.3.7", "11.3.7SR1"],
            &["8.7.5.48", "10.1.159.12"],
        ] {
            for pair in rising.windows(2) {
                assert!(read(pair[0]) < read(pair[1]), "{} < {}", pair[0], pair[1]);
            }
        }
        assert_eq!(read("06.05.00.11"), read("6.5.0.11"));
        assert_eq!(read("1.4.1SR1(002)d-hisec"), read("1.4.1SR1"));
        assert_eq!(read("4.1.0.128-SIP"), read("4.1.0.128"));
    }

    #[test]
    fn the_first_number_may_be_the_model() {
        let read = |text: &str| Version::read("Yealink", text).unwrap();
        assert!(read("108.86.0.20") > read("28.72.0.1"));
        assert_eq!(read("108.86.0.20").branch(), (86, 0));
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "unknown", "x.1", "..", "1.2.3zz9", "99999999999999999999999"] {
            assert!(Version::read("", text).is_none(), "{text}");
        }
    }

    fn any() -> impl Strategy<Value = String> {
        let part = "(0|[1-9][0-9]{0,4})([a-z]|SR[0-9]|HF[0-9])?";
        prop::collection::vec(part, 1..6).prop_map(|parts| parts.join("."))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_400))]

        #[test]
        fn the_order_is_total(a in any(), b in any(), c in any()) {
            let (a, b, c) = (read(&a), read(&b), read(&c));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
            let mut next = a.clone();
            if let Some(last) = next.0.last_mut() {
                *last = Part { number: last.number + 1, ..*last };
            }
            prop_assert!(a < next);
        }
    }
}
