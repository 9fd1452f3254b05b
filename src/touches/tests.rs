use super::*;

const PHONE: [u8; 4] = [10, 0, 3, 17];
const STRANGER: [u8; 4] = [198, 51, 100, 66];
const SUPPORT: [u8; 4] = [192, 0, 2, 9];
const PBX: [u8; 4] = [203, 0, 113, 10];
const PC: [u8; 4] = [10, 0, 3, 200];
/// The services of the checklist.
const TCP_SERVICES: [u16; 10] = [22, 23, 80, 443, 8_080, 8_443, 7_547, 5_900, 3_389, 2_000];

fn place(ip: IpAddr) -> Place {
    let is = |other: [u8; 4]| ip == IpAddr::from(other);
    let home = matches!(ip, IpAddr::V4(v4) if v4.octets()[0] == 10)
        || matches!(ip, IpAddr::V6(v6) if v6.segments()[0] == 0xfc00);
    let zone = match ip {
        _ if is(SUPPORT) => Zone::Support,
        _ if is(PBX) => Zone::Pbx,
        _ if home => Zone::Home,
        _ => Zone::Outside,
    };
    Place { ours: home, zone, phone: is(PHONE) || ip.is_ipv6() && home, side: Side::Lan }
}

fn path(src: (impl Into<IpAddr>, u16), dst: (impl Into<IpAddr>, u16)) -> Path {
    Path {
        src: SocketAddr::new(src.0.into(), src.1),
        dst: SocketAddr::new(dst.0.into(), dst.1),
        src_mac: Some(Mac([1; 6])),
        dst_mac: Some(Mac([2; 6])),
        vlan: Some(30),
        mirror: None,
    }
}

#[derive(Clone, Copy)]
enum Bit {
    Syn,
    SynAck,
    Ack,
    Rst,
    Fin,
}

struct Wire {
    touches: Touches,
    now: Timestamp,
}

impl Wire {
    fn new() -> Self {
        Self { touches: Touches::default(), now: Timestamp(1_000_000) }
    }

    /// Beyond the grace of the start.
    fn settled() -> Self {
        let mut wire = Self::new();
        wire.udp(path((PC, 9), (PBX, 9)), b"x");
        wire.udp(path((PHONE, 9), (PBX, 9)), b"x");
        wire.wait(400);
        wire.all();
        wire
    }

    fn wait(&mut self, seconds: i64) {
        self.now = self.now.plus(Span::seconds(seconds));
        self.touches.handle_timeout(self.now);
    }

    fn udp(&mut self, path: Path, payload: &[u8]) {
        self.now = self.now.plus(Span(1_000));
        self.touches.datagram(&path, payload, &place, self.now);
    }

    fn tcp(&mut self, path: Path, bit: Bit, payload: &[u8]) {
        self.now = self.now.plus(Span(1_000));
        let segment = Segment {
            path,
            seq: 1,
            syn: matches!(bit, Bit::Syn | Bit::SynAck),
            fin: matches!(bit, Bit::Fin),
            rst: matches!(bit, Bit::Rst),
            ack: !matches!(bit, Bit::Syn),
            ack_seq: 1,
            payload,
            truncated: false,
        };
        self.touches.segment(&segment, &place, self.now);
    }

    fn all(&mut self) -> Vec<Touch> {
        std::iter::from_fn(|| self.touches.poll()).map(|told| told.touch).collect()
    }

    fn states(&mut self) -> Vec<TouchState> {
        self.all().iter().map(|touch| touch.state).collect()
    }
}

use TouchState::{
    Again, Data, Ended, Established, Lasting, Reset, Silent, Syn, SynAck, UdpReply, UdpRequest,
};

#[test]
fn services_closed_open_and_filtered() {
    for port in TCP_SERVICES {
        let (there, back) =
            (path((STRANGER, 40_000), (PHONE, port)), path((PHONE, port), (STRANGER, 40_000)));
        let mut closed = Wire::new();
        closed.tcp(there, Bit::Syn, b"");
        closed.tcp(back, Bit::Rst, b"");
        closed.wait(10);
        assert_eq!(closed.states(), [Syn, Reset], "{port}");

        let mut filtered = Wire::new();
        for _ in 0..3 {
            filtered.tcp(there, Bit::Syn, b"");
            filtered.wait(4);
        }
        assert_eq!(filtered.states(), [Syn, Again, Silent, Again], "{port}");

        let mut open = Wire::new();
        open.tcp(there, Bit::Syn, b"");
        open.tcp(back, Bit::SynAck, b"");
        open.tcp(there, Bit::Ack, b"");
        open.tcp(back, Bit::Ack, b"SSH-2.0-dropbear\r\n");
        open.tcp(there, Bit::Ack, b"SSH-2.0-x\r\n");
        open.tcp(there, Bit::Fin, b"");
        open.tcp(back, Bit::Fin, b"");
        let all = open.all();
        let states: Vec<_> = all.iter().map(|touch| touch.state).collect();
        assert_eq!(states, [Syn, SynAck, Established, Data, Ended], "{port}");
        assert!(all.iter().all(|t| t.unsolicited && t.port == port && t.way == Way::Inbound));
        let last = all.last().unwrap();
        assert_eq!((last.banner, last.sent, last.received), (Banner::Ssh, 18, 11));
        assert_eq!(last.lasted, Span(6_000));
    }
    for port in [161, 69] {
        let (there, back) =
            (path((STRANGER, 40_000), (PHONE, port)), path((PHONE, port), (STRANGER, 40_000)));
        let mut quiet = Wire::new();
        quiet.udp(there, b"\x30\x26");
        quiet.wait(10);
        assert_eq!(quiet.states(), [UdpRequest, Silent], "{port}");
        let mut open = Wire::new();
        open.udp(there, b"\x30\x26");
        open.udp(back, b"\x30\x26\x02");
        open.wait(10);
        let all = open.all();
        assert_eq!(all.iter().map(|t| t.state).collect::<Vec<_>>(), [UdpRequest, UdpReply]);
        assert!(all[0].unsolicited && all[1].sent == 3 && all[1].received == 2);
    }
}

#[test]
fn one_direction_of_the_mirror_is_enough() {
    let (there, back) = (path((STRANGER, 40_000), (PHONE, 80)), path((PHONE, 80), (STRANGER, 40_000)));
    let mut inbound = Wire::new();
    inbound.tcp(there, Bit::Syn, b"");
    inbound.tcp(there, Bit::Ack, b"GET / HTTP/1.1\r\n");
    assert_eq!(inbound.states(), [Syn, Established]);
    let mut outbound = Wire::new();
    outbound.tcp(back, Bit::SynAck, b"");
    let told = outbound.all();
    assert_eq!((told.len(), told[0].state, told[0].way, told[0].port), (1, SynAck, Way::Inbound, 80));
    assert_eq!(told[0].peer.ip(), IpAddr::from(STRANGER));
}

#[test]
fn support_is_told_with_its_zone_and_length() {
    let (there, back) = (path((SUPPORT, 40_000), (PHONE, 443)), path((PHONE, 443), (SUPPORT, 40_000)));
    let mut wire = Wire::new();
    wire.tcp(there, Bit::Syn, b"");
    wire.tcp(back, Bit::SynAck, b"");
    wire.tcp(there, Bit::Ack, b"\x16\x03\x01");
    wire.tcp(back, Bit::Ack, b"\x16\x03\x03");
    for _ in 0..9 {
        for _ in 0..4 {
            wire.wait(15 * 60);
            wire.tcp(there, Bit::Ack, b"x");
        }
    }
    wire.wait(2 * 3_600);
    let all = wire.all();
    let states: Vec<_> = all.iter().map(|touch| touch.state).collect();
    assert_eq!(states, [Syn, SynAck, Established, Data, Lasting, Lasting, Lasting, Ended]);
    assert!(all.iter().all(|touch| touch.zone == Zone::Support && !touch.unsolicited));
    assert_eq!(all[3].banner, Banner::Tls);
    assert!(all[7].lasted > Span::hours(9));
}

#[test]
fn answers_to_our_own_questions_are_not_unsolicited() {
    let mut wire = Wire::settled();
    wire.udp(path((PHONE, 3_000), (STRANGER, 53)), b"q");
    wire.udp(path((STRANGER, 53), (PHONE, 3_000)), b"a");
    assert_eq!(wire.states(), [UdpRequest, UdpReply], "told as outbound");
    wire.udp(path((PC, 3_000), (STRANGER, 53)), b"q");
    wire.udp(path((STRANGER, 53), (PC, 3_000)), b"a");
    assert_eq!(wire.states(), [], "a PC's questions are nobody's business");
    wire.wait(301);
    wire.udp(path((STRANGER, 53), (PHONE, 3_000)), b"late");
    let late = wire.all();
    assert!(late[0].unsolicited && late[0].way == Way::Inbound);
}

/// Three packets on the same ports are three packets; a mirror's copies, and the ninth, are none.
#[test]
fn what_nobody_asked_for_is_told_three_times_on_the_same_ports() {
    let mut wire = Wire::settled();
    let knock = path((STRANGER, 40_000), (PHONE, 30_000));
    for _ in 0..9 {
        wire.udp(knock, b"x");
        let copied = wire.now.plus(Span(200));
        wire.touches.datagram(&knock, b"x", &place, copied);
        wire.wait(2);
    }
    let told = wire.states();
    assert_eq!(told.iter().filter(|state| **state == Again).count(), 2, "{told:?}");
    let mut answered = Wire::settled();
    answered.udp(knock, b"x");
    answered.udp(path((PHONE, 30_000), (STRANGER, 40_000)), b"y");
    answered.udp(knock, b"x");
    assert_eq!(answered.states(), [UdpRequest, UdpReply]);
}

#[test]
fn a_flow_that_goes_on_stays_known() {
    let mut wire = Wire::settled();
    wire.udp(path((PC, 3_000), (STRANGER, 3_000)), b"q");
    for _ in 0..100 {
        wire.wait(20);
        wire.udp(path((STRANGER, 3_000), (PC, 3_000)), b"a");
    }
    assert_eq!(wire.states(), []);
}

/// A mirror that shows only what goes to the phones: an answer would look like a stray. What is a question
/// by itself stays one.
#[test]
fn of_a_device_that_was_never_heard_only_questions_count() {
    let mut wire = Wire::new();
    wire.udp(path((PC, 9), (PBX, 9)), b"x");
    wire.wait(400);
    wire.all();
    let unsolicited = |wire: &mut Wire| wire.all().first().is_some_and(|touch| touch.unsolicited);
    wire.udp(path((STRANGER, 123), (PHONE, 41_234)), b"the time");
    assert!(!unsolicited(&mut wire));
    wire.udp(path((STRANGER, 5_060), (PHONE, 5_060)), b"OPTIONS sip:100@h SIP/2.0\r\n");
    assert!(unsolicited(&mut wire));
    wire.udp(path((PHONE, 4_000), (PBX, 4_000)), b"x");
    wire.all();
    wire.udp(path((STRANGER, 124), (PHONE, 41_235)), b"the time");
    assert!(unsolicited(&mut wire), "it was heard, and had not asked");
}

#[test]
fn grace_excuses_answers_but_not_questions() {
    let mut wire = Wire::new();
    wire.udp(path((STRANGER, 9_999), (PHONE, 41_234)), b"who knows");
    wire.udp(path((STRANGER, 5_060), (PHONE, 5_060)), b"OPTIONS sip:100@h SIP/2.0\r\n");
    wire.udp(path((STRANGER, 5_061), (PHONE, 5_060)), b"SIP/2.0 200 OK\r\n");
    let unsolicited: Vec<_> = wire.all().iter().map(|touch| touch.unsolicited).collect();
    assert_eq!(unsolicited, [false, true, false]);
}

#[test]
fn invited_media_stun_answers_and_multicast_are_not_unsolicited() {
    let mut wire = Wire::settled();
    wire.touches.invite(b"c=IN IP4 198.51.100.66\r\nm=audio 7000 RTP/AVP 0\r\n", wire.now);
    wire.udp(path((STRANGER, 7_000), (PHONE, 12_000)), &[0x80; 172]);
    wire.udp(path((STRANGER, 7_001), (PHONE, 12_001)), &[0x81; 60]);
    assert_eq!(wire.states(), []);
    let mut stun = [0u8; 20];
    (stun[0], stun[1]) = (1, 1);
    stun[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]);
    wire.udp(path((STRANGER, 3_478), (PHONE, 12_002)), &stun);
    assert!(wire.all().iter().all(|touch| !touch.unsolicited));
    stun[0] = 0;
    wire.udp(path((STRANGER, 3_479), (PHONE, 12_002)), &stun);
    assert!(wire.all()[0].unsolicited, "a STUN request is a question");
    wire.udp(path((PHONE, 5_060), ([224, 0, 1, 75], 5_060)), b"SUBSCRIBE sip:MAC@224.0.1.75 SIP/2.0\r\n");
    assert_eq!(wire.states(), []);
}

#[test]
fn inside_the_office_only_services_of_phones_count() {
    let mut wire = Wire::settled();
    wire.tcp(path((PC, 1), (PHONE, 80)), Bit::Syn, b"");
    wire.tcp(path((PC, 1), ([10, 0, 3, 201], 445)), Bit::Syn, b"");
    wire.udp(path((PC, 1), (PHONE, 161)), b"x");
    wire.udp(path((PC, 1), (PHONE, 20_000)), &[0x80; 172]);
    let all = wire.all();
    assert_eq!(all.iter().map(|touch| touch.port).collect::<Vec<_>>(), [80, 161]);
    assert!(all.iter().all(|touch| touch.zone == Zone::Home && !touch.unsolicited));
}

#[test]
fn ipv6_and_outbound_tls_with_a_name() {
    let phone: IpAddr = "fc00::17".parse().unwrap();
    let server: IpAddr = "2001:db8::1".parse().unwrap();
    let mut wire = Wire::new();
    let there = path((phone, 1_024), (server, 443));
    wire.tcp(there, Bit::Syn, b"");
    wire.tcp(path((server, 443), (phone, 1_024)), Bit::SynAck, b"");
    assert!(wire.touches.follows(&there));
    wire.touches.name(&there, b"evil.example");
    wire.tcp(there, Bit::Ack, b"\x16\x03\x01");
    let all = wire.all();
    assert_eq!((all.len(), all[2].way, all[2].port, all[2].zone), (3, Way::Outbound, 443, Zone::Outside));
    assert_eq!(all[2].name, Text::from("evil.example"));
}

#[test]
fn floods_stay_bounded_and_do_not_push_out_our_own_flows() {
    let settings = Settings { connections: 64, datagrams: 64, ..Settings::default() };
    let mut wire = Wire { touches: Touches::new(settings), now: Timestamp(0) };
    wire.udp(path((PC, 3_000), (STRANGER, 3_000)), b"q");
    wire.wait(400);
    wire.udp(path((PC, 3_000), (STRANGER, 3_000)), b"q");
    for n in 0..5_000u16 {
        wire.udp(path((STRANGER, n), (PHONE, 161)), b"x");
        wire.tcp(path((STRANGER, n), (PHONE, 22)), Bit::Syn, b"");
        wire.all();
    }
    wire.udp(path((STRANGER, 3_000), (PC, 3_000)), b"a");
    assert_eq!(wire.states(), []);
    assert!(wire.touches.evicted() > 9_000);
    wire.wait(10);
    assert!(wire.all().len() <= 128);
    wire.wait(3_700);
    assert!(wire.touches.poll_timeout().is_none());
}
