use super::*;
use crate::dial;

const PHONE: [u8; 4] = [10, 0, 3, 17];
const PBX: [u8; 4] = [203, 0, 113, 10];

struct Bench {
    doctor: Doctor,
    now: Timestamp,
    branch: u32,
}

impl Bench {
    fn new() -> Self {
        let dial = Dial::new(&dial::Settings::default()).unwrap();
        let doctor = Doctor::new(sensor::Settings::default(), dial);
        Self { doctor, now: Timestamp::from_parts(1_764_000_000, 0), branch: 0 }
    }

    fn frame(&mut self, data: &[u8]) {
        self.now = self.now.plus(Span(300_000));
        let wire_len = u32::try_from(data.len()).unwrap();
        let frame = Frame { ts: self.now, link: Link::Ethernet, interface: 0, wire_len, data };
        self.doctor.take(&frame);
    }

    fn udp(&mut self, src: [u8; 4], dst: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let mut data = Vec::new();
        etherparse::PacketBuilder::ethernet2([0, 0x15, 0x65, 0, 0, src[3]], [0, 0x15, 0x65, 0, 0, dst[3]])
            .ipv4(src, dst, 64)
            .udp(5060, 5060)
            .write(&mut data, payload)
            .unwrap();
        self.frame(&data);
        data
    }

    /// A call from INVITE to BYE; `answered` says whether responses are seen.
    fn call(&mut self, id: &str, requests: bool, responses: bool) {
        self.branch += 1;
        let (branch, to) = (self.branch, "<sip:02079460000@pbx>");
        let text = |start: &str, tag: &str, cseq: &str| {
            format!(
                "{start}\r\nVia: SIP/2.0/UDP 10.0.3.17;branch=z9hG4bK{branch}{}\r\nFrom: <sip:214@pbx>;tag=f\r\n\
                 To: {to}{tag}\r\nCall-ID: {id}\r\nCSeq: {cseq}\r\nUser-Agent: Yealink\x1b SIP-T46S 66.86.0.15\r\n\
                 Content-Length: 0\r\n\r\n",
                &cseq[..1]
            )
        };
        for (request, code) in [("INVITE", "180 Ringing"), ("INVITE", "200 OK"), ("BYE", "200 OK")] {
            let cseq = format!("{} {request}", if request == "BYE" { 2 } else { 1 });
            let tag = if request == "BYE" { ";tag=t" } else { "" };
            if requests && code != "180 Ringing" {
                self.udp(
                    PHONE,
                    PBX,
                    text(&format!("{request} sip:02079460000@pbx SIP/2.0"), tag, &cseq).as_bytes(),
                );
            }
            if responses {
                self.udp(PBX, PHONE, text(&format!("SIP/2.0 {code}"), ";tag=t", &cseq).as_bytes());
            }
        }
    }

    fn finish(self) -> Report {
        self.doctor.finish()
    }
}

fn says(report: &Report, level: Level, part: &str) -> bool {
    report.lines.iter().any(|line| line.level == level && line.what.contains(part))
}

#[test]
fn a_good_mirror_is_good_and_names_the_phones() {
    let mut bench = Bench::new();
    for n in 0..4 {
        bench.call(&format!("c{n}"), true, true);
    }
    let report = bench.finish();
    assert_eq!((report.verdict, report.both_directions), (Verdict::Good, Some(true)), "{:?}", report.lines);
    assert_eq!(report.bad_checksums, (0, report.totals.frames));
    let phone = report.phones[&IpAddr::from(PHONE)];
    assert_eq!(phone.agent.to_string(), "Yealink\\x1b SIP-T46S 66.86.0.15");
    assert_eq!(phone.device.map(|device| device.vendor), Some("Yealink"));
    assert_eq!((phone.mac, report.phones.len()), (Some(Mac([0, 0x15, 0x65, 0, 0, 17])), 1));
}

#[test]
fn one_direction_is_found_in_either_way() {
    let mut bench = Bench::new();
    for n in 0..6 {
        bench.call(&format!("c{n}"), true, false);
    }
    let report = bench.finish();
    assert_eq!((report.verdict, report.both_directions), (Verdict::Doubtful, Some(false)));
    assert!(says(&report, Level::Doubt, "attempts are counted"), "{:?}", report.lines);
    let mut bench = Bench::new();
    for n in 0..6 {
        bench.call(&format!("c{n}"), false, true);
    }
    let report = bench.finish();
    assert_eq!(report.verdict, Verdict::Blind);
    assert!(says(&report, Level::Fault, "responses but no requests"), "{:?}", report.lines);
}

#[test]
fn a_port_that_is_not_mirrored_shows_only_broadcast() {
    let mut bench = Bench::new();
    for _ in 0..60 {
        bench.frame(&[&[0xff; 6][..], &[0, 1, 2, 3, 4, 5, 8, 6], &[0; 46]].concat());
    }
    let report = bench.finish();
    assert_eq!(report.verdict, Verdict::Blind);
    assert!(says(&report, Level::Fault, "only broadcast and multicast"), "{:?}", report.lines);
    assert_eq!(Bench::new().finish().verdict, Verdict::Blind, "nothing at all");
}

#[test]
fn media_without_signalling_and_encrypted_signalling_are_told_apart() {
    let mut bench = Bench::new();
    for _ in 0..20 {
        bench.udp(PHONE, PBX, &[0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    assert!(says(&bench.finish(), Level::Fault, "20 RTP packets but no SIP"));
    let mut bench = Bench::new();
    let mut data = Vec::new();
    etherparse::PacketBuilder::ethernet2([0; 6], [2; 6])
        .ipv4(PHONE, PBX, 64)
        .tcp(40_000, 5061, 7, 100)
        .write(&mut data, &[22, 3, 1, 0, 2, 1, 0])
        .unwrap();
    bench.frame(&data);
    let report = bench.finish();
    assert!(says(&report, Level::Fault, "all signalling is encrypted"), "{:?}", report.lines);
    assert_eq!(report.encrypted_share, Some(1.0));
}

#[test]
fn doubles_drops_and_the_hosts_own_checksums_are_said() {
    let mut bench = Bench::new();
    for n in 0..6 {
        let id = format!("c{n}");
        bench.call(&id, true, true);
        let text = format!(
            "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKo{n}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\n\
             Call-ID: o{n}\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        let mut data = bench.udp(PHONE, PBX, text.as_bytes());
        // The sum over the pseudo header alone, as the kernel leaves it to the card.
        data[40] ^= 0x55;
        let (now, wire_len) = (bench.now, u32::try_from(data.len()).unwrap());
        for late in [100, 200, 300] {
            let ts = now.plus(Span(late));
            bench.doctor.take(&Frame { ts, link: Link::Ethernet, interface: 0, wire_len, data: &data });
        }
    }
    bench.doctor.note_kernel(Kernel { received: 90, dropped: 10, dropped_by_interface: 0 });
    let report = bench.finish();
    assert!(says(&report, Level::Note, "seen twice") && says(&report, Level::Note, "checksums are wrong"));
    assert!(says(&report, Level::Doubt, "10 of 100 packets were dropped"), "{:?}", report.lines);
}
