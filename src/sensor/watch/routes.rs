//! Proxies that stay in a dialog's way: Record-Route (RFC 3261 section 16.6, item 4).
//!
//! In: a message's text. Out: the URIs that it names. Never: reads on behind the headers.

use crate::sip::Lines;

/// Lines that are looked at, and URIs that are taken, of one message.
const LINES: usize = 64;
const ROUTES: usize = 8;
const NAME: &[u8] = b"record-route";

/// The URIs of a message's Record-Route headers; it has no short form.
pub(super) fn recorded(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut lines = Lines::new(text);
    let mut within = false;
    let values = (0..LINES).map_while(move |_| {
        let line = lines.one().text;
        // A line that begins with a blank goes on with the header before it.
        if !matches!(line, [b' ' | b'\t', ..]) {
            within = is_named(line);
        }
        (!line.is_empty()).then_some(if within { line } else { &[] })
    });
    values.flat_map(uris).take(ROUTES)
}

fn is_named(line: &[u8]) -> bool {
    let (name, rest) = line.split_at_checked(NAME.len()).unwrap_or((line, &[]));
    let colon = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    name.eq_ignore_ascii_case(NAME) && colon == Some(&b':')
}

/// What stands between angle brackets: Record-Route has no other form (RFC 3261 section 20.30).
fn uris(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b'<').skip(1).filter_map(|part| part.split(|byte| *byte == b'>').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_folded_and_in_any_case() {
        let text = b"SIP/2.0 200 OK\r\nRecord-Route: <sip:192.0.2.1;lr>,\r\n  <sip:192.0.2.2:5070;lr>\r\n\
            X-Record-Route: <sip:192.0.2.9>\r\nRECORD-ROUTE : \"p\" <sip:[2001:db8::1];lr>\r\n\r\nRecord-Route: <sip:192.0.2.8>\r\n";
        let found: Vec<_> = recorded(text).map(|uri| String::from_utf8_lossy(uri).into_owned()).collect();
        assert_eq!(found, ["sip:192.0.2.1;lr", "sip:192.0.2.2:5070;lr", "sip:[2001:db8::1];lr"]);
    }

    #[test]
    fn a_message_of_nothing_else_ends() {
        let text = [b"X\r\n", &b"Record-Route: <a>,<b>\r\n".repeat(10_000)[..]].concat();
        assert_eq!(recorded(&text).count(), ROUTES);
        assert_eq!(recorded(b"").count() + recorded(b"Record-Route").count(), 0);
    }
}
