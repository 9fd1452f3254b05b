//! What strangers do to the weak office over SIP: they scan, search, guess and call.
//!
//! In: the office, a moment. Out: frames. Never: a password that anybody uses.

use std::net::Ipv4Addr;

use super::kit::Kit;
use super::packet::End;
use super::proof::{Auth, Question};
use super::site::{DOMAIN, Handset, Site};
use crate::time::{Span, Timestamp};

/// A machine inside the office that isn't a phone.
const INSIDER: End =
    End { mac: [0x3c, 0x52, 0x82, 0x11, 0x22, 0x33], ip: Ipv4Addr::new(10, 0, 3, 200), port: 5_060 };
/// Where what strangers send comes in.
const ROUTER: [u8; 6] = [0x74, 0x4d, 0x28, 0x10, 0x00, 0x01];
/// Somebody on the internet with a SIP scanner.
const SCANNER: End = End { mac: ROUTER, ip: Ipv4Addr::new(192, 0, 2, 99), port: 5_071 };

/// The parts of a request that tell one from another.
struct Ask<'a> {
    method: &'a str,
    user: &'a str,
    host: String,
    from: End,
    call: u32,
    cseq: u32,
    more: String,
}

impl Ask<'_> {
    fn head(&self) -> String {
        let Self { method, user, host, from, call, cseq, .. } = self;
        let End { ip, port, .. } = from;
        format!(
            "Via: SIP/2.0/UDP {ip}:{port};branch=z9hG4bK-{call}-{cseq};rport\r\n\
             From: \"{user}\"<sip:{user}@{host}>;tag={call:08x}\r\nTo: \"{user}\"<sip:{user}@{host}>\r\n\
             Call-ID: {call}\r\nCSeq: {cseq} {method}\r\n"
        )
    }

    fn request(&self) -> String {
        let Self { method, user, host, from, more, .. } = self;
        let target = if *method == "REGISTER" { format!("sip:{host}") } else { format!("sip:{user}@{host}") };
        format!(
            "{method} {target} SIP/2.0\r\n{}Max-Forwards: 70\r\nContact: <sip:{user}@{}:{}>\r\n\
             {more}Content-Length: 0\r\n\r\n",
            self.head(),
            from.ip,
            from.port
        )
    }

    fn answer(&self, status: &str, more: &str) -> String {
        format!("SIP/2.0 {status}\r\n{}{more}Content-Length: 0\r\n\r\n", self.head())
    }
}

fn challenge(nonce: u32) -> String {
    format!(
        "WWW-Authenticate: Digest realm=\"{DOMAIN}\", nonce=\"{nonce:08x}\", algorithm=MD5, qop=\"auth\"\r\n"
    )
}

/// Credentials that fit no password.
fn proof(user: &str, nonce: u32) -> String {
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{DOMAIN}\", nonce=\"{nonce:08x}\", uri=\"sip:{DOMAIN}\", \
         response=\"{:032x}\", cnonce=\"{nonce:x}\", nc=00000001, qop=auth, algorithm=MD5\r\n",
        u128::from(nonce).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    )
}

/// All of it, from a moment on.
pub(super) fn all(kit: &mut Kit, site: &Site, start: Timestamp) {
    let mut at = scan(kit, site, start);
    at = search(kit, site, at.plus(Span::MINUTE));
    at = guess(kit, site, at.plus(Span::MINUTE));
    ghost_call(kit, site, at.plus(Span::MINUTE));
}

/// A scanner outside asks every phone (SIPVicious's way), three times over.
pub(super) fn scan(kit: &mut Kit, site: &Site, start: Timestamp) -> Timestamp {
    let mut at = start;
    for (call, handset) in (1u32..).zip(site.handsets.iter().take(4)) {
        for round in 0..3 {
            let ask = Ask {
                method: "OPTIONS",
                user: "100",
                host: "1.1.1.1".to_owned(),
                from: End { port: SCANNER.port + round, ..SCANNER },
                call: call * 10 + u32::from(round),
                cseq: 1,
                more: "User-Agent: friendly-scanner\r\nAccept: application/sdp\r\n".to_owned(),
            };
            kit.udp(at, ask.from, handset.end.with_port(5_060), ask.request().as_bytes());
            at = at.plus(Span(5_000));
        }
    }
    at
}

/// Somebody inside searches for extensions: 100 to 139 (svwar's way).
pub(super) fn search(kit: &mut Kit, site: &Site, start: Timestamp) -> Timestamp {
    let (mut at, pbx) = (start, site.pbx_end());
    for n in 100..140u32 {
        let user = n.to_string();
        let ask = Ask {
            method: "REGISTER",
            user: &user,
            host: DOMAIN.to_owned(),
            from: INSIDER,
            call: 1_000 + n,
            cseq: 1,
            more: String::new(),
        };
        kit.udp(at, INSIDER, pbx, ask.request().as_bytes());
        kit.udp(at.plus(Span(1_000)), pbx, INSIDER, ask.answer("404 Not Found", "").as_bytes());
        at = at.plus(Span(5_000));
    }
    at
}

/// Then it guesses the password of one that exists (svcrack's way).
pub(super) fn guess(kit: &mut Kit, site: &Site, start: Timestamp) -> Timestamp {
    let (mut at, pbx) = (start, site.pbx_end());
    let Some(victim) = site.handsets.first() else { return at };
    for n in 0..30u32 {
        let ask = |cseq, more| Ask {
            method: "REGISTER",
            user: &victim.user,
            host: DOMAIN.to_owned(),
            from: INSIDER,
            call: 2_000 + n,
            cseq,
            more,
        };
        let (first, second) = (ask(1, String::new()), ask(2, proof(&victim.user, 77 + n)));
        for (request, nonce) in [(first, 77 + n), (second, 7_700 + n)] {
            kit.udp(at, INSIDER, pbx, request.request().as_bytes());
            let no = request.answer("401 Unauthorized", &challenge(nonce));
            kit.udp(at.plus(Span(1_000)), pbx, INSIDER, no.as_bytes());
            at = at.plus(Span(10_000));
        }
    }
    at
}

/// A call from nowhere rings and is answered; when the handset hangs up, the caller asks for its
/// password (EnableSecurity's ES2021-05).
pub(super) fn ghost_call(kit: &mut Kit, site: &Site, start: Timestamp) {
    let Some(victim) = site.handsets.get(1) else { return };
    let (phone, mut at) = (victim.end.with_port(5_060), start);
    let host = phone.ip.to_string();
    let ask = |method, from, cseq, more| Ask {
        method,
        user: "100",
        host: host.clone(),
        from,
        call: 3_001,
        cseq,
        more,
    };
    let invite = ask("INVITE", SCANNER, 1, String::new());
    kit.udp(at, SCANNER, phone, invite.request().as_bytes());
    for status in ["180 Ringing", "200 OK"] {
        at = at.plus(Span::SECOND);
        kit.udp(at, phone, SCANNER, invite.answer(status, "").as_bytes());
    }
    for (cseq, more) in [(1, String::new()), (2, proof(&victim.user, 5))] {
        at = at.plus(Span::SECOND);
        let bye = ask("BYE", phone, cseq, more);
        kit.udp(at, phone, SCANNER, bye.request().as_bytes());
        let no = bye.answer("401 Unauthorized", &challenge(5));
        if cseq == 1 {
            kit.udp(at.plus(Span(2_000)), SCANNER, phone, no.as_bytes());
        }
    }
}

/// A call from nowhere rings, and whoever placed it gives up.
pub(super) fn ring(kit: &mut Kit, victim: &Handset, start: Timestamp) {
    let phone = victim.end.with_port(5_060);
    let invite = Ask {
        method: "INVITE",
        user: "100",
        host: phone.ip.to_string(),
        from: SCANNER,
        call: 3_100,
        cseq: 1,
        more: String::new(),
    };
    kit.udp(start, SCANNER, phone, invite.request().as_bytes());
    for (status, after) in [("180 Ringing", 1), ("487 Request Terminated", 8)] {
        let answer = invite.answer(status, "");
        kit.udp(start.plus(Span::seconds(after)), phone, SCANNER, answer.as_bytes());
    }
}

/// Somebody inside the office who knows an account's password registers it from a softphone.
pub(super) fn register(kit: &mut Kit, site: &Site, victim: &Handset, start: Timestamp) {
    let (pbx, from, nonce) = (site.pbx_end(), End { port: 5_062, ..INSIDER }, 4_711);
    let uri = format!("sip:{DOMAIN}");
    let question = Question {
        account: &victim.user,
        password: &victim.password,
        method: "REGISTER",
        uri: &uri,
        nonce: &format!("{nonce:08x}"),
    };
    let auth = if site.auth == Auth::Sha256 { Auth::Sha256 } else { Auth::Md5 };
    let ask = |cseq, more: String| Ask {
        method: "REGISTER",
        user: &victim.user,
        host: DOMAIN.to_owned(),
        from,
        call: 3_200,
        cseq,
        more: format!("User-Agent: eyeBeam release 1102q stamp 51814\r\nExpires: 3600\r\n{more}"),
    };
    let first = ask(1, String::new());
    let second = ask(2, format!("Authorization: {}\r\n", question.answer(auth)));
    let algorithm = if auth == Auth::Sha256 { "SHA-256, qop=\"auth\"" } else { "MD5" };
    let challenge = format!(
        "WWW-Authenticate: Digest realm=\"{DOMAIN}\", nonce=\"{nonce:08x}\", algorithm={algorithm}\r\n"
    );
    let granted = format!("Contact: <sip:{}@{}:{}>;expires=3600\r\n", victim.user, from.ip, from.port);
    let turns = [(&first, "401 Unauthorized", challenge), (&second, "200 OK", granted)];
    for (n, (request, status, more)) in (0i64..).zip(turns) {
        let at = start.plus(Span(n * 40_000));
        kit.udp(at, from, pbx, request.request().as_bytes());
        kit.udp(at.plus(Span(15_000)), pbx, from, request.answer(status, &more).as_bytes());
    }
}
