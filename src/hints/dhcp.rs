//! DHCP (RFC 2131, 2132): who asks, what it says it is, where it's told to fetch its configuration.
//!
//! In: a UDP payload of ports 67 and 68. Out: `Dhcp`, borrowed. Never: keeps it.

use std::net::Ipv4Addr;

use super::bytes::Bytes;
use crate::decode::Mac;

/// Options that are read; a message has a few dozen at most.
const OPTIONS: usize = 128;

/// What a message says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dhcp<'a> {
    /// From a server.
    pub reply: bool,
    /// The client's hardware address.
    pub mac: Option<Mac>,
    /// The address that the client has or is given.
    pub address: Option<Ipv4Addr>,
    /// Option 53: 1 discover, 2 offer, 3 request, 5 ACK, 7 release, 8 inform.
    pub kind: u8,
    /// Option 1: how many bits of the address are the network's.
    pub bits: Option<u8>,
    /// Option 12: host name.
    pub host: &'a [u8],
    /// Option 60: vendor class.
    pub class: &'a [u8],
    /// Option 61: client identifier.
    pub client_id: &'a [u8],
    /// Options 43, 66, 160 (and 159): where the configuration is, as written there.
    pub places: [&'a [u8]; 3],
    /// Options 6 and 42, and the server itself (54).
    pub servers: [Option<Ipv4Addr>; 6],
}

/// Reads a message; `None` if it is none.
pub fn parse(payload: &[u8]) -> Option<Dhcp<'_>> {
    let mut bytes = Bytes(payload);
    let [op, hardware, length, _] = bytes.array::<4>()?;
    bytes.take(8)?;
    let (client, yours) = (bytes.v4()?, bytes.v4()?);
    bytes.take(8)?;
    let mac = bytes.array::<16>()?;
    bytes.take(192)?;
    if bytes.array::<4>()? != [99, 130, 83, 99] || !matches!(op, 1 | 2) {
        return None;
    }
    let [a, b, c, d, e, f, ..] = mac;
    let mut read = Dhcp {
        reply: op == 2,
        mac: (hardware == 1 && length == 6).then_some(Mac([a, b, c, d, e, f])),
        address: [yours, client].into_iter().find(|ip| !ip.is_unspecified()),
        ..Dhcp::default()
    };
    for _ in 0..OPTIONS {
        match bytes.u8() {
            None | Some(255) => break,
            Some(0) => {}
            Some(code) => {
                let Some(value) = bytes.u8().and_then(|length| bytes.take(usize::from(length))) else {
                    break;
                };
                option(&mut read, code, value);
            }
        }
    }
    Some(read)
}

fn option<'a>(read: &mut Dhcp<'a>, code: u8, value: &'a [u8]) {
    match (code, value) {
        (53, [kind, ..]) => read.kind = *kind,
        (1, &[a, b, c, d]) => {
            let mask = u32::from_be_bytes([a, b, c, d]);
            let bits = mask.leading_ones();
            // A mask with holes is none.
            read.bits = (mask.count_ones() == bits).then(|| u8::try_from(bits).ok()).flatten();
        }
        (12, _) => read.host = value,
        (60, _) => read.class = value,
        (61, _) => read.client_id = value,
        (50, &[a, b, c, d]) => read.address = read.address.or(Some(Ipv4Addr::new(a, b, c, d))),
        (6 | 42 | 54, _) => {
            for address in value.as_chunks::<4>().0 {
                if let Some(free) = read.servers.iter_mut().find(|server| server.is_none()) {
                    *free = Some(Ipv4Addr::from(*address));
                }
            }
        }
        (43, _) => read.places[0] = printable(value),
        (66, _) => read.places[1] = printable(value),
        (159 | 160, _) => read.places[2] = printable(value),
        _ => {}
    }
}

/// The longest printable part: option 43 wraps its text in codes and lengths of the maker's own.
fn printable(value: &[u8]) -> &[u8] {
    let parts = value.split(|byte| !byte.is_ascii_graphic());
    parts.max_by_key(|part| part.len()).filter(|part| part.len() >= 4).unwrap_or_default()
}

/// The maker that a vendor class names, and its model if it says one. Classes from makers' manuals
/// and recog's `dhcp_vendor_class.xml` (BSD-2-Clause).
pub fn class_of(class: &[u8]) -> Option<(&'static str, &str)> {
    let text = std::str::from_utf8(class).ok()?.trim();
    let known = [
        ("yealink", "Yealink"),
        ("Polycom-", "Poly"),
        ("Poly-", "Poly"),
        ("snom", "Snom"),
        ("Grandstream", "Grandstream"),
        ("CISCO SPA", "Cisco"),
        ("LINKSYS SPA", "Linksys"),
        ("Cisco Systems, Inc. IP Phone", "Cisco"),
        ("ipphone.mitel.com", "Mitel"),
        ("AastraIPPhone", "Mitel"),
        ("Gigaset", "Gigaset"),
        ("N510_IP_PRO", "Gigaset"),
        ("OpenStage", "Unify"),
    ];
    let (prefix, vendor) = known
        .into_iter()
        .find(|(prefix, _)| text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix)))?;
    let rest = text.get(prefix.len()..).unwrap_or_default();
    let model = match vendor {
        "Cisco" if prefix == "CISCO SPA" => text.get(6..).unwrap_or_default(),
        "Linksys" => text.get(8..).unwrap_or_default(),
        "Gigaset" if prefix == "N510_IP_PRO" => "N510_IP_PRO",
        _ => rest.trim_matches([' ', '-', '_', ',']),
    };
    let model = if model.eq_ignore_ascii_case("XXX") { "" } else { model };
    Some((vendor, model.split(' ').next().unwrap_or_default()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A message with the given options.
    pub(crate) fn message(reply: bool, yours: [u8; 4], options: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![1 + u8::from(reply), 1, 6, 0];
        bytes.extend([0; 12]);
        bytes.extend(yours);
        bytes.extend([0; 8]);
        bytes.extend([0x00, 0x15, 0x65, 1, 2, 3]);
        bytes.extend([0; 202]);
        bytes.extend([99, 130, 83, 99]);
        for (code, value) in options {
            bytes.extend([*code, u8::try_from(value.len()).unwrap()]);
            bytes.extend(*value);
        }
        bytes.push(255);
        bytes
    }

    #[test]
    fn reads_a_phones_request_and_the_servers_answer() {
        let request =
            message(false, [0; 4], &[(53, &[3]), (12, b"T46U-1"), (60, b"yealink"), (50, &[10, 0, 3, 17])]);
        let read = parse(&request).unwrap();
        assert_eq!((read.kind, read.host, read.class), (3, &b"T46U-1"[..], &b"yealink"[..]));
        assert_eq!(
            (read.mac.unwrap().to_string(), read.address),
            ("00:15:65:01:02:03".to_owned(), Some([10, 0, 3, 17].into()))
        );
        let url = b"http://prov.example/cfg";
        let answer = message(
            true,
            [10, 0, 3, 17],
            &[
                (53, &[5]),
                (1, &[255, 255, 254, 0]),
                (6, &[8, 8, 8, 8, 9, 9, 9, 9]),
                (42, &[192, 0, 2, 1]),
                (66, url),
                (43, b"\x01\x05tftp1\x02\x01x"),
            ],
        );
        let read = parse(&answer).unwrap();
        assert!(read.reply && read.kind == 5 && read.bits == Some(23));
        let holes = message(true, [10, 0, 3, 17], &[(1, &[255, 0, 255, 0])]);
        assert_eq!(parse(&holes).unwrap().bits, None);
        assert_eq!(read.places, [&b"tftp1"[..], url, b""]);
        assert_eq!(
            read.servers[..3],
            [Some([8, 8, 8, 8].into()), Some([9, 9, 9, 9].into()), Some([192, 0, 2, 1].into())]
        );
    }

    #[test]
    fn vendor_classes() {
        for (class, want) in [
            ("yealink", Some(("Yealink", ""))),
            ("Polycom-VVX410", Some(("Poly", "VVX410"))),
            ("Poly-VVX-D230", Some(("Poly", "VVX-D230"))),
            ("Grandstream GXP1405 dslforum.org", Some(("Grandstream", "GXP1405"))),
            ("Polycom-SSIP7000", Some(("Poly", "SSIP7000"))),
            ("CISCO SPA112", Some(("Cisco", "SPA112"))),
            ("CISCO SPA8800", Some(("Cisco", "SPA8800"))),
            ("Cisco Systems, Inc. IP Phone CP-7841", Some(("Cisco", "CP-7841"))),
            ("ipphone.mitel.com", Some(("Mitel", ""))),
            ("N510_IP_PRO", Some(("Gigaset", "N510_IP_PRO"))),
            ("Gigaset_N720_DM_PRO", Some(("Gigaset", "N720_DM_PRO"))),
            ("MSFT 5.0", None),
            ("udhcp 1.24.1", None),
        ] {
            assert_eq!(class_of(class.as_bytes()), want, "{class}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..500), head in any::<bool>()) {
            let mut bytes = bytes;
            if head && bytes.len() > 240 {
                bytes[0] = 1;
                bytes[236..240].copy_from_slice(&[99, 130, 83, 99]);
            }
            let _ = parse(&bytes);
            let _ = class_of(&bytes);
        }
    }
}
