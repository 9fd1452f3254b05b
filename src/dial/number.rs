//! Countries and telephone numbers as values.
//!
//! In: codes and digits. Out: `Region`, `Number`.
//! Never: prints a number in full unless asked to (law 9).

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::numbering::Numbering;

/// An ISO 3166-1 alpha-2 country code, or `001` for numbers of no country.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region([u8; 3]);

impl Region {
    /// Numbers of no country.
    pub const WORLD: Self = Self(*b"001");
    /// The United Kingdom, the default home.
    pub const GB: Self = Self(*b"GB\0");

    /// From two letters or `001`; `None` for anything else.
    pub fn new(code: &str) -> Option<Self> {
        match *code.as_bytes() {
            [b'0', b'0', b'1'] => Some(Self::WORLD),
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase(), 0]))
            }
            _ => None,
        }
    }

    /// Its English name, such as `Latvia`; `international networks` for `001`.
    pub fn name(&self) -> &'static str {
        let named = Numbering::shipped().ok().and_then(|numbering| numbering.name(*self));
        named.unwrap_or("an unknown country")
    }

    /// `GB`, `001`.
    pub fn as_str(&self) -> &str {
        let len = if self.0[2] == 0 { 2 } else { 3 };
        std::str::from_utf8(&self.0[..len]).unwrap_or("??")
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::new(&code).ok_or_else(|| D::Error::custom("not a country's code"))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A telephone number: up to 15 digits of E.164, no sign. Printed masked (law 9).
///
/// How many digits there are, then the digits, then nought: one piece of memory, copied at once.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number([u8; 16]);

impl Number {
    /// From ASCII digits; `None` if there are none, more than 15, or anything but digits.
    pub fn new(digits: &[u8]) -> Option<Self> {
        let sound = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        if sound { Self::of_digits(digits) } else { None }
    }

    /// From digits that are known to be digits.
    #[inline]
    pub(crate) fn of_digits(digits: &[u8]) -> Option<Self> {
        let mut number = [0; 16];
        number.get_mut(1..=digits.len())?.copy_from_slice(digits);
        number[0] = u8::try_from(digits.len()).ok()?;
        Some(Self(number))
    }

    /// From a count of digits, that many ASCII digits, and nought behind them.
    #[inline]
    pub(crate) const fn of_counted(counted: [u8; 16]) -> Self {
        Self(counted)
    }

    /// The digits in full: only for the journal, the store, the notifier and pattern tests.
    pub fn digits(&self) -> &[u8] {
        self.0.get(1..=usize::from(self.0[0])).unwrap_or_default()
    }

    /// `+` and all digits: only for sinks that apply `[privacy]`.
    pub fn full(&self) -> String {
        format!("+{}", std::str::from_utf8(self.digits()).unwrap_or(""))
    }

    /// The number without its last four digits: numbers of one block share it.
    pub fn block(&self) -> &[u8] {
        let digits = self.digits();
        &digits[..digits.len().saturating_sub(4)]
    }
}

/// The masked form: the first digits and the last two, `+4420…96`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = std::str::from_utf8(self.digits()).unwrap_or("");
        let head = digits.len().saturating_sub(6).min(4);
        write!(f, "+{}…{}", &digits[..head], &digits[digits.len().saturating_sub(2)..])
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
