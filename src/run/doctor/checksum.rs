//! Checksums, which a network card fills in only after a host's own capture has seen the frame.
//!
//! In: an Ethernet frame. Out: whether the UDP or TCP checksum is right, where that can be told.
//! Never: decides whether a frame is read.

/// `None`: not IPv4 with UDP or TCP, a fragment, cut short, or without a checksum.
pub(super) fn is_right(frame: &[u8]) -> Option<bool> {
    let ([8, 0, ip @ ..] | [0x81, 0, _, _, 8, 0, ip @ ..]) = frame.get(12..)? else { return None };
    let length = usize::from(*ip.first()? & 15) * 4;
    let total = usize::from(word(ip, 2)?);
    let (protocol, fragment) = (*ip.get(9)?, word(ip, 6)? & 0x3fff);
    let carried = ip.get(length..total)?;
    let at = match protocol {
        17 => 6,
        6 => 16,
        _ => return None,
    };
    if fragment != 0 || (protocol == 17 && word(carried, at)? == 0) {
        return None;
    }
    let carried_length = u32::try_from(carried.len()).ok()?;
    let pseudo = sum(ip.get(12..20)?) + u32::from(protocol) + carried_length;
    Some(fold(pseudo + sum(carried)) == 0xffff)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// At most 65,535 bytes: the sum stays below 2^31.
fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks(2).map(|pair| u32::from(pair[0]) * 256 + pair.get(1).map_or(0, |b| u32::from(*b))).sum()
}

fn fold(sum: u32) -> u32 {
    let once = (sum & 0xffff) + (sum >> 16);
    (once & 0xffff) + (once >> 16)
}
