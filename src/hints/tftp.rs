//! TFTP (RFC 1350): which file is asked for.
//!
//! In: a UDP payload to port 69. Out: the file's name. Never: keeps it.

/// The name of the file that a read request asks for.
pub fn wanted(payload: &[u8]) -> Option<&[u8]> {
    let name = payload.strip_prefix(&[0, 1])?.split(|byte| *byte == 0).next()?;
    (!name.is_empty() && name.len() <= 512 && name.iter().all(|b| b.is_ascii_graphic() || *b == b' '))
        .then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn read_requests_only() {
        assert_eq!(wanted(b"\0\x01SEP00562B043615.cnf.xml\0octet\0"), Some(&b"SEP00562B043615.cnf.xml"[..]));
        assert_eq!(wanted(b"\0\x02up\0octet\0"), None);
        assert_eq!(wanted(b"\0\x01\0octet"), None);
        assert_eq!(wanted(b""), None);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = wanted(&bytes);
        }
    }
}
