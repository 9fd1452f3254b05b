//! Dialled digits in one machine word.
//!
//! In: ASCII digits. Out: `Packed`, from which prefixes are taken off and put on without a loop.
//! Never: holds more than fifteen digits behind a prefix, or anything but digits.

use super::Number;

/// Digits that a word has room for.
pub(crate) const ROOM: usize = 16;
/// The longest number of E.164; behind it there is always an end mark.
pub(crate) const LONGEST: usize = 15;

const EACH: u64 = 0x0101_0101_0101_0101;

/// Up to 16 digits, four bits each, the first one highest; behind the last one, `0xF` up to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    pub(crate) bits: u64,
    pub(crate) len: usize,
}

impl Packed {
    /// The first fifteen of some ASCII digits, one by one.
    pub(crate) fn first_of(digits: &[u8]) -> Self {
        let mut packed = Self { bits: u64::MAX, len: 0 };
        for byte in digits.iter().take(LONGEST) {
            let shift = 60 - 4 * packed.len;
            packed.bits &= !(0xf << shift) | u64::from(byte.wrapping_sub(b'0') & 15) << shift;
            packed.len += 1;
        }
        packed
    }

    /// All of 8 to 16 ASCII digits; `None` for any other number of bytes or any other byte.
    #[inline]
    pub(crate) fn whole(text: &[u8]) -> Option<Self> {
        let len = text.len();
        if len > ROOM {
            return None;
        }
        let (head, tail) = (bytes(text.first_chunk()?), bytes(text.last_chunk()?));
        if strange(head) | strange(tail) != 0 {
            return None;
        }
        // The digits that are in both come to lie upon each other.
        let bits = nibbles(head) << 32 | nibbles(tail) << (4 * (ROOM - len));
        Some(Self { bits: bits | end_mark(len), len })
    }

    /// The digits at the beginning of a text that goes on for at least 16 bytes; `None` for a shorter text.
    #[inline]
    pub(crate) fn run(text: &[u8]) -> Option<Self> {
        let whole: &[u8; 16] = text.first_chunk()?;
        let (head, tail) = (bytes(whole.first_chunk()?), bytes(whole.last_chunk()?));
        let len = match (strange(head), strange(tail)) {
            (0, 0) => ROOM,
            (0, tail) => 8 + tail.leading_zeros() as usize / 8,
            (head, _) => head.leading_zeros() as usize / 8,
        };
        Some(Self { bits: nibbles(head) << 32 | nibbles(tail) | end_mark(len), len })
    }

    /// The first digit; 15 if there is none.
    #[inline]
    pub(crate) const fn first(&self) -> u64 {
        self.bits >> 60
    }

    /// The first three digits as they are written, four bits each; more than 0x999 if there are fewer.
    #[inline]
    pub(crate) const fn beginning(&self) -> usize {
        (self.bits >> 52) as usize
    }

    /// The first three digits as a number.
    #[inline]
    pub(crate) const fn first_three(&self) -> Option<usize> {
        let first = self.beginning();
        if self.len < 3 { None } else { Some(first - 6 * (first >> 4) - 60 * (first >> 8)) }
    }

    /// Whether the digits begin with others.
    #[inline]
    pub(crate) const fn starts_with(&self, prefix: &Self) -> bool {
        (self.bits ^ prefix.bits) & !end_mark(prefix.len) == 0
    }

    /// Without the first few digits.
    #[inline]
    #[must_use]
    pub(crate) const fn without(&self, count: usize) -> Self {
        match count {
            0 => *self,
            1..ROOM if count <= self.len => {
                Self { bits: self.bits << (4 * count) | end_mark(ROOM - count), len: self.len - count }
            }
            _ => Self { bits: u64::MAX, len: 0 },
        }
    }

    /// What is left behind a prefix.
    #[inline]
    pub(crate) const fn strip(&self, prefix: &Self) -> Option<Self> {
        if self.starts_with(prefix) { Some(self.without(prefix.len)) } else { None }
    }

    /// With others before them; `None` if that makes more than fifteen.
    #[inline]
    pub(crate) const fn behind(&self, first: &Self) -> Option<Self> {
        let len = first.len + self.len;
        if len > LONGEST {
            return None;
        }
        let bits = (first.bits & !end_mark(first.len)) | self.bits >> (4 * first.len);
        Some(Self { bits, len })
    }

    /// As a number; `None` for none and for more than fifteen digits.
    #[inline]
    pub(crate) fn number(&self) -> Option<Number> {
        if !(1..=LONGEST).contains(&self.len) {
            return None;
        }
        let digits = self.bits & !end_mark(self.len);
        let all = u128::from(ascii(digits >> 32)) << 64 | u128::from(ascii(digits & 0xffff_ffff));
        // Nought where there is no digit: equal numbers are equal byte by byte.
        let kept = all & !(u128::MAX >> (8 * self.len));
        Some(Number::of_counted((kept >> 8 | (self.len as u128) << 120).to_be_bytes()))
    }
}

/// Ones in the places behind so many digits.
#[inline]
const fn end_mark(len: usize) -> u64 {
    if len >= ROOM { 0 } else { u64::MAX >> (4 * len) }
}

#[inline]
fn bytes(eight: &[u8; 8]) -> u64 {
    // ASCII digits become 0 to 9, any other byte more.
    u64::from_be_bytes(*eight) ^ (EACH * 0x30)
}

/// The highest bit of each byte that is more than 9.
#[inline]
const fn strange(bytes: u64) -> u64 {
    let low = (bytes & (EACH * 0x7f)) + EACH * 0x76;
    (low | bytes) & (EACH * 0x80)
}

/// The low halves of eight bytes, side by side.
#[inline]
const fn nibbles(bytes: u64) -> u64 {
    let x = bytes & (EACH * 0x0f);
    let x = (x | x >> 4) & 0x00ff_00ff_00ff_00ff;
    let x = (x | x >> 8) & 0x0000_ffff_0000_ffff;
    (x | x >> 16) & 0xffff_ffff
}

/// Eight digits as ASCII.
#[inline]
const fn ascii(nibbles: u64) -> u64 {
    let x = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff;
    let x = (x | x << 8) & 0x00ff_00ff_00ff_00ff;
    ((x | x << 4) & (EACH * 0x0f)) + EACH * 0x30
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(packed: &Packed) -> String {
        let digits = (0..packed.len).map(|at| packed.bits >> (60 - 4 * at) & 15);
        assert_eq!(packed.bits & end_mark(packed.len), end_mark(packed.len), "end mark");
        digits.map(|digit| char::from_digit(u32::try_from(digit).unwrap(), 10).unwrap()).collect()
    }

    proptest! {
        #[test]
        fn packs_what_it_is_given(digits in "[0-9]{8,16}", more in "[^0-9]{1,16}") {
            let packed = Packed::whole(digits.as_bytes()).unwrap();
            prop_assert_eq!(text(&packed), &digits[..]);
            let run = format!("{digits}{more}{}", "x".repeat(16));
            if digits.len() < ROOM {
                prop_assert_eq!(Packed::run(run.as_bytes()), Some(packed));
            }
            let first = Packed::first_of(digits.as_bytes());
            prop_assert_eq!(text(&first), &digits[..digits.len().min(LONGEST)]);
            let number = (digits.len() <= LONGEST).then(|| Number::new(digits.as_bytes()).unwrap());
            prop_assert_eq!(packed.number(), number);
        }

        #[test]
        fn refuses_anything_else(before in "[0-9]{0,15}", odd in any::<u8>(), after in "[0-9]{0,15}") {
            prop_assume!(!odd.is_ascii_digit());
            let mut bytes = before.clone().into_bytes();
            bytes.push(odd);
            bytes.extend_from_slice(after.as_bytes());
            prop_assert_eq!(Packed::whole(&bytes), None);
            bytes.extend_from_slice(b"@@@@@@@@@@@@@@@@");
            prop_assert_eq!(Packed::run(&bytes).unwrap().len, before.len());
        }

        #[test]
        fn takes_off_and_puts_on(head in "[0-9]{0,8}", tail in "[0-9]{0,16}", other in "[0-9]{0,15}") {
            prop_assume!(head.len() + tail.len() <= LONGEST);
            let joined = format!("{head}{tail}");
            let (packed, first, rest) =
                (Packed::first_of(joined.as_bytes()), Packed::first_of(head.as_bytes()), Packed::first_of(tail.as_bytes()));
            prop_assert_eq!(packed.strip(&first), Some(rest));
            prop_assert_eq!(rest.behind(&first), Some(packed));
            let other_packed = Packed::first_of(other.as_bytes());
            prop_assert_eq!(packed.starts_with(&other_packed), joined.starts_with(&other));
            prop_assert_eq!(packed.behind(&other_packed).is_some(), joined.len() + other.len() <= LONGEST);
        }
    }
}
