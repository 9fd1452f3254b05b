//! What the side that was asked says first.
//!
//! In: the first bytes of a stream. Out: `Banner`. Never: keeps a word of it.

use super::Banner;

/// The class of a stream's first bytes.
pub fn classify(bytes: &[u8]) -> Banner {
    match bytes {
        [] => Banner::None,
        [b'S', b'S', b'H', b'-', ..] => Banner::Ssh,
        [b'S', b'I', b'P', b'/', ..] => Banner::Sip,
        [b'R', b'F', b'B', b' ', ..] => Banner::Vnc,
        // WILL, WONT, DO or DONT behind IAC (RFC 854).
        [0xff, 0xfb..=0xfe, ..] => Banner::Telnet,
        [20..=23, 3, 0..=4, ..] => Banner::Tls,
        _ if bytes.starts_with(b"HTTP/1.") => Banner::Http,
        _ if is_prompt(bytes) => Banner::Telnet,
        _ => Banner::Other,
    }
}

/// Phones whose telnet asks at once: `login:`, `Enter PIN>` (Gigaset), `Grandstream HT.. Command Shell`.
fn is_prompt(bytes: &[u8]) -> bool {
    let head = bytes.get(..bytes.len().min(128)).unwrap_or_default();
    let has = |word: &[u8]| head.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    has(b"login:") || has(b"username:") || has(b"password:") || has(b"Enter PIN>") || has(b"Command Shell")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_the_first_bytes() {
        for (bytes, want) in [
            (&b"SSH-2.0-dropbear_2019.78\r\n"[..], Banner::Ssh),
            (b"\xff\xfd\x18\xff\xfd\x20", Banner::Telnet),
            (b"\r\nEnter PIN>", Banner::Telnet),
            (b"Grandstream HT801 Command Shell Copyright 2006-2018\r\n", Banner::Telnet),
            (b"HTTP/1.1 200 OK\r\n", Banner::Http),
            (b"\x16\x03\x03\x00\x7a", Banner::Tls),
            (b"SIP/2.0 200 OK\r\n", Banner::Sip),
            (b"RFB 003.008\n", Banner::Vnc),
            (b"220 ftp", Banner::Other),
            (b"", Banner::None),
        ] {
            assert_eq!(classify(bytes), want, "{}", bytes.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = classify(&bytes);
        }
    }
}
