//! TCP, WebSocket, SCTP, HEP.

use super::packets::*;
use super::talk::*;
use super::*;

const FROM: (Ip, u16) = (PHONE, 40_000);
const TO: (Ip, u16) = (CLOUD, 5060);

/// Segments of a stream from a port of the phone's, cut at these places.
fn segments(port: u16, seq: u32, bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let begins = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([bytes.len()]);
    begins
        .zip(ends)
        .map(|(begin, end)| {
            let at = seq.wrapping_add(u32::try_from(begin).unwrap());
            segment((PHONE, port), TO, at, &bytes[begin..end])
        })
        .collect()
}

fn stream(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    segments(40_000, 1_000, bytes, cuts)
}

fn at(seq: usize, bytes: &[u8]) -> Vec<u8> {
    segment(FROM, TO, u32::try_from(seq).unwrap(), bytes)
}

pub(crate) fn cases() -> Vec<Case> {
    [tcp(), framed(), websocket(), sctp(), hep()].into_iter().flatten().collect()
}

fn tcp() -> Vec<Case> {
    let one = dear();
    let byte = |i: usize| at(1_000 + i, &one[i..=i]);
    let mut backwards = vec![flagged(FROM, TO, 999, 2, 0, b"")];
    for i in (0..one.len() - 1).step_by(2) {
        backwards.extend([byte(i + 1), byte(i)]);
    }
    backwards.extend((one.len() % 2 == 1).then(|| byte(one.len() - 1)));
    let lost = invite("lost", "020794600001").body(SDP.repeat(3)).bytes();
    let both = [&lost[..], &one].concat();
    let acknowledged =
        |seen: usize, seq| flagged(TO, FROM, seq, 0x18, u32::try_from(1_000 + seen).unwrap(), b"\r\n");
    let again = segments(40_000, u32::MAX - 150, &one, &[100, 333, 400]);
    let (first, second) = (invite("r1", DEAR).bytes(), invite("r2", OTHER).bytes());
    let mut reused: Vec<_> =
        [flagged(FROM, TO, 999, 2, 0, b"")].into_iter().chain(stream(&first, &[])).map(|f| (20, f)).collect();
    reused.push((20, flagged(FROM, TO, u32::try_from(1_000 + first.len()).unwrap(), 0x11, 1, b"")));
    reused.push((70_000, flagged(FROM, TO, 555_000, 2, 0, b"")));
    reused.extend(segments(40_000, 555_001, &second, &[50]).into_iter().map(|f| (20, f)));
    vec![
        case("met inside a body, then an overlap", 1, {
            let head = [b"=rtpmap:0 PCMU/8000\r\n", &one[..300]].concat();
            vec![at(500, &head), at(521 + 280, &one[280..420]), at(521 + 350, &one[350..])]
        })
        .dear(),
        after("a hole that the receiver has, then the next message", 1, {
            let mut frames = vec![(20, at(1_000, &both[..150])), (20, acknowledged(lost.len() + 100, 1))];
            frames.extend([(20, at(1_400, &both[400..])), (20, acknowledged(both.len(), 3))]);
            frames.push((5_000, at(1_000 + both.len(), b"\r\n\r\n")));
            frames
        })
        .dear(),
        case("a byte a segment, every two turned round", 1, backwards).dear(),
        case("numbers that wrap, each segment twice", 1, {
            again.into_iter().flat_map(|frame| [frame.clone(), frame]).collect()
        })
        .dear(),
        after("the same ports for a new connection", 2, reused).numbers(&[DEAR_E164, OTHER_E164]),
        case("over UDP and then over TCP", 1, {
            let over_tcp = with(one.clone(), &[(b"SIP/2.0/UDP", b"SIP/2.0/TCP")]);
            [sip(PHONE, CLOUD, &one)].into_iter().chain(stream(&over_tcp, &[99])).collect()
        })
        .dear(),
        case("what an HTTP request posts", 0, {
            let post = [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 700\r\n\r\n", &one[..]].concat();
            vec![segment((PHONE, 41_000), (CLOUD, 80), 1, &post)]
        }),
    ]
}

fn framed() -> Vec<Case> {
    let one = dear();
    let other = invite("n2", OTHER).bytes();
    let length = format!("Content-Length: {}", SDP.len());
    let both = [DEAR_E164, OTHER_E164];
    let join = |parts: &[&[u8]]| stream(&parts.concat(), &[]);
    let huge = with(one.clone(), &[(length.as_bytes(), b"Content-Length: 99999999")]);
    vec![
        case("two messages in a segment", 2, join(&[&one, b"\r\n\r\n", &other])).numbers(&both),
        case("keepalives glued on", 1, stream(&[b"\r\n\r\n", &one[..], b"\r\n\r\n"].concat(), &[3, 50]))
            .dear(),
        case("no Content-Length, and no body", 2, {
            join(&[&invite("n1", DEAR).no_length().bytes(), &other])
        })
        .numbers(&both),
        case("a Content-Length that is compact and folded", 2, {
            join(&[&with(one.clone(), &[(b"Content-Length: ", b"l :\r\n  ")]), &other])
        })
        .numbers(&both),
        case("a huge Content-Length, and another connection", 2, {
            [stream(&huge, &[]), segments(40_001, 1_000, &other, &[])].concat()
        })
        .numbers(&both),
        case("SIP-I in parts, with an INVITE inside", 1, stream(&sip_i(), &[400])).dear(),
    ]
}

/// An INVITE with ISUP beside its SDP, and in that what looks like another one.
pub(crate) fn sip_i() -> Vec<u8> {
    let isup =
        b"--b\r\nContent-Type: application/isup;version=itu-t92+\r\n\r\n\x01\x00\x60\x00\x0a\x00\r\n\r\n\
        INVITE sip:999@x SIP/2.0\r\n\xff\r\n--b--\r\n";
    let body = [b"--b\r\nContent-Type: application/sdp\r\n\r\n", SDP.as_bytes(), isup].concat();
    invite("c1", DEAR).body(body).kind("multipart/mixed;boundary=b").bytes()
}

fn frame(payload: &[u8], opcode: u8, last: bool, mask: [u8; 4]) -> Vec<u8> {
    let mut data = vec![opcode | if last { 0x80 } else { 0 }];
    if payload.len() < 126 {
        data.push(0x80 | u8::try_from(payload.len()).unwrap());
    } else {
        data.push(0xfe);
        data.extend(be16(payload.len()));
    }
    data.extend(mask);
    data.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ mask[i % 4]));
    data
}

fn websocket() -> Vec<Case> {
    let up = b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let down = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: sip\r\n\r\n";
    let message = with(dear(), &[(b"SIP/2.0/UDP", b"SIP/2.0/WS")]);
    let mask = [1, 2, 3, 4];
    let talk = [
        frame(&message[..200], 1, false, mask),
        frame(b"hi", 9, true, mask),
        frame(&message[200..350], 0, false, [0xaa, 0xbb, 0xcc, 0xdd]),
        frame(&message[350..], 0, true, mask),
    ]
    .concat();
    let six = |way: bool, seq: usize, bytes: &[u8]| {
        let (src, dst, from, to) = if way { (A6, B6, 40_000, 80) } else { (B6, A6, 80, 40_000) };
        ether6(&ip6(src, dst, 6, &super::packets::tcp(from, to, u32::try_from(seq).unwrap(), 0x18, 1, bytes)))
    };
    let mut frames = vec![six(true, 1_000, up), six(false, 1, down)];
    let ends = [0, 3, 90, 260, talk.len() - 40, talk.len()];
    for pair in ends.windows(2) {
        frames.push(six(true, 1_000 + up.len() + pair[0], &talk[pair[0]..pair[1]]));
    }
    let second = with(message.clone(), &[(b"CSeq: 1 ", b"CSeq: 2 ")]);
    let (one, two) = (frame(&message, 1, true, mask), frame(&second, 2, true, mask));
    let met = |seq: usize, bytes: &[u8]| segment(FROM, (CLOUD, 8088), u32::try_from(seq).unwrap(), bytes);
    vec![
        case("WebSocket over IPv6, masked, in frames and segments", 1, frames).dear(),
        case("WebSocket met in the middle", 1, vec![met(7_000, &one), met(7_000 + one.len(), &two)]).dear(),
    ]
}

fn packet(chunks: &[Vec<u8>]) -> Vec<u8> {
    [&[0x13, 0xc4, 0x13, 0xc4, 0, 0, 0, 9, 0, 0, 0, 0][..], &chunks.concat()].concat()
}

fn chunk(kind: u8, flags: u8, head: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = head.len() + payload.len() + 4;
    let mut data = [&[kind, flags], &be16(length)[..], head, payload].concat();
    data.resize(length.next_multiple_of(4), 0);
    data
}

/// A DATA chunk: 2 begins a message, 1 ends it.
fn data(tsn: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    chunk(0, flags, &[0, 0, 0, tsn, 0, 0, 0, 0, 0, 0, 0, 0], payload)
}

/// An I-DATA chunk (RFC 8260).
fn interleaved(tsn: u8, flags: u8, stream: u8, piece: u8, payload: &[u8]) -> Vec<u8> {
    chunk(64, flags, &[0, 0, 0, tsn, 0, stream, 0, 0, 0, 0, 0, 0, 0, 0, 0, piece], payload)
}

fn sctp() -> Vec<Case> {
    let one = dear();
    let two = invite("s2", OTHER).body(SDP).bytes();
    let on_wire = |chunks: &[Vec<u8>]| ether4(PHONE, CLOUD, &ip4(PHONE, CLOUD, 132, 1, 0, &packet(chunks)));
    let in_udp = packet(&[data(10, 2, &one[..100]), data(11, 1, &one[100..])]);
    vec![
        case("SCTP: three chunks, out of order and doubled", 1, {
            let [a, b, c] = [data(10, 2, &one[..100]), data(11, 0, &one[100..300]), data(12, 1, &one[300..])];
            let wire = [&c, &a, &a, &b, &c];
            wire.map(|chunk| on_wire(std::slice::from_ref(chunk))).to_vec()
        })
        .dear(),
        case("SCTP: two interleaved messages", 2, {
            vec![
                on_wire(&[interleaved(1, 2, 1, 46, &one[..200]), interleaved(2, 2, 2, 46, &two[..150])]),
                on_wire(&[interleaved(4, 1, 2, 1, &two[150..]), interleaved(3, 0, 1, 1, &one[200..300])]),
                on_wire(&[interleaved(5, 1, 1, 2, &one[300..])]),
            ]
        }),
        case("SCTP in UDP", 1, vec![datagram((PHONE, 9899), (CLOUD, 9899), &in_udp)]).dear(),
    ]
}

/// A copy of a message between the phone, or a NAT before it, and the PBX.
fn copy(message: &[u8], src: (Ip, u16), port: u16, protocol: u8) -> Vec<u8> {
    let chunk =
        |kind: usize, value: &[u8]| [&[0, 0], &be16(kind)[..], &be16(value.len() + 6), value].concat();
    let body = [
        chunk(1, &[2]),
        chunk(2, &[protocol]),
        chunk(3, &src.0),
        chunk(4, &CLOUD),
        chunk(7, &src.1.to_be_bytes()),
        chunk(8, &port.to_be_bytes()),
        chunk(9, &1_795_514_400u32.to_be_bytes()),
        chunk(10, &[0, 0, 0x13, 0x88]),
        chunk(11, &[1]),
        chunk(12, &[0, 0, 0, 7]),
        chunk(15, message),
    ]
    .concat();
    [b"HEP3", &be16(body.len() + 6)[..], &body].concat()
}

fn hep() -> Vec<Case> {
    const COLLECTOR: Ip = [172, 16, 9, 9];
    let one = dear();
    let sent = |copy: &[u8]| datagram((CLOUD, 5555), (COLLECTOR, 9060), copy);
    let tls = copy(&one, (PHONE, 40_000), 5061, 6);
    let over_tcp = |at: u32, bytes: &[u8]| segment((CLOUD, 5555), (COLLECTOR, 9060), at, bytes);
    vec![
        case("HEP beside the mirror", 1, {
            vec![sip(PHONE, CLOUD, &one), sent(&copy(&one, (PHONE, 5060), 5060, 17))]
        })
        .dear(),
        case("HEP of a call under TLS", 1, vec![sent(&tls)]).dear(),
        case("HEP over TCP", 1, vec![over_tcp(1, &tls[..100]), over_tcp(101, &tls[100..])]).dear(),
        case("HEP from behind a NAT, beside the mirror", 1, {
            vec![sip(PHONE, CLOUD, &one), sent(&copy(&one, ([198, 51, 100, 7], 33_333), 5060, 17))]
        })
        .dear(),
    ]
}
