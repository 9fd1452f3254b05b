//! How long a dialog lasts without a refresh: Session-Expires (RFC 4028 section 4).
//!
//! In: the text of a 2xx. Out: seconds. Never: reads on behind the headers.

use super::Lines;
use super::lex::{span, trim, upto};

/// Lines that are looked at of one message.
const LINES: usize = 64;
/// No shorter interval is allowed (RFC 4028 section 4), and what is shorter is taken for this.
pub const SHORTEST: u32 = 90;

/// The interval that was agreed on, in seconds, at least `SHORTEST`; `None` if the message names none
/// that can be read. The first such header counts, also in its short form `x`.
pub fn agreed(text: &[u8]) -> Option<u32> {
    let mut lines = Lines::new(text);
    let mut named = false;
    for _ in 0..LINES {
        let line = lines.one().text;
        if line.is_empty() {
            return None;
        }
        // A line that begins with a blank goes on with the header before it.
        let value = if matches!(line, [b' ' | b'\t', ..]) {
            if named { line } else { continue }
        } else {
            named = false;
            let Some(value) = value_of(line) else { continue };
            named = true;
            value
        };
        let value = trim(value);
        if !value.is_empty() {
            let digits = upto(value, span(value, |byte| byte.is_ascii_digit()));
            let seconds = std::str::from_utf8(digits).ok()?.parse::<u32>().ok()?;
            return Some(seconds.max(SHORTEST));
        }
    }
    None
}

fn value_of(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let name = trim(name);
    let is_it = name.eq_ignore_ascii_case(b"session-expires") || name.eq_ignore_ascii_case(b"x");
    if is_it { value.get(1..) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_in_every_form() {
        let of = |headers: &str| agreed(format!("SIP/2.0 200 OK\r\n{headers}\r\n").as_bytes());
        assert_eq!(of("Session-Expires: 1800;refresher=uac\r\n"), Some(1_800));
        assert_eq!(of("x:1800\r\n"), Some(1_800));
        assert_eq!(of("To: x\r\nSESSION-EXPIRES\t:\r\n 300 ; refresher=uas\r\n"), Some(300));
        assert_eq!(of("Session-Expires: 5\r\n"), Some(SHORTEST));
        assert_eq!(of("Session-Expires: soon\r\nx: 300\r\n"), None);
        assert_eq!(of("Session-Expires: 99999999999\r\n"), None);
        assert_eq!(of("Min-SE: 90\r\nSubject: x: 5\r\n\r\nx: 300\r\n"), None);
        assert_eq!(agreed(b""), None);
        assert_eq!(agreed("y\r\n x: 3\r\n".repeat(100_000).as_bytes()), None);
    }
}
