//! Captures packet by packet, and what a replay finds in them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;

use serde_json::Value;

/// Ethernet frames in a classic pcap, with times in microseconds.
pub(super) struct Capture {
    file: Vec<u8>,
    now: i64,
    registrations: u32,
}

/// Tuesday, 24 November 2026, 09:00 UTC.
const START: i64 = 1_795_510_800_000_000;
/// The router's hardware address; phones have Yealink's.
const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 1];

fn mac(ip: IpAddr) -> [u8; 6] {
    let [high, low] = match ip {
        IpAddr::V4(v4) => [v4.octets()[2], v4.octets()[3]],
        IpAddr::V6(v6) => [v6.octets()[14], v6.octets()[15]],
    };
    [0, 0x15, 0x65, 0, high, low]
}

fn is_home(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

impl Capture {
    pub(super) fn new() -> Self {
        let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0];
        file.extend_from_slice(&1u32.to_le_bytes());
        Self { file, now: START, registrations: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.file
    }

    /// Of this capture, what goes to an IPv4 address.
    pub(super) fn only_to(&self, ip: IpAddr) -> Self {
        let IpAddr::V4(v4) = ip else { panic!("IPv6") };
        let keep = |frame: &[u8]| frame.get(30..34) == Some(&v4.octets()[..]);
        let mut file = self.file[..24].to_vec();
        self.records().filter(|(_, frame)| keep(frame)).for_each(|(head, frame)| {
            file.extend_from_slice(head);
            file.extend_from_slice(frame);
        });
        Self { file, ..Self::new() }
    }

    /// Each frame with its record's header.
    fn records(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = &self.file[24..];
        std::iter::from_fn(move || {
            let (head, after) = rest.split_at_checked(16)?;
            let length = u32::from_le_bytes(head[8..12].try_into().unwrap()) as usize;
            let (frame, after) = after.split_at(length);
            rest = after;
            Some((head, frame))
        })
    }

    /// Lets time pass.
    pub(super) fn after(&mut self, seconds: f64) {
        self.now += (seconds * 1e6) as i64;
    }

    /// The port is closed, says the device by ICMP (RFC 792, type 3 code 3), and quotes what came.
    pub(super) fn refuses(&mut self, from: SocketAddr, to: SocketAddr, quoted: (SocketAddr, SocketAddr)) {
        let (IpAddr::V4(client), IpAddr::V4(server)) = (quoted.0.ip(), quoted.1.ip()) else { panic!("IPv6") };
        let mut quote = Vec::new();
        etherparse::PacketBuilder::ipv4(client.octets(), server.octets(), 64)
            .udp(quoted.0.port(), quoted.1.port())
            .write(&mut quote, b"")
            .unwrap();
        let mut frame = Vec::new();
        let why = etherparse::icmpv4::DestUnreachableHeader::Port;
        let kind = etherparse::Icmpv4Type::DestinationUnreachable(why);
        Self::ip(from.ip(), to.ip()).icmpv4(kind).write(&mut frame, &quote).unwrap();
        self.add(&frame);
    }

    /// A phone's LLDP frame with what it calls itself (IEEE 802.1AB section 8.4).
    pub(super) fn announces(&mut self, phone: SocketAddr, description: &str) {
        let mac = mac(phone.ip());
        let mut frame = vec![0x01, 0x80, 0xc2, 0, 0, 0x0e];
        frame.extend_from_slice(&mac);
        frame.extend_from_slice(&[0x88, 0xcc, 0x02, 0x07, 0x04]);
        frame.extend_from_slice(&mac);
        frame.extend_from_slice(&[0x04, 0x07, 0x03]);
        frame.extend_from_slice(&mac);
        frame.extend_from_slice(&[0x06, 0x02, 0x00, 0x78, 0x0c, u8::try_from(description.len()).unwrap()]);
        frame.extend_from_slice(description.as_bytes());
        // Capabilities: a telephone.
        frame.extend_from_slice(&[0x0e, 0x04, 0x00, 0x20, 0x00, 0x20, 0, 0]);
        self.add(&frame);
    }

    fn add(&mut self, frame: &[u8]) {
        self.now += 2_000;
        let (seconds, micros) = (self.now / 1_000_000, self.now % 1_000_000);
        self.file.extend_from_slice(&u32::try_from(seconds).unwrap().to_le_bytes());
        self.file.extend_from_slice(&u32::try_from(micros).unwrap().to_le_bytes());
        let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
        self.file.extend_from_slice(&length);
        self.file.extend_from_slice(&length);
        self.file.extend_from_slice(frame);
    }

    fn ethernet(from: IpAddr, to: IpAddr) -> etherparse::PacketBuilderStep<etherparse::Ethernet2Header> {
        let address = |ip: IpAddr| if is_home(ip) { mac(ip) } else { ROUTER };
        etherparse::PacketBuilder::ethernet2(address(from), address(to))
    }

    fn ip(from: IpAddr, to: IpAddr) -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
        let ethernet = Self::ethernet(from, to);
        match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => ethernet.ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => ethernet.ipv6(from.octets(), to.octets(), 64),
            _ => panic!("two families"),
        }
    }

    pub(super) fn udp(
        &mut self,
        from: impl Into<SocketAddr>,
        to: impl Into<SocketAddr>,
        payload: impl AsRef<[u8]>,
    ) {
        let (from, to) = (from.into(), to.into());
        let mut frame = Vec::new();
        let builder = Self::ip(from.ip(), to.ip()).udp(from.port(), to.port());
        builder.write(&mut frame, payload.as_ref()).unwrap();
        self.add(&frame);
    }

    /// One TCP segment.
    pub(super) fn segment(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        flags: &str,
        seq: u32,
        payload: &[u8],
    ) {
        let mut builder = Self::ip(from.ip(), to.ip()).tcp(from.port(), to.port(), seq, 8_192);
        for flag in flags.chars() {
            builder = match flag {
                'S' => builder.syn(),
                'A' => builder.ack(1),
                'R' => builder.rst(),
                'F' => builder.fin(),
                _ => panic!("{flag}"),
            };
        }
        let mut frame = Vec::new();
        builder.write(&mut frame, payload).unwrap();
        self.add(&frame);
    }

    /// A connection in which `asked` is answered with `said`.
    pub(super) fn tcp(
        &mut self,
        client: impl Into<SocketAddr>,
        server: impl Into<SocketAddr>,
        asked: &str,
        said: &str,
    ) {
        self.tcp_in_parts(client.into(), server.into(), &[asked.as_bytes()], &[said.as_bytes()]);
    }

    /// The same, each side's bytes in segments.
    pub(super) fn tcp_in_parts(
        &mut self,
        client: SocketAddr,
        server: SocketAddr,
        asked: &[&[u8]],
        said: &[&[u8]],
    ) {
        self.opens(client, server);
        for (from, to, first, parts) in [(client, server, 101, asked), (server, client, 501, said)] {
            let mut seq = first;
            for part in parts {
                self.segment(from, to, "A", seq, part);
                seq += u32::try_from(part.len()).unwrap();
            }
        }
    }

    pub(super) fn opens(&mut self, client: SocketAddr, server: SocketAddr) {
        self.segment(client, server, "S", 100, b"");
        self.segment(server, client, "SA", 500, b"");
        self.segment(client, server, "A", 101, b"");
    }

    /// The phone registers with its PBX; no password is asked for.
    pub(super) fn registers(&mut self, phone: SocketAddr, pbx: SocketAddr, user: &str) {
        self.registrations += 1;
        let n = self.registrations;
        let head = format!(
            "Via: SIP/2.0/UDP {phone};branch=z9hG4bKr{user}x{n}\r\nFrom: <sip:{user}@pbx>;tag=r{user}\r\nTo: <sip:{user}@pbx>\r\n\
             Call-ID: r{user}@{}\r\nCSeq: {n} REGISTER\r\nContact: <sip:{user}@{phone}>;expires=86400\r\nContent-Length: 0\r\n\r\n",
            phone.ip()
        );
        self.udp(phone, pbx, format!("REGISTER sip:pbx SIP/2.0\r\nMax-Forwards: 70\r\n{head}"));
        self.udp(pbx, phone, format!("SIP/2.0 200 OK\r\n{head}"));
    }

    /// The records of a replay, with a configuration.
    pub(super) fn replay(&self, config: &str) -> Vec<Value> {
        self.run(config).0
    }

    /// The facts of a replay.
    pub(super) fn facts(&self, config: &str) -> Vec<Value> {
        self.run(config).1
    }

    /// What a person reads.
    pub(super) fn text(&self, config: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let [pcap, toml] = ["c.pcap", "c.toml"].map(|name| dir.path().join(name));
        std::fs::write(&pcap, &self.file).unwrap();
        std::fs::write(&toml, config).unwrap();
        let args = ["--config", toml.to_str().unwrap(), "-v", "replay", "--no-store", pcap.to_str().unwrap()];
        let output = Command::new(env!("CARGO_BIN_EXE_ringfence")).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, config: &str) -> (Vec<Value>, Vec<Value>) {
        let dir = tempfile::tempdir().unwrap();
        let [pcap, toml, facts] = ["c.pcap", "c.toml", "facts"].map(|name| dir.path().join(name));
        std::fs::write(&pcap, &self.file).unwrap();
        std::fs::write(&toml, config).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
            .args([
                "--config",
                toml.to_str().unwrap(),
                "replay",
                "--no-store",
                "--format",
                "jsonl",
                "--facts",
            ])
            .args([&facts, &pcap])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = |text: &str| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (
            lines(std::str::from_utf8(&output.stdout).unwrap()),
            lines(&std::fs::read_to_string(&facts).unwrap()),
        )
    }

    /// How bad a check's findings are at each handset's address.
    pub(super) fn worst(&self, config: &str, check: &str) -> BTreeMap<String, String> {
        let rank =
            |severity: &str| ["info", "warning", "critical"].iter().position(|known| *known == severity);
        let mut worst: BTreeMap<String, String> = BTreeMap::new();
        for record in self.replay(config).iter().filter(|r| r["status"] == "finding" && r["check"] == check) {
            let (Some(ip), Some(severity)) = (record["ip"].as_str(), record["severity"].as_str()) else {
                continue;
            };
            let known = worst.entry(ip.to_owned()).or_default();
            if record["status"] == "finding" && rank(severity) > rank(known) {
                severity.clone_into(known);
            }
        }
        worst
    }

    /// What is found: check, severity, sentence.
    pub(super) fn findings(&self, config: &str) -> Vec<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let found = |r: &&Value| r["type"] == "finding" && r["status"] == "finding";
        let records = self.replay(config);
        let rows = records.iter().filter(found);
        rows.map(|r| (text(&r["check"]), text(&r["severity"]), text(&r["sentence"]))).collect()
    }
}

/// `10.0.3.17:5060`.
pub(super) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}
