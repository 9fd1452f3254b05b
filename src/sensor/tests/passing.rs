//! Speech that takes the short way leaves what the long way would have left.

use proptest::prelude::*;

use super::*;

/// Ends of the flows: phones, their PBX, a media server, an outsider; among the ports some that
/// promise something, and a tunnel's.
const ENDS: [([u8; 4], u16); 8] = [
    (PHONE, 4_000),
    ([10, 0, 3, 18], 4_002),
    (PBX, 20_000),
    (TRUNK, 20_002),
    ([198, 51, 100, 66], 40_000),
    (PBX, 5_060),
    (TRUNK, 53),
    (PBX, 4_789),
];

/// One packet, and how long after the one before it.
#[derive(Clone, Debug)]
struct Sent {
    from: usize,
    to: usize,
    what: u8,
    odd: u8,
    vlan: u8,
    after: i64,
}

fn payload(sent: &Sent) -> Vec<u8> {
    let (ip, port) = ENDS[sent.from];
    match sent.what {
        0..=5 => [&[0x80, 8, 0, 1][..], &[7; 60]].concat(),
        6 => vec![0x81, 200, 0, 1, 0, 0, 0, 0],
        7 => vec![0x80, 8, 0],
        8 => {
            let body =
                format!("c=IN IP4 {}.{}.{}.{}\r\nm=audio {port} RTP/AVP 8\r\n", ip[0], ip[1], ip[2], ip[3]);
            let head = head("c", "f", "", "1 INVITE", "214", "005355512345");
            format!(
                "INVITE sip:005355512345@example.com SIP/2.0\r\n{head}Content-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        }
        9 => b"hello, who is there".to_vec(),
        // A handshake of DTLS: signalling that can't be read, and whose speech counts.
        10 => [&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4][..], &[1, 0, 0, 0]].concat(),
        _ => Vec::new(),
    }
}

fn ethernet(sent: &Sent) -> Vec<u8> {
    let payload = payload(sent);
    let ((src, from), (dst, to)) = (ENDS[sent.from], ENDS[sent.to]);
    let udp = u16::try_from(payload.len() + 8).unwrap();
    let mut data = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    if sent.vlan % 2 == 1 {
        data.extend([0x81, 0, 0, sent.vlan]);
    }
    data.extend([0x08, 0x00]);
    let ip = data.len();
    data.extend([0x45, 0]);
    data.extend((udp + 20).to_be_bytes());
    data.extend([0, 7, 0x40, 0, 64, 17, 0, 0]);
    data.extend(src);
    data.extend(dst);
    for port in [from, to, udp, 0] {
        data.extend(port.to_be_bytes());
    }
    data.extend(payload);
    match sent.odd {
        0 => data[ip + 6] = 0x20,
        1 => data[ip + 7] = 9,
        2 => data[ip + 24..ip + 26].copy_from_slice(&[0, 0]),
        3 => data[ip + 2..ip + 4].copy_from_slice(&[0, 0]),
        4 => data[ip + 25] = data[ip + 25].wrapping_add(3),
        5 => data.truncate(data.len() - 1),
        6 => data.extend([0; 9]),
        7 => data[ip + 9] = 6,
        _ => {}
    }
    data
}

fn any_sent() -> impl Strategy<Value = Sent> {
    let after = prop_oneof![8 => 1_000i64..40_000, 2 => 1_000_000i64..70_000_000];
    (0..ENDS.len(), 1..ENDS.len(), 0u8..12, 0u8..40, 0u8..8, after).prop_map(
        |(from, by, what, odd, vlan, after)| Sent {
            from,
            to: (from + by) % ENDS.len(),
            what,
            odd,
            vlan,
            after,
        },
    )
}

/// Everything that others can know of a sensor.
fn known(sensor: &Sensor) -> String {
    let counts: Vec<_> = sensor.outcomes().packets().chain(sensor.outcomes().skipped_reasons()).collect();
    let encap: Vec<_> = sensor.decoder.stats().encap.iter().filter(|(_, n)| *n > 0).collect();
    let signs: Vec<_> = sensor.coverage().signs.iter().filter(|(_, n)| *n > 0).collect();
    let phones: Vec<_> = sensor.coverage().encrypted.phones().collect();
    format!("{counts:?} {encap:?} {signs:?} {phones:?} {:?} {:?}", sensor.totals(), sensor.poll_timeout())
}

#[test]
fn speech_passes_once_its_flow_is_settled_for_a_minute_and_never_where_its_ports_promise_more() {
    let mut b = Bench::new();
    for (from, to, passes) in [(0, 1, true), (0, 3, true), (6, 0, false), (0, 7, false)] {
        let data = ethernet(&Sent { from, to, what: 0, odd: 40, vlan: 0, after: 0 });
        let back = ethernet(&Sent { from: to, to: from, what: 0, odd: 40, vlan: 0, after: 0 });
        let mut take = |data: &[u8], after| {
            b.now = b.now.plus(after);
            let frame = Frame { ts: b.now, link: Link::Ethernet, interface: 0, wire_len: 106, data };
            let before = b.sensor.outcomes().frames();
            let passed = b.sensor.passes(&frame, b.now);
            assert_eq!(b.sensor.outcomes().frames() - before, u64::from(passed));
            b.sensor.take(&frame, false);
            passed
        };
        assert!(!take(&data, Span::SECOND) && !take(&back, Span(1_000)));
        for _ in 0..3 {
            take(&data, Span(1_000));
        }
        assert_eq!(take(&data, Span(1_000)), passes, "{from} {to}");
        assert!(!take(&data, Span::MINUTE));
        assert_eq!(take(&data, Span(1_000)), passes, "{from} {to}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn the_short_way_leaves_what_the_long_one_leaves(
        mix in proptest::collection::vec((any_sent(), 1usize..6), 40..160),
        encrypts: bool,
    ) {
        let (mut short, mut long) = (Bench::new(), Bench::new());
        if encrypts {
            for b in [&mut short, &mut long] {
                b.register(PHONE, PBX, "214");
                let (phone, server) = ((PHONE, 40_000).into(), (PBX, 5_061).into());
                b.sensor.core.coverage.encrypted.begin(phone, server, b.now);
            }
        }
        let mut now = short.now;
        for (sent, times) in &mix {
            let data = ethernet(sent);
            for _ in 0..*times {
                now = now.plus(Span(sent.after));
                let wire_len = u32::try_from(data.len()).unwrap();
                let frame = Frame { ts: now, link: Link::Ethernet, interface: 0, wire_len, data: &data };
                long.sensor.take(&frame, false);
                short.sensor.take(&frame, true);
                let [one, other] = [&mut short, &mut long]
                    .map(|b| std::iter::from_fn(|| b.sensor.poll_fact().copied()).collect::<Vec<_>>());
                prop_assert_eq!(format!("{:?}", one), format!("{:?}", other));
            }
        }
        prop_assert_eq!(known(&short.sensor), known(&long.sensor));
    }
}
