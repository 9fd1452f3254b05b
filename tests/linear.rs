//! What a stranger sends costs time in line with its length, however it is made: no header, fold, body or
//! stream is gone through again and again, and no keys can be chosen that fall together in a table.

#![expect(clippy::disallowed_methods, reason = "it measures time")]
#![expect(clippy::print_stdout, reason = "figures are for whoever reads the log")]

use std::hash::BuildHasher as _;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use ringfence::bounded::{FixedHash, KeyedHash, Table};
use ringfence::dial::{self, Dial};
use ringfence::frame::{Frame, Link};
use ringfence::ledger::Ledger;
use ringfence::sensor::{Sensor, Settings};
use ringfence::time::Timestamp;

static DIAL: LazyLock<Dial> = LazyLock::new(|| Dial::new(&dial::Settings::default()).unwrap());

/// Bytes of the smaller message, and of the larger one: what one datagram can carry.
const SMALL: usize = 8_000;
const LARGE: usize = 64_000;
/// Eight times the bytes may cost so many times the time; what grows with the square costs 64 times.
const MOST: u32 = 20;
/// Rounds of which the quickest counts: nothing else makes a round shorter than its work.
const ROUNDS: u32 = 12;
/// A noisy machine gets another chance; a quadratic message fails each.
const CHANCES: u32 = 4;

/// A request or an answer of `length` bytes that is filled up by `fill`.
type Family = fn(round: u32, length: usize) -> Vec<u8>;

fn head(round: u32) -> String {
    format!(
        "INVITE sip:00882160012345@203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.3.17;branch=z9hG4bK{round:08}\r\n\
         From: <sip:214@203.0.113.10>;tag={round:08}\r\nTo: <sip:00882160012345@203.0.113.10>\r\n\
         Call-ID: c{round:08}@10.0.3.17\r\nCSeq: 1 INVITE\r\n"
    )
}

/// The head, then `unit` again and again, then `tail`.
fn filled(round: u32, length: usize, before: &str, unit: &str, tail: &str) -> Vec<u8> {
    let mut out = head(round).into_bytes();
    out.extend(before.bytes());
    let room = length.saturating_sub(out.len() + tail.len());
    out.extend(unit.bytes().cycle().take(room / unit.len() * unit.len()));
    out.extend(tail.bytes());
    out
}

const END: &str = "\r\nContent-Length: 0\r\n\r\n";
const SDP: &str = "Content-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 10.0.3.17\r\ns=-\r\n";

const FAMILIES: [(&str, Family); 19] = [
    ("folded lines", |r, n| filled(r, n, "Subject: a", "\r\n b", END)),
    ("folds of blanks alone", |r, n| filled(r, n, "Subject: a", "\r\n ", END)),
    ("many headers", |r, n| filled(r, n, "", "X-A: b\r\n", &END[2..])),
    ("many known headers", |r, n| filled(r, n, "", "Call-ID: x\r\n", &END[2..])),
    ("many Vias", |r, n| filled(r, n, "", "v: SIP/2.0/UDP h\r\n", &END[2..])),
    ("Vias in one line", |r, n| filled(r, n, "Via: ", "SIP/2.0/UDP h,", END)),
    ("angle brackets", |r, n| filled(r, n, "Contact: ", "<", END)),
    ("quotes", |r, n| filled(r, n, "Contact: ", "\"", END)),
    ("escaped quotes", |r, n| filled(r, n, "Contact: \"", "\\\"", END)),
    ("commas in Contact", |r, n| filled(r, n, "Contact: ", "<sip:a@b>,", END)),
    ("parameters", |r, n| filled(r, n, "Contact: <sip:a@b>", ";p=v", END)),
    ("History-Info", |r, n| filled(r, n, "", "History-Info: <sip:5@b>;index=1.1\r\n", &END[2..])),
    ("digest parameters", |r, n| filled(r, n, "Authorization: Digest ", "a=\"b\", ", END)),
    ("one long name", |r, n| filled(r, n, "", "X", &format!(": y{END}"))),
    ("line feeds alone", |r, n| filled(r, n, "", "x:y\n", "Content-Length: 0\n\n")),
    ("blanks before the colon", |r, n| filled(r, n, "Subject", " ", &format!(": y{END}"))),
    ("attributes in SDP", |r, n| filled(r, n, SDP, "a=b\r\n", "")),
    ("media in SDP", |r, n| filled(r, n, SDP, "m=audio 9 RTP/AVP 0\r\n", "")),
    ("a long dialled string", |r, n| {
        let room = n - 300;
        let uri = format!("sip:{}@203.0.113.10", "0".repeat(room));
        head(r)
            .replacen("sip:00882160012345@203.0.113.10", &uri, 1)
            .into_bytes()
            .into_iter()
            .chain(END[2..].bytes())
            .collect()
    }),
];

/// Frames of one payload over UDP from a handset to its PBX.
fn datagram(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    let udp = [5_060u16.to_be_bytes(), 5_060u16.to_be_bytes(), length.to_be_bytes(), [0, 0]].concat();
    packet(17, &[&udp, payload].concat())
}

fn segment(seq: u32, payload: &[u8]) -> Vec<u8> {
    let mut tcp = [40_000u16.to_be_bytes(), 5_060u16.to_be_bytes()].concat();
    tcp.extend(seq.to_be_bytes());
    tcp.extend([0, 0, 0, 1, 0x50, if payload.is_empty() { 2 } else { 0x10 }, 16, 0, 0, 0, 0, 0]);
    tcp.extend(payload);
    packet(6, &tcp)
}

fn packet(protocol: u8, carried: &[u8]) -> Vec<u8> {
    let mut data = vec![0x45, 0];
    data.extend(u16::try_from(carried.len() + 20).unwrap().to_be_bytes());
    data.extend([0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 3, 17, 203, 0, 113, 10]);
    data.extend(carried);
    data
}

struct Watched {
    sensor: Sensor,
    now: Timestamp,
}

impl Watched {
    fn new() -> Self {
        let sensor = Sensor::new(Settings::default(), DIAL.clone(), Arc::new(Ledger::default()));
        Self { sensor, now: Timestamp::from_parts(1_795_514_400, 0) }
    }

    /// How long the sensor takes for these frames, facts included.
    fn takes(&mut self, frames: &[Vec<u8>]) -> Duration {
        let begun = Instant::now();
        for data in frames {
            self.now.0 += 100;
            let wire_len = u32::try_from(data.len()).unwrap();
            self.sensor.handle_frame(&Frame { ts: self.now, link: Link::Raw, interface: 0, wire_len, data });
            while self.sensor.poll_fact().is_some() {}
        }
        begun.elapsed()
    }
}

/// Times of the smaller and the larger traffic, the quickest round of each; `make` gives a round's frames.
fn quickest(make: &dyn Fn(u32, usize) -> Vec<Vec<u8>>, sizes: [usize; 2]) -> [Duration; 2] {
    let mut watched = Watched::new();
    let mut best = [Duration::MAX; 2];
    for round in 0..ROUNDS {
        for (n, size) in sizes.into_iter().enumerate() {
            let frames = make(2 * round + u32::try_from(n).unwrap(), size);
            best[n] = best[n].min(watched.takes(&frames));
        }
    }
    best
}

/// Whether the larger one costs at the most [`MOST`] times the smaller one.
fn is_linear(name: &str, make: &dyn Fn(u32, usize) -> Vec<Vec<u8>>, sizes: [usize; 2]) -> Duration {
    let mut told = String::new();
    for _ in 0..CHANCES {
        let [small, large] = quickest(make, sizes);
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        told =
            format!("{name}: {small:?} for {} bytes, {large:?} for {}: {ratio:.1} times", sizes[0], sizes[1]);
        if large <= small * MOST {
            println!("{told}");
            return large;
        }
    }
    panic!("{told}");
}

#[test]
fn no_message_costs_more_than_its_length() {
    let mut slowest = Duration::ZERO;
    for (name, family) in FAMILIES {
        let made = family(1, LARGE).len();
        assert!((LARGE - 400..=LARGE).contains(&made), "{name}: {made}");
        let make = |round, size| vec![datagram(&family(round, size))];
        slowest = slowest.max(is_linear(name, &make, [SMALL, LARGE]));
    }
    println!("the slowest of {LARGE} bytes: {slowest:?}");
}

/// A message that comes in one-byte segments is not read anew with each; nor are many in one segment, nor a
/// header that never ends, nor segments that come backwards.
#[test]
fn no_stream_costs_more_than_its_length() {
    let stream = |round: u32, bytes: &[u8], piece: usize, backwards: bool| -> Vec<Vec<u8>> {
        // A connection of its own for each round, and what is behind its SYN.
        let own = |mut frame: Vec<u8>| {
            frame[20..22].copy_from_slice(&u16::try_from(20_000 + round).unwrap().to_be_bytes());
            frame
        };
        let mut frames: Vec<_> = (0u32..).zip(bytes.chunks(piece)).collect();
        if backwards {
            frames.reverse();
        }
        let piece = u32::try_from(piece).unwrap();
        let pieces = frames.into_iter().map(|(n, chunk)| own(segment(1 + n * piece, chunk)));
        std::iter::once(own(segment(0, b""))).chain(pieces).collect()
    };
    let filler = |round, size| filled(round, size, "", "X-A: b\r\n", &END[2..]);
    let sizes = [2_000, 16_000];
    is_linear("one byte a segment", &|r, n| stream(r, &filler(r, n), 1, false), sizes);
    is_linear(
        "folds, one byte a segment",
        &|r, n| stream(r, &filled(r, n, "Subject: a", "\r\n b", END), 1, false),
        sizes,
    );
    is_linear(
        "a header without an end",
        &|r, n| stream(r, &filled(r, n, "Subject: ", "a", ""), 7, false),
        sizes,
    );
    is_linear("backwards", &|r, n| stream(r, &filler(r, n), 50, true), sizes);
    let many = |round: u32, size: usize| -> Vec<u8> {
        let one = format!("{}{}", head(round), &END[2..]);
        one.bytes().cycle().take(size / one.len() * one.len()).collect()
    };
    is_linear("many in a segment", &|r, n| stream(r, &many(r, n), 1_400, false), [8_000, 64_000]);
    let crlfs = |_: u32, size: usize| [b'\r', b'\n'].repeat(size / 2);
    is_linear("line ends alone", &|r, n| stream(r, &crlfs(r, n), 11, false), sizes);
}

/// Keys that fall together under the same hash without a key: all have the same low bits there.
fn chosen(many: usize) -> Vec<u64> {
    let known = FixedHash::default();
    (0u64..).filter(|key| known.hash_one(key) & 0xff == 0).take(many).collect()
}

/// The largest share of the keys in one of `buckets` by `place`, as a multiple of the mean.
fn crowding(keys: &[u64], buckets: usize, place: impl Fn(&u64) -> u64) -> f64 {
    let mut counts = vec![0usize; buckets];
    for key in keys {
        counts[usize::try_from(place(key)).unwrap() % buckets] += 1;
    }
    let mean = keys.len() as f64 / buckets as f64;
    *counts.iter().max().unwrap() as f64 / mean
}

#[test]
fn keys_that_were_chosen_to_collide_fall_apart() {
    let keys = chosen(40_000);
    let (known, keyed) = (FixedHash::default(), KeyedHash::default());
    assert!(crowding(&keys, 256, |key| known.hash_one(key)) > 200.0, "they collide where the hash is known");
    // By the low bits a table places; by those below the topmost seven the ledger's map picks its shard.
    let (low, shard) = (
        crowding(&keys, 256, |key| keyed.hash_one(key)),
        crowding(&keys, 256, |key| (keyed.hash_one(key) << 7) >> 56),
    );
    println!("the fullest of 256 places has {low:.2} and {shard:.2} times the mean");
    assert!(low < 2.0 && shard < 2.0, "{low} {shard}");
}

#[test]
fn chosen_keys_take_no_longer_than_any_others() {
    let (chosen, others) = (chosen(40_000), (0..40_000).collect::<Vec<u64>>());
    let fill = |keys: &[u64]| {
        let mut table = Table::<u64, u64>::new(keys.len(), 0);
        let begun = Instant::now();
        for key in keys {
            table.find_or_insert(key, Timestamp(0), || *key);
        }
        begun.elapsed()
    };
    let mut ratio = f64::MAX;
    for _ in 0..CHANCES {
        let best = |keys: &[u64]| (0..5).map(|_| fill(keys)).min().unwrap().as_secs_f64();
        ratio = ratio.min(best(&chosen) / best(&others));
        if ratio <= 1.5 {
            println!("{ratio:.2} times");
            return;
        }
    }
    panic!("chosen keys take {ratio:.2} times as long");
}

/// The variable by which this program, started once more, knows that it shall only say where keys go.
const SAY: &str = "RINGFENCE_TEST_SAYS_HASHES";

#[test]
fn no_two_starts_place_keys_alike() {
    let hashes = || {
        let keyed = KeyedHash::default();
        (0..8u64).map(|key| format!("{:016x}", keyed.hash_one(key))).collect::<String>()
    };
    if std::env::var_os(SAY).is_some() {
        println!("places {}", hashes());
        return;
    }
    let started = || {
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "no_two_starts_place_keys_alike", "--nocapture"]).env(SAY, "1");
        let out = String::from_utf8(again.output().unwrap().stdout).unwrap();
        out.split("places ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    };
    let starts: std::collections::BTreeSet<String> = (0..4).map(|_| started()).collect();
    assert_eq!(starts.len(), 4, "{starts:?}");
    assert_ne!(hashes(), hashes(), "nor do two tables of one start");
}

/// Keys from outside have no other hash: a map with one that is known would be found here.
#[test]
fn no_map_has_a_hash_that_is_known() {
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            files += 1;
            for hash in ["FxHash", "FnvHash", "FixedState", "SeedableRandomState", "BuildHasherDefault"] {
                let doors = path.ends_with("src/bounded.rs") && hash == "FixedState"
                    || path.ends_with("src/bounded/image.rs") && hash == "SeedableRandomState";
                assert!(doors || !text.contains(hash), "{}: {hash}", path.display());
            }
        }
    }
    assert!(files > 200, "{files}");
}
