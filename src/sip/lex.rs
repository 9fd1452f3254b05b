//! The few lexical rules that every SIP value shares (RFC 3261 section 25.1).
//!
//! In: bytes of one value. Out: trimmed, skipped and split bytes.
//! Never: allocates, or looks at a byte more often than a constant number of times.

use memchr::memchr;

use super::block::find;

/// Linear white space, where a fold's CR and LF count as blanks.
#[inline(always)]
pub(super) const fn is_lws(byte: u8) -> bool {
    byte <= b' ' && matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// What a PBX skips before a start line.
pub(super) const fn is_filler(byte: u8) -> bool {
    is_lws(byte) || byte == 0
}

/// A character of a token (RFC 3261 section 25.1).
pub(super) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

pub(super) fn trim_start(mut value: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = value {
        if !is_lws(*first) {
            break;
        }
        value = rest;
    }
    value
}

pub(super) fn trim_end(mut value: &[u8]) -> &[u8] {
    while let [rest @ .., last] = value {
        if !is_lws(*last) {
            break;
        }
        value = rest;
    }
    value
}

#[inline(always)]
pub(super) fn trim(value: &[u8]) -> &[u8] {
    match value {
        // One blank after the colon and none at the end: nearly every header's value.
        [b' ', inside @ ..] if matches!(inside, [first, .., last] if *first > b' ' && *last > b' ') => inside,
        [first, .., last] if *first > b' ' && *last > b' ' => value,
        _ => trim_slowly(value),
    }
}

/// Whether a value is one, and has nothing to trim.
#[inline(always)]
pub(super) fn is_trim(value: &[u8]) -> bool {
    value.first().is_some_and(|first| *first > b' ') && value.last().is_some_and(|last| *last > b' ')
}

fn trim_slowly(value: &[u8]) -> &[u8] {
    trim_end(trim_start(value))
}

/// `value` from `at` on; empty beyond its end.
#[inline(always)]
pub(super) fn from(value: &[u8], at: usize) -> &[u8] {
    value.get(at..).unwrap_or_default()
}

/// `value` up to `at`; the whole of it beyond its end.
#[inline(always)]
pub(super) fn upto(value: &[u8], at: usize) -> &[u8] {
    value.get(..at).unwrap_or(value)
}

/// Length of the longest prefix whose bytes all satisfy `keep`.
pub(super) fn span(value: &[u8], keep: impl Fn(u8) -> bool) -> usize {
    value.iter().position(|byte| !keep(*byte)).unwrap_or(value.len())
}

/// Where the quoted string ends whose opening quote stands just before `value`: the offset of the
/// closing quote, escapes skipped; `None` if it's never closed.
pub(super) fn closing_quote(value: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    loop {
        let found = at.checked_add(find(value.get(at..)?, [b'"', b'\\'])?)?;
        if value.get(found) == Some(&b'"') {
            return Some(found);
        }
        at = found.checked_add(2)?;
    }
}

/// Offset of the first `wanted` byte that stands outside quotes.
#[inline(always)]
pub(super) fn find_unquoted(value: &[u8], wanted: u8) -> Option<usize> {
    if value.first() == Some(&wanted) {
        return Some(0);
    }
    let mut at = 0usize;
    loop {
        let found = at.checked_add(find(value.get(at..)?, [wanted, b'"'])?)?;
        at = found.checked_add(1)?;
        if value.get(found) == Some(&wanted) {
            return Some(found);
        }
        at = at.checked_add(closing_quote(value.get(at..)?)?)?.checked_add(1)?;
    }
}

/// Offset of the first comma that separates values: outside quotes and <>.
pub(super) fn next_comma(value: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    loop {
        let found = at.checked_add(find(value.get(at..)?, [b',', b'"', b'<'])?)?;
        at = found.checked_add(1)?;
        let after = value.get(at..)?;
        let skip = match value.get(found)? {
            b',' => return Some(found),
            b'"' => closing_quote(after)?,
            _ => memchr(b'>', after)?,
        };
        at = at.checked_add(skip)?.checked_add(1)?;
    }
}

/// The first of several values separated by commas, trimmed.
#[inline(always)]
pub(super) fn first_value(value: &[u8]) -> &[u8] {
    // Nearly every header has one value: one look tells.
    if find(value, [b',']).is_none() { value } else { first_of_several(value) }
}

#[cold]
fn first_of_several(value: &[u8]) -> &[u8] {
    next_comma(value).map_or(value, |at| trim(upto(value, at)))
}

/// The last of several values separated by commas, trimmed.
pub(super) fn last_value(mut value: &[u8]) -> &[u8] {
    while let Some(at) = next_comma(value) {
        value = from(value, at.saturating_add(1));
    }
    trim(value)
}

/// All values separated by commas, trimmed.
pub(super) fn values(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let value = rest?;
        let comma = next_comma(value);
        rest = comma.map(|at| from(value, at.saturating_add(1)));
        Some(trim(comma.map_or(value, |at| upto(value, at))))
    })
}

/// How many values there are that aren't empty.
pub(super) fn count_values(mut value: &[u8]) -> u16 {
    let mut count = 0u16;
    loop {
        let comma = next_comma(value);
        let one = comma.map_or(value, |at| upto(value, at));
        count = count.saturating_add(u16::from(!trim(one).is_empty()));
        match comma {
            Some(at) => value = from(value, at.saturating_add(1)),
            None => return count,
        }
    }
}

/// The value of the parameter `name` (any case) among `;name=value;...`; empty if it has none.
/// Blanks and folds around `=` and the value are skipped, quotes stay.
#[inline(always)]
pub(super) fn param<'a>(mut params: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    loop {
        params = trim_start(from(params, find_unquoted(params, b';')?.saturating_add(1)));
        let Some((head, rest)) = params.split_at_checked(name.len()) else { continue };
        if head != name && !head.eq_ignore_ascii_case(name) {
            continue;
        }
        match trim_start(rest) {
            [b'=', value @ ..] => return Some(param_value(trim_start(value))),
            [] | [b';' | b',', ..] => return Some(&[]),
            _ => {}
        }
    }
}

#[inline]
pub(super) fn param_value(value: &[u8]) -> &[u8] {
    if let [b'"', inside @ ..] = value {
        return closing_quote(inside).map_or(value, |end| upto(value, end.saturating_add(2)));
    }
    trim_end(upto(value, find(value, [b';', b',', b' ']).unwrap_or(value.len())))
}

/// A decimal number of at most nine digits with nothing around it.
#[inline(always)]
pub(super) fn plain_number(value: &[u8]) -> Option<u32> {
    if value.is_empty() || value.len() > 9 {
        return None;
    }
    let mut sum = 0u32;
    for byte in value {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        sum = sum.wrapping_mul(10).wrapping_add(u32::from(digit));
    }
    Some(sum)
}

/// A decimal number with nothing around it but white space; `None` beyond 2^32-1.
pub(super) fn number(value: &[u8]) -> Option<u32> {
    let digits = trim(value);
    if digits.is_empty() {
        return None;
    }
    let mut sum = 0u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        sum = sum.wrapping_mul(10).wrapping_add(u64::from(digit));
        if digit > 9 || sum > u64::from(u32::MAX) {
            return None;
        }
    }
    u32::try_from(sum).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_separate_nothing() {
        let value = br#""Bell, A \"," <sip:a,b@h>;x=1 , <sip:c@h>, ,"#;
        assert_eq!(first_value(value), br#""Bell, A \"," <sip:a,b@h>;x=1"#);
        assert_eq!(count_values(value), 2);
        assert_eq!(last_value(b"<sip:a;lr>, <sip:b,c;lr>"), b"<sip:b,c;lr>");
    }

    #[test]
    fn params_read_through_blanks_folds_and_quotes() {
        assert_eq!(param(b" ; tag\r\n =\t 19x ;y", b"TAG"), Some(&b"19x"[..]));
        assert_eq!(param(b";x=\";tag=no\";tag=yes", b"tag"), Some(&b"yes"[..]));
        assert_eq!(param(b";tagged=1;tag", b"tag"), Some(&b""[..]));
        assert_eq!(param(b";x=\"open;tag=no", b"tag"), None);
        assert_eq!(param(b"tag=no", b"tag"), None);
        assert_eq!(param(b";r=\"a \\\" b\";s", b"r"), Some(&b"\"a \\\" b\""[..]));
    }

    #[test]
    fn numbers_never_wrap() {
        assert_eq!(number(b" 0042\r\n "), Some(42));
        assert_eq!(number(b"4294967295"), Some(u32::MAX));
        for bad in [&b"4294967296"[..], b"4294967328", b"-1", b"+5", b"0x10", b"1e3", b"5 5", b"", b" "] {
            assert_eq!(number(bad), None, "{}", bad.escape_ascii());
        }
    }
}
