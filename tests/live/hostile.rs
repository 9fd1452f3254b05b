//! Text of strangers in every place that it can reach: escapes, text that runs backwards, markup, SQL,
//! labels, templates. It is text there and nothing else.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::net::{lacks, run};
use super::privacy::{TOOLS, everywhere};

/// What a stranger writes into every field that it has.
const TEXTS: [&str; 16] = [
    "\x1b[31mRED\x1b]0;t\x07",
    "\u{202e}evil\u{2066}",
    "a\x00b",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "'; DROP TABLE calls;--",
    "x\"} 1\\nringfence_fake{a=\"b",
    "{{ .Labels }}",
    "=cmd|calc",
    "%n%s",
    "back\\slash",
    "\u{2028}line",
    "\"]}",
    "\u{9b}31m",
    "\u{feff}\u{200b}hidden",
    "ünïcode",
];

fn datagram(src: [u8; 4], dst: [u8; 4], text: &str) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, dst[3], 2, 0, 0, 0, 0, src[3], 8, 0, 0x45, 0];
    let length = u16::try_from(text.len()).unwrap();
    frame.extend((length + 28).to_be_bytes());
    frame.extend([0, 1, 0, 0, 64, 17, 0, 0]);
    frame.extend(src);
    frame.extend(dst);
    frame.extend([0x13, 0xc4, 0x13, 0xc4]);
    frame.extend((length + 8).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(text.bytes());
    frame
}

/// Each stranger's phone registers, and calls satellite phones.
fn capture(path: &Path) {
    const PBX: [u8; 4] = [10, 0, 3, 2];
    let mut file: Vec<u8> = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 1] {
        file.extend(word.to_le_bytes());
    }
    let mut n = 0;
    let mut put = |src, dst, text: &str| {
        n += 1;
        let frame = datagram(src, dst, text);
        let length = u32::try_from(frame.len()).unwrap();
        for word in [1_795_514_400 + n, 0, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    };
    for (i, evil) in (20u8..).zip(TEXTS) {
        let phone = [10, 0, 3, i];
        let message = |first: &str, cseq: &str, call: usize, tag: &str| {
            let mut text =
                format!("{first}\r\nVia: SIP/2.0/UDP 10.0.3.{i};branch=z9hG4bK{i}{call}{}\r\n", &cseq[..3]);
            let _ = write!(
                text,
                "From: \"{evil}\" <sip:{evil}@pbx>;tag=f{call}\r\nTo: <sip:{evil}@pbx>{tag}\r\n"
            );
            let _ = write!(
                text,
                "Call-ID: {i}x{call}{evil}\r\nCSeq: {cseq}\r\nContact: \"{evil}\" <sip:{evil}@10.0.3.{i}>\r\n"
            );
            // A fold: what looks like a line of its own.
            text + &format!(
                "User-Agent: Yealink SIP-T46S {evil}\r\n INJECTED {evil}\r\nContent-Length: 0\r\n\r\n"
            )
        };
        put(phone, PBX, &message("REGISTER sip:pbx SIP/2.0", "1 REGISTER", 0, ""));
        put(PBX, phone, &message("SIP/2.0 200 OK", "1 REGISTER", 0, ";tag=t"));
        for call in 1..=6 {
            let odd = if call % 2 == 0 { evil.replace(' ', "%20") } else { String::new() };
            let invite = format!("INVITE sip:0088216{}{odd}@pbx SIP/2.0", 10_000_000 + call * 37);
            put(phone, PBX, &message(&invite, "1 INVITE", call, ""));
            put(PBX, phone, &message("SIP/2.0 200 OK", "1 INVITE", call, ";tag=t"));
        }
    }
    std::fs::write(path, file).unwrap();
}

/// Nothing moves a cursor, turns text around or hides.
fn inert(place: &str, text: &str) {
    let moves = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let at = text.char_indices().find(|(_, c)| moves(*c)).map(|(at, _)| at);
    let around = at.map(|at| {
        text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<String>()
    });
    assert!(around.is_none(), "{place}: behind {around:?}");
}

/// As markup nothing of it may stand anywhere.
fn no_markup(place: &str, text: &str) {
    for tag in ["<img src=x", "<script>alert", "</script><script"] {
        assert!(!text.contains(tag), "{place}: {tag}");
    }
}

#[test]
fn text_of_strangers_is_text_everywhere() {
    if lacks(&TOOLS) || lacks(&["promtool"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.pcap");
    capture(&file);
    let (places, _state) = everywhere("full", &file);
    let of =
        |name: &str| &places.iter().find(|(place, _)| *place == name).unwrap_or_else(|| panic!("{name}")).1;
    for (place, text) in &places {
        // RFC 5424 section 6.4: what is UTF-8 says so at its beginning.
        inert(place, &if *place == "syslog" { text.replace("] \u{feff}", "] ") } else { text.clone() });
    }
    for page in ["/", "report"] {
        no_markup(page, of(page));
    }
    // Whole records, one a line: nobody's text ends one.
    for place in ["alerts", "calls", "handsets", "posture", "status", "journal", "webhook"] {
        let lines = of(place).lines().filter(|line| !line.is_empty());
        let records: Vec<serde_json::Value> =
            lines.map(|line| serde_json::from_str(line).expect(place)).collect();
        assert!(!records.is_empty(), "{place}");
    }
    assert!(of("calls").lines().count() >= TEXTS.len() * 6, "each call is there");
    assert!(of("store").contains("DROP TABLE"), "it went through the store");
    // No line of the log, of the metrics or of the syslog is a stranger's.
    for place in ["log", "/metrics", "syslog"] {
        let strangers =
            of(place).lines().find(|line| line.starts_with("INJECTED") || line.starts_with("ringfence_fake"));
        assert!(strangers.is_none(), "{place}: {strangers:?}");
    }
    let mut promtool =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn().unwrap();
    promtool.stdin.take().unwrap().write_all(of("/metrics").as_bytes()).unwrap();
    assert!(promtool.wait().unwrap().success());
    // The same for who reads the capture by hand.
    let bin = env!("CARGO_BIN_EXE_ringfence");
    let (name, facts) = (file.to_str().unwrap(), folder.path().join("facts"));
    for words in [
        &["-v", "replay", name][..],
        &["replay", "--format", "jsonl", "--facts", facts.to_str().unwrap(), name],
        &["doctor", name],
        &["doctor", "--json", name],
        &["init", "-i", name],
    ] {
        let out = run(&[&[bin], words].concat());
        assert!(out.status.success(), "{words:?}: {}", String::from_utf8_lossy(&out.stderr));
        inert(words[0], std::str::from_utf8(&out.stdout).unwrap());
        inert(words[0], std::str::from_utf8(&out.stderr).unwrap());
    }
    inert("facts", &std::fs::read_to_string(facts).unwrap());
}
