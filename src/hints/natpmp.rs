//! NAT-PMP (RFC 6886) and PCP (RFC 6887): holes that are asked of the router.
//!
//! In: a UDP payload to or from port 5351. Out: `Mapping`. Never: keeps it.

use std::net::IpAddr;

use super::bytes::Bytes;

/// A hole, asked for or answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// PCP rather than NAT-PMP.
    pub pcp: bool,
    /// TCP; `None`: every protocol.
    pub tcp: Option<bool>,
    /// Port inside; 0 = all.
    pub internal: u16,
    /// Port outside; 0 = any.
    pub external: u16,
    /// For how long, in seconds; 0 takes the hole away.
    pub lease: u32,
    /// PCP: for which client.
    pub client: Option<IpAddr>,
    /// Of an answer: whether the router agreed.
    pub accepted: Option<bool>,
}

/// Reads a request or an answer.
pub fn parse(payload: &[u8]) -> Option<Mapping> {
    let mut bytes = Bytes(payload);
    match bytes.array::<2>()? {
        [0, op @ (1 | 2)] => {
            bytes.u16()?;
            let (internal, external, lease) = (bytes.u16()?, bytes.u16()?, bytes.u32()?);
            let tcp = Some(op == 2);
            Some(Mapping { pcp: false, tcp, internal, external, lease, client: None, accepted: None })
        }
        [0, op @ (129 | 130)] => {
            let result = bytes.u16()?;
            bytes.u32()?;
            let (internal, external, lease) = (bytes.u16()?, bytes.u16()?, bytes.u32()?);
            let (tcp, accepted) = (Some(op == 130), Some(result == 0));
            Some(Mapping { pcp: false, tcp, internal, external, lease, client: None, accepted })
        }
        // MAP is opcode 1; the top bit marks an answer.
        [2, op @ (1 | 0x81)] => pcp(&mut bytes, op == 0x81),
        _ => None,
    }
}

fn pcp(bytes: &mut Bytes<'_>, answer: bool) -> Option<Mapping> {
    let [_, result] = bytes.array::<2>()?;
    let lease = bytes.u32()?;
    let head = bytes.v6()?;
    bytes.take(12)?;
    let [protocol, ..] = bytes.array::<4>()?;
    let (internal, external) = (bytes.u16()?, bytes.u16()?);
    let client = head.to_ipv4_mapped().map_or(IpAddr::V6(head), IpAddr::V4);
    Some(Mapping {
        pcp: true,
        tcp: (protocol != 0).then_some(protocol == 6),
        internal,
        external,
        lease,
        client: (!answer).then_some(client),
        accepted: answer.then_some(result == 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_and_answers() {
        let ask = parse(&[0, 1, 0, 0, 0x13, 0xc4, 0x13, 0xc4, 0, 0, 0x1c, 0x20]).unwrap();
        assert_eq!((ask.tcp, ask.internal, ask.external, ask.lease), (Some(false), 5_060, 5_060, 7_200));
        let yes = parse(&[0, 130, 0, 0, 0, 0, 0, 9, 0, 80, 0, 80, 0, 0, 0, 60]).unwrap();
        assert_eq!((yes.tcp, yes.internal, yes.accepted), (Some(true), 80, Some(true)));
        let mut map = vec![2, 1, 0, 0, 0, 0, 14, 16];
        map.extend([0; 10]);
        map.extend([0xff, 0xff, 10, 0, 3, 17]);
        map.extend([9; 12]);
        map.extend([6, 0, 0, 0, 1, 187, 1, 187]);
        map.extend([0; 16]);
        let map = parse(&map).unwrap();
        assert_eq!((map.pcp, map.tcp, map.internal), (true, Some(true), 443));
        assert_eq!(map.client, Some(IpAddr::from([10, 0, 3, 17])));
        assert_eq!(parse(&[0, 0]), None, "asks for the outside address only");
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80), version in 0u8..3, op in any::<u8>()) {
            let _ = parse(&[&[version, op][..], &bytes].concat());
        }
    }
}
