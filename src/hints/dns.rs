//! DNS and multicast DNS answers (RFC 1035, 6762): addresses of names, announced services.
//!
//! In: a UDP payload. Out: each address with the name that was asked for; each service.
//! Never: follows a pointer forward, or more than a few of them.

use std::net::IpAddr;

use super::bytes::Bytes;

/// Records that are read.
const RECORDS: usize = 64;
/// Longest name (RFC 1035 section 2.3.4).
const NAME: usize = 255;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<'n> {
    /// An address of the name that was asked for.
    Address(&'n str, IpAddr),
    /// A service instance's host and port (SRV), or a service's name alone (PTR): port 0.
    Service(&'n str, u16),
}

/// Reads an answer; anything else gives nothing.
pub fn answers(payload: &[u8], each: &mut dyn FnMut(Answer<'_>)) -> Option<()> {
    let mut bytes = Bytes(payload);
    bytes.u16()?;
    let flags = bytes.u16()?;
    let questions = bytes.u16()?;
    let counts = [bytes.u16()?, bytes.u16()?, bytes.u16()?].map(usize::from);
    let records = counts.iter().fold(0usize, |sum, n| sum.saturating_add(*n));
    if flags & 0x8000 == 0 || questions > 4 {
        return None;
    }
    let mut asked = String::new();
    for n in 0..questions {
        let name = name(payload, &mut bytes)?;
        if n == 0 {
            asked = name;
        }
        bytes.take(4)?;
    }
    for _ in 0..records.min(RECORDS) {
        let own = name(payload, &mut bytes)?;
        let kind = bytes.u16()?;
        bytes.take(6)?;
        let length = bytes.u16()?;
        let data = bytes.take(usize::from(length))?;
        let of = if asked.is_empty() { &own } else { &asked };
        match (kind, length) {
            (1, 4) => each(Answer::Address(of, IpAddr::V4(Bytes(data).v4()?))),
            (28, 16) => each(Answer::Address(of, IpAddr::V6(Bytes(data).v6()?))),
            (12, _) if own.starts_with('_') => each(Answer::Service(&own, 0)),
            (33, 6..) => {
                let at = own.find("._").map_or(0, |at| at.saturating_add(1));
                let mut data = Bytes(data);
                data.take(4)?;
                let port = data.u16()?;
                if let Some(service) = own.get(at..).filter(|service| service.starts_with('_')) {
                    each(Answer::Service(service, port));
                }
            }
            _ => {}
        }
    }
    Some(())
}

/// A name in lower case, at `bytes`; pointers lead backwards only.
fn name<'a>(payload: &'a [u8], bytes: &mut Bytes<'a>) -> Option<String> {
    let mut name = String::new();
    let mut here = *bytes;
    let mut jumped = false;
    let mut limit = payload.len();
    loop {
        let length = here.u8()?;
        match length {
            0 => {
                if !jumped {
                    *bytes = here;
                }
                return Some(name);
            }
            1..=63 => {
                let label = here.take(usize::from(length))?;
                if name.len().saturating_add(label.len()) >= NAME {
                    return None;
                }
                if !name.is_empty() {
                    name.push('.');
                }
                name.extend(label.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
            }
            0xc0.. => {
                let at = usize::from(u16::from_be_bytes([length & 0x3f, here.u8()?]));
                if !jumped {
                    *bytes = here;
                    jumped = true;
                }
                // Each jump goes further back, so that this ends.
                if at >= limit {
                    return None;
                }
                limit = at;
                here = Bytes(payload.get(at..)?);
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(payload: &[u8]) -> Vec<String> {
        let mut all = Vec::new();
        let _ = answers(payload, &mut |answer| all.push(format!("{answer:?}")));
        all
    }

    #[test]
    fn addresses_belong_to_the_name_that_was_asked_for() {
        let mut payload = vec![0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0];
        payload.extend(b"\x04Prov\x07example\x00\x00\x01\x00\x01");
        payload.extend(b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x03cdn\xc0\x11");
        payload.extend(b"\xc0\x2a\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07");
        assert_eq!(read(&payload), ["Address(\"prov.example\", 192.0.2.7)"]);
        payload[2] = 1;
        assert_eq!(read(&payload), Vec::<String>::new(), "a question");
    }

    #[test]
    fn services_of_mdns() {
        let mut payload = vec![0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0];
        payload.extend(
            b"\x05_http\x04_tcp\x05local\x00\x00\x0c\x00\x01\x00\x00\x00\x3c\x00\x08\x05phone\xc0\x0c",
        );
        payload.extend(
            b"\x05phone\xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x08\x00\x00\x00\x00\x00\x50\xc0\x0c",
        );
        assert_eq!(read(&payload), ["Service(\"_http._tcp.local\", 0)", "Service(\"_http._tcp.local\", 80)"]);
    }

    #[test]
    fn pointers_that_circle_end() {
        let payload = b"\0\0\x80\0\0\x01\0\x01\0\0\0\0\xc0\x0c\0\0\0\0";
        assert_eq!(read(payload), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            read(&bytes);
            read(&[&[0, 0, 0x80, 0, 0, 1, 0, 5, 0, 0, 0, 0][..], &bytes].concat());
        }
    }
}
