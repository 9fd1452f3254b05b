//! Never stricter than the PBX: whatever a real Kamailio takes for an INVITE is a call here. Odd
//! spellings, alone and every two together, go to both. `tests/kamailio_differences.tsv` lists what only
//! Kamailio takes, and why.

#[cfg(test)]
#[path = "office/have.rs"]
mod have;
#[cfg(test)]
#[path = "office/running.rs"]
mod running;

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ringfence::dial::Dial;
use ringfence::frame::{Frame, Link};
use ringfence::ledger::Ledger;
use ringfence::sensor::{Sensor, Settings};
use ringfence::sip::{Start, message::parse, uri};
use ringfence::time::{Span, Timestamp};

use have::have;
use running::Running;

/// What is done to an ordinary INVITE: a name, what stands there, what comes in its place. An empty first
/// part is the beginning.
type Oddity = (&'static str, &'static str, &'static str);

const ODDITIES: &[Oddity] = &[
    ("nothing", "Max-Forwards: 70", "Max-Forwards: 70"),
    ("Call-ID folded", "Call-ID: ", "Call-ID:\r\n\t"),
    ("CSeq folded", " INVITE\r\n", "\r\n INVITE\r\n"),
    ("From folded", "From: \"Desk\" ", "From:\r\n \"Desk\"\r\n\t "),
    ("To folded before its bracket", "To: <", "To:\r\n <"),
    ("blank before Call-ID's colon", "Call-ID:", "Call-ID :"),
    ("blanks before From's colon", "From:", "From \t:"),
    ("blank before To's colon", "To:", "To :"),
    ("blank before CSeq's colon", "CSeq:", "CSeq :"),
    ("blank before Via's colon", "Via:", "Via :"),
    ("no blank behind the colons", "To: ", "To:"),
    ("compact Call-ID", "Call-ID", "i"),
    ("compact From", "From", "f"),
    ("compact To", "To:", "t:"),
    ("compact Via", "Via", "v"),
    ("compact Content-Length", "Content-Length", "l"),
    ("capitals", "Call-ID", "CALL-ID"),
    ("small letters", "From", "from"),
    ("odd case", "CSeq", "cSEQ"),
    ("blank lines first", "", "\r\n\r\n"),
    ("NULs first", "", "\0\0"),
    ("blanks and tabs first", "", " \t"),
    ("a NUL in the name", "Desk", "De\0sk"),
    ("UTF-8 in the name", "Desk", "J\u{fc}rgen"),
    ("a quote that is escaped", "Desk", "De\\\"sk <sip:9@9>;tag=no"),
    ("no name", "\"Desk\" ", ""),
    ("a name without quotes", "\"Desk\"", "Desk Top"),
    ("From without brackets", "\"Desk\" <sip:214@pbx.example>", "sip:214@pbx.example"),
    ("a second Call-ID", "CSeq:", "Call-ID: other\r\nCSeq:"),
    ("a second From", "CSeq:", "From: <sip:9@9>;tag=other\r\nCSeq:"),
    ("a second To", "CSeq:", "To: <sip:9@9>\r\nCSeq:"),
    ("a second CSeq", "Contact:", "CSeq: 9 INVITE\r\nContact:"),
    ("a second Via", "From:", "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKsecond\r\nFrom:"),
    ("Vias with a comma", ";branch=", ";x=\"a,b\";branch="),
    ("a length that is too large", "Content-Length: 0", "Content-Length: 9000"),
    ("a negative length", "Content-Length: 0", "Content-Length: -1"),
    ("a length in words", "Content-Length: 0", "Content-Length: none"),
    ("a length and something", "Content-Length: 0", "Content-Length: 0 x"),
    ("no length", "Content-Length: 0\r\n", ""),
    ("two lengths", "Content-Length: 0", "Content-Length: 0\r\nContent-Length: 7"),
    ("sip/2.0", " SIP/2.0\r\nV", " sip/2.0\r\nV"),
    ("sIp/2.0", " SIP/2.0\r\nV", " sIp/2.0\r\nV"),
    ("two blanks behind the method", "INVITE sip:", "INVITE  sip:"),
    ("a tab behind the method", "INVITE sip:", "INVITE\tsip:"),
    ("two blanks before the version", " SIP/2.0\r\nV", "  SIP/2.0\r\nV"),
    ("a blank behind the version", " SIP/2.0\r\nV", " SIP/2.0 \r\nV"),
    ("invite", "INVITE sip:", "invite sip:"),
    ("Invite", "INVITE sip:", "Invite sip:"),
    ("no Max-Forwards", "Max-Forwards: 70\r\n", ""),
    ("Max-Forwards in words", "Max-Forwards: 70", "Max-Forwards: many"),
    ("no Contact", "Contact: <sip:214@10.0.3.17>\r\n", ""),
    ("line feeds only", "\r\n", "\n"),
    ("a line feed that is alone", "Max-Forwards: 70\r\n", "Max-Forwards: 70\n"),
    ("no blank line at the end", "0\r\n\r\n", "0\r\n"),
    ("no line end at the end", "0\r\n\r\n", "0"),
    ("a line that is no header", "Contact:", "this is no header\r\nContact:"),
    ("a header without a name", "Contact:", ": nothing\r\nContact:"),
    ("a header with 8-bit letters in its name", "Contact:", "X-\u{e9}: 1\r\nContact:"),
    ("brackets around the URI", "sip:00882160012345@pbx.example ", "<sip:00882160012345@pbx.example> "),
    ("SIP:", "INVITE sip:", "INVITE SIP:"),
    ("sips:", "INVITE sip:", "INVITE sips:"),
    ("tel:", "sip:00882160012345@pbx.example ", "tel:+882160012345 "),
    ("a tel: with separators", "sip:00882160012345@pbx.example ", "tel:+882-(16)00.12345 "),
    ("digits that are escaped", "sip:0088", "sip:%30%308%38"),
    ("parameters of the user", "2345@pbx", "2345;ext=1@pbx"),
    ("a password", "2345@pbx", "2345:secret@pbx"),
    ("parameters and headers of the URI", "@pbx.example SIP", "@pbx.example;user=phone?Subject=x SIP"),
    ("zeros before CSeq", "CSeq: 1", "CSeq: 00000001"),
    ("CSeq that overflows", "CSeq: 1", "CSeq: 4294967296"),
    ("CSeq of another method", " INVITE\r\n", " ACK\r\n"),
    ("CSeq's method in small letters", " INVITE\r\n", " invite\r\n"),
    ("no tag", ";tag=fromID", ""),
    ("TAG", ";tag=from", ";TAG=from"),
    ("blanks around the tag", ";tag=from", " ; tag = from"),
    ("blanks in Via", "SIP/2.0/UDP", "SIP / 2.0 / UDP"),
    ("a Via of RFC 2543", ";branch=z9hG4bK", ";branch=old"),
    ("no branch", ";branch=z9hG4bKID", ""),
    ("a Call-ID of 1.2 kB", "Call-ID: ", "Call-ID: LONG"),
    ("a long header", "Contact:", "X-Long: LONGLONGLONG\r\nContact:"),
    ("no Call-ID", "Call-ID: idID\r\n", ""),
    ("no From", "From: \"Desk\" <sip:214@pbx.example>;tag=fromID\r\n", ""),
    ("no To", "To: <sip:214@pbx.example>\r\n", ""),
    ("no CSeq", "CSeq: 1 INVITE\r\n", ""),
    ("no Via", "Via: SIP/2.0/UDP 10.0.3.17;branch=z9hG4bKID\r\n", ""),
    ("To of somebody else", "To: <sip:214@pbx.example>", "To: <sip:200@pbx.example>"),
    ("an empty To", "To: <sip:214@pbx.example>", "To: "),
    ("an empty Call-ID", "Call-ID: idID", "Call-ID: "),
    ("SIP/2.01", " SIP/2.0\r\nV", " SIP/2.01\r\nV"),
    ("SIP/3.0", " SIP/2.0\r\nV", " SIP/3.0\r\nV"),
    ("carriage returns only", "\r\n", "\r"),
    ("a body behind a length of 0", "0\r\n\r\n", "0\r\n\r\nv=0\r\n"),
    ("a second INVITE behind it", "0\r\n\r\n", "0\r\n\r\nINVITE sip:1@x SIP/2.0\r\n\r\n"),
];

const PLAIN: &str = "INVITE sip:00882160012345@pbx.example SIP/2.0\r\n\
    Via: SIP/2.0/UDP 10.0.3.17;branch=z9hG4bKID\r\nMax-Forwards: 70\r\n\
    From: \"Desk\" <sip:214@pbx.example>;tag=fromID\r\nTo: <sip:214@pbx.example>\r\nCall-ID: idID\r\n\
    CSeq: 1 INVITE\r\nContact: <sip:214@10.0.3.17>\r\nContent-Length: 0\r\n\r\n";

/// One message, and what is odd about it.
struct Odd {
    names: Vec<&'static str>,
    text: Vec<u8>,
}

/// Each oddity alone, and every two that can stand together.
fn messages() -> Vec<Odd> {
    let apply = |text: &str, (_, old, new): &Oddity| match old.is_empty() {
        true => Some(format!("{new}{text}")),
        false => text.contains(old).then(|| text.replace(old, new)),
    };
    let mut all = Vec::new();
    for (i, one) in ODDITIES.iter().enumerate() {
        let Some(text) = apply(PLAIN, one) else { panic!("{} can't be", one.0) };
        for other in ODDITIES.iter().skip(i + 1) {
            all.extend(apply(&text, other).map(|text| (vec![one.0, other.0], text)));
        }
        all.push((vec![one.0], text));
    }
    let numbered = all.into_iter().enumerate().map(|(n, (names, text))| {
        let text = text.replace("ID\r", &format!("{n}\r")).replace("ID\n", &format!("{n}\n"));
        Odd { names, text: text.replace("LONG", &"x".repeat(1_200)).into_bytes() }
    });
    numbered.collect()
}

/// Everything of Kamailio's log behind its marks, by the last two bytes of who sent it.
fn taken(log: &str) -> BTreeMap<(u8, u8), String> {
    let line = |line: &str| {
        let (ip, user) = line.split_once("TAKEN 127.1.")?.1.split_once(' ')?;
        let (high, low) = ip.split_once('.')?;
        Some(((high.parse().ok()?, low.parse().ok()?), user.split('|').next()?.to_owned()))
    };
    log.lines().filter_map(line).collect()
}

fn ends(n: usize) -> (u8, u8) {
    (u8::try_from(n / 250 + 1).unwrap(), u8::try_from(n % 250 + 1).unwrap())
}

/// What Kamailio took for an INVITE, and whom that calls.
fn by_kamailio(messages: &[Odd]) -> BTreeMap<(u8, u8), String> {
    let folder = tempfile::tempdir().unwrap();
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/office/oracle.cfg");
    let config = std::fs::read_to_string(config).unwrap().replace("PROXY", &port.to_string());
    let (file, log) = (folder.path().join("oracle.cfg"), folder.path().join("log"));
    std::fs::write(&file, config).unwrap();
    let out = std::fs::File::create(&log).unwrap();
    let mut kamailio = Command::new("kamailio");
    kamailio.args(["-DD", "-m", "64", "-M", "8", "-f"]).arg(&file).arg("-w").arg(folder.path());
    kamailio.stdin(Stdio::null()).stderr(out.try_clone().unwrap()).stdout(out);
    let mut running = Running::default();
    running.0.push(kamailio.current_dir(folder.path()).spawn().unwrap());
    let read = || String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    let send = |(high, low): (u8, u8), text: &[u8]| {
        let socket = UdpSocket::bind((std::net::Ipv4Addr::new(127, 1, high, low), 0)).unwrap();
        socket.send_to(text, ("127.0.0.1", port)).unwrap();
    };
    // It has read everything before the last.
    let wait_for = |mark: u8| {
        for n in 0..200u32 {
            send((255, mark), PLAIN.replace("ID\r", &format!("mark{mark}x{n}\r")).as_bytes());
            std::thread::sleep(Duration::from_millis(50));
            if taken(&read()).contains_key(&(255, mark)) {
                return;
            }
        }
        panic!("Kamailio says nothing:\n{}", read());
    };
    wait_for(1);
    for (n, message) in messages.iter().enumerate() {
        send(ends(n), &message.text);
        if n % 16 == 15 {
            std::thread::sleep(Duration::from_millis(2));
        }
        if n % 500 == 499 {
            wait_for(u8::try_from(n / 500 + 2).unwrap());
        }
    }
    wait_for(250);
    taken(&read())
}

/// Whether each message is a call here.
fn by_ringfence(messages: &[Odd]) -> Vec<bool> {
    let dial = Dial::new(&ringfence::dial::Settings::default()).unwrap();
    let mut sensor = Sensor::new(Settings::default(), dial, Arc::new(Ledger::default()));
    let mut now = Timestamp::from_parts(1_795_514_400, 0);
    let is_call = |(n, message): (usize, &Odd)| {
        now = now.plus(Span::SECOND);
        let before = sensor.totals().attempts;
        let (high, low) = ends(n);
        let length = |more: usize| u16::try_from(message.text.len() + more).unwrap().to_be_bytes();
        let ports = [0x13, 0xc4, 0x13, 0xc4];
        let ip =
            [&[0x45, 0], &length(28)[..], &[0, 0, 0, 0, 64, 17, 0, 0, 10, 1, high, low, 203, 0, 113, 10]];
        let data = [&ip.concat()[..], &ports, &length(8), &[0, 0], &message.text].concat();
        let wire_len = u32::try_from(data.len()).unwrap();
        sensor.handle_frame(&Frame { ts: now, link: Link::Ipv4, interface: 0, wire_len, data: &data });
        while sensor.poll_fact().is_some() {}
        sensor.totals().attempts > before
    };
    messages.iter().enumerate().map(is_call).collect()
}

/// What only Kamailio takes: the oddity that makes it so.
fn expected() -> Vec<&'static str> {
    let lines = include_str!("kamailio_differences.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once('\t').expect("an oddity, a tab, a reason").0).collect()
}

#[test]
fn what_kamailio_takes_for_an_invite_is_a_call_here() {
    if !have(&["kamailio"]) {
        return;
    }
    let messages = messages();
    assert!(messages.len() > 2_000, "{} messages", messages.len());
    let (theirs, ours, expected) = (by_kamailio(&messages), by_ringfence(&messages), expected());
    let mut faults = Vec::new();
    let mut met = vec![false; expected.len()];
    let mut both = 0;
    for ((n, message), call) in messages.iter().enumerate().zip(ours) {
        let Some(user) = theirs.get(&ends(n)) else { continue };
        if call {
            both += 1;
            let Ok(read) = parse(&message.text) else { panic!("{:?}", message.names) };
            let Start::Request { uri: called, .. } = read.start else { panic!("{:?}", message.names) };
            let here = String::from_utf8_lossy(uri::user(called)).into_owned();
            // Kamailio gives a tel: URI no user, and a telephone's none of its parameters.
            let plain = |user: &str| user.split(';').next().map(str::to_owned);
            if plain(&here) != plain(user) && !user.is_empty() && user != "<null>" {
                faults.push(format!("{:?}: {user:?} is called there, {here:?} here", message.names));
            }
            continue;
        }
        match expected.iter().position(|name| message.names.contains(name)) {
            Some(i) => met[i] = true,
            None => faults.push(format!("{:?}: Kamailio takes it", message.names)),
        }
    }
    for (name, met) in expected.iter().zip(met) {
        if !met {
            faults.push(format!("{name}: listed, and there is no difference"));
        }
    }
    let refused = messages.iter().enumerate().filter(|(n, _)| !theirs.contains_key(&ends(*n)));
    let alone: Vec<_> = refused.filter(|(_, m)| m.names.len() == 1).map(|(_, m)| m.names[0]).collect();
    println!("Kamailio refuses {alone:?}");
    println!("{} messages, {} taken by Kamailio, {both} by both", messages.len(), theirs.len());
    let shown: Vec<_> = faults.iter().take(60).cloned().collect();
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), shown.join("\n"));
    assert!(both > messages.len() / 3, "only {both} of {} were taken by both", messages.len());
}
