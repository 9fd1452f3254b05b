//! RFC 4475, RFC 5118 and the call flows of other RFCs, as `rfc_expectations.csv` has them.

use std::collections::BTreeMap;

use ringfence::sip::framing::{Framing, Scan};
use ringfence::sip::message::parse;
use ringfence::sip::sniff::sniff;
use ringfence::sip::{Message, Method, Quirk, Quirks, Reject, Sniff, Start, uri};
use ringfence::tally::Label;

use crate::support::{call_flows, corpora, unfolded};

/// An element must refuse these for what a passive tracker has no use for: a Contact's and a
/// Request-URI's syntax, a second Content-Length (`wire.md` row 38: the first one counts).
const REFUSED_BY_ELEMENTS_ONLY: [&str; 3] =
    ["rfc4475/regbadct.dat", "rfc5118/ipv6-bad.dat", "rfc4475/mcl01.dat"];

/// Flawed in what the scanner doesn't read: a URI's headers, Date, a fifth colon in a Via's host.
const FLAW_IS_NOT_READ: [&str; 5] = [
    "rfc4475/escruri.dat",
    "rfc4475/baddate.dat",
    "rfc4475/badaspec.dat",
    "rfc4475/baddn.dat",
    "rfc5118/ipv6-bug-abnf-3-colons.dat",
];

struct Row {
    file: String,
    fields: BTreeMap<String, String>,
}

impl Row {
    fn get(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_else(|| panic!("no column {name}"))
    }
}

fn rows(corpora: &std::path::Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(corpora.join("rfc_expectations.csv")).unwrap();
    reader
        .deserialize::<BTreeMap<String, String>>()
        .map(|row| row.unwrap())
        .map(|fields| Row { file: fields["file"].clone(), fields })
        .collect()
}

#[test]
fn all_61_messages_come_out_as_expected() {
    let Some(corpora) = corpora() else { return };
    let rows = rows(&corpora);
    assert_eq!(rows.len(), 61);
    let mut attempts = 0;
    for row in &rows {
        let payload = std::fs::read(corpora.join(&row.file)).unwrap();
        assert_eq!(sniff(&payload), Sniff::Sip, "{}", row.file);
        let read = parse(&payload);
        let refused = row.get("tracker_action") == "reject+count"
            && !REFUSED_BY_ELEMENTS_ONLY.contains(&row.file.as_str());
        match read {
            Err(why) => {
                assert!(refused, "{} was rejected: {why}", row.file);
                assert_eq!(Some(why), reason(&row.file), "{}", row.file);
                assert_eq!(row.get("new_call_attempts"), "0");
            }
            Ok(read) => {
                assert!(!refused, "{} was accepted", row.file);
                agrees(row, &read);
                flags(row, read.quirks());
                attempts += u32::from(is_attempt(&read));
                assert_eq!(
                    row.get("new_call_attempts"),
                    if is_attempt(&read) { "1" } else { "0" },
                    "{}",
                    row.file
                );
            }
        }
    }
    assert_eq!(attempts, 17);
}

fn is_attempt(read: &Message<'_>) -> bool {
    matches!(read.start, Start::Request { method: Method::Invite, .. }) && read.to_tag.is_empty()
}

fn reason(file: &str) -> Option<Reject> {
    Some(match file {
        "rfc4475/scalar02.dat" | "rfc4475/scalarlg.dat" => Reject::CseqMalformed,
        "rfc4475/badvers.dat" => Reject::Version,
        "rfc4475/mismatch01.dat" | "rfc4475/mismatch02.dat" => Reject::CseqMismatch,
        "rfc4475/bigcode.dat" => Reject::StatusCode,
        "rfc4475/insuf.dat" => Reject::NoCallId,
        _ => return None,
    })
}

fn agrees(row: &Row, read: &Message<'_>) {
    let file = &row.file;
    match read.start {
        Start::Request { method, uri: target } => {
            if method == Method::Other {
                assert!(Method::ALL.iter().all(|known| known.name() != row.get("method")), "{file}");
            } else {
                assert_eq!(method.name(), row.get("method"), "{file}");
            }
            // The table's one password is counted to the user there.
            let want = row.get("ruri_user(raw)").split(":&it+has=1").next().unwrap();
            assert_eq!(String::from_utf8_lossy(uri::user(target)), want, "{file}");
        }
        Start::Response(code) => assert_eq!(code.to_string(), row.get("status"), "{file}"),
    }
    assert_eq!(unfolded(read.call_id), row.get("call_id(first)"), "{file}");
    let (number, method) = row.get("cseq(first)").split_once(' ').unwrap();
    assert_eq!(read.cseq, number.parse::<u32>().unwrap(), "{file}");
    assert_eq!(read.cseq_method, Method::from_token(method.as_bytes()), "{file}");
    assert_eq!(String::from_utf8_lossy(uri::user(read.from.uri)), row.get("from_user(raw)"), "{file}");
    let to_user = row.get("to_user(raw)");
    if to_user == "(unparseable)" {
        assert!(read.quirks().has(Quirk::NameAddrBad), "{file}");
    } else {
        assert_eq!(String::from_utf8_lossy(uri::user(read.to.uri)), to_user, "{file}");
    }
    assert_eq!(String::from_utf8_lossy(read.to_tag), row.get("to_tag"), "{file}");
}

fn flags(row: &Row, quirks: Quirks) {
    let flagged = row.get("tracker_action") == "track+flag";
    if flagged && !FLAW_IS_NOT_READ.contains(&row.file.as_str()) {
        assert_ne!(quirks, Quirks::default(), "{}", row.file);
    }
    let want = match row.file.as_str() {
        "rfc4475/wsinv.dat" => [Quirk::Folded, Quirk::ColonBlank].as_slice(),
        "rfc4475/inv2543.dat" => &[Quirk::NoTag, Quirk::OldBranch],
        "rfc4475/badbranch.dat" => &[Quirk::OldBranch],
        "rfc4475/clerr.dat" | "rfc4475/ncl.dat" => &[Quirk::LengthBad],
        "rfc4475/ltgtruri.dat" | "rfc4475/lwsstart.dat" | "rfc4475/lwsruri.dat" | "rfc4475/trws.dat" => {
            &[Quirk::LooseStartLine]
        }
        "rfc4475/multi01.dat" | "rfc4475/mcl01.dat" => &[Quirk::Duplicate],
        _ => &[],
    };
    for quirk in want {
        assert!(quirks.has(*quirk), "{}: {quirk}", row.file);
    }
}

#[test]
fn a_request_after_a_datagrams_message_is_never_read_but_on_a_stream_it_is() {
    let Some(corpora) = corpora() else { return };
    let payload = std::fs::read(corpora.join("rfc4475/dblreq.dat")).unwrap();
    let read = parse(&payload).unwrap();
    assert!(matches!(read.start, Start::Request { method: Method::Register, .. }));
    assert!(read.body.is_empty());
    assert_eq!(stream(&payload).len(), 2);
}

#[test]
fn call_flows_have_no_rejects() {
    let Some(corpora) = corpora() else { return };
    let messages = call_flows(&corpora);
    assert!(messages.len() >= 250, "{}", messages.len());
    for message in messages {
        let read = parse(&message);
        assert!(read.is_ok(), "{read:?}: {}", String::from_utf8_lossy(&message));
    }
}

fn stream(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut scan, mut rest, mut out) = (Scan::default(), bytes, Vec::new());
    loop {
        match scan.next(rest) {
            Framing::NeedMore => return out,
            Framing::Lost => {}
            Framing::Skip(n) => rest = &rest[n..],
            Framing::Message(n) => {
                let (message, after) = rest.split_at(n);
                out.push(message);
                rest = after;
            }
        }
    }
}

/// Counted by its lines alone: no header and no body line in these files looks like these.
fn start_lines(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes);
    text.lines()
        .filter(|line| {
            let words: Vec<_> = line.split(' ').collect();
            words[0] == "SIP/2.0" || (words.len() == 3 && words[2] == "SIP/2.0")
        })
        .count()
}

#[test]
fn every_message_of_the_streams_is_found() {
    let Some(corpora) = corpora() else { return };
    for name in ["generic.txt", "lioneagle-sipparser.txt"] {
        let bytes = std::fs::read(corpora.join("rfc-callflows/stream").join(name)).unwrap();
        let found = stream(&bytes);
        assert_eq!(found.len(), start_lines(&bytes), "{name}");
        assert!(found.len() >= 20);
        for message in found {
            assert!(parse(message).is_ok(), "{name}: {}", String::from_utf8_lossy(message));
        }
    }
}
