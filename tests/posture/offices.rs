//! The whole checklist in other offices: the weak and the sound one as they would be over IPv6, with SIP over
//! TCP, and behind a 9 for an outside line. What is found is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};

use serde_json::Value;

use super::Office;

/// Sees each packet of a capture and gives what stands in its place.
trait Change {
    /// A UDP datagram; `None` leaves it as it is.
    fn datagram(&mut self, frame: &Frame<'_>) -> Option<Vec<Vec<u8>>>;

    /// Whether everybody speaks the same IP.
    fn one_family(&self) -> bool {
        true
    }

    /// A TCP segment; the same.
    fn segment(&mut self, _frame: &Frame<'_>) -> Option<Vec<Vec<u8>>> {
        None
    }
}

/// What a frame over IPv4 is.
struct Frame<'f> {
    macs: [[u8; 6]; 2],
    from: SocketAddr,
    to: SocketAddr,
    payload: &'f [u8],
    tcp: Option<etherparse::TcpHeader>,
}

fn changed(capture: &[u8], change: &mut dyn Change) -> Vec<u8> {
    let mut file = capture[..24].to_vec();
    let mut rest = &capture[24..];
    while let Some((head, after)) = rest.split_at_checked(16) {
        let length = u32::from_le_bytes(head[8..12].try_into().unwrap()) as usize;
        let (frame, after) = after.split_at(length);
        rest = after;
        for frame in instead(frame, change).unwrap_or_else(|| vec![frame.to_vec()]) {
            file.extend_from_slice(&head[..8]);
            let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
            file.extend_from_slice(&length);
            file.extend_from_slice(&length);
            file.extend_from_slice(&frame);
        }
    }
    file
}

fn instead(frame: &[u8], change: &mut dyn Change) -> Option<Vec<Vec<u8>>> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let Some(NetSlice::Ipv4(ip)) = &packet.net else { return None };
    let ips = [ip.header().source_addr(), ip.header().destination_addr()].map(IpAddr::V4);
    let macs = [frame[6..12].try_into().unwrap(), frame[..6].try_into().unwrap()];
    let end = |ip: IpAddr, port: u16| SocketAddr::new(ip, port);
    match &packet.transport {
        Some(TransportSlice::Udp(udp)) => change.datagram(&Frame {
            macs,
            from: end(ips[0], udp.source_port()),
            to: end(ips[1], udp.destination_port()),
            payload: udp.payload(),
            tcp: None,
        }),
        Some(TransportSlice::Tcp(tcp)) => change.segment(&Frame {
            macs,
            from: end(ips[0], tcp.source_port()),
            to: end(ips[1], tcp.destination_port()),
            payload: tcp.payload(),
            tcp: Some(tcp.to_header()),
        }),
        _ => None,
    }
}

fn is_sip(payload: &[u8]) -> bool {
    payload.windows(7).take(80).any(|part| part == b"SIP/2.0")
}

/// The headers with another length of the body.
fn with_length(text: &str) -> String {
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return text.to_owned() };
    let line = |line: &str| match line.split_once(':') {
        Some((name, _)) if name.eq_ignore_ascii_case("content-length") => format!("{name}: {}", body.len()),
        _ => line.to_owned(),
    };
    let head: Vec<String> = head.split("\r\n").map(line).collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}

/// Everything that has an IPv6 in it. DHCP, NAT-PMP and ARP have none: the office has both.
#[derive(Default)]
struct Six;

impl Six {
    fn of(ip: IpAddr) -> Ipv6Addr {
        let IpAddr::V4(v4) = ip else { panic!("IPv6 already") };
        let [a, b, c, d] = v4.octets().map(u16::from);
        let net = if v4.is_private() { [0xfd00, 0, 0] } else { [0x2001, 0xdb8, 0] };
        Ipv6Addr::new(net[0], net[1], net[2], 0, a, b, c, d)
    }

    /// Every address of the office and its surroundings; versions look alike and stay.
    fn text(text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(at);
            out += before;
            let end = from.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            let ours =
                ["10.0.", "203.0.113.", "192.0.2.", "198.51.100."].iter().any(|net| word.starts_with(net));
            match word.parse::<Ipv4Addr>() {
                Ok(v4) if ours && !before.ends_with('/') => {
                    let v6 = Self::of(v4.into());
                    // SDP has its own form (RFC 8866 section 5.7).
                    let sdp = out.ends_with("IN IP4 ");
                    if sdp {
                        out.truncate(out.len() - 4);
                        out += "IP6 ";
                    }
                    out += &if sdp { v6.to_string() } else { format!("[{v6}]") };
                }
                _ => out += word,
            }
            rest = after;
        }
        out + rest
    }

    fn stays(frame: &Frame<'_>) -> bool {
        let old = [67, 68, 1_900, 5_350, 5_351];
        let plain = |end: SocketAddr| matches!(end.ip(), IpAddr::V4(v4) if v4.is_unspecified() || v4.is_broadcast() || v4.is_multicast());
        [frame.from, frame.to].into_iter().any(|end| old.contains(&end.port()) || plain(end))
    }
}

impl Change for Six {
    fn datagram(&mut self, frame: &Frame<'_>) -> Option<Vec<Vec<u8>>> {
        if Self::stays(frame) {
            return None;
        }
        let text = String::from_utf8_lossy(frame.payload).into_owned();
        let payload = if is_sip(frame.payload) {
            with_length(&Self::text(&text)).into_bytes()
        } else {
            frame.payload.to_vec()
        };
        let [from, to] = [frame.from, frame.to].map(|end| Self::of(end.ip()).octets());
        let mut bytes = Vec::new();
        PacketBuilder::ethernet2(frame.macs[0], frame.macs[1])
            .ipv6(from, to, 64)
            .udp(frame.from.port(), frame.to.port())
            .write(&mut bytes, &payload)
            .unwrap();
        Some(vec![bytes])
    }

    fn segment(&mut self, frame: &Frame<'_>) -> Option<Vec<Vec<u8>>> {
        let [from, to] = [frame.from, frame.to].map(|end| Self::of(end.ip()).octets());
        let mut bytes = Vec::new();
        PacketBuilder::ethernet2(frame.macs[0], frame.macs[1])
            .ipv6(from, to, 64)
            .tcp_header(frame.tcp.clone()?)
            .write(&mut bytes, frame.payload)
            .unwrap();
        Some(vec![bytes])
    }
}

/// All SIP over TCP, a connection for each two ends.
#[derive(Default)]
struct Tcp {
    open: BTreeSet<(SocketAddr, SocketAddr)>,
    sent: BTreeMap<(SocketAddr, SocketAddr), u32>,
}

impl Tcp {
    fn segment(
        &mut self,
        macs: [[u8; 6]; 2],
        from: SocketAddr,
        to: SocketAddr,
        flags: &str,
        payload: &[u8],
    ) -> Vec<u8> {
        let seq = self.sent.entry((from, to)).or_insert(1_000);
        let (IpAddr::V4(src), IpAddr::V4(dst)) = (from.ip(), to.ip()) else { panic!("IPv6") };
        let mut builder = PacketBuilder::ethernet2(macs[0], macs[1])
            .ipv4(src.octets(), dst.octets(), 64)
            .tcp(from.port(), to.port(), *seq, 8_192);
        *seq += u32::try_from(payload.len()).unwrap() + u32::from(flags.contains('S'));
        if flags.contains('S') {
            builder = builder.syn();
        }
        if flags.contains('A') {
            builder = builder.ack(1);
        }
        let mut bytes = Vec::new();
        builder.write(&mut bytes, payload).unwrap();
        bytes
    }
}

impl Change for Tcp {
    fn datagram(&mut self, frame: &Frame<'_>) -> Option<Vec<Vec<u8>>> {
        if !is_sip(frame.payload) {
            return None;
        }
        let (from, to, [mine, theirs]) = (frame.from, frame.to, frame.macs);
        let mut frames = Vec::new();
        let pair = if from < to { (from, to) } else { (to, from) };
        if self.open.insert(pair) {
            frames.push(self.segment([mine, theirs], from, to, "S", b""));
            frames.push(self.segment([theirs, mine], to, from, "SA", b""));
            frames.push(self.segment([mine, theirs], from, to, "A", b""));
        }
        let text = String::from_utf8_lossy(frame.payload).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
        frames.push(self.segment([mine, theirs], from, to, "A", text.as_bytes()));
        Some(frames)
    }
}

/// Whoever calls out dials a 9 first.
#[derive(Default)]
struct Nine;

impl Change for Nine {
    fn datagram(&mut self, frame: &Frame<'_>) -> Option<Vec<Vec<u8>>> {
        let text = std::str::from_utf8(frame.payload).ok().filter(|_| is_sip(frame.payload))?;
        if !text.contains("<sip:0") && !text.contains(" sip:0") {
            return None;
        }
        let text = text.replace("sip:0", "sip:90");
        let (IpAddr::V4(from), IpAddr::V4(to)) = (frame.from.ip(), frame.to.ip()) else { return None };
        let mut bytes = Vec::new();
        PacketBuilder::ethernet2(frame.macs[0], frame.macs[1])
            .ipv4(from.octets(), to.octets(), 64)
            .udp(frame.from.port(), frame.to.port())
            .write(&mut bytes, text.as_bytes())
            .unwrap();
        Some(vec![bytes])
    }
}

/// One handset in three speaks IPv6, one TCP, one dials a 9.
#[derive(Default)]
struct Mixed {
    six: Six,
    tcp: Tcp,
    nine: Nine,
}

impl Mixed {
    /// Whose frame it is: the last part of a handset's address.
    fn of(&mut self, frame: &Frame<'_>) -> Option<&mut dyn Change> {
        let handset = |end: SocketAddr| match end.ip() {
            IpAddr::V4(v4) if v4.octets()[..3] == [10, 0, 3] && v4.octets()[3] < 200 => Some(v4.octets()[3]),
            _ => None,
        };
        Some(match handset(frame.from).or(handset(frame.to))? % 3 {
            0 => &mut self.six,
            1 => &mut self.tcp,
            _ => &mut self.nine,
        })
    }
}

impl Change for Mixed {
    fn one_family(&self) -> bool {
        false
    }

    fn datagram(&mut self, frame: &Frame<'_>) -> Option<Vec<Vec<u8>>> {
        self.of(frame)?.datagram(frame)
    }

    fn segment(&mut self, frame: &Frame<'_>) -> Option<Vec<Vec<u8>>> {
        self.of(frame)?.segment(frame)
    }
}

/// What is found, how bad, and where each check stands.
fn shown(office: &Office) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    (office.worst(), office.statuses())
}

/// `other` tells a call's record in the other office from one in the first.
fn like_the_first(change: &mut dyn Change, more: &str, other_call: fn(&Value) -> bool) {
    for scenario in ["weak_office", "sound_office"] {
        let first = Office::new(scenario);
        let file = changed(&std::fs::read(first.folder.join("capture.pcap")).unwrap(), change);
        let config = std::fs::read_to_string(first.folder.join("config.toml")).unwrap();
        let config = config.replace("\"10.0.0.0/8\"", "\"10.0.0.0/8\", \"fd00::/8\"");
        let other = Office::of(&file, &config.replacen("[site]\n", &format!("[site]\n{more}"), 1));
        assert_eq!(shown(&other), shown(&first), "{scenario}");
        let calls = |office: &Office| {
            office.records.iter().find(|r| r["type"] == "summary").unwrap()["attempts"].as_u64().unwrap()
        };
        // Two legs that meet at different addresses of the PBX, one of each family, aren't joined.
        let two = !change.one_family();
        assert!(calls(&other) == calls(&first) || (two && calls(&other) > calls(&first)), "{scenario}");
        let differ = |office: &Office| office.records.iter().filter(|r| r["type"] == "call").any(other_call);
        assert!(!differ(&first), "{scenario}");
        assert!(differ(&other) || other_call(&Value::Null), "{scenario}");
    }
}

#[test]
fn over_ipv6() {
    like_the_first(&mut Six, "", |call| call["ip"].as_str().is_some_and(|ip| ip.starts_with("fd00:")));
}

#[test]
fn with_sip_over_tcp() {
    let mut tcp = Tcp::default();
    like_the_first(&mut tcp, "", Value::is_null);
    assert!(tcp.open.len() > 10, "{}", tcp.open.len());
}

#[test]
fn behind_a_nine() {
    like_the_first(&mut Nine, "outside_line = [\"9\"]\n", |call| {
        call["dialled"].as_str().is_some_and(|dialled| dialled.starts_with("90"))
    });
}

/// Where some dial a 9 and some don't, it is no rule of the office's: it stays out of the configuration.
#[test]
fn one_of_each_in_one_office() {
    let mut mixed = Mixed::default();
    like_the_first(&mut mixed, "", |call| call["ip"].as_str().is_some_and(|ip| ip.starts_with("fd00:")));
    assert!(mixed.tcp.open.len() > 2, "{}", mixed.tcp.open.len());
}
