//! What a phone or a PBX accepts is read: every spelling of one INVITE gives the same fields.

use proptest::prelude::*;
use ringfence::sip::message::parse;
use ringfence::sip::sniff::sniff;
use ringfence::sip::{Method, Quirk, Sniff, Start, uri};

use crate::support::unfolded;

/// One INVITE, spelt as the fields say.
#[derive(Clone, Debug)]
struct Spelling {
    filler: String,
    gap: String,
    version: String,
    brackets: bool,
    tail: String,
    eol: &'static str,
    blank_line: bool,
    compact: Vec<bool>,
    case: Vec<u8>,
    colon: Vec<String>,
    fold: Vec<bool>,
    order: Vec<usize>,
    name: &'static str,
}

const HEADERS: [(&str, &str, &str); 8] = [
    ("Via", "v", "SIP/2.0/UDP 10.0.3.17:5060;rport;branch=z9hG4bK77~SIP/2.0/TCP b;branch=z9hG4bK78"),
    ("From", "f", "NAME<sip:214@pbx.example>~;~tag=from77"),
    ("To", "t", "<sip:local@pbx.example;tag=no>"),
    ("Call-ID", "i", "call77@10.0.3.17"),
    ("CSeq", "", "77~INVITE"),
    ("Contact", "m", "<sip:214@10.0.3.17:5060>;expires=60"),
    ("Content-Length", "l", "4"),
    ("Authorization", "", "Digest~username=\"214\",~realm=\"pbx\""),
];

impl Spelling {
    fn write(&self) -> Vec<u8> {
        let uri = if self.brackets { "<sip:%30%30882@pbx>" } else { "sip:%30%30882@pbx" };
        let Self { filler, gap, version, tail, eol, .. } = self;
        let mut text = format!("{filler}INVITE{gap}{uri}{gap}{version}{tail}{eol}");
        for index in &self.order {
            let (long, short, value) = HEADERS[*index];
            let name = if self.compact[*index] && !short.is_empty() { short } else { long };
            let name = recase(name, self.case[*index]);
            let blank = if self.fold[*index] { format!("{eol}\t ") } else { " ".to_owned() };
            let separator = if *index == 0 { format!(",{blank}") } else { blank.clone() };
            let value = value.replace('~', &separator).replace("NAME", self.name);
            let lead = if self.fold[*index] { blank } else { String::new() };
            text.push_str(&format!("{name}{}:{lead}{value}{eol}", self.colon[*index]));
        }
        if self.blank_line {
            text.push_str(&format!("{eol}v=0\n"));
        }
        text.into_bytes()
    }
}

fn recase(name: &str, style: u8) -> String {
    match style {
        0 => name.to_owned(),
        1 => name.to_uppercase(),
        2 => name.to_lowercase(),
        _ => name
            .chars()
            .enumerate()
            .map(|(at, c)| if at % 2 == 0 { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
            .collect(),
    }
}

fn spelling() -> impl Strategy<Value = Spelling> {
    let start = (
        "[\r\n\0 \t]{0,4}",
        "[ \t]{1,3}",
        "[sS][iI][pP]/2\\.0",
        any::<bool>(),
        "[ \t]{0,2}",
        proptest::sample::select(vec!["\r\n", "\n"]),
        any::<bool>(),
    );
    let lines = (
        proptest::collection::vec(any::<bool>(), 8),
        proptest::collection::vec(0u8..4, 8),
        proptest::collection::vec("[ \t]{0,3}", 8),
        proptest::collection::vec(any::<bool>(), 8),
        Just((0..8).collect::<Vec<usize>>()).prop_shuffle(),
        proptest::sample::select(vec![
            "",
            "Reception ",
            "\"Bell, \\\"A\\\" <sip:00@evil>;tag=fake\" ",
            "J\u{fc}rgen ",
            "\"\u{1f4de}; tag=x\"",
        ]),
    );
    (start, lines).prop_map(
        |(
            (filler, gap, version, brackets, tail, eol, blank_line),
            (compact, case, colon, fold, order, name),
        )| {
            Spelling {
                filler,
                gap,
                version,
                brackets,
                tail,
                eol,
                blank_line,
                compact,
                case,
                colon,
                fold,
                order,
                name,
            }
        },
    )
}

fn assert_fields(payload: &[u8], blank_line: bool) {
    let shown = payload.escape_ascii().to_string();
    assert_eq!(sniff(payload), Sniff::Sip, "{shown}");
    let read = parse(payload).unwrap_or_else(|why| panic!("{why}: {shown}"));
    let Start::Request { method: Method::Invite, uri: target } = read.start else { panic!("{shown}") };
    assert_eq!(uri::decoded_user(target, &mut [0; uri::USER_MAX]), b"00882", "{shown}");
    assert_eq!(read.call_id, b"call77@10.0.3.17", "{shown}");
    assert_eq!((uri::user(read.from.uri), read.from_tag), (&b"214"[..], &b"from77"[..]), "{shown}");
    assert_eq!((uri::user(read.to.uri), read.to_tag), (&b"local"[..], &b""[..]), "{shown}");
    assert_eq!((read.cseq, read.cseq_method), (77, Method::Invite), "{shown}");
    assert_eq!((read.branch, read.via_count), (&b"z9hG4bK77"[..], 2), "{shown}");
    assert_eq!(read.contact, b"<sip:214@10.0.3.17:5060>;expires=60", "{shown}");
    assert_eq!(read.content_length, Some(4), "{shown}");
    assert_eq!(unfolded(read.credentials), "Digest username=\"214\", realm=\"pbx\"", "{shown}");
    assert_eq!(read.body, if blank_line { &b"v=0\n"[..] } else { b"" }, "{shown}");
    assert!(!read.quirks().has(Quirk::Duplicate) && !read.quirks().has(Quirk::NameAddrBad), "{shown}");
}

proptest! {
    #[test]
    fn any_spelling_gives_the_same_fields(spelling in spelling()) {
        assert_fields(&spelling.write(), spelling.blank_line);
    }

    #[test]
    fn oddities_are_flagged(spelling in spelling()) {
        let payload = spelling.write();
        let quirks = parse(&payload).unwrap().quirks();
        let loose = spelling.gap != " " || spelling.brackets || !spelling.tail.is_empty();
        prop_assert_eq!(quirks.has(Quirk::LeadingBlank), !spelling.filler.is_empty());
        prop_assert_eq!(quirks.has(Quirk::LooseStartLine), loose);
        prop_assert_eq!(quirks.has(Quirk::VersionCase), spelling.version != "SIP/2.0");
        prop_assert_eq!(quirks.has(Quirk::BareLf), spelling.eol == "\n");
        prop_assert_eq!(quirks.has(Quirk::NoBlankLine), !spelling.blank_line);
        prop_assert_eq!(quirks.has(Quirk::ColonBlank), spelling.colon.iter().any(|blank| !blank.is_empty()));
        prop_assert_eq!(quirks.has(Quirk::Folded), spelling.fold.iter().any(|fold| *fold));
        prop_assert!(!quirks.has(Quirk::BadUtf8) && !quirks.has(Quirk::ControlByte));
    }

    /// A later header never displaces an earlier one, whatever its spelling.
    #[test]
    fn the_first_of_doubled_headers_counts(spelling in spelling(), again in 1usize..5, compact in any::<bool>()) {
        let payload = Spelling { blank_line: false, ..spelling }.write();
        let (long, short, _) = HEADERS[again];
        let name = if compact && !short.is_empty() { short } else { long };
        let doubled = [&payload[..], name.as_bytes(), b": 9 <sip:other@h>;tag=other\r\n"].concat();
        prop_assert!(parse(&doubled).unwrap().quirks().has(Quirk::Duplicate));
        let read = parse(&doubled).unwrap();
        prop_assert_eq!((read.call_id, read.from_tag, read.cseq), (&b"call77@10.0.3.17"[..], &b"from77"[..], 77));
    }
}
