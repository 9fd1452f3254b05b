//! Frames on the wire and the capture file they go to.
//!
//! In: a time, two ends, a payload. Out: a classic pcap file, microseconds, little endian, Ethernet.
//! Never: writes a frame before one that is already written.

use std::io::{self, Write};
use std::net::Ipv4Addr;

use etherparse::{EtherType, Ethernet2Header, IpNumber, Ipv4Header, TcpHeader, UdpHeader};

use crate::time::Timestamp;

/// Where a packet comes from or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) mac: [u8; 6],
    pub(super) ip: Ipv4Addr,
    pub(super) port: u16,
}

impl End {
    pub(super) const fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }
}

/// The file header: magic, version 2.4, snapshot length 65535, link type 1 (Ethernet).
const HEADER: [u8; 24] =
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0];

/// How many bytes are collected before they are handed on.
const CHUNK: usize = 64 * 1024;

/// Writes a capture; every frame is of IPv4 over Ethernet with right lengths and checksums.
pub(super) struct Capture<'w> {
    out: &'w mut dyn Write,
    buffer: Vec<u8>,
    /// Where in the buffer the last frame begins.
    record: usize,
    last: Timestamp,
    identification: u16,
    frames: u64,
    bytes: u64,
}

impl<'w> Capture<'w> {
    pub(super) fn new(out: &'w mut dyn Write) -> Self {
        let mut buffer = Vec::with_capacity(CHUNK + 4_096);
        buffer.extend_from_slice(&HEADER);
        Self { out, buffer, record: HEADER.len(), last: Timestamp(0), identification: 0, frames: 0, bytes: 0 }
    }

    /// Writes a UDP datagram.
    pub(super) fn udp(&mut self, at: Timestamp, from: End, to: End, payload: &[u8]) -> io::Result<()> {
        let ip = self.ip_header(from, to, IpNumber::UDP, UdpHeader::LEN + payload.len())?;
        let udp = UdpHeader::with_ipv4_checksum(from.port, to.port, &ip, payload).map_err(too_long)?;
        self.begin(at, from, to, &ip, UdpHeader::LEN + payload.len())?;
        udp.write(&mut self.buffer)?;
        self.buffer.extend_from_slice(payload);
        Ok(())
    }

    /// Writes a TCP segment.
    pub(super) fn tcp(
        &mut self,
        at: Timestamp,
        from: End,
        to: End,
        seq: u32,
        payload: &[u8],
    ) -> io::Result<()> {
        let mut tcp = TcpHeader::new(from.port, to.port, seq, 64_240);
        (tcp.ack, tcp.psh, tcp.acknowledgment_number) = (true, true, 1);
        let len = tcp.header_len() + payload.len();
        let ip = self.ip_header(from, to, IpNumber::TCP, len)?;
        tcp.checksum = tcp.calc_checksum_ipv4(&ip, payload).map_err(too_long)?;
        self.begin(at, from, to, &ip, len)?;
        tcp.write(&mut self.buffer)?;
        self.buffer.extend_from_slice(payload);
        Ok(())
    }

    /// Writes a frame that is whole already.
    pub(super) fn whole(&mut self, at: Timestamp, frame: &[u8]) -> io::Result<()> {
        self.record(at, frame.len())?;
        self.buffer.extend_from_slice(frame);
        Ok(())
    }

    /// Writes the last frame once more, as a mirror port does that copies both directions.
    pub(super) fn again(&mut self) {
        self.buffer.extend_from_within(self.record..);
        self.frames += 1;
    }

    /// Hands on what is left; answers with frames and file bytes.
    pub(super) fn close(&mut self) -> io::Result<(u64, u64)> {
        self.flush()?;
        self.out.flush()?;
        Ok((self.frames, self.bytes))
    }

    fn ip_header(&mut self, from: End, to: End, of: IpNumber, len: usize) -> io::Result<Ipv4Header> {
        let len = u16::try_from(len).map_err(too_long)?;
        let mut ip = Ipv4Header::new(len, 64, of, from.ip.octets(), to.ip.octets()).map_err(too_long)?;
        ip.identification = self.identification;
        ip.header_checksum = ip.calc_header_checksum();
        self.identification = self.identification.wrapping_add(1);
        Ok(ip)
    }

    fn begin(&mut self, at: Timestamp, from: End, to: End, ip: &Ipv4Header, len: usize) -> io::Result<()> {
        self.record(at, Ethernet2Header::LEN + ip.header_len() + len)?;
        let ethernet = Ethernet2Header { source: from.mac, destination: to.mac, ether_type: EtherType::IPV4 };
        ethernet.write(&mut self.buffer)?;
        ip.write(&mut self.buffer)
    }

    /// The header of a frame's record.
    fn record(&mut self, at: Timestamp, size: usize) -> io::Result<()> {
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        self.record = self.buffer.len();
        self.last = self.last.max(at);
        let size = u32::try_from(size).map_err(too_long)?;
        let seconds = u32::try_from(self.last.as_secs()).map_err(too_long)?;
        let micros = u32::try_from(self.last.0.rem_euclid(1_000_000)).map_err(too_long)?;
        for field in [seconds, micros, size, size] {
            self.buffer.extend_from_slice(&field.to_le_bytes());
        }
        self.frames += 1;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

fn too_long<E: std::error::Error + Send + Sync + 'static>(error: E) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
