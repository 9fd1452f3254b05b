//! Messages that are odd, and messages that aren't calls.

use super::packets::*;
use super::talk::*;
use super::*;

/// The ordinary INVITE in one datagram, with each pair's first part replaced by its second.
fn odd(name: &'static str, pairs: &[(&str, &str)]) -> Case {
    let pairs: Vec<_> = pairs.iter().map(|(old, new)| (old.as_bytes(), new.as_bytes())).collect();
    said(name, &with(dear(), &pairs)).dear()
}

fn no_call(name: &'static str, pairs: &[(&str, &str)]) -> Case {
    Case { attempts: 0, numbers: None, ..odd(name, pairs) }
}

fn said(name: &'static str, text: &[u8]) -> Case {
    case(name, 1, vec![sip(PHONE, CLOUD, text)])
}

pub(crate) fn cases() -> Vec<Case> {
    [lines(), bytes(), lengths(), starts(), parties(), sizes(), others()].into_iter().flatten().collect()
}

fn lines() -> Vec<Case> {
    let bare = |cut: usize| {
        let text = invite("c1", DEAR).no_length().bytes();
        text[..text.len() - cut].to_vec()
    };
    vec![
        odd(
            "folded, compact, in capitals, with blanks",
            &[
                ("Call-ID: c1", "i:\r\n\tc1"),
                ("From: \"Desk\" <", "FROM:\r\n \"Desk\"\r\n\t<"),
                ("To: ", "t : "),
                ("Via: SIP/2.0/UDP", "V:\tSIP / 2.0 / UDP"),
                ("CSeq: 1 INVITE", "CSEQ:\r\n 1\r\n INVITE"),
                ("Contact", "m"),
                ("Content-Length", "L"),
            ],
        ),
        odd(
            "tabs",
            &[
                ("From: ", "From:\t"),
                ("To: ", "To\t:\t"),
                ("CSeq: 1 INVITE", "CSeq:\t1\tINVITE"),
                ("Call-ID: ", "Call-ID:\t"),
            ],
        ),
        odd("line feeds only", &[("\r\n", "\n")]),
        no_call("carriage returns only", &[("\r\n", "\r")]),
        said("no blank line at the end", &bare(2)).dear(),
        said("no line end at the end", &bare(4)).dear(),
        odd(
            "several Vias in a line, and a comma in quotes",
            &[(
                "Via: SIP/2.0/UDP 10.0.3.17:5060;branch=",
                "Via: SIP/2.0/UDP 10.0.3.99;x=\"a,b\";branch=z9hG4bKtop , SIP/2.0/UDP 10.0.3.17:5060;branch=",
            )],
        ),
        odd(
            "Call-ID and To twice",
            &[("Call-ID: c1", "Call-ID: c1\r\nCall-ID: zz\r\nTo: <sip:200@x>;tag=1")],
        ),
    ]
}

fn bytes() -> Vec<Case> {
    vec![
        odd("a NUL in the name", &[("\"Desk\"", "\"De\0sk\"")]),
        odd("NULs before it", &[("INVITE sip", "\0\0INVITE sip")]),
        said("Latin-1 in the name", &with(dear(), &[(b"\"Desk\"", b"\"J\xfcrgen\"")])).dear(),
        odd("UTF-8 in the name", &[("\"Desk\"", "\"J\u{fc}rgen \u{1f4de}\"")]),
        said("garbage behind the body", &[&dear()[..], b"\0\0\0\xff\xfe"].concat()).dear(),
        odd(
            "a fake tag in the URI",
            &[("To: <sip:00882160012345@pbx.example>", "To: <sip:00882160012345@pbx.example;tag=x>")],
        ),
        odd("a fake tag in the name", &[("To: <", "To: \";tag=9 <sip:2@2>;tag=1\" <")]),
        odd(
            "From without brackets",
            &[("From: \"Desk\" <sip:214@pbx.example>;tag", "From: sip:214@pbx.example;tag")],
        ),
    ]
}

fn lengths() -> Vec<Case> {
    let length = format!("Content-Length: {}", SDP.len());
    let becomes = |name, new: &str| odd(name, &[(&length, new)]);
    vec![
        becomes("a length that is too large", "Content-Length: 5000"),
        becomes("a negative length", "Content-Length: -5"),
        becomes("two lengths", "Content-Length: 3\r\nContent-Length: 118"),
        becomes("a length in words", "Content-Length: 10 x"),
        becomes("no length", "X: y"),
        said("a second message behind the first", &{
            [invite("k1", DEAR).bytes(), invite("k2", OTHER).bytes()].concat()
        })
        .dear(),
    ]
}

fn starts() -> Vec<Case> {
    vec![
        no_call("a method in small letters", &[("INVITE sip", "invite sip"), ("1 INVITE", "1 invite")]),
        no_call("CSeq of another method", &[("1 INVITE", "1 ACK")]),
        no_call("a CSeq that overflows", &[("1 INVITE", "4294967296 INVITE")]),
        odd("a CSeq with zeros", &[("1 INVITE", "0000000001 INVITE")]),
        no_call("SIP/7.0", &[("pbx.example SIP/2.0", "pbx.example SIP/7.0")]),
        odd("sip/2.0", &[("pbx.example SIP/2.0\r\n", "pbx.example sip/2.0\r\n")]),
        odd(
            "blanks in the request line",
            &[("INVITE sip", "INVITE \t sip"), ("pbx.example SIP/2.0\r\n", "pbx.example  SIP/2.0 \r\n")],
        ),
        odd(
            "brackets around the URI",
            &[("INVITE sip:00882160012345@pbx.example SIP", "INVITE <sip:00882160012345@pbx.example> SIP")],
        ),
        odd("no tag and no cookie, as in RFC 2543", &[(";tag=fc1", ""), ("z9hG4bK", "")]),
    ]
}

fn parties() -> Vec<Case> {
    let to =
        |name, uri: &str| odd(name, &[("INVITE sip:00882160012345@pbx.example", &format!("INVITE {uri}"))]);
    let six = with(
        dear(),
        &[
            (b"10.0.3.17:5060;branch", b"[2001:db8::17]:5060;rport;received=[2001:db8::99];branch"),
            (b"214@10.0.3.17", b"214@[2001:db8::17]"),
        ],
    );
    vec![
        to("escaped digits", "sip:%300%38%382160012345@pbx.example"),
        to("tel: with a context", "tel:160-012-345;phone-context=+882"),
        to("tel: with separators and parameters", "tel:+882(16)00.12-345;isub=12;npdi;rn=+1234"),
        to(
            "parameters and a password in the user part",
            "sip:+882160012345;postd=22;isub=1:pw@pbx.example;user=phone?Subject=x",
        ),
        to("sips:", "sips:00882160012345@pbx.example"),
        odd(
            "a strict router before it",
            &[
                ("INVITE sip:00882160012345@pbx.example SIP", "INVITE sip:proxy.example SIP"),
                ("Max-Forwards", "Route: <sip:p2.example>, <sip:00882160012345@pbx.example>\r\nMax-Forwards"),
            ],
        ),
        case("IPv6 in Via and Contact", 1, vec![ether6(&ip6(A6, B6, 17, &udp(5060, 5060, &six)))]).dear(),
        odd(
            "an anonymous caller",
            &[("\"Desk\" <sip:214@pbx.example>", "\"Anonymous\" <sip:anonymous@anonymous.invalid>")],
        ),
    ]
}

fn sizes() -> Vec<Case> {
    let long = |end: &str| format!("{}{end}", "q".repeat(1_200));
    let more = |what: &str, n: usize, before: &str| format!("{}{before}", what.repeat(n));
    vec![
        case("two Call-IDs of 1.2 kB that begin alike", 2, {
            let [one, two] =
                [(long("A"), DEAR), (long("B"), OTHER)].map(|(id, to)| invite(&id, to).tag("t").bytes());
            vec![sip(PHONE, CLOUD, one), sip(PHONE, CLOUD, two)]
        }),
        odd("70 Vias", &[("Via: ", &more("Via: SIP/2.0/UDP 1.1.1.1;branch=z9hG4bK1\r\n", 70, "Via: "))]),
        odd("600 headers", &[("Max-Forwards", &more("X: y\r\n", 600, "Max-Forwards"))]),
        said("SIP-I in parts, with an INVITE inside", &super::streams::sip_i()).dear(),
    ]
}

fn others() -> Vec<Case> {
    let say = |text: Vec<u8>| sip(PHONE, CLOUD, text);
    let plain = |method, uri, id| say(ask(method, uri, id).bytes());
    let in_dialog = |method, id| say(ask(method, "sip:214@x", id).far_tag("z").bytes());
    let silence = [&[0x80, 0, 0, 1][..], &[0; 20]].concat();
    vec![
        case("an INVITE that a message carries", 0, {
            vec![say(ask("MESSAGE", "sip:2@x", "mm")
                .body(invite("c1", DEAR).bytes())
                .kind("message/sip")
                .bytes())]
        }),
        case(
            "everything that is no call",
            0,
            vec![
                say(b"\r\n\r\n".to_vec()),
                say(vec![0; 4]),
                say(b"hello".to_vec()),
                say(silence),
                plain("OPTIONS", "sip:x@y", "o"),
                plain("REGISTER", "sip:pbx.example", "rg"),
                plain("SUBSCRIBE", "sip:214@x", "sb"),
                plain("NOTIFY", "sip:214@x", "nt"),
                plain("PUBLISH", "sip:214@x", "pb"),
                in_dialog("INFO", "in"),
                in_dialog("ACK", "ak"),
            ],
        ),
        case("a tag in capitals", 1, vec![say(dear()), say(with(dear(), &[(b"tag=fc1", b"TAG=fc1")]))])
            .dear(),
        after("clocks that step back", 2, {
            let one = || say(invite("t1", DEAR).bytes());
            let trying = sip(CLOUD, PHONE, answer(100, "t1").bytes());
            vec![(20, one()), (-30_000, trying), (100, one()), (-500_000, say(invite("t2", OTHER).bytes()))]
        })
        .numbers(&[DEAR_E164, OTHER_E164]),
    ]
}
