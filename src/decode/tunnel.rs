//! Tunnels over IP: GRE and what it carries, and those that look like UDP.
//!
//! In: a tunnel's header. Out: the next `Layer`, on a way that has gone one deeper.
//! Never: takes a datagram for a tunnel by its port alone.

use super::decoder::SCTP;
use super::link::{BRIDGED, MPLS};
use super::way::{Layer, Way};
use super::{Encap, Skip, Stats, hep, l2tp, sctp};

const ERSPAN_1_2: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;

/// GRE (RFC 2784) with keys and sequence numbers (RFC 2890), routing (RFC 1701), and the enhanced
/// version of PPTP (RFC 2637).
pub(super) fn gre<'f>(way: &mut Way, stats: &Stats, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    let (&[flags, version, k1, k2], rest) = data.split_first_chunk::<4>().ok_or(Skip::TunnelMalformed)?;
    let kind = u16::from_be_bytes([k1, k2]);
    let (checksum, routing) = (flags & 0x80 != 0, flags & 0x40 != 0);
    let (key, sequence) = (flags & 0x20 != 0, flags & 0x10 != 0);
    let acknowledged = version & 7 == 1 && version & 0x80 != 0;
    if version & 7 > 1 {
        return Err(Skip::TunnelMalformed);
    }
    let words = [checksum || routing, key, sequence, acknowledged].iter().filter(|set| **set).count();
    let mut rest = rest.get(words.saturating_mul(4)..).ok_or(Skip::TunnelMalformed)?;
    if routing {
        rest = source_routes(rest)?;
    }
    way.enter()?;
    match kind {
        ERSPAN_1_2 | ERSPAN_3 => {
            stats.encap.bump(Encap::Erspan);
            erspan(way, kind, sequence, rest)
        }
        _ => {
            stats.encap.bump(if kind == BRIDGED && key { Encap::Nvgre } else { Encap::Gre });
            Ok(Layer::Typed(kind, rest))
        }
    }
}

/// RFC 1701's list of source routes, which an empty one ends.
fn source_routes(data: &[u8]) -> Result<&[u8], Skip> {
    let mut data = data;
    loop {
        let (&[f1, f2, _, length], rest) = data.split_first_chunk::<4>().ok_or(Skip::TunnelMalformed)?;
        data = rest.get(usize::from(length)..).ok_or(Skip::TunnelMalformed)?;
        if f1 | f2 | length == 0 {
            return Ok(data);
        }
    }
}

/// draft-foschiano-erspan: type I has no header and no sequence number, type II 8 bytes, type III
/// 12 bytes and perhaps 8 more.
fn erspan<'f>(way: &mut Way, kind: u16, sequence: bool, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    if kind == ERSPAN_1_2 && !sequence {
        return Ok(Layer::Ethernet(data));
    }
    let [v1, v2, ..] = *data else { return Err(Skip::TunnelMalformed) };
    let vlan = u16::from_be_bytes([v1, v2]) & 0x0fff;
    way.vlan = (vlan != 0).then_some(vlan);
    if kind == ERSPAN_1_2 {
        return data.get(8..).map(Layer::Ethernet).ok_or(Skip::TunnelMalformed);
    }
    let (header, rest) = data.split_first_chunk::<12>().ok_or(Skip::TunnelMalformed)?;
    let [.., types, options] = *header;
    let rest = if options & 1 == 1 { rest.get(8..).ok_or(Skip::TunnelMalformed)? } else { rest };
    match (types >> 2) & 0x1f {
        0 => Ok(Layer::Ethernet(rest)),
        2 => Ok(Layer::Ip(rest)),
        _ => Err(Skip::NotIp),
    }
}

/// RFC 3378.
pub(super) fn ether_ip<'f>(way: &mut Way, stats: &Stats, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    match data {
        [version, _, rest @ ..] if version >> 4 == 3 => {
            way.enter()?;
            stats.encap.bump(Encap::EtherIp);
            Ok(Layer::Ethernet(rest))
        }
        _ => Err(Skip::TunnelMalformed),
    }
}

/// L2TP, version 3, in IP (RFC 3931 section 4.1.1).
pub(super) fn l2tp<'f>(way: &mut Way, stats: &Stats, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    let layer = l2tp::in_ip(data, way.truncated).ok_or(Skip::OtherTransport)?;
    way.enter()?;
    stats.encap.bump(Encap::L2tp);
    Ok(layer)
}

/// MPLS in IP (RFC 4023).
pub(super) fn mpls<'f>(way: &mut Way, data: &'f [u8]) -> Result<Layer<'f>, Skip> {
    way.enter()?;
    Ok(Layer::Typed(MPLS, data))
}

const VXLAN: u16 = 4_789;
/// Linux's VXLAN port before the standard's.
const VXLAN_OLD: u16 = 8_472;
/// With any protocol inside, not only Ethernet.
const VXLAN_GPE: u16 = 4_790;
const GENEVE: u16 = 6_081;
const GTP_U: u16 = 2_152;
const TZSP: u16 = 37_008;
const MPLS_IN_UDP: u16 = 6_635;

/// Whether a tunnel may come from a UDP port to another.
#[inline]
pub(super) fn is_port(from: u16, to: u16) -> bool {
    is_answer(from)
        || matches!(
            to,
            l2tp::PORT | sctp::IN_UDP | VXLAN | VXLAN_OLD | VXLAN_GPE | GENEVE | GTP_U | TZSP | MPLS_IN_UDP
        )
}

/// Where one end keeps the well-known port and the other may have any, answers come from it.
#[inline]
fn is_answer(from: u16) -> bool {
    matches!(from, l2tp::PORT | sctp::IN_UDP)
}

/// A tunnel in UDP, if the port says so and the bytes don't contradict it.
#[inline]
pub(super) fn udp<'f>(
    way: &mut Way,
    stats: &Stats,
    (from, to): (u16, u16),
    data: &'f [u8],
) -> Result<Option<Layer<'f>>, Skip> {
    let port = if is_answer(from) && !is_port(0, to) { from } else { to };
    let (encap, layer) = match port {
        VXLAN | VXLAN_OLD => (Encap::Vxlan, vxlan(data)),
        VXLAN_GPE => (Encap::Vxlan, vxlan_gpe(data)),
        GENEVE => (Encap::Geneve, geneve(data)),
        GTP_U => (Encap::GtpU, gtp(data)),
        TZSP => (Encap::Tzsp, tzsp(data)),
        l2tp::PORT => (Encap::L2tp, l2tp::in_udp(data, way.truncated)),
        // No tunnel: only another way to carry SCTP.
        sctp::IN_UDP => return Ok(sctp::is_in_udp(data, way.truncated).then_some(Layer::Carried(SCTP, data))),
        // Counted with the labels.
        MPLS_IN_UDP => return mpls_in_udp(way, data),
        // Copies of SIP may come to any port.
        _ => return Ok(data.starts_with(&hep::MAGIC).then_some(Layer::Hep(data))),
    };
    if layer.is_some() {
        way.enter()?;
        stats.encap.bump(encap);
    }
    Ok(layer)
}

/// RFC 7348: the I flag, perhaps that of a group policy, and a last byte of zero.
fn vxlan(data: &[u8]) -> Option<Layer<'_>> {
    match data {
        [0x08 | 0x88, _, _, _, _, _, _, 0, frame @ ..] => Some(Layer::Ethernet(frame)),
        _ => None,
    }
}

/// draft-ietf-nvo3-vxlan-gpe: the I and P flags, and what is inside in the byte before the network's id.
fn vxlan_gpe(data: &[u8]) -> Option<Layer<'_>> {
    match data {
        [0x0c, 0, 0, 1 | 2, _, _, _, 0, packet @ ..] => Some(Layer::Ip(packet)),
        [0x0c, 0, 0, 3, _, _, _, 0, frame @ ..] => Some(Layer::Ethernet(frame)),
        _ => None,
    }
}

/// RFC 8926.
fn geneve(data: &[u8]) -> Option<Layer<'_>> {
    let (&[first, _, k1, k2, _, _, _, reserved], rest) = data.split_first_chunk::<8>()?;
    let options = usize::from(first & 0x3f).saturating_mul(4);
    if first >> 6 != 0 || reserved != 0 {
        return None;
    }
    Some(Layer::Typed(u16::from_be_bytes([k1, k2]), rest.get(options..)?))
}

/// 3GPP TS 29.281: version 1, user data, perhaps with extension headers.
fn gtp(data: &[u8]) -> Option<Layer<'_>> {
    let (&[first, kind, ..], mut rest) = data.split_first_chunk::<8>()?;
    if first >> 4 != 3 || kind != 0xff {
        return None;
    }
    if first & 7 != 0 {
        let (&[_, _, _, mut next], after) = rest.split_first_chunk::<4>()?;
        rest = after;
        while first & 4 != 0 && next != 0 {
            let length = usize::from(*rest.first()?).saturating_mul(4);
            next = *rest.get(..length)?.last()?;
            rest = rest.get(length..)?;
        }
    }
    matches!(rest.first()? >> 4, 4 | 6).then_some(Layer::Ip(rest))
}

/// A header, tagged fields up to an end tag, then Ethernet.
fn tzsp(data: &[u8]) -> Option<Layer<'_>> {
    let (&[1, 0..=1, 0, 1], mut rest) = data.split_first_chunk::<4>()? else { return None };
    loop {
        rest = match rest {
            [1, frame @ ..] => return Some(Layer::Ethernet(frame)),
            [0, after @ ..] => after,
            [_, length, after @ ..] => after.get(usize::from(*length)..)?,
            _ => return None,
        };
    }
}

/// RFC 7510; a label stack has no mark of its own, so a text that comes to this port is no tunnel.
fn mpls_in_udp<'f>(way: &mut Way, data: &'f [u8]) -> Result<Option<Layer<'f>>, Skip> {
    let stack = data.chunks_exact(4).take(8).any(|label| label.get(2).is_some_and(|flags| flags & 1 == 1));
    let text = data.iter().take(8).all(|byte| byte.is_ascii_graphic() || b" \r\n\t".contains(byte));
    if !stack || text {
        return Ok(None);
    }
    way.enter()?;
    Ok(Some(Layer::Typed(MPLS, data)))
}
