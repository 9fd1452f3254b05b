use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use super::*;
use crate::decode::{Decoder, Packet};

fn chunk(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 6).unwrap();
    [&[0, 0], &kind.to_be_bytes()[..], &length.to_be_bytes(), value].concat()
}

fn packet(sent: Option<Timestamp>, payload: &[u8]) -> Vec<u8> {
    let mut body = [chunk(3, &[10, 0, 0, 1]), chunk(4, &[10, 0, 0, 2]), chunk(11, &[1])].concat();
    if let Some(sent) = sent {
        let (seconds, micros) = (sent.as_secs(), sent.0.rem_euclid(1_000_000));
        body.extend(chunk(9, &u32::try_from(seconds).unwrap().to_be_bytes()));
        body.extend(chunk(10, &u32::try_from(micros).unwrap().to_be_bytes()));
    }
    body.extend(chunk(15, payload));
    [b"HEP3", &u16::try_from(body.len() + 6).unwrap().to_be_bytes()[..], &body].concat()
}

fn settings() -> Settings {
    Settings { stall: Span(300_000), ..Settings::new(([127, 0, 0, 1], 0).into()) }
}

fn feed(settings: Settings) -> (Feed, SocketAddr) {
    let listener = Listener::bind(settings).unwrap();
    let address = listener.address().unwrap();
    (listener.start().unwrap(), address)
}

/// Waits until something holds, for ten seconds at most.
fn until(mut holds: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("it never held");
}

/// The next frame's time and the message in it.
fn next(feed: &mut Feed) -> (Timestamp, Vec<u8>) {
    let mut found = None;
    until(|| {
        if let Some(frame) = feed.next() {
            let mut decoder = Decoder::default();
            let Ok(Packet::Datagram(datagram)) = decoder.decode(&frame) else { panic!("{frame:?}") };
            found = Some((frame.ts, datagram.payload.to_vec()));
        }
        found.is_some()
    });
    found.unwrap()
}

fn udp() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

#[test]
fn datagrams_come_out_as_frames_and_rubbish_is_counted() {
    let (mut feed, address) = feed(settings());
    let socket = udp();
    for data in [&b"hello"[..], b"HEP3\0\x05", b"", &packet(None, b"one"), &packet(None, b"two")] {
        socket.send_to(data, address).unwrap();
    }
    assert_eq!((next(&mut feed).1, next(&mut feed).1), (b"one".to_vec(), b"two".to_vec()));
    assert_eq!((feed.stats().get(Event::Udp), feed.stats().get(Event::Malformed)), (5, 3));
    assert!(feed.next().is_none() && feed.is_alive());
}

#[test]
fn a_clock_that_is_off_is_not_believed() {
    let (mut feed, address) = feed(settings());
    let (socket, now) = (udp(), arrival());
    let (late, ahead) = (now.minus(Span::seconds(4)), now.plus(Span::seconds(4)));
    for sent in [late, ahead, now.minus(Span::seconds(7)), now.plus(Span::hours(1)), Timestamp(0)] {
        socket.send_to(&packet(Some(sent), b"x"), address).unwrap();
    }
    assert_eq!(next(&mut feed).0, late);
    for _ in 0..4 {
        let arrived = next(&mut feed).0;
        assert!(arrived >= now && arrived < ahead, "{arrived:?}");
    }
    assert_eq!(feed.stats().get(Event::TimeReplaced), 3);
}

#[test]
fn tcp_is_cut_by_the_packets_own_length_wherever_segments_end() {
    let (mut feed, address) = feed(settings());
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let all = [packet(None, b"one"), packet(None, &[b'x'; 60_000]), packet(None, b"three")].concat();
    for piece in [&all[..3], &all[3..50], &all[50..40_000], &all[40_000..]] {
        stream.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    let lengths = [next(&mut feed).1.len(), next(&mut feed).1.len(), next(&mut feed).1.len()];
    assert_eq!((lengths, feed.stats().get(Event::Tcp)), ([3, 60_000, 5], 3));
    // Between packets it may stay silent for longer than within one.
    std::thread::sleep(Duration::from_millis(700));
    stream.write_all(&packet(None, b"later")).unwrap();
    assert_eq!(next(&mut feed).1, b"later");
    assert_eq!(feed.stats().get(Event::Stalled), 0);
}

#[test]
fn half_open_and_broken_connections_are_closed_and_their_number_is_bounded() {
    let (mut feed, address) = feed(Settings { clients: 3, ..settings() });
    let mut broken = TcpStream::connect(address).unwrap();
    broken.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    until(|| feed.stats().get(Event::Malformed) == 1);
    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(b"HEP3\x01").unwrap();
    let silent = TcpStream::connect(address).unwrap();
    until(|| feed.stats().get(Event::Stalled) == 2);
    drop((half, silent));
    let mut good: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut good {
        stream.write_all(&packet(None, b"good")).unwrap();
        assert_eq!(next(&mut feed).1, b"good");
    }
    let _late = TcpStream::connect(address).unwrap();
    until(|| feed.stats().get(Event::Refused) == 1);
    good[0].write_all(&packet(None, b"still")).unwrap();
    assert_eq!(next(&mut feed).1, b"still");
}

#[test]
fn a_silent_connection_gives_way_to_a_new_one() {
    let (mut feed, address) = feed(Settings { clients: 2, stall: Span::hours(1), ..settings() });
    let _silent: Vec<_> = (0..2).map(|_| TcpStream::connect(address).unwrap()).collect();
    until(|| feed.stats().get(Event::Connected) == 2);
    let mut real = TcpStream::connect(address).unwrap();
    real.write_all(&packet(None, b"real")).unwrap();
    assert_eq!(next(&mut feed).1, b"real");
}

#[test]
fn the_queue_is_bounded_in_packets_and_bytes() {
    for bounds in [Settings { packets: 4, ..settings() }, Settings { bytes: 400, ..settings() }] {
        let (mut feed, address) = feed(bounds);
        let socket = udp();
        for _ in 0..20 {
            socket.send_to(&packet(None, &[b'x'; 50]), address).unwrap();
        }
        until(|| feed.stats().get(Event::Udp) == 20);
        let mut kept = 0;
        while feed.next().is_some() {
            kept += 1;
        }
        assert_eq!((kept, feed.stats().get(Event::Dropped)), (4, 16));
    }
}
