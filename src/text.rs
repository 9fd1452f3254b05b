//! Short owned text from outside: bounded, copied without allocating, harmless when printed.
//!
//! In: bytes from the wire. Out: `Text<N>`, and an escaped form for every sink.
//! Never: assumes UTF-8, prints a control character.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Up to `N` bytes (at most 255) from outside, stored inline; longer input is cut and marked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize> {
    len: u8,
    cut: bool,
    bytes: [u8; N],
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self { len: 0, cut: false, bytes: [0; N] }
    }
}

impl<const N: usize> Text<N> {
    const CAP: usize = if N < 255 { N } else { 255 };

    /// Copies at most `N` bytes.
    pub fn new(bytes: &[u8]) -> Self {
        let mut text = Self::default();
        let len = bytes.len().min(Self::CAP);
        text.bytes[..len].copy_from_slice(&bytes[..len]);
        // CAP is at most 255, so this never falls back.
        text.len = u8::try_from(len).unwrap_or(u8::MAX);
        text.cut = bytes.len() > len;
        text
    }

    /// Becomes the same text as another, of which only what is used is read: most are far shorter than
    /// their room, and those that wait in a table have left the cache.
    pub fn set(&mut self, other: &Self) {
        let text = other.as_bytes();
        let (used, rest) = self.bytes.split_at_mut(text.len());
        used.copy_from_slice(text);
        rest.fill(0);
        (self.len, self.cut) = (other.len, other.cut);
    }

    /// The bytes as they were on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether the input was longer than fits.
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether there is no text.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<const N: usize> From<&str> for Text<N> {
    fn from(s: &str) -> Self {
        Self::new(s.as_bytes())
    }
}

/// As raw bytes, for snapshots; records write the escaped form instead.
impl<const N: usize> Serialize for Text<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.cut, self.as_bytes()).serialize(serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Text<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (cut, bytes) = <(bool, Vec<u8>)>::deserialize(deserializer)?;
        let text = Self::new(&bytes);
        Ok(Self { cut: cut || text.cut, ..text })
    }
}

/// The escaped form: see [`escape`].
impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escape(self.as_bytes()))?;
        if self.cut { f.write_str("…") } else { Ok(()) }
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// An IP address as text writes it; no name, no brackets, no port.
pub fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    dotted(bytes).or_else(|| {
        // The longest form is IPv6 with an IPv4 address at its end: 45 bytes.
        let text = if bytes.len() <= 45 { std::str::from_utf8(bytes).ok()? } else { return None };
        text.parse().ok()
    })
}

/// Four decimal octets without needless zeros, which is how nearly every address is written.
#[inline]
fn dotted(bytes: &[u8]) -> Option<IpAddr> {
    let (first, rest) = octet(bytes)?;
    let (second, rest) = octet(rest.strip_prefix(b".")?)?;
    let (third, rest) = octet(rest.strip_prefix(b".")?)?;
    let (fourth, rest) = octet(rest.strip_prefix(b".")?)?;
    rest.is_empty().then(|| IpAddr::from([first, second, third, fourth]))
}

/// The octet at the text's beginning and what follows it.
#[inline(always)]
fn octet(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: u8| Some(byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9);
    let (first, rest) = text.split_first()?;
    let first = digit(*first)?;
    let Some((second, behind)) = rest.split_first().and_then(|(byte, rest)| Some((digit(*byte)?, rest)))
    else {
        return Some((first, rest));
    };
    if first == 0 {
        return None;
    }
    let two = first * 10 + second;
    let Some((third, rest)) = behind.split_first().and_then(|(byte, rest)| Some((digit(*byte)?, rest)))
    else {
        return Some((two, behind));
    };
    Some((two.checked_mul(10)?.checked_add(third)?, rest))
}

/// Text from outside in a form that no sink can misread: control characters, bidirectional
/// overrides, line separators and invalid UTF-8 become `\x1b`-style escapes; a backslash doubles.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '\\' {
                out.push_str("\\\\");
            } else if is_unsafe(c) {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    push_hex(&mut out, byte);
                }
            } else {
                out.push(c);
            }
        }
        for byte in chunk.invalid() {
            push_hex(&mut out, *byte);
        }
    }
    out
}

fn push_hex(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push_str("\\x");
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

/// Characters that move the cursor, change direction or hide: C0, C1, bidi controls, separators,
/// zero-width characters and tags.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_set_is_the_other() {
        let mut text = Text::<8>::new(b"abcdefghij");
        for other in [&b"xy"[..], b"", b"12345678", b"abcdefghijk"] {
            let other = Text::new(other);
            text.set(&other);
            assert_eq!((text, text.is_cut()), (other, other.is_cut()));
        }
    }

    #[test]
    fn addresses_are_read_as_the_standard_library_reads_them() {
        for text in [
            "10.0.3.17",
            "0.0.0.0",
            "255.255.255.255",
            "256.1.1.1",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "1..3.4",
            "",
            "1.2.3.4 ",
            "1.2.3.",
            ".1.2.3",
            "2001:db8::1",
            "::ffff:192.0.2.1",
            "[::1]",
            "h.example",
            "1.2.3.4444",
            "00.0.0.0",
        ] {
            assert_eq!(ip_address(text.as_bytes()), text.parse().ok(), "{text}");
        }
        assert_eq!(ip_address(b"\xff1.2.3"), None);
        // Every octet in every place, and what only looks like one.
        for n in 0..1_100u32 {
            for text in
                [format!("{n}.2.3.4"), format!("1.2.{n}.4"), format!("1.2.3.{n}"), format!("1.0{n}.3.4")]
            {
                assert_eq!(ip_address(text.as_bytes()), text.parse().ok(), "{text}");
            }
        }
    }

    #[test]
    fn cuts_and_marks() {
        let text = Text::<4>::new(b"abcdef");
        assert_eq!(text.as_bytes(), b"abcd");
        assert_eq!(text.to_string(), "abcd…");
        assert_eq!(Text::<255>::new(&[b'a'; 300]).as_bytes().len(), 255);
    }

    #[test]
    fn escapes_what_a_terminal_would_obey() {
        assert_eq!(escape(b"a\x1b]0;x\x07\r\n"), "a\\x1b]0;x\\x07\\x0d\\x0a");
        assert_eq!(escape("J\u{fc}rgen \u{202e}".as_bytes()), "J\u{fc}rgen \\xe2\\x80\\xae");
        assert_eq!(escape(b"\xff\\"), "\\xff\\\\");
    }
}
