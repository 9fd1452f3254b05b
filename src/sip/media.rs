//! What one end of a call says of its media: where it wants it, and whether it holds (RFC 3264).
//!
//! In: a session description. Out: `Wish`. Never: reads more than 256 lines.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Lines;
use super::sdp::{connection, port};

/// Lines that are read.
const LINES: usize = 256;

/// What one end wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Where its first stream is to be sent; `None` if nowhere, or if that is yet to be found out (ICE,
    /// RFC 8839).
    pub address: Option<SocketAddr>,
    /// Whether no media need flow both ways: `a=sendonly`, `a=recvonly`, `a=inactive`, the address
    /// 0.0.0.0 of RFC 2543, or no stream at all.
    pub holds: bool,
}

/// Reads the first media line that isn't refused and what belongs to it, or to all; `None` if there is
/// no media line: it's no session description.
pub fn wish(body: &[u8]) -> Option<Wish> {
    let mut lines = Lines::new(body);
    let (mut common, mut own) = (None, None);
    let (mut common_holds, mut own_holds) = (false, None);
    let (mut to, mut any, mut ice) = (None, false, false);
    for _ in 0..LINES {
        let line = lines.one().text;
        match line {
            [b'm', b'=', rest @ ..] => {
                any = true;
                if to.is_some() {
                    break;
                }
                to = port(rest).filter(|port| *port != 0);
                (own, own_holds) = (None, None);
            }
            [b'c', b'=', rest @ ..] => {
                let ip = if any { &mut own } else { &mut common };
                *ip = connection(rest);
            }
            b"a=sendrecv" | b"a=sendonly" | b"a=recvonly" | b"a=inactive" => {
                let holds = line != b"a=sendrecv";
                if any {
                    own_holds = Some(holds);
                } else {
                    common_holds = holds;
                }
            }
            _ => ice |= line.starts_with(b"a=candidate:") || line.starts_with(b"a=ice-"),
        }
        if lines.rest().is_empty() {
            break;
        }
    }
    if !any {
        return None;
    }
    let ip = own.or(common);
    let nowhere = to.is_none() || ip == Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let address = ip.zip(to).map(|(ip, port)| SocketAddr::new(ip, port)).filter(|_| !ice && !nowhere);
    Some(Wish { address, holds: nowhere || own_holds.unwrap_or(common_holds) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(lines: &str) -> Option<(Option<String>, bool)> {
        let text = lines.replace(' ', "\r\n").replace('_', " ");
        wish(text.as_bytes()).map(|wish| (wish.address.map(|a| a.to_string()), wish.holds))
    }

    #[test]
    fn where_it_wants_it_and_whether_it_holds() {
        let to = |address: &str, holds| Some((Some(address.to_owned()), holds));
        let head = "v=0 c=IN_IP4_192.0.2.1 t=0_0";
        assert_eq!(of(&format!("{head} m=audio_4000_RTP/AVP_8")), to("192.0.2.1:4000", false));
        assert_eq!(of(&format!("{head} m=audio_4000/2_RTP/AVP_8 a=sendonly ")), to("192.0.2.1:4000", true));
        assert_eq!(of(&format!("{head} a=inactive m=audio_4000_RTP/AVP_8")), to("192.0.2.1:4000", true));
        assert_eq!(
            of(&format!("{head} a=inactive m=audio_4000_RTP/AVP_8 a=sendrecv")),
            to("192.0.2.1:4000", false)
        );
        let video = "m=video_5000_RTP/AVP_31 a=recvonly";
        assert_eq!(of(&format!("{head} m=audio_4000_RTP/AVP_8 {video}")), to("192.0.2.1:4000", false));
        assert_eq!(of(&format!("{head} m=audio_0_RTP/AVP_8 {video}")), to("192.0.2.1:5000", true));
        assert_eq!(
            of("m=audio_4000_RTP/AVP_8 c=IN_IP6_2001:db8::2"),
            to("[2001:db8::2]:4000", false),
            "its own address"
        );
    }

    #[test]
    fn what_names_no_place() {
        assert_eq!(of("c=IN_IP4_0.0.0.0 m=audio_4000_RTP/AVP_8"), Some((None, true)));
        assert_eq!(of("c=IN_IP4_192.0.2.1 m=audio_0_RTP/AVP_8"), Some((None, true)));
        let ice = "c=IN_IP4_192.0.2.1 m=audio_4000_RTP/AVP_8 a=candidate:1_1_UDP_1_10.0.1.1_8998_typ_host";
        assert_eq!(of(ice), Some((None, false)));
        assert_eq!(of("Signal=1 Duration=160"), None);
        assert_eq!(of(""), None);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            wish(&bytes);
        }
    }
}
