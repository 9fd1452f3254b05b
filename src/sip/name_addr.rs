//! `name-addr` and `addr-spec` (RFC 3261 sections 20.10 and 25.1).
//!
//! In: one value of From, To, Contact and their like. Out: `NameAddr`, its tag.
//! Never: takes a parameter of the URI for one of the header, or a quoted `<sip:..>` for the URI.

use super::NameAddr;
use super::block::find;
use super::lex::{
    closing_quote, from, is_lws, is_trim, param, param_value, span, trim, trim_end, trim_start, upto,
};

impl<'a> NameAddr<'a> {
    /// Reads one value; `None` if a quote or a `<` is never closed, or there's no URI.
    #[inline(always)]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        // Nothing to read is what is asked most often: of headers that aren't there.
        if value.is_empty() { None } else { plain(value).or_else(|| Self::any(trim(value))) }
    }

    #[inline(never)]
    fn any(value: &'a [u8]) -> Option<Self> {
        let read = match open_bracket(value)? {
            Some(open) => {
                let (uri, after) = split_at(from(value, open.saturating_add(1)), |uri| find(uri, [b'>']))?;
                let params = match after {
                    [] | [b';', ..] => after,
                    _ => from(after, find(after, [b';']).unwrap_or(after.len())),
                };
                Self { name: display_name(upto(value, open)), uri: trim(uri), params }
            }
            None => bare(value)?,
        };
        (!read.uri.is_empty()).then_some(read)
    }

    /// The header's `tag` parameter; empty if there is none.
    #[inline(always)]
    pub fn tag(&self) -> &'a [u8] {
        match self.params.split_first_chunk() {
            None if self.params.is_empty() => &[],
            Some((name, value)) if name == b";tag=" && value.first().is_some_and(|first| *first > b'"') => {
                param_value(value)
            }
            _ => self.any_tag(),
        }
    }

    #[cold]
    fn any_tag(&self) -> &'a [u8] {
        self.param(b"tag").unwrap_or_default()
    }

    /// A parameter of the header, by its name in any case; empty if it has no value.
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        if self.params.is_empty() { None } else { param(self.params, name) }
    }
}

/// The commonest shapes: `"Name" <uri>` and `<uri>`, with or without parameters, trimmed.
#[inline(always)]
fn plain(value: &[u8]) -> Option<NameAddr<'_>> {
    let (name, rest) = match value {
        [b'<', rest @ ..] => (&[][..], rest),
        [b'"', inside @ ..] => {
            let (name, behind) = inside.split_at_checked(find(inside, [b'"', b'\\'])?)?;
            let (between, rest) = behind.split_first_chunk()?;
            if between != b"\" <" {
                return None;
            }
            (name, rest)
        }
        _ => return None,
    };
    let (uri, params) = rest.split_at_checked(find(rest, [b'>'])?)?;
    let params = params.get(1..)?;
    let ends = match (params.first(), params.last()) {
        (Some(first), Some(last)) => *first == b';' && *last > b' ',
        _ => true,
    };
    (ends && is_trim(uri)).then_some(NameAddr { name, uri, params })
}

/// Where the `<` outside quotes stands, if there is one; `None` if a quote is never closed.
fn open_bracket(value: &[u8]) -> Option<Option<usize>> {
    // A quoted name first: the commonest form by far.
    let mut at = match value {
        [b'"', inside @ ..] => closing_quote(inside)?.saturating_add(2),
        _ => 0,
    };
    loop {
        match from(value, at) {
            [b'<', ..] => return Some(Some(at)),
            [b' ', b'<', ..] => return Some(Some(at.saturating_add(1))),
            _ => {}
        }
        let Some(found) = find(from(value, at), [b'<', b'"', b'\\']) else { return Some(None) };
        let found = at.saturating_add(found);
        at = found.saturating_add(1);
        at = match value.get(found) {
            Some(b'<') => return Some(Some(found)),
            // An escaped quote opens nothing: some devices escape the quotes of the name themselves.
            Some(b'\\') => at.saturating_add(usize::from(value.get(at) == Some(&b'"'))),
            _ => at.saturating_add(closing_quote(from(value, at))?).saturating_add(1),
        };
    }
}

/// Without <>, all parameters are the header's (section 20.10).
fn bare(value: &[u8]) -> Option<NameAddr<'_>> {
    let (name, rest) = match value {
        [b'"', inside @ ..] => split_at(inside, closing_quote)?,
        _ => (&[][..], value),
    };
    let rest = trim_start(rest);
    let (uri, params) = rest.split_at_checked(find(rest, [b';']).unwrap_or(rest.len()))?;
    Some(NameAddr { name, uri: upto(uri, span(uri, |byte| !is_lws(byte))), params })
}

/// What stands before a separator and what comes after it.
fn split_at(value: &[u8], find: impl Fn(&[u8]) -> Option<usize>) -> Option<(&[u8], &[u8])> {
    let at = find(value)?;
    Some((value.get(..at)?, value.get(at.checked_add(1)?..)?))
}

fn display_name(text: &[u8]) -> &[u8] {
    match trim_end(text) {
        [b'"', inside @ ..] => upto(inside, closing_quote(inside).unwrap_or(inside.len())),
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(value: &[u8]) -> (&[u8], &[u8], &[u8]) {
        let addr = NameAddr::parse(value).unwrap_or_else(|| panic!("{}", value.escape_ascii()));
        (addr.name, addr.uri, addr.tag())
    }

    #[test]
    fn both_forms_and_where_their_parameters_belong() {
        assert_eq!(read(b"<sip:a@h;tag=x>"), (&b""[..], &b"sip:a@h;tag=x"[..], &b""[..]));
        assert_eq!(read(b"sip:a@h;tag=x"), (&b""[..], &b"sip:a@h"[..], &b"x"[..]));
        assert_eq!(
            read(b"Bob <sip:a@h>;x=\"; tag=no\" ; Tag = y"),
            (&b"Bob"[..], &b"sip:a@h"[..], &b"y"[..])
        );
        assert_eq!(read(b"caller<sip:a@h>;tag=1"), (&b"caller"[..], &b"sip:a@h"[..], &b"1"[..]));
        assert_eq!(read(b"<  sip:a@h >;tag=1;tag=2"), (&b""[..], &b"sip:a@h"[..], &b"1"[..]));
        assert_eq!(read(b" \r\n sip:a@h \r\n ;\r\n tag\t= x"), (&b""[..], &b"sip:a@h"[..], &b"x"[..]));
        assert_eq!(read(b"\"B\" sip:a@h;tag=x"), (&b"B"[..], &b"sip:a@h"[..], &b"x"[..]));
    }

    #[test]
    fn a_quoted_name_hides_nothing_and_fakes_nothing() {
        let value = br#""a \" <sip:00882@evil>;tag=fake" <sip:214@h>;tag=real"#;
        let (name, uri, tag) = read(value);
        assert_eq!(name, br#"a \" <sip:00882@evil>;tag=fake"#);
        assert_eq!((uri, tag), (&b"sip:214@h"[..], &b"real"[..]));
        assert_eq!(read(br#""J Rosenberg \\\"" <sip:j@h> ; tag=1"#).1, b"sip:j@h");
        assert_eq!(read("J\u{fc}rgen <sip:j@h>".as_bytes()).1, b"sip:j@h");
        assert_eq!(read(b"J\xfcrgen, N <sip:j@h>").1, b"sip:j@h");
    }

    #[test]
    fn an_escaped_quote_outside_a_string_opens_none() {
        let (name, uri, tag) = read(br#"\"arik\" <sip:816666@h>;tag=6433ef9"#);
        assert_eq!((name, uri, tag), (&br#"\"arik\""#[..], &b"sip:816666@h"[..], &b"6433ef9"[..]));
        assert_eq!(read(br#"a\b <sip:1@h>"#).1, b"sip:1@h");
        assert_eq!(read(br#"\" "<sip:fake@h>" <sip:2@h>"#).1, b"sip:2@h");
        assert_eq!(read(br"\<sip:3@h>").1, b"sip:3@h");
    }

    #[test]
    fn what_cannot_be_read() {
        for value in [&b"\"Mr. J. User <sip:j@h>"[..], b"<sip:j@h", b"", b"<>", b";tag=1", b"\"x\"", b"\"\\"]
        {
            assert_eq!(NameAddr::parse(value), None, "{}", value.escape_ascii());
        }
        for byte in b' '..=b'~' {
            let one = [byte];
            assert!(NameAddr::parse(&one).is_none_or(|addr| addr.uri == one));
        }
    }

    proptest! {
        #[test]
        fn a_plain_value_is_read_as_any_is(
            value in "(\"[a-z\"\\\\ ]{0,6}\" ?|[a-z]{0,3} ?)?(<| <)?[a-z ;>]{0,6}>?(;tag=|; tag = |;x=|;)?[a-z\",; ]{0,20}",
        ) {
            let value = value.as_bytes();
            let read = plain(value);
            prop_assert!(read.is_none() || read == NameAddr::any(trim(value)));
            let tag = NameAddr::parse(value).map(|read| (read.tag(), read.any_tag()));
            prop_assert!(tag.is_none_or(|(short, any)| short == any));
        }
    }
}
