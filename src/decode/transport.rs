//! UDP, TCP and SCTP.
//!
//! In: what IP carries. Out: a datagram, a segment, or a tunnel's inside.
//! Never: reads beyond the length that the header gives, drops for a checksum.

use etherparse::{TcpHeaderSlice, UdpHeaderSlice, err::tcp::HeaderSliceError};

use super::decoder::Core;
use super::fragment::Pending;
use super::way::{Layer, Way};
use super::{Datagram, Encap, Segment, Skip, Stats, tunnel};

/// What UDP carries.
pub(super) enum Udp<'f> {
    Tunnel(Layer<'f>),
    Payload { src_port: u16, dst_port: u16, payload: &'f [u8], truncated: bool },
}

#[inline]
pub(super) fn udp<'f>(way: &mut Way, stats: &Stats, data: &'f [u8]) -> Result<Udp<'f>, Skip> {
    let header = UdpHeaderSlice::from_slice(data).map_err(|_| Skip::TransportTruncated)?;
    let length = usize::from(header.length());
    let (payload, truncated) = match length {
        // Segmentation offload and jumbograms leave the length to IP.
        0 => (data.get(8..), way.truncated),
        1..8 => return Err(Skip::UdpMalformed),
        _ if length <= data.len() => (data.get(8..length), false),
        _ if way.truncated => (data.get(8..), true),
        _ => return Err(Skip::UdpMalformed),
    };
    let payload = payload.unwrap_or_default();
    let (src_port, dst_port) = (header.source_port(), header.destination_port());
    match tunnel::udp(way, stats, dst_port, payload)? {
        Some(layer) => Ok(Udp::Tunnel(layer)),
        None => Ok(Udp::Payload { src_port, dst_port, payload, truncated }),
    }
}

pub(super) fn tcp<'f>(way: &Way, data: &'f [u8]) -> Result<Segment<'f>, Skip> {
    let header = TcpHeaderSlice::from_slice(data).map_err(|error| match error {
        HeaderSliceError::Len(_) => Skip::TransportTruncated,
        HeaderSliceError::Content(_) => Skip::TcpMalformed,
    })?;
    let syn = header.syn();
    Ok(Segment {
        path: way.path(header.source_port(), header.destination_port()),
        seq: header.sequence_number().wrapping_add(u32::from(syn)),
        syn,
        fin: header.fin(),
        rst: header.rst(),
        ack: header.ack(),
        ack_seq: header.acknowledgment_number(),
        payload: data.get(header.slice().len()..).unwrap_or_default(),
        truncated: way.truncated,
    })
}

/// The user data of DATA (RFC 9260) and I-DATA (RFC 8260) chunks: the first one is the packet,
/// further ones wait to be asked for. Of a message in several fragments only the first is read,
/// as truncated, for the headers stand in it.
pub(super) fn sctp<'f>(core: &mut Core, way: &Way, data: &'f [u8]) -> Result<Datagram<'f>, Skip> {
    let (header, mut chunks) = data.split_first_chunk::<12>().ok_or(Skip::TransportTruncated)?;
    let [s1, s2, d1, d2, ..] = *header;
    let path = way.path(u16::from_be_bytes([s1, s2]), u16::from_be_bytes([d1, d2]));
    let mut first: Option<(&'f [u8], bool)> = None;
    while let Some((&[kind, flags, l1, l2], _)) = chunks.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([l1, l2]));
        if length < 4 {
            break;
        }
        let head = match kind {
            0 => 16,
            64 => 20,
            _ => usize::MAX,
        };
        let (begins, ends) = (flags & 2 != 0, flags & 1 != 0);
        if let Some(user) = chunks.get(head..length).filter(|user| begins && !user.is_empty()) {
            if first.is_none() {
                first = Some((user, !ends));
            } else {
                core.fragments.later(&core.stats, Pending::Datagram(path, user.to_vec()));
            }
        }
        chunks = chunks.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    let (payload, truncated) = first.ok_or(Skip::OtherTransport)?;
    core.stats.encap.bump(Encap::Sctp);
    Ok(Datagram { path, payload, truncated })
}
