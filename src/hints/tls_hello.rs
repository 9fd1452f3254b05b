//! TLS ClientHello (RFC 8446): the name that is asked for (RFC 6066) and the protocol (RFC 7301).
//!
//! In: the first bytes of a stream. Out: SNI and the first ALPN entry, borrowed.
//! Never: waits for more than the first segment.

use super::bytes::Bytes;

/// Extensions that are read.
const EXTENSIONS: usize = 64;

/// What a client asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hello<'a> {
    /// Server name; empty if there is none.
    pub name: &'a [u8],
    /// First protocol; empty if there is none.
    pub protocol: &'a [u8],
}

/// Whether a segment begins with a handshake record that is a ClientHello.
#[inline]
pub fn begins(payload: &[u8]) -> bool {
    matches!(payload, [22, 3, 0..=4, _, _, 1, ..])
}

/// Reads a ClientHello, as far as it stands in one segment.
pub fn parse(payload: &[u8]) -> Option<Hello<'_>> {
    if !begins(payload) {
        return None;
    }
    let mut bytes = Bytes(payload.get(9..)?);
    bytes.take(34)?;
    let session = bytes.u8()?;
    bytes.take(usize::from(session))?;
    let suites = bytes.u16()?;
    bytes.take(usize::from(suites))?;
    let compressions = bytes.u8()?;
    bytes.take(usize::from(compressions))?;
    bytes.u16()?;
    let mut hello = Hello::default();
    for _ in 0..EXTENSIONS {
        let (Some(kind), Some(length)) = (bytes.u16(), bytes.u16()) else { break };
        let Some(value) = bytes.take(usize::from(length)) else { break };
        match kind {
            0 => hello.name = server_name(value).unwrap_or_default(),
            16 => hello.protocol = first_protocol(value).unwrap_or_default(),
            _ => {}
        }
    }
    Some(hello)
}

fn server_name(value: &[u8]) -> Option<&[u8]> {
    let mut bytes = Bytes(value);
    bytes.u16()?;
    let kind = bytes.u8()?;
    let length = bytes.u16()?;
    let name = bytes.take(usize::from(length))?;
    (kind == 0 && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

fn first_protocol(value: &[u8]) -> Option<&[u8]> {
    let mut bytes = Bytes(value);
    bytes.u16()?;
    let length = bytes.u8()?;
    bytes.take(usize::from(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello(name: &[u8]) -> Vec<u8> {
        let length = u16::try_from(name.len()).unwrap();
        let mut bytes = vec![22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3];
        bytes.extend([7; 32]);
        bytes.extend([0, 0, 2, 0x13, 1, 1, 0, 0, 60]);
        bytes.extend([0, 0]);
        bytes.extend((length + 5).to_be_bytes());
        bytes.extend((length + 3).to_be_bytes());
        bytes.push(0);
        bytes.extend(length.to_be_bytes());
        bytes.extend(name);
        bytes.extend([0, 16, 0, 5, 0, 3, 2, b'h', b'2']);
        bytes
    }

    #[test]
    fn name_and_protocol() {
        let bytes = hello(b"rps.yealink.com");
        let read = parse(&bytes).unwrap();
        assert_eq!((read.name, read.protocol), (&b"rps.yealink.com"[..], &b"h2"[..]));
        for cut in 0..bytes.len() {
            let _ = parse(&bytes[..cut]);
        }
        assert_eq!(parse(&hello(b"bad\nname")).unwrap().name, b"");
        assert_eq!(parse(b"GET / HTTP/1.1"), None);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&[&[22, 3, 1, 0, 1, 1][..], &bytes].concat());
        }
    }
}
