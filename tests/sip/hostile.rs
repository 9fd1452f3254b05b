//! Inputs of the kinds that broke other SIP software (`robustness.md` A3, by number): each is read
//! or rejected for a named reason, and the next good message is still seen.

use ringfence::sip::digest::Credentials;
use ringfence::sip::framing::{Framing, Scan};
use ringfence::sip::message::parse;
use ringfence::sip::{Message, Method, NameAddr, Quirk, Reject, Start, typed, uri};

use proptest::prelude::*;

const HEAD: &str = "INVITE sip:900882@pbx SIP/2.0\r\n";
const VIA: &str = "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n";
const FROM: &str = "From: <sip:214@pbx>;tag=f\r\n";
const TO: &str = "To: <sip:1@pbx>\r\n";
const CALL_ID: &str = "Call-ID: c\r\n";
const CSEQ: &str = "CSeq: 1 INVITE\r\n";

/// An INVITE with further headers and a body.
fn invite(more: &str, body: &str) -> String {
    format!("{HEAD}{VIA}{FROM}{TO}{CALL_ID}{CSEQ}{more}\r\n{body}")
}

fn read(payload: &str) -> Message<'_> {
    let read = parse(payload.as_bytes()).unwrap_or_else(|why| panic!("{why}: {}", payload.escape_debug()));
    assert!(matches!(read.start, Start::Request { method: Method::Invite, uri: b"sip:900882@pbx" }));
    read
}

fn rejected(payload: &str) -> Reject {
    parse(payload.as_bytes()).map(|_| ()).unwrap_err()
}

/// A good message behind a bad one on a stream is found.
fn next_is_seen(bad: &str) {
    let good = "BYE sip:a@h SIP/2.0\r\nCall-ID: next\r\nContent-Length: 0\r\n\r\n";
    let stream = format!("{bad}\r\n{good}");
    let (mut scan, mut rest, mut last) = (Scan::default(), stream.as_bytes(), &b""[..]);
    loop {
        match scan.next(rest) {
            Framing::NeedMore => break,
            Framing::Lost => {}
            Framing::Skip(n) => rest = &rest[n..],
            Framing::Message(n) => (last, rest) = rest.split_at(n),
        }
    }
    assert_eq!(last, good.as_bytes(), "{}", &bad[..bad.len().min(200)]);
}

#[test]
fn n1_n16_overlong_identifiers_are_kept_whole_and_flagged() {
    for length in [255, 256, 257, 1024, 65_000] {
        let id = "x".repeat(length);
        let flagged = length > 256;
        let call = format!("{HEAD}{VIA}{FROM}{TO}Call-ID: {id}\r\n{CSEQ}\r\n");
        assert_eq!((read(&call).call_id.len(), read(&call).quirks().has(Quirk::Overlong)), (length, flagged));
        let tag = format!("{HEAD}{VIA}From: <sip:a@h>;tag={id}\r\n{TO}{CALL_ID}{CSEQ}\r\n");
        assert_eq!((read(&tag).from_tag.len(), read(&tag).quirks().has(Quirk::Overlong)), (length, flagged));
        let via = format!("{HEAD}Via: SIP/2.0/UDP h;branch={id}\r\n{FROM}{TO}{CALL_ID}{CSEQ}\r\n");
        assert_eq!((read(&via).branch.len(), read(&via).quirks().has(Quirk::Overlong)), (length, flagged));
        next_is_seen(&call);
    }
}

#[test]
fn n2_n3_overlong_numbers_and_warnings() {
    let long =
        invite(&format!("Content-Length: {}\r\nWarning: {}\r\n", "9".repeat(64), "w".repeat(4096)), "");
    assert!(read(&long).quirks().has(Quirk::LengthBad));
    next_is_seen(&long);
    let warning = invite("Warning: CLI Should be in E164 Format\r\n", "");
    assert_eq!(read(&warning).quirks(), read(&invite("", "")).quirks());
}

#[test]
fn n8_bad_cseq_and_status_lines() {
    for cseq in ["115211521152 INVITE", "INVITE", "1", "-1 INVITE", "1 ", "", "4294967296 INVITE", "x INVITE"]
    {
        let text = format!("{HEAD}{VIA}{FROM}{TO}{CALL_ID}CSeq: {cseq}\r\n\r\n");
        assert_eq!(rejected(&text), Reject::CseqMalformed, "{cseq}");
    }
    let other = format!("{HEAD}{VIA}{FROM}{TO}{CALL_ID}CSeq: 1 OPTIONS\r\n\r\n");
    assert_eq!(rejected(&other), Reject::CseqMismatch);
    let none = format!("{HEAD}{VIA}{FROM}{TO}{CALL_ID}\r\n");
    assert_eq!(rejected(&none), Reject::CseqMalformed);
    for (line, why) in [("SIP/2.0  ", Reject::StatusCode), ("SIP/2.0 99999", Reject::StatusCode)] {
        assert_eq!(rejected(&format!("{line}\r\n{VIA}{FROM}{TO}{CALL_ID}{CSEQ}\r\n")), why);
    }
}

#[test]
fn n9_an_overlong_request_line_is_read_and_flagged() {
    let text =
        format!("REGISTER {} SIP/2.0\r\n{FROM}{CALL_ID}CSeq: 1 REGISTER\r\n\r\n", "a".repeat(32 * 1024));
    assert!(parse(text.as_bytes()).unwrap().quirks().has(Quirk::Overlong));
    next_is_seen(&text);
    let endless = format!("REGISTER {}", "a".repeat(70_000));
    assert_eq!(rejected(&endless), Reject::TooLong);
}

#[test]
fn n12_messages_of_line_ends() {
    assert_eq!(rejected(&"\r\n".repeat(30_000)), Reject::StartLine);
    assert_eq!(rejected(""), Reject::StartLine);
    let inner = format!("{HEAD}\r\n\r\n\r\n{VIA}{FROM}{TO}{CALL_ID}{CSEQ}\r\n");
    assert_eq!(rejected(&inner), Reject::NoCallId);
}

#[test]
fn n13_quotes_that_never_close() {
    for value in ["\"", "\"\\", "\"\\\"", "\"a\" \"b <sip:x@h>", "<\"sip:x@h", "\"a\\\\\\\" <sip:a@h>"] {
        let text =
            format!("{HEAD}{VIA}From: {value}\r\nTo: {value}\r\n{CALL_ID}{CSEQ}Contact: {value}\r\n\r\n");
        assert!(read(&text).quirks().has(Quirk::NameAddrBad), "{value}");
        next_is_seen(&text);
        for name in ["P-Asserted-Identity", "Diversion", "Route", "Authorization", "Refer-To", "Via"] {
            read(&invite(&format!("{name}: Digest username={value}\r\n"), ""));
        }
    }
}

#[test]
fn n15_n24_many_lines_folds_and_values() {
    let folds = "\r\n x".repeat(15_000);
    let text = format!("{HEAD}{VIA}From: <sip:214@pbx>{folds};tag=f\r\n{TO}{CALL_ID}{CSEQ}\r\n");
    assert!(read(&text).quirks().has(Quirk::Folded));
    assert_eq!(read(&text).from_tag, b"f");
    for count in [64, 5_000] {
        let text = invite(&"Accept: a/b\r\n".repeat(count), "");
        assert_eq!(read(&text).quirks().has(Quirk::Overlong), count > 256);
        let text = format!("{HEAD}{}{FROM}{TO}{CALL_ID}{CSEQ}\r\n", "v: a\r\n".repeat(count));
        assert_eq!(usize::from(read(&text).via_count), count);
    }
    let text = invite(&format!("Via: {}\r\n", "a,".repeat(5_000)), "");
    assert_eq!(read(&text).via_count, 5_001);
    let early = invite(&"X: y\r\n".repeat(20_000), "");
    assert!(read(&early).quirks().has(Quirk::Overlong));
    let late = format!("{HEAD}{}{VIA}{FROM}{TO}{CALL_ID}{CSEQ}\r\n", "X: y\r\n".repeat(20_000));
    assert_eq!(rejected(&late), Reject::TooLong);
}

#[test]
fn n17_n19_doubled_headers() {
    let text = format!("{HEAD}{VIA}{FROM}To: <sip:1@h>;tag=\r\nTo: <sip:2@h>;tag=x\r\n{CALL_ID}{CSEQ}\r\n");
    assert_eq!((read(&text).to_tag, uri::user(read(&text).to.uri)), (&b""[..], &b"1"[..]));
    assert!(read(&text).quirks().has(Quirk::Duplicate));
    let headers = format!("{VIA}{FROM}{TO}{CALL_ID}{CSEQ}");
    assert!(read(&format!("{HEAD}{headers}{headers}\r\n")).quirks().has(Quirk::Duplicate));
    let empty_first = format!("{HEAD}{VIA}{FROM}{TO}Call-ID:\r\n{CALL_ID}{CSEQ}\r\n");
    assert_eq!(read(&empty_first).call_id, b"", "the first counts, as it does for Kamailio");
    assert_eq!(rejected(&format!("{HEAD}{VIA}{FROM}{TO}{CSEQ}\r\n")), Reject::NoCallId);
}

#[test]
fn n18_n21_n22_bad_vias() {
    for via in
        ["", "SIP/2.0", "SIP/2.0/UDP", ":::]", "SIP/2.0/UDP [:::];branch", ";;,;,,", "\x01\x02;branch=\x03"]
    {
        let text = format!("{HEAD}Via: {via}\r\n{FROM}{TO}{CALL_ID}{CSEQ}\r\n");
        assert!(read(&text).quirks().has(Quirk::OldBranch), "{via}");
    }
    let text =
        format!("{HEAD}Via: SIP/2.0/UDP h\r\n{FROM}{TO}{CALL_ID}CSeq: 1 {}\r\n\r\n", "A".repeat(60_000));
    assert_eq!(rejected(&text), Reject::CseqMismatch);
}

#[test]
fn n20_blanks_before_the_colon() {
    let text = format!(
        "{HEAD}{VIA}From \t: <sip:214@pbx>;tag=f\r\n{TO}{CALL_ID}{CSEQ}P-Asserted-Identity\t: <sip:5@h>\r\n\r\n"
    );
    assert_eq!((read(&text).from_tag, read(&text).asserted()), (&b"f"[..], &b"<sip:5@h>"[..]));
    assert!(read(&text).quirks().has(Quirk::ColonBlank));
}

#[test]
fn n23_a_boundary_that_never_closes() {
    let head = "Content-Type: multipart/mixed;boundary=x\r\n";
    let text = invite(head, "--x\nContent-Type: application/sdp\n\nv=0\n");
    assert!(read(&text).body.starts_with(b"--x"));
    next_is_seen(&text);
}

#[test]
fn n26_digest_responses_of_any_length() {
    for response in
        ["".to_owned(), "f".repeat(31), "f".repeat(33), "f".repeat(64), "f".repeat(10_000), "zz".into()]
    {
        let text =
            invite(&format!("Authorization: Digest username=\"214\", response=\"{response}\"\r\n"), "");
        let credentials = Credentials::parse(read(&text).credentials).unwrap();
        assert_eq!((credentials.username, credentials.response), (&b"214"[..], response.as_bytes()));
    }
}

#[test]
fn n29_every_single_byte_as_a_value() {
    for byte in 0..=255u8 {
        for name in
            ["From", "To", "Contact", "Via", "Call-ID", "CSeq", "Content-Length", "Authorization", "Route"]
        {
            let text =
                [HEAD.as_bytes(), name.as_bytes(), b": ", &[byte], b"\r\n", VIA.as_bytes(), b"\r\n"].concat();
            let _ = (parse(&text), NameAddr::parse(&[byte]), typed::describe(&text));
        }
    }
    let text = format!("{HEAD}{VIA}From: /\r\n{TO}{CALL_ID}{CSEQ}\r\n");
    assert_eq!((read(&text).from.uri, read(&text).from_tag), (&b"/"[..], &b""[..]));
}

#[test]
fn n30_lengths_that_lie() {
    for length in ["4294967328", "-1", "+5", "0x10", "1e3", "5 5", ""] {
        let text =
            invite(&format!("Content-Length: {length}\r\n"), "v=0\r\n\r\nINVITE sip:smuggled@h SIP/2.0\r\n");
        assert_eq!(
            (read(&text).content_length, read(&text).quirks().has(Quirk::LengthBad)),
            (None, true),
            "{length}"
        );
        assert!(read(&text).body.starts_with(b"v=0"));
        next_is_seen(&invite(&format!("Content-Length: {length}\r\n"), "v=0\r\n"));
    }
    let two = invite("Content-Length: 3\r\nl: 99\r\n", "v=0 and more");
    assert_eq!((read(&two).body, read(&two).quirks().has(Quirk::Duplicate)), (&b"v=0"[..], true));
}

#[test]
fn n33_a_control_byte_is_no_blank() {
    for name in ["To\x01", "To\x0b", "To\x7f", "\x01To", "T\x01o"] {
        let text = format!("{HEAD}{VIA}{FROM}{name}: <sip:1@h>;tag=evil\r\n{CALL_ID}{CSEQ}\r\n");
        assert_eq!(read(&text).to_tag, b"", "{}", name.escape_debug());
        assert!(read(&text).quirks().has(Quirk::ControlByte), "{}", name.escape_debug());
    }
}

#[test]
fn bytes_beyond_ascii_are_read_and_only_wrong_ones_flagged() {
    let flags = |name: &[u8]| {
        let text =
            [HEAD.as_bytes(), VIA.as_bytes(), b"From: \"", name, b"\" <sip:214@pbx>;tag=f\r\n"].concat();
        let text = [&text[..], TO.as_bytes(), CALL_ID.as_bytes(), CSEQ.as_bytes(), b"\r\n"].concat();
        let read = parse(&text).unwrap();
        assert_eq!((read.from_tag, read.from.name), (&b"f"[..], name));
        (read.quirks().has(Quirk::BadUtf8), read.quirks().has(Quirk::ControlByte))
    };
    assert_eq!(flags(b"plain"), (false, false));
    assert_eq!(flags(b"J\xc3\xbcrgen"), (false, false));
    assert_eq!(flags(b"J\xfcrgen"), (true, false));
    assert_eq!(flags(b"a\0b"), (false, true));
    assert_eq!(flags(b"\x1b]0;owned\x07"), (false, true));
}

#[test]
fn cr_alone_ends_no_line() {
    let text = invite("", "").replace("\r\n", "\r");
    assert_eq!(rejected(&text), Reject::CrOnly);
    let half = format!("{HEAD}{}\r\n", format!("{VIA}{FROM}{TO}{CALL_ID}{CSEQ}").replace("\r\n", "\r"));
    assert_eq!(rejected(&half), Reject::CrOnly);
}

#[test]
fn the_second_name_of_a_thing_steps_back_wherever_it_stands() {
    let pairs = [("Authorization: Digest a\r\n", "Proxy-Authorization: Digest b\r\n")];
    for (first, second) in pairs {
        assert_eq!(read(&invite(&format!("{first}{second}"), "")).credentials, b"Digest a");
        assert_eq!(read(&invite(&format!("{second}{first}"), "")).credentials, b"Digest a");
        assert_eq!(read(&invite(second, "")).credentials, b"Digest b");
    }
    let (preferred, rpid) = ("P-Preferred-Identity: <sip:1@h>\r\n", "Remote-Party-ID: <sip:2@h>\r\n");
    assert_eq!(read(&invite(&format!("{rpid}{preferred}"), "")).preferred(), b"<sip:1@h>");
    assert_eq!(read(&invite(&format!("{preferred}{rpid}"), "")).preferred(), b"<sip:1@h>");
    assert_eq!(read(&invite(rpid, "")).preferred(), b"<sip:2@h>");
    let (agent, server) = ("User-Agent: phone\r\n", "Server: pbx\r\n");
    for more in [format!("{agent}{server}"), format!("{server}{agent}")] {
        assert_eq!(read(&invite(&more, "")).user_agent, b"phone");
        let response = invite(&more, "").replace(HEAD, "SIP/2.0 200 OK\r\n");
        assert_eq!(parse(response.as_bytes()).unwrap().user_agent, b"pbx");
    }
}

/// Where a slice lies in the payload: every field is borrowed from it, none made up.
fn inside(payload: &[u8], field: &[u8]) -> bool {
    let all = payload.as_ptr_range();
    field.is_empty() || (all.contains(&field.as_ptr()) && field.as_ptr_range().end <= all.end)
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
        let _ = (uri::host(&bytes), uri::decoded_user(&bytes, &mut [0; 64]), Credentials::parse(&bytes));
    }

    /// A good INVITE with bytes overwritten gets further into the reader than noise does.
    #[test]
    fn no_damage_panics(hits in proptest::collection::vec((0usize..400, any::<u8>()), 1..12), cut in 0usize..400) {
        let mut bytes = invite("Contact: \"a\" <sip:b@c>;q=1, <d>\r\nRoute: <a>,<b>\r\nl: 3\r\n", "v=0").into_bytes();
        let length = bytes.len();
        for (at, byte) in hits { bytes[at % length] = byte; }
        bytes.truncate(length.saturating_sub(cut % 40));
        if let Ok(read) = parse(&bytes) {
            for field in [read.call_id, read.from.uri, read.to.params, read.via, read.contact, read.last_route(), read.body] {
                prop_assert!(inside(&bytes, field));
            }
        }
    }
}
