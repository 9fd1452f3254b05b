//! The scanner and `rsip` agree on every message that `rsip` takes.

use proptest::prelude::*;
use ringfence::sip::message::parse;
use ringfence::sip::typed::{Described, Party, describe};
use ringfence::sip::{Message, Start, uri};
use ringfence::tally::Label;

use crate::support::{call_flows, corpora};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What both readers say of one message; `None` if `rsip` doesn't take it.
fn both(payload: &[u8]) -> Option<[Vec<String>; 2]> {
    let want = describe(payload)?;
    let Described { method, status, request_user, call_id, from, to, cseq, cseq_method, .. } = want;
    let head = method.unwrap_or_else(|| status.unwrap_or_default().to_string());
    let mut theirs = vec![head, request_user.unwrap_or_default(), call_id, cseq.to_string(), cseq_method];
    for Party { user, tag, .. } in [from, to] {
        theirs.extend([user.unwrap_or_default(), tag.unwrap_or_default()]);
    }
    let ours = match parse(payload) {
        Ok(read) => fields(&read),
        Err(why) => vec![why.to_string()],
    };
    Some([ours, theirs])
}

fn fields(read: &Message<'_>) -> Vec<String> {
    let (head, user) = match read.start {
        Start::Request { method, uri: target } => (method.name().to_owned(), uri::user(target)),
        Start::Response(code) => (code.to_string(), &[][..]),
    };
    let mut ours = vec![head, text(user), text(read.call_id)];
    ours.extend([read.cseq.to_string(), read.cseq_method.name().to_owned()]);
    for (addr, tag) in [(read.from, read.from_tag), (read.to, read.to_tag)] {
        ours.extend([text(uri::user(addr.uri)), text(tag)]);
    }
    ours
}

/// Messages that `rsip` 0.4 takes and reads otherwise than RFC 3261 has it, and what it does.
const RSIP_IS_WRONG: [(&str, &str); 8] = [
    ("baddn.dat", "a user with a dot is lost"),
    ("badinv01.dat", "a user with a dot is lost"),
    ("clerr.dat", "a user with a dot is lost"),
    ("invut.dat", "a user with a dot is lost"),
    ("ltgtruri.dat", "<> stay round the Request-URI"),
    ("mismatch01.dat", "the CSeq's method isn't compared"),
    ("ncl.dat", "a user with a dot is lost"),
    ("regaut01.dat", "a user with a dot is lost"),
];

#[test]
fn on_the_call_flows() {
    let Some(corpora) = corpora() else { return };
    let mut taken = 0;
    for message in call_flows(&corpora) {
        if let Some([ours, theirs]) = both(&message) {
            taken += 1;
            assert_eq!(ours, theirs, "{}", text(&message));
        }
    }
    assert!(taken >= 80, "{taken}");
}

#[test]
fn on_the_rfc_messages_but_for_those_that_rsip_reads_wrongly() {
    let Some(corpora) = corpora() else { return };
    let mut differ = Vec::new();
    for folder in ["rfc4475", "rfc5118"] {
        for entry in std::fs::read_dir(corpora.join(folder)).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if !entry.is_file() {
                continue;
            }
            if let Some([ours, theirs]) = both(&std::fs::read(&entry).unwrap())
                && ours != theirs
            {
                println!("{name}: ours {ours:?}, rsip's {theirs:?}");
                differ.push(name);
            }
        }
    }
    differ.sort();
    assert_eq!(differ, RSIP_IS_WRONG.map(|(name, _)| name));
}

prop_compose! {
    fn party()(name in "[A-Za-z]{0,8}", user in "[a-z0-9][a-z0-9+]{0,11}", host in "[a-z]{1,8}\\.[a-z]{2}",
               port in proptest::option::of(1024u16..), tag in proptest::option::of("[A-Za-z0-9]{1,12}")) -> String {
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        let tag = tag.map_or(String::new(), |tag| format!(";tag={tag}"));
        let name = if name.is_empty() { name } else { format!("\"{name}\" ") };
        format!("{name}<sip:{user}@{host}{port}>{tag}")
    }
}

fn method() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "REGISTER",
        "OPTIONS",
        "SUBSCRIBE",
        "REFER",
    ])
}

proptest! {
    #[test]
    fn on_generated_messages(
        method in method(), status in proptest::option::of(100u16..700), user in "[0-9]{2,15}",
        from in party(), to in party(), call_id in "[A-Za-z0-9@.-]{1,40}", cseq in any::<u32>(),
    ) {
        let start = match status {
            Some(code) => format!("SIP/2.0 {code} Reason"),
            None => format!("{method} sip:{user}@host.example SIP/2.0"),
        };
        let message = format!(
            "{start}\r\nVia: SIP/2.0/UDP h.example;branch=z9hG4bKx\r\nFrom: {from}\r\nTo: {to}\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n"
        );
        match both(message.as_bytes()) {
            Some([ours, theirs]) => prop_assert_eq!(ours, theirs),
            None => prop_assert!(status.is_some(), "rsip refuses {}", message),
        }
    }

    /// It reads what an outsider sent, so it mustn't panic either.
    #[test]
    fn describing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = describe(&bytes);
        let _ = describe(&[&b"INVITE sip:a@h SIP/2.0\r\nFrom: "[..], &bytes, b"\r\n\r\n"].concat());
    }
}
