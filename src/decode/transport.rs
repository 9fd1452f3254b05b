//! UDP and TCP.
//!
//! In: what IP carries. Out: a datagram, a segment, or a tunnel's inside.
//! Never: reads beyond the length that the header gives, drops for a checksum.

use etherparse::{TcpHeaderSlice, UdpHeaderSlice, err::tcp::HeaderSliceError};

use super::way::{Layer, Way};
use super::{Segment, Skip, Stats, tunnel};

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
    match tunnel::udp(way, stats, (src_port, dst_port), payload)? {
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
