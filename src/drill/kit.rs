//! Frames of what isn't SIP, put into a scenario at their moments: DHCP, LLDP, HTTP, TCP flows.
//!
//! In: moments, ends, payloads. Out: whole Ethernet frames with right lengths and checksums.
//! Never: knows what the payloads mean.

use std::net::Ipv4Addr;

use etherparse::{EtherType, Ethernet2Header, IpNumber, Ipv4Header, TcpHeader, UdpHeader};

use super::packet::End;
use crate::time::{Span, Timestamp};

/// A frame at its moment.
#[derive(Clone, Debug)]
pub(super) struct Extra {
    pub(super) at: Timestamp,
    pub(super) frame: Vec<u8>,
}

/// Who speaks in a TCP exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    Client,
    Server,
}

/// Collects frames; they may be added in any order.
#[derive(Debug, Default)]
pub(super) struct Kit {
    pub(super) extras: Vec<Extra>,
    serial: u32,
}

const SYN: u8 = 1;
const ACK: u8 = 2;
const FIN: u8 = 4;
const RST: u8 = 8;

impl Kit {
    /// A frame of any protocol: LLDP (0x88cc), ARP (0x0806) and so on.
    pub(super) fn ethernet(
        &mut self,
        at: Timestamp,
        from: [u8; 6],
        to: [u8; 6],
        ether_type: u16,
        payload: &[u8],
    ) {
        let mut frame = ethernet(from, to, EtherType(ether_type));
        frame.extend_from_slice(payload);
        self.extras.push(Extra { at, frame });
    }

    /// A UDP datagram; addresses such as 255.255.255.255 and 224.0.0.x bring their own hardware
    /// address in `to`.
    pub(super) fn udp(&mut self, at: Timestamp, from: End, to: End, payload: &[u8]) {
        let len = UdpHeader::LEN + payload.len();
        let Some((mut frame, ip)) = self.ip(from, to, IpNumber::UDP, len) else { return };
        let Ok(udp) = UdpHeader::with_ipv4_checksum(from.port, to.port, &ip, payload) else { return };
        frame.extend_from_slice(&udp.to_bytes());
        frame.extend_from_slice(payload);
        self.extras.push(Extra { at, frame });
    }

    /// A whole TCP connection: handshake, what is said in turn (cut into segments), FIN from both
    /// sides. Answers with the moment after its last frame.
    pub(super) fn tcp(
        &mut self,
        at: Timestamp,
        client: End,
        server: End,
        said: &[(Speaker, &[u8])],
    ) -> Timestamp {
        let mut flow = self.open(at, client, server);
        for (speaker, bytes) in said {
            for chunk in bytes.chunks(1_400) {
                flow.send(self, *speaker, ACK, chunk);
            }
        }
        flow.send(self, Speaker::Client, FIN | ACK, &[]);
        flow.send(self, Speaker::Server, FIN | ACK, &[]);
        flow.send(self, Speaker::Client, ACK, &[]);
        flow.at
    }

    /// A connection that stays open: handshake and what is said, no FIN.
    pub(super) fn tcp_left_open(
        &mut self,
        at: Timestamp,
        client: End,
        server: End,
        said: &[(Speaker, &[u8])],
    ) -> Timestamp {
        let mut flow = self.open(at, client, server);
        said.iter().for_each(|(speaker, bytes)| flow.send(self, *speaker, ACK, bytes));
        flow.at
    }

    /// A connection over TLS that says a word at every `pause` until a moment. Nothing in it can be read.
    pub(super) fn tls(&mut self, at: Timestamp, client: End, server: End, pause: Span, until: Timestamp) {
        let mut flow = self.open(at, client, server);
        // ClientHello and ServerHello as far as their first bytes, then application data (RFC 8446 section 5).
        flow.send(self, Speaker::Client, ACK, &[22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3]);
        flow.send(self, Speaker::Server, ACK, &[22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3]);
        while flow.at <= until {
            flow.send(self, Speaker::Client, ACK, &[23, 3, 3, 0, 4, 9, 9, 9, 9]);
            flow.send(self, Speaker::Server, ACK, &[23, 3, 3, 0, 4, 9, 9, 9, 9]);
            flow.at = flow.at.plus(pause);
        }
    }

    /// A SYN that is answered with RST, or with nothing.
    pub(super) fn tcp_refused(&mut self, at: Timestamp, client: End, server: End, answered: bool) {
        let mut flow = Flow { client, server, at, seq: [self.next_serial(), 0] };
        flow.send(self, Speaker::Client, SYN, &[]);
        if answered {
            flow.send(self, Speaker::Server, RST | ACK, &[]);
        }
    }

    fn open(&mut self, at: Timestamp, client: End, server: End) -> Flow {
        let mut flow = Flow { client, server, at, seq: [self.next_serial(), self.next_serial()] };
        flow.send(self, Speaker::Client, SYN, &[]);
        flow.send(self, Speaker::Server, SYN | ACK, &[]);
        flow.send(self, Speaker::Client, ACK, &[]);
        flow
    }

    fn next_serial(&mut self) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        self.serial.wrapping_mul(0x9e37_79b9)
    }

    fn ip(&mut self, from: End, to: End, of: IpNumber, len: usize) -> Option<(Vec<u8>, Ipv4Header)> {
        let len = u16::try_from(len).ok()?;
        let mut ip = Ipv4Header::new(len, 64, of, octets(from), octets(to)).ok()?;
        ip.identification = (self.extras.len() & 0xffff) as u16;
        ip.header_checksum = ip.calc_header_checksum();
        let mut frame = ethernet(from.mac, to.mac, EtherType::IPV4);
        frame.extend_from_slice(&ip.to_bytes());
        Some((frame, ip))
    }
}

fn octets(end: End) -> [u8; 4] {
    Ipv4Addr::octets(&end.ip)
}

fn ethernet(source: [u8; 6], destination: [u8; 6], ether_type: EtherType) -> Vec<u8> {
    Ethernet2Header { source, destination, ether_type }.to_bytes().to_vec()
}

/// A TCP connection that goes on.
struct Flow {
    client: End,
    server: End,
    at: Timestamp,
    /// The client's and the server's next sequence number.
    seq: [u32; 2],
}

impl Flow {
    fn send(&mut self, kit: &mut Kit, speaker: Speaker, flags: u8, payload: &[u8]) {
        let mine = usize::from(speaker == Speaker::Server);
        let (from, to) = if mine == 0 { (self.client, self.server) } else { (self.server, self.client) };
        let mut tcp = TcpHeader::new(from.port, to.port, self.seq[mine], 64_240);
        (tcp.syn, tcp.ack) = (flags & SYN > 0, flags & ACK > 0);
        (tcp.fin, tcp.rst, tcp.psh) = (flags & FIN > 0, flags & RST > 0, !payload.is_empty());
        if tcp.ack {
            tcp.acknowledgment_number = self.seq[1 - mine];
        }
        let len = tcp.header_len() + payload.len();
        let Some((mut frame, ip)) = kit.ip(from, to, IpNumber::TCP, len) else { return };
        tcp.checksum = tcp.calc_checksum_ipv4(&ip, payload).unwrap_or(0);
        frame.extend_from_slice(&tcp.to_bytes());
        frame.extend_from_slice(payload);
        kit.extras.push(Extra { at: self.at, frame });
        let size = u32::try_from(payload.len()).unwrap_or(0) + u32::from(tcp.syn || tcp.fin);
        self.seq[mine] = self.seq[mine].wrapping_add(size);
        self.at = self.at.plus(Span(400));
    }
}
