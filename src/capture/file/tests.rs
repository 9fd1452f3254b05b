//! Captures built byte by byte, whole and broken.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::*;
use crate::frame::Link;

/// A frame as the tests compare it: microseconds, link, interface, wire length, bytes.
type Seen = (i64, Link, u16, u32, Vec<u8>);

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file.flush().unwrap();
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn drain(capture: Result<FileCapture, CaptureError>) -> (Vec<Seen>, Option<CaptureError>) {
    let mut seen = Vec::new();
    let mut capture = match capture {
        Ok(capture) => capture,
        Err(error) => return (seen, Some(error)),
    };
    loop {
        match capture.next() {
            Ok(Some(f)) => seen.push((f.ts.0, f.link, f.interface, f.wire_len, f.data.to_vec())),
            Ok(None) => return (seen, None),
            Err(error) => {
                assert!(matches!(capture.next(), Ok(None)), "an error is the end");
                return (seen, Some(error));
            }
        }
    }
}

fn read(bytes: &[u8]) -> (Vec<Seen>, Option<CaptureError>) {
    let file = file(bytes);
    drain(open(&Source::Path(file.path().to_path_buf())))
}

/// The first word of an error's variant, to compare errors of different readers.
fn variant(error: &Option<CaptureError>) -> String {
    format!("{error:?}").chars().take_while(|c| !" {".contains(*c)).collect()
}

struct Shape {
    big_endian: bool,
    nanos: bool,
    link: u32,
    snap: u32,
}

const PLAIN: Shape = Shape { big_endian: false, nanos: false, link: 1, snap: 65_535 };

fn word(shape: &Shape, n: u32) -> [u8; 4] {
    if shape.big_endian { n.to_be_bytes() } else { n.to_le_bytes() }
}

fn half(shape: &Shape, n: u16) -> [u8; 2] {
    if shape.big_endian { n.to_be_bytes() } else { n.to_le_bytes() }
}

fn header(shape: &Shape) -> Vec<u8> {
    let magic = if shape.nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
    let mut out = word(shape, magic).to_vec();
    out.extend([half(shape, 2), half(shape, 4)].concat());
    for n in [0, 0, shape.snap, shape.link] {
        out.extend(word(shape, n));
    }
    out
}

fn record(shape: &Shape, seconds: u32, fraction: u32, data: &[u8], wire: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for n in [seconds, fraction, u32::try_from(data.len()).unwrap(), wire] {
        out.extend(word(shape, n));
    }
    out.extend(data);
    out
}

fn sample(shape: &Shape, frames: usize) -> Vec<u8> {
    let mut out = header(shape);
    for i in 0..frames {
        let n = u32::try_from(i).unwrap();
        let data = vec![u8::try_from(i & 255).unwrap(); 1 + i * 37 % 300];
        let fraction = if shape.nanos { n * 1_000 + 999 } else { n };
        out.extend(record(shape, 1_700_000_000 + n, fraction, &data, 400));
    }
    out
}

#[test]
fn both_byte_orders_and_resolutions_plain_and_gzip_agree() {
    let (want, none) = read(&sample(&PLAIN, 20));
    assert!(none.is_none());
    assert_eq!(want.len(), 20);
    assert_eq!(want[3].0, 1_700_000_003_000_003);
    for (big_endian, nanos) in [(false, false), (true, false), (false, true), (true, true)] {
        let bytes = sample(&Shape { big_endian, nanos, ..PLAIN }, 20);
        assert_eq!(read(&bytes).0, want);
        assert_eq!(read(&gzip(&bytes)).0, want);
    }
}

#[test]
fn years_after_2038_and_short_snap_lengths_agree() {
    let shape = Shape { snap: 10, ..PLAIN };
    let mut bytes = header(&shape);
    bytes.extend(record(&shape, 4_000_000_000, 7, &[1; 40], 60));
    let (plain, error) = read(&bytes);
    assert!(error.is_none());
    assert_eq!(plain, [(4_000_000_000_000_007, Link::Ethernet, 0, 60, vec![1; 10])]);
    assert_eq!(read(&gzip(&bytes)).0, plain);
}

#[test]
fn every_truncation_gives_all_whole_frames_then_one_error() {
    let whole = sample(&PLAIN, 62);
    assert!(whole.len() > 10_000, "{}", whole.len());
    let (all, _) = read(&whole);
    let mut ends = vec![24];
    for frame in &all {
        ends.push(ends.last().unwrap() + 16 + frame.4.len());
    }
    for cut in 0..whole.len() {
        let frames = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
        let (plain, error) = read(&whole[..cut]);
        assert_eq!(plain, all[..frames], "cut at {cut}");
        assert_eq!(error.is_some(), !ends.contains(&cut), "cut at {cut}: {error:?}");
        if cut % 61 == 0 {
            let (stream, same) = read(&gzip(&whole[..cut]));
            assert_eq!((stream, variant(&same)), (plain, variant(&error)), "cut at {cut}");
        }
    }
    // The compressed file itself cut off.
    let packed = gzip(&whole);
    for cut in (20..packed.len()).step_by(7) {
        let (some, error) = read(&packed[..cut]);
        assert_eq!(some, all[..some.len()]);
        assert!(matches!(error, Some(CaptureError::Truncated { .. })), "cut at {cut}: {error:?}");
    }
}

#[test]
fn an_absurd_length_is_refused_after_the_frames_before_it() {
    let mut bytes = sample(&PLAIN, 2);
    for n in [1, 2, u32::MAX, u32::MAX] {
        bytes.extend(word(&PLAIN, n));
    }
    for bytes in [bytes.clone(), gzip(&bytes)] {
        let (frames, error) = read(&bytes);
        assert_eq!(frames.len(), 2);
        let text = error.unwrap().to_string();
        assert!(text.contains("broken at frame 3"), "{text}");
    }
}

#[test]
fn what_is_no_capture_is_named() {
    for (bytes, want) in [
        (&b""[..], "empty"),
        (b"abc", "only 3 bytes"),
        (b"INVITE sip:", "begins with 49 4e 56 49"),
        (b"\x28\xb5\x2f\xfd\0\0", "zstd"),
    ] {
        let text = read(bytes).1.unwrap().to_string();
        assert!(text.contains(want), "{text}");
    }
    let missing = open(&Source::Path("/nonexistent/x.pcap".into())).err().unwrap().to_string();
    assert!(missing.contains("/nonexistent/x.pcap"), "{missing}");
}

#[test]
fn an_unknown_link_type_is_refused_by_number_and_name() {
    let bytes = sample(&Shape { link: 105, ..PLAIN }, 1);
    for bytes in [bytes.clone(), gzip(&bytes)] {
        let text = read(&bytes).1.unwrap().to_string();
        assert!(text.contains("link type 105 (IEEE802_11)"), "{text}");
        assert!(text.contains("EN10MB 1") && text.contains("LINUX_SLL2 276"), "{text}");
    }
}

fn block(shape: &Shape, kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = word(shape, u32::try_from(body.len() + 12).unwrap());
    [&word(shape, kind)[..], &length, &body, &length].concat()
}

fn section(shape: &Shape) -> Vec<u8> {
    let body = [&word(shape, 0x1a2b_3c4d)[..], &half(shape, 1), &half(shape, 0), &[0xff; 8]].concat();
    block(shape, 0x0a0d_0d0a, &body)
}

fn interface(shape: &Shape, link: u16, resolution: u8, offset: i64) -> Vec<u8> {
    let mut body = [&half(shape, link)[..], &[0, 0], &word(shape, 0)].concat();
    body.extend([&half(shape, 9)[..], &half(shape, 1), &[resolution, 0, 0, 0]].concat());
    let offset = if shape.big_endian { offset.to_be_bytes() } else { offset.to_le_bytes() };
    body.extend([&half(shape, 14)[..], &half(shape, 8), &offset, &[0; 4]].concat());
    block(shape, 1, &body)
}

fn enhanced(shape: &Shape, interface: u32, ticks: u64, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap();
    let (high, low) = (u32::try_from(ticks >> 32).unwrap(), u32::try_from(ticks & 0xffff_ffff).unwrap());
    let fields: Vec<_> = [interface, high, low, len, len + 5].iter().flat_map(|n| word(shape, *n)).collect();
    block(shape, 6, &[&fields[..], data].concat())
}

fn old_packet(shape: &Shape, interface: u16, ticks: u32, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap();
    let mut body = [half(shape, interface), half(shape, 0)].concat();
    body.extend([0, ticks, len, len].iter().flat_map(|n| word(shape, *n)));
    block(shape, 2, &[&body[..], data].concat())
}

fn simple(shape: &Shape, data: &[u8]) -> Vec<u8> {
    block(shape, 3, &[&word(shape, u32::try_from(data.len()).unwrap())[..], data].concat())
}

/// Two sections of different byte orders, interfaces of different link types and resolutions.
fn mixed() -> Vec<u8> {
    let big = Shape { big_endian: true, ..PLAIN };
    [
        section(&PLAIN),
        interface(&PLAIN, 1, 6, 0),
        interface(&PLAIN, 113, 9, 0),
        block(&PLAIN, 0x0bad, &[9; 40]),
        enhanced(&PLAIN, 0, 1_700_000_000_000_001, &[1; 61]),
        enhanced(&PLAIN, 1, 1_700_000_000_000_002_999, &[2; 62]),
        simple(&PLAIN, &[3; 63]),
        section(&big),
        interface(&big, 101, 0x80 | 20, 100),
        enhanced(&big, 0, (5 << 20) + (1 << 19), &[4; 64]),
        old_packet(&big, 0, 1 << 20, &[5; 65]),
    ]
    .concat()
}

fn mixed_frames() -> Vec<Seen> {
    vec![
        (1_700_000_000_000_001, Link::Ethernet, 0, 66, vec![1; 61]),
        (1_700_000_000_000_002, Link::Sll, 1, 67, vec![2; 62]),
        (1_700_000_000_000_002, Link::Ethernet, 0, 63, vec![3; 63]),
        (105_500_000, Link::Raw, 2, 69, vec![4; 64]),
        (101_000_000, Link::Raw, 2, 65, vec![5; 65]),
    ]
}

#[test]
fn pcapng_keeps_each_interface_apart() {
    for bytes in [mixed(), gzip(&mixed())] {
        let (frames, error) = read(&bytes);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(frames, mixed_frames());
    }
}

#[test]
fn pcapng_cut_anywhere_gives_all_whole_frames() {
    let (bytes, all) = (mixed(), mixed_frames());
    for cut in 0..bytes.len() {
        let (frames, error) = read(&bytes[..cut]);
        assert_eq!(frames, all[..frames.len()], "cut at {cut}");
        assert!(error.is_none() || frames.len() < all.len(), "cut at {cut}");
    }
}

#[test]
fn pcapng_skips_unreadable_interfaces_and_says_so_at_the_end() {
    let bytes = [
        section(&PLAIN),
        interface(&PLAIN, 195, 6, 0),
        interface(&PLAIN, 1, 6, 0),
        enhanced(&PLAIN, 0, 1, &[1; 9]),
        enhanced(&PLAIN, 1, 2, &[2; 9]),
    ]
    .concat();
    let (frames, error) = read(&bytes);
    assert_eq!(frames.len(), 1);
    let text = error.unwrap().to_string();
    assert!(text.contains("1 frames skipped") && text.contains("195 (IEEE802_15_4"), "{text}");
}

#[test]
fn progress_ends_at_the_files_size() {
    for bytes in [sample(&PLAIN, 9), gzip(&sample(&PLAIN, 9)), mixed()] {
        let file = file(&bytes);
        let mut capture = open(&Source::Path(file.path().to_path_buf())).unwrap();
        while capture.next().unwrap().is_some() {}
        let size = u64::try_from(bytes.len()).unwrap();
        assert_eq!(capture.progress(), (size, Some(size)));
    }
}

proptest! {
    /// libpcap and the stream reader agree on damaged files, and neither panics.
    #[test]
    fn damaged_files_read_alike(flips in proptest::collection::vec((16usize..600, any::<u8>()), 1..6)) {
        let mut bytes = sample(&PLAIN, 6);
        for (at, value) in flips {
            // The link type's upper bits mean other things to libpcap's later versions.
            if let Some(byte) = bytes.get_mut(at).filter(|_| !(20..24).contains(&at)) { *byte = value; }
        }
        let (plain, error) = read(&bytes);
        let (stream, same) = read(&gzip(&bytes));
        prop_assert_eq!(plain, stream);
        prop_assert_eq!(variant(&error), variant(&same));
    }

    /// No damage to a pcapng file panics.
    #[test]
    fn damaged_pcapng_never_panics(flips in proptest::collection::vec((0usize..800, any::<u8>()), 1..12)) {
        let mut bytes = mixed();
        for (at, value) in flips {
            if let Some(byte) = bytes.get_mut(at) { *byte = value; }
        }
        let _ = read(&bytes);
    }
}

/// Every capture of the shared corpora has as many frames as tshark counts.
#[test]
fn corpora_have_the_frames_that_tshark_counts() {
    let dir = std::env::var("RINGFENCE_CORPORA")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora"), PathBuf::from);
    let Ok(truth) = std::fs::read_to_string(dir.join("ground_truth_files.csv")) else {
        println!("skipped: corpora not present");
        return;
    };
    let mut files = 0;
    for line in truth.lines().skip(1) {
        let mut columns = line.split(',');
        let (name, frames) = (columns.next().unwrap(), columns.next().unwrap());
        let (seen, error) = drain(open(&Source::Path(dir.join(name))));
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(seen.len().to_string(), frames, "{name}");
        files += 1;
    }
    assert_eq!(files, 101);
}
