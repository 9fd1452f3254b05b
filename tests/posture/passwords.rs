//! Passwords on the wire: leaks to strangers, makers' defaults on pages, mechanisms weaker than offered.

use std::net::SocketAddr;

use super::capture::{Capture, at};
use super::md5;
use super::perimeter::{CONFIG, office, port};

const STRANGER: &str = "198.51.100.66:5060";
const PBX: &str = "203.0.113.10:5060";

/// Sends SIP over UDP, or over the one connection of a pair.
struct Line<'c> {
    capture: &'c mut Capture,
    tcp: bool,
    seq: [u32; 2],
}

impl Line<'_> {
    fn says(&mut self, from: SocketAddr, to: SocketAddr, first: &str, headers: &str) {
        let text = format!("{first}\r\n{headers}Content-Length: 0\r\n\r\n");
        if self.tcp {
            let side = usize::from(from != at(STRANGER));
            self.capture.segment(from, to, "A", self.seq[side], text.as_bytes());
            self.seq[side] += u32::try_from(text.len()).unwrap();
        } else {
            self.capture.udp(from, to, text);
        }
    }
}

/// ES2021-05: somebody calls a handset, and asks for its password when it hangs up or holds the call.
fn leak(method: &str, tcp: bool, answered: bool) -> Vec<(String, String, String)> {
    let (phone, stranger) = (at("10.0.3.17:5060"), at(STRANGER));
    let mut capture = office(&[phone]);
    if tcp {
        capture.opens(stranger, phone);
    }
    let mut line = Line { capture: &mut capture, tcp, seq: [101, 501] };
    let proto = if tcp { "TCP" } else { "UDP" };
    let head = |cseq: &str, tags: [&str; 2]| {
        format!(
            "Via: SIP/2.0/{proto} h;branch=z9hG4bK{0}\r\nFrom: <sip:x@x>{1}\r\nTo: <sip:201@10.0.3.17>{2}\r\nCall-ID: ghost\r\n\
             CSeq: {cseq}\r\nContact: <sip:x@198.51.100.66>\r\n",
            cseq.replace(' ', ""),
            tags[0],
            tags[1]
        )
    };
    line.says(stranger, phone, "INVITE sip:201@10.0.3.17 SIP/2.0", &head("1 INVITE", [";tag=a", ""]));
    line.says(phone, stranger, "SIP/2.0 200 OK", &head("1 INVITE", [";tag=a", ";tag=b"]));
    line.says(stranger, phone, "ACK sip:201@10.0.3.17 SIP/2.0", &head("1 ACK", [";tag=a", ";tag=b"]));
    // The handset's own requests have From and To the other way round.
    let own = |cseq: &str, more: &str| {
        format!(
            "Via: SIP/2.0/{proto} 10.0.3.17;branch=z9hG4bKp{0}\r\nFrom: <sip:201@10.0.3.17>;tag=b\r\nTo: <sip:x@x>;tag=a\r\n\
             Call-ID: ghost\r\nCSeq: {cseq}\r\n{more}",
            cseq.replace(' ', "")
        )
    };
    let first = format!("{method} sip:x@198.51.100.66 SIP/2.0");
    line.says(phone, stranger, &first, &own(&format!("7 {method}"), ""));
    let challenge = "Proxy-Authenticate: Digest realm=\"pbx\", nonce=\"gimme\"\r\n";
    line.says(
        stranger,
        phone,
        "SIP/2.0 407 Proxy Authentication Required",
        &own(&format!("7 {method}"), challenge),
    );
    if answered {
        let proof = "Proxy-Authorization: Digest username=\"201\", realm=\"pbx\", nonce=\"gimme\", \
                     uri=\"sip:x@198.51.100.66\", response=\"c0ffeec0ffeec0ffeec0ffeec0ffeec0\"\r\n";
        line.says(phone, stranger, &first, &own(&format!("8 {method}"), proof));
    }
    capture.findings(CONFIG).into_iter().filter(|(check, ..)| check == "digest_leak").collect()
}

/// On BYE and on INVITE, over UDP and TCP: four of four, each asked for and given.
#[test]
fn a_strangers_challenge_is_found_four_times_of_four() {
    for method in ["BYE", "INVITE"] {
        for tcp in [false, true] {
            let asked = leak(method, tcp, false);
            assert!(asked.iter().any(|(_, severity, _)| severity == "warning"), "{method} {tcp}: {asked:?}");
            let given = leak(method, tcp, true);
            let critical = |(_, severity, said): &(String, String, String)| {
                severity == "critical" && said.contains("change this SIP password now")
            };
            assert!(given.iter().any(critical), "{method} {tcp}: {given:?}");
            assert!(given.iter().all(|(.., said)| !said.contains("c0ffee")), "{given:?}");
        }
    }
}

/// Every call is challenged by the PBX and answered: 10,000 of them, none of which is a leak.
#[test]
fn ten_thousand_challenged_calls_are_no_leak() {
    let phones: Vec<SocketAddr> = (1..=50).map(|n| at(&format!("10.0.3.{n}:5060"))).collect();
    let pbx = at(PBX);
    let mut capture = office(&phones);
    for n in 0..10_000 {
        let phone = phones[n % phones.len()];
        let head = |cseq: &str, to: &str| {
            format!(
                "Via: SIP/2.0/UDP {phone};branch=z9hG4bK{n}{0}\r\nFrom: <sip:200@pbx>;tag=t{n}\r\nTo: <sip:301@pbx>{to}\r\n\
                 Call-ID: c{n}\r\nCSeq: {cseq}\r\nContact: <sip:200@{phone}>\r\n",
                cseq.replace(' ', "")
            )
        };
        let challenge = format!(
            "Proxy-Authenticate: Digest realm=\"pbx\", nonce=\"n{n}\", algorithm=SHA-256, qop=\"auth\"\r\n"
        );
        let proof = format!(
            "Proxy-Authorization: Digest username=\"200\", realm=\"pbx\", nonce=\"n{n}\", uri=\"sip:301@pbx\", algorithm=SHA-256, \
             cnonce=\"c\", nc=00000001, qop=auth, response=\"{n:064x}\"\r\n"
        );
        let says = |first: &str, headers: String| format!("{first}\r\n{headers}Content-Length: 0\r\n\r\n");
        capture.udp(phone, pbx, says("INVITE sip:301@pbx SIP/2.0", head("1 INVITE", "")));
        capture.udp(pbx, phone, says("SIP/2.0 407 No", head("1 INVITE", ";tag=c") + &challenge));
        capture.udp(phone, pbx, says("INVITE sip:301@pbx SIP/2.0", head("2 INVITE", "") + &proof));
        capture.udp(pbx, phone, says("SIP/2.0 200 OK", head("2 INVITE", ";tag=f")));
        capture.udp(phone, pbx, says("BYE sip:301@pbx SIP/2.0", head("3 BYE", ";tag=f") + &proof));
        capture.udp(pbx, phone, says("SIP/2.0 200 OK", head("3 BYE", ";tag=f")));
        capture.after(0.5);
    }
    let records = capture.replay(CONFIG);
    let summary = records.iter().find(|record| record["type"] == "summary").unwrap();
    assert_eq!(summary["attempts"], 10_000, "{summary}");
    assert!(records.iter().all(|r| r["check"] != "digest_leak" || r["status"] == "not_seen"));
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const NO: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\nContent-Length: 0\r\n\r\n";

/// RFC 4648 section 4.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let three = |part: &[u8]| {
        let bits = (0..3).fold(0, |bits, n| bits << 8 | usize::from(part.get(n).copied().unwrap_or(0)));
        let letter =
            |n: usize| if n > part.len() { '=' } else { char::from(LETTERS[bits >> (18 - 6 * n) & 63]) };
        (0..4).map(letter).collect::<String>()
    };
    text.as_bytes().chunks(3).map(three).collect()
}

/// Nine makers' defaults, by Basic and by Digest: where the page lets the visitor in it is critical, where
/// it doesn't it is worth knowing; another password is neither.
#[test]
fn nine_makers_defaults_on_their_pages() {
    let makers = [
        ("admin", "admin"),       // Yealink
        ("Polycom", "456"),       // Poly
        ("admin", "0000"),        // Snom, Gigaset
        ("user", "123"),          // Grandstream
        ("admin", "198y9w9y891"), // Cisco, as a provider sets it
        ("admin", "22222"),       // Mitel
        ("admin", "adminpass"),   // Panasonic
        ("Admin", "Admin"),       // AudioCodes
        ("var", "var"),           // RCA
    ];
    let config = format!(
        "{CONFIG}[password_check]\nenabled = true\nnetworks = [\"10.0.0.0/8\"]\nrealms = [\"none\"]\n"
    );
    let mut cases = 0;
    for (user, password) in makers {
        for digest in [false, true] {
            let tries = [
                (password, OK, Some("critical")),
                (password, NO, Some("info")),
                ("kR7#long-and-own", OK, None),
            ];
            for (password, answer, expected) in tries {
                let phone = at("10.0.3.17:5060");
                let mut capture = office(&[phone]);
                let proof = if digest {
                    let ha1 = md5(&format!("{user}:r:{password}"));
                    let response = md5(&format!("{ha1}:n:{}", md5("GET:/")));
                    format!(
                        "Digest username=\"{user}\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"{response}\""
                    )
                } else {
                    format!("Basic {}", base64(&format!("{user}:{password}")))
                };
                let request = format!("GET / HTTP/1.1\r\nHost: phone\r\nAuthorization: {proof}\r\n\r\n");
                capture.tcp(at("10.0.9.9:50000"), port(phone, 80), &request, answer);
                capture.after(5.0);
                capture.registers(phone, at(PBX), "200");
                let found = capture.findings(&config);
                let page = found.iter().find(|(check, ..)| check == "default_web_password");
                let severity = page.map(|(_, severity, _)| severity.as_str());
                assert_eq!(severity, expected, "{user} digest {digest} {answer:.20}: {found:?}");
                cases += usize::from(expected == Some("critical"));
            }
        }
    }
    assert_eq!(cases, 18);
}

/// RFC 8760 section 2.4: the PBX offers SHA-256 first and MD5 after it. Who takes the first is in order, who
/// takes the second is told of; where only MD5 is offered that is the office's affair.
#[test]
fn md5_though_sha_256_was_offered() {
    let phone = at("10.0.3.17:5060");
    let challenge = |algorithm: &str| {
        format!(
            "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"n\", algorithm={algorithm}, qop=\"auth\"\r\n"
        )
    };
    for (offered, taken, downgrade) in [
        (&["SHA-256", "MD5"][..], "MD5", true),
        (&["SHA-256", "MD5"], "SHA-256", false),
        (&["SHA-512-256", "SHA-256", "MD5"], "MD5", true),
        (&["MD5"], "MD5", false),
    ] {
        let mut capture = office(&[phone]);
        let head = |cseq: u32| {
            format!(
                "Via: SIP/2.0/UDP {phone};branch=z9hG4bKw{cseq}\r\nFrom: <sip:200@pbx>;tag=w\r\nTo: <sip:200@pbx>\r\n\
                 Call-ID: w\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:200@{phone}>\r\n"
            )
        };
        let says = |first: &str, headers: String| format!("{first}\r\n{headers}Content-Length: 0\r\n\r\n");
        let all: String = offered.iter().map(|algorithm| challenge(algorithm)).collect();
        let proof = format!(
            "Authorization: Digest username=\"200\", realm=\"pbx\", nonce=\"n\", uri=\"sip:pbx\", algorithm={taken}, \
             cnonce=\"c\", nc=00000001, qop=auth, response=\"{:032x}\"\r\n",
            7
        );
        capture.udp(phone, at(PBX), says("REGISTER sip:pbx SIP/2.0", head(2)));
        capture.udp(at(PBX), phone, says("SIP/2.0 401 Unauthorized", head(2) + &all));
        capture.udp(phone, at(PBX), says("REGISTER sip:pbx SIP/2.0", head(3) + &proof));
        capture.udp(at(PBX), phone, says("SIP/2.0 200 OK", head(3)));
        let found = capture.findings(CONFIG);
        let told = found
            .iter()
            .any(|(check, _, said)| check == "weak_auth" && said.contains("though SHA-256 is offered"));
        assert_eq!(told, downgrade, "{offered:?} {taken}: {found:?}");
    }
}
