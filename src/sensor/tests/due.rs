//! What waits is read in time, though nothing but speech passes.

use super::*;

const B: u8 = 2;
const E: u8 = 1;

fn chunk(tsn: u32, flags: u8, user: &[u8]) -> Vec<u8> {
    let mut data = vec![0, flags];
    data.extend(u16::try_from(16 + user.len()).unwrap().to_be_bytes());
    data.extend(tsn.to_be_bytes());
    data.extend([0; 8]);
    data.extend(user);
    data.resize(data.len().next_multiple_of(4), 0);
    data
}

/// SCTP in raw IPv4, from the phone to its PBX.
fn sctp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let inside = chunks.concat();
    let mut data = vec![0x45, 0];
    data.extend(u16::try_from(32 + inside.len()).unwrap().to_be_bytes());
    data.extend([0, 0, 0, 0, 64, 132, 0, 0]);
    data.extend(PHONE);
    data.extend(PBX);
    data.extend([0x13, 0xc4, 0x13, 0xc4, 0, 0, 0, 7, 0, 0, 0, 0]);
    data.extend(inside);
    data
}

fn invite() -> Vec<u8> {
    let head = head("c", "f", "", "1 INVITE", "214", "005355512345");
    format!("INVITE sip:005355512345@example.com SIP/2.0\r\n{head}Content-Length: 0\r\n\r\n").into_bytes()
}

#[test]
fn a_message_that_stays_in_pieces_is_read_after_its_time_though_only_speech_passes() {
    let mut b = Bench::new();
    assert!(b.frame(&sctp(&[chunk(1, B, &invite())])).is_empty());
    let speech = [&[0x80, 0, 0, 1][..], &[7; 168]].concat();
    let heard: Vec<usize> = (0..12)
        .map(|_| {
            b.now = b.now.plus(Span::SECOND);
            calls(b.packet((PHONE, 4_000), ([10, 0, 3, 18], 4_000), &speech)).len()
        })
        .collect();
    assert_eq!(heard.iter().sum::<usize>(), 1, "{heard:?}");
    assert_eq!(heard[..9].iter().sum::<usize>(), 0, "not before its time: {heard:?}");
}

#[test]
fn a_message_behind_another_in_one_packet_is_read_at_once_though_its_flow_is_settled() {
    let mut b = Bench::new();
    for tsn in 1..4 {
        b.frame(&sctp(&[chunk(tsn, B | E, b"not SIP at all")]));
    }
    let facts = b.frame(&sctp(&[chunk(4, B | E, b"nor is this"), chunk(5, B | E, &invite())]));
    assert_eq!(only(&calls(facts)).state, CallState::Attempted);
}
