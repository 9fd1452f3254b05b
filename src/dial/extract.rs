//! From a URI or a bare dialled string to what was dialled.
//!
//! In: `sip:`, `sips:` and `tel:` URIs (RFC 3261 section 19.1, RFC 3966), `urn:service:sos` (RFC
//! 5031), or a user part. Out: digits with `+`, `*` and `#`, or the news that it is a name.
//! Never: allocates; looks at a byte more than a fixed number of times.

use super::packed::Packed;

/// Longer than any number with its prefixes and any feature code.
pub(crate) const LONGEST: usize = 40;

/// Digits that may come before a `+`: an outside line and `00`.
const LONGEST_BEFORE_PLUS: u8 = 4;

/// Dialled digits, `*` and `#`; a leading `+` is kept apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialled {
    bytes: [u8; LONGEST],
    len: u8,
    /// Whether it began with `+`.
    pub(crate) plus: bool,
    /// Whether all bytes are digits.
    pub(crate) digits: bool,
}

impl Dialled {
    const EMPTY: Self = Self { bytes: [0; LONGEST], len: 0, plus: false, digits: true };

    /// The digits, `*` and `#`, and inside a feature code also `+`.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    #[inline]
    fn push(&mut self, byte: u8) -> bool {
        let Some(slot) = self.bytes.get_mut(usize::from(self.len)) else { return false };
        *slot = byte;
        self.len += 1;
        true
    }

    /// Digits, then more digits; `None` if there is no room for them.
    #[inline]
    pub(crate) fn joined(first: &[u8], second: &[u8]) -> Option<Self> {
        let mut all = Self::EMPTY;
        let len = first.len() + second.len();
        let (head, tail) = all.bytes.get_mut(..len)?.split_at_mut_checked(first.len())?;
        head.copy_from_slice(first);
        tail.copy_from_slice(second);
        all.len = u8::try_from(len).ok()?;
        Some(all)
    }
}

/// Eight to sixteen digits, perhaps behind `+`: nearly all that is ever dialled.
#[derive(Clone, Copy)]
pub(crate) struct Quick<'a> {
    pub(crate) plus: bool,
    pub(crate) digits: &'a [u8],
    pub(crate) packed: Packed,
}

impl<'a> Quick<'a> {
    /// From a user part, or a `sip:` URI whose user part is nothing else.
    #[inline]
    pub(crate) fn read(input: &'a [u8]) -> Option<Self> {
        let uri = after_scheme(input, b"sip:");
        let (plus, rest) = match uri.unwrap_or(input) {
            [b'+', rest @ ..] | [b'%', b'2', b'B' | b'b', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        if uri.is_none() {
            return Packed::whole(rest).map(|packed| Self { plus, digits: rest, packed });
        }
        let packed = Packed::run(rest)?;
        let (digits, rest) = rest.split_at_checked(packed.len)?;
        (rest.first() == Some(&b'@')).then_some(Self { plus, digits, packed })
    }
}

/// A string of digits, perhaps behind a `+`, which is told apart.
#[inline]
pub(crate) fn plain(input: &[u8]) -> Option<(bool, &[u8])> {
    let (plus, digits) = match input {
        [b'+', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let sound = (1..=LONGEST).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    sound.then_some((plus, digits))
}

/// What a string turned out to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extracted {
    /// Something to dial.
    Dialled(Dialled),
    /// Something to dial within `phone-context=+…`, whose digits come first.
    Within(Dialled, Dialled),
    /// A number of a private plan: `phone-context` is a domain.
    Private,
    /// A name.
    Alias,
    /// An emergency service's URN.
    Emergency,
    /// Nothing.
    Empty,
    /// More digits than any plan has.
    TooLong,
}

/// Reads a URI or a user part.
pub(crate) fn extract(input: &[u8]) -> Extracted {
    let input = input.trim_ascii();
    // A display name has no colon, unless it stands in quotes.
    let bare = [&b"sip:"[..], b"sips:", b"tel:"].iter().any(|scheme| after_scheme(input, scheme).is_some());
    let input = if bare { input } else { unwrapped(input) };
    if let Some(rest) = after_scheme(input, b"tel:") {
        return subscriber(cut(rest, b'?'));
    }
    if let Some(rest) = after_scheme(input, b"sips:").or_else(|| after_scheme(input, b"sip:")) {
        return match user_of(rest) {
            Some(user) => subscriber(cut(user, b':')),
            None => host_alone(rest),
        };
    }
    if let Some(rest) = after_scheme(input, b"urn:service:") {
        return if after_scheme(rest, b"sos").is_some() { Extracted::Emergency } else { Extracted::Alias };
    }
    subscriber(cut(user_of(input).unwrap_or(input), b':'))
}

/// Without the angle brackets and display name of a `name-addr`.
fn unwrapped(input: &[u8]) -> &[u8] {
    match input.iter().position(|byte| *byte == b'<') {
        Some(at) => cut(input.get(at + 1..).unwrap_or_default(), b'>'),
        None => input,
    }
}

#[inline]
fn after_scheme<'a>(input: &'a [u8], scheme: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = input.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

#[inline]
fn cut(input: &[u8], at: u8) -> &[u8] {
    input.iter().position(|byte| *byte == at).and_then(|end| input.get(..end)).unwrap_or(input)
}

fn user_of(input: &[u8]) -> Option<&[u8]> {
    input.iter().position(|byte| *byte == b'@').and_then(|end| input.get(..end))
}

/// A SIP URI without `@` names a host, but digits alone are no host: somebody left it out.
fn host_alone(rest: &[u8]) -> Extracted {
    match subscriber(rest) {
        Extracted::Dialled(dialled) if !cut(rest, b';').contains(&b'.') => Extracted::Dialled(dialled),
        Extracted::Empty => Extracted::Empty,
        _ => Extracted::Alias,
    }
}

/// A telephone-subscriber with its parameters.
fn subscriber(input: &[u8]) -> Extracted {
    let number = cut(input, b';');
    let parameters = input.get(number.len()..).unwrap_or_default();
    let dialled = match dialled(number) {
        Extracted::Dialled(dialled) if !parameters.is_empty() && !dialled.plus => dialled,
        other => return other,
    };
    let context = parameters.split(|byte| *byte == b';').find_map(|p| after_scheme(p, b"phone-context="));
    match context {
        None => Extracted::Dialled(dialled),
        Some(context) => match self::dialled(context) {
            Extracted::Dialled(prefix) if prefix.plus && prefix.digits => Extracted::Within(prefix, dialled),
            _ => Extracted::Private,
        },
    }
}

/// Percent-escapes undone, visual separators dropped (RFC 3966 section 5.1.1), pauses cut off.
fn dialled(input: &[u8]) -> Extracted {
    let mut out = Dialled::EMPTY;
    let mut rest = input;
    let mut long = false;
    while let Some((byte, after)) = unescaped(rest) {
        rest = after;
        match byte {
            b'0'..=b'9' => long |= !out.push(byte),
            b'*' | b'#' => {
                out.digits = false;
                long |= !out.push(byte);
            }
            b'+' if out.len == 0 => out.plus = true,
            b'+' if !out.digits => long |= !out.push(byte),
            // Behind an outside line or an international prefix: it adds nothing.
            b'+' if out.len <= LONGEST_BEFORE_PLUS => {}
            b'-' | b'.' | b'(' | b')' | b' ' | b'/' => {}
            // A pause: what follows is dialled once the call is up. A parameter whose mark was escaped.
            b',' | b';' if out.len > 0 => break,
            _ => return Extracted::Alias,
        }
    }
    match (long, out.len) {
        (true, _) => Extracted::TooLong,
        (false, 0) => Extracted::Empty,
        _ => Extracted::Dialled(out),
    }
}

#[inline]
fn unescaped(input: &[u8]) -> Option<(u8, &[u8])> {
    match input {
        [b'%', high, low, rest @ ..] => match (hex(*high), hex(*low)) {
            (Some(high), Some(low)) => Some((high << 4 | low, rest)),
            _ => Some((b'%', input.get(1..).unwrap_or_default())),
        },
        [byte, rest @ ..] => Some((*byte, rest)),
        [] => None,
    }
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(input: &str) -> String {
        let text = |d: &Dialled| {
            format!("{}{}", if d.plus { "+" } else { "" }, std::str::from_utf8(d.bytes()).unwrap())
        };
        match extract(input.as_bytes()) {
            Extracted::Dialled(d) => text(&d),
            Extracted::Within(context, d) => format!("{}|{}", text(&context), text(&d)),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn reads_uris_and_user_parts() {
        for (input, expected) in [
            ("sip:+44-20-7946-0958@example.com;user=phone", "+442079460958"),
            ("SIPS:%2B442079460958@[2001:db8::1]:5061", "+442079460958"),
            ("sip:9011%2044:secret@pbx", "901144"),
            ("\"Desk\" <sip:214@10.0.0.1;x=y>;tag=1", "214"),
            ("tel:7946-0958;phone-context=+44-20", "+4420|79460958"),
            ("tel:214;phone-context=pbx.example.com", "Private"),
            ("tel:+44(0)20.7946.0958;ext=12", "+4402079460958"),
            ("sip:alice@example.com", "Alias"),
            ("sip:example.com", "Alias"),
            ("sip:10.0.0.1", "Alias"),
            ("sip:0044", "0044"),
            ("%2A21%2a0044%23", "*21*0044#"),
            ("**21*+442079460958#", "**21*+442079460958#"),
            ("02079460958,,12", "02079460958"),
            ("9+442079460958", "9442079460958"),
            ("00+442079460958", "00442079460958"),
            ("++442079460958", "+442079460958"),
            ("02079+460958", "Alias"),
            ("442079460958%3Bext=12", "442079460958"),
            ("", "Empty"),
            ("()", "Empty"),
            ("urn:service:sos.police", "Emergency"),
            ("urn:service:counseling", "Alias"),
            ("%zz", "Alias"),
        ] {
            assert_eq!(show(input), expected, "{input}");
        }
        assert_eq!(show(&"1".repeat(41)), "TooLong");
    }
}
