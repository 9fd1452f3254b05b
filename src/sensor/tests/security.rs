use super::*;
use crate::fact::What;
use crate::fact::secret::{Exercise, Secret};
use crate::fact::sighting::{SipSighting, SipStep};
use crate::sensor::watch;
use crate::touches::{Touch, TouchState, Way, Zone};

const STRANGER: [u8; 4] = [198, 51, 100, 66];

fn whats(facts: Vec<Fact>) -> Vec<What> {
    let what = |fact| match fact {
        Fact::Sighting(sighting) => Some(sighting.what),
        _ => None,
    };
    facts.into_iter().filter_map(what).collect()
}

fn sips(facts: Vec<Fact>) -> Vec<SipSighting> {
    let sip = |what| match what {
        What::Sip(sip) => Some(sip),
        _ => None,
    };
    whats(facts).into_iter().filter_map(sip).collect()
}

fn touches(facts: Vec<Fact>) -> Vec<Touch> {
    let touch = |what| match what {
        What::Touch(touch) => Some(touch),
        _ => None,
    };
    whats(facts).into_iter().filter_map(touch).collect()
}

fn steps(facts: Vec<Fact>) -> Vec<(SipStep, u16)> {
    sips(facts).iter().map(|sip| (sip.step, sip.code)).collect()
}

fn digest(user: &str, nonce: &str, nc: u32) -> String {
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"pbx\", nonce=\"{nonce}\", uri=\"sip:x\", \
         response=\"5ec4e75ec4e75ec4e75ec4e75ec4e75e\", cnonce=\"c4n4ry\", qop=auth, nc={nc:08x}\r\n"
    )
}

fn challenge(nonce: &str, more: &str) -> String {
    format!("WWW-Authenticate: Digest realm=\"pbx\", nonce=\"{nonce}\", algorithm=MD5{more}\r\n")
}

impl Bench {
    fn ask(&mut self, user: &str, id: &str, cseq: u32, more: &str) -> Vec<Fact> {
        let headers = head(id, "r", "", &format!("{cseq} REGISTER"), user, user);
        self.sip(PHONE, PBX, "REGISTER sip:example.com SIP/2.0", &format!("{headers}{more}"))
    }

    fn answer(&mut self, user: &str, id: &str, cseq: u32, status: &str, more: &str) -> Vec<Fact> {
        let headers = head(id, "r", "s", &format!("{cseq} REGISTER"), user, user);
        self.sip(PBX, PHONE, &format!("SIP/2.0 {status}"), &format!("{headers}{more}"))
    }
}

#[test]
fn a_handset_that_registers_every_minute_says_only_that_it_is_accepted() {
    let mut b = Bench::new();
    b.register(PHONE, PBX, "214");
    let mut cseq = 10;
    for minute in 0..50 {
        b.now = b.now.plus(Span::MINUTE);
        let nonce = format!("n{minute}");
        let mut all = b.ask("214", "reg", cseq, &digest("214", &format!("n{}", minute - 1), 1));
        all.extend(b.answer("214", "reg", cseq, "401 Unauthorized", &challenge(&nonce, "")));
        all.extend(b.ask("214", "reg", cseq + 1, &digest("214", &nonce, 1)));
        all.extend(b.answer("214", "reg", cseq + 1, "200 OK", "Contact: <sip:214@10.0.3.17>;expires=60\r\n"));
        let said = sips(all);
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(
            (said[0].step, said[0].expires, said[0].account),
            (SipStep::Accepted, 60, Text::from("214"))
        );
        cseq += 2;
    }
}

#[test]
fn a_wrong_password_is_refused_and_a_stale_nonce_is_not() {
    let mut b = Bench::new();
    b.ask("214", "a", 1, "");
    assert_eq!(
        steps(b.answer("214", "a", 1, "401 Unauthorized", &challenge("n1", ""))),
        [(SipStep::Challenged, 401)]
    );
    b.ask("214", "a", 2, &digest("214", "n1", 1));
    assert_eq!(
        steps(b.answer("214", "a", 2, "401 Unauthorized", &challenge("n2", ""))),
        [(SipStep::Refused, 401)]
    );
    assert_eq!(steps(b.answer("214", "a", 2, "401 Unauthorized", &challenge("n2", ""))), [], "a copy");
    b.ask("214", "a", 3, &digest("214", "n2", 1));
    assert_eq!(
        steps(b.answer("214", "a", 3, "401 Unauthorized", &challenge("n3", ", stale=true"))),
        [(SipStep::Challenged, 401)]
    );
    b.ask("214", "a", 4, &digest("214", "n3", 1));
    assert_eq!(steps(b.answer("214", "a", 4, "403 Forbidden", "")), [(SipStep::Refused, 403)]);
    b.ask("999", "b", 1, "");
    assert_eq!(steps(b.answer("999", "b", 1, "404 Not Found", "")), [(SipStep::Denied, 404)]);
    b.ask("214", "a", 5, &format!("{}Expires: 0\r\n", digest("214", "n3", 2)));
    assert_eq!(steps(b.answer("214", "a", 5, "200 OK", "")), [(SipStep::Removed, 200)]);
}

#[test]
fn a_strangers_call_and_what_the_handset_answers() {
    let mut b = Bench::new();
    b.register(PHONE, PBX, "214");
    let from = format!("{}User-Agent: friendly-scanner\r\n", head("x", "f", "", "1 OPTIONS", "100", "100"))
        .replace("<sip:100@example.com>;tag", "\"sipvicious\"<sip:100@1.1.1.1>;tag");
    let mut all = b.sip(STRANGER, PHONE, "OPTIONS sip:100@10.0.3.17 SIP/2.0", &from);
    all.extend(b.sip(
        PHONE,
        STRANGER,
        "SIP/2.0 404 Not Found",
        &head("x", "f", "t", "1 OPTIONS", "100", "100"),
    ));
    let touched = touches(all.clone());
    assert_eq!(
        touched.iter().map(|t| t.state).collect::<Vec<_>>(),
        [TouchState::UdpRequest, TouchState::UdpReply]
    );
    assert!(touched[0].unsolicited);
    let said = sips(all);
    assert_eq!(
        said.iter().map(|s| (s.step, s.code)).collect::<Vec<_>>(),
        [(SipStep::Request, 0), (SipStep::Denied, 404)]
    );
    let first = &said[0];
    assert!(first.bogus_host && first.same_user && first.peer_came_first && first.way == Way::Inbound);
    assert_eq!((first.client_zone, first.agent), (Zone::Outside, Text::from("friendly-scanner")));
}

#[test]
fn a_strangers_challenge_and_the_handsets_answer_pair_up() {
    let mut b = Bench::new();
    b.register(PHONE, PBX, "214");
    b.sip(STRANGER, PHONE, "INVITE sip:214@10.0.3.17 SIP/2.0", &head("g", "f", "", "1 INVITE", "100", "214"));
    b.sip(PHONE, STRANGER, "SIP/2.0 200 OK", &head("g", "f", "t", "1 INVITE", "100", "214"));
    let mut all =
        b.sip(PHONE, STRANGER, "BYE sip:100@1.1.1.1 SIP/2.0", &head("g", "t", "f", "2 BYE", "214", "100"));
    let reply = head("g", "t", "f", "2 BYE", "214", "100");
    all.extend(b.sip(
        STRANGER,
        PHONE,
        "SIP/2.0 407 Auth",
        &format!("{reply}Proxy-{}", "Authenticate: Digest realm=\"pbx\", nonce=\"n\"\r\n"),
    ));
    let again = head("g", "t", "f", "3 BYE", "214", "100");
    all.extend(b.sip(
        PHONE,
        STRANGER,
        "BYE sip:100@1.1.1.1 SIP/2.0",
        &format!("{again}Proxy-{}", digest("214", "n", 1)),
    ));
    let printed = format!("{all:?}");
    let said = sips(all);
    let steps: Vec<_> = said.iter().map(|s| s.step).collect();
    assert_eq!(steps, [SipStep::Request, SipStep::Challenged, SipStep::Credentials]);
    assert!(
        said.iter().all(|s| s.way == Way::Outbound && s.peer_came_first && s.server_zone == Zone::Outside)
    );
    assert_eq!(said[1].exchange, said[2].exchange);
    assert_eq!((said[2].account, said[2].realm), (Text::from("214"), Text::from("pbx")));
    assert!(!printed.contains("5ec4e7") && !printed.contains("c4n4ry"));
}

#[test]
fn passwords_are_kept_only_where_asked_and_only_if_accepted() {
    let mut off = Bench::new();
    let accepted = |b: &mut Bench, status: &str| {
        b.ask("214", "a", 1, &digest("214", "n", 1));
        b.answer("214", "a", 1, status, "");
        b.sensor.poll_exercise()
    };
    assert!(accepted(&mut off, "200 OK").is_none());
    let passwords = watch::Passwords {
        enabled: true,
        networks: vec!["10.0.3.0/24".parse().unwrap()],
        realms: vec!["pbx".to_owned()],
        ..watch::Passwords::default()
    };
    let on = |passwords| {
        let mut b = Bench::new();
        let watch = watch::Settings { passwords, ..watch::Settings::default() };
        let dial = Dial::new(&crate::dial::Settings::default()).unwrap();
        b.sensor = Sensor::new(Settings { watch, ..Settings::default() }, dial, Arc::clone(&b.ledger));
        b
    };
    let kept: Exercise = accepted(&mut on(passwords.clone()), "200 OK").unwrap();
    assert!(
        matches!(&kept.secret, Secret::Digest(proof) if proof.username == b"214" && proof.method == b"REGISTER")
    );
    assert!(!format!("{kept:?}").contains("5ec4e7"));
    assert!(accepted(&mut on(passwords.clone()), "403 Forbidden").is_none());
    let elsewhere = watch::Passwords { realms: vec!["other".to_owned()], ..passwords.clone() };
    assert!(accepted(&mut on(elsewhere), "200 OK").is_none());
    let far = watch::Passwords { networks: vec!["10.9.0.0/16".parse().unwrap()], ..passwords };
    assert!(accepted(&mut on(far), "200 OK").is_none());
}

#[test]
fn a_strangers_flood_is_looked_at_only_so_often() {
    let mut b = Bench::new();
    b.register(PHONE, PBX, "214");
    let mut said = 0;
    for n in 0..3_000 {
        b.now = b.now.minus(Span(20_000));
        let headers = head(&format!("f{n}"), "f", "", "1 INVITE", "100", "214");
        said += sips(b.sip(STRANGER, PHONE, "INVITE sip:214@10.0.3.17 SIP/2.0", &headers)).len();
    }
    assert!((1..=128).contains(&said), "{said}");
}

/// Calls with media straight to the far end, moved by a re-INVITE, and STUN.
#[test]
fn a_thousand_clean_calls_give_no_unsolicited_touch() {
    let mut b = Bench::new();
    b.register(PHONE, PBX, "214");
    b.now = b.now.plus(Span::seconds(400));
    let (media, moved, stun) = ([198, 51, 100, 20], [198, 51, 100, 21], [198, 51, 100, 30]);
    let sdp = |ip: [u8; 4], port: u16| {
        let [a, c, d, e] = ip;
        format!("v=0\r\nc=IN IP4 {a}.{c}.{d}.{e}\r\nm=audio {port} RTP/AVP 8\r\n")
    };
    let mut all = Vec::new();
    for n in 0u16..1_000 {
        let (id, far, near) = (format!("call-{n}"), 20_000 + 2 * (n % 500), 12_000 + 2 * (n % 400));
        let send = |b: &mut Bench, src, dst, start: &str, cseq: &str, body: &str| {
            let head = head(&id, "f", "t", cseq, "214", "900");
            let text = format!("{start}\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len());
            b.datagram(src, dst, text.as_bytes())
        };
        all.extend(send(&mut b, PHONE, PBX, "INVITE sip:900@pbx SIP/2.0", "1 INVITE", &sdp(PHONE, near)));
        all.extend(send(&mut b, PBX, PHONE, "SIP/2.0 200 OK", "1 INVITE", &sdp(media, far)));
        // The far end's media comes first.
        for (peer, port) in [(media, far), (media, far + 1)] {
            all.extend(b.packet((peer, port), (PHONE, near + (port - far)), &[0x80; 172]));
            all.extend(b.packet((PHONE, near + (port - far)), (peer, port), &[0x80; 172]));
        }
        all.extend(send(
            &mut b,
            PBX,
            PHONE,
            "INVITE sip:214@10.0.3.17 SIP/2.0",
            "7 INVITE",
            &sdp(moved, far),
        ));
        all.extend(send(&mut b, PHONE, PBX, "SIP/2.0 200 OK", "7 INVITE", &sdp(PHONE, near)));
        all.extend(b.packet((moved, far), (PHONE, near), &[0x80; 172]));
        let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
        request.extend([7; 12]);
        all.extend(b.packet((PHONE, near), (stun, 3_478), &request));
        request[0] = 1;
        all.extend(b.packet((stun, 3_478), (PHONE, near), &request));
        b.now = b.now.plus(Span::seconds(20));
    }
    let unsolicited: Vec<_> = touches(all).into_iter().filter(|touch| touch.unsolicited).collect();
    assert!(unsolicited.is_empty(), "{:?}", unsolicited.first());
}

#[test]
fn what_devices_say_of_themselves_becomes_hints() {
    let mut b = Bench::new();
    let request = crate::hints::dhcp::tests::message(
        false,
        [0; 4],
        &[(53, &[3]), (12, b"desk-1"), (60, b"yealink"), (50, &PHONE)],
    );
    let said = whats(b.packet(([10, 0, 3, 1], 68), ([255; 4], 67), &request));
    assert!(said.iter().any(|what| matches!(what, What::Hint(hint) if hint.identity.vendor == Text::from("Yealink") && hint.identity.name == Text::from("desk-1"))), "{said:?}");
    let answer = crate::hints::dhcp::tests::message(
        true,
        PHONE,
        &[(53, &[5]), (66, b"http://user:secret@prov.example/cfg?key=hidden")],
    );
    let said = whats(b.packet(([10, 0, 3, 1], 67), (PHONE, 68), &answer));
    let printed = format!("{said:?}");
    assert!(printed.contains("Provisioning") && printed.contains("prov.example/cfg"), "{printed}");
    assert!(!printed.contains("secret") && !printed.contains("hidden"), "{printed}");
    // It is known as a phone now, before it registers.
    let said = touches(b.packet((STRANGER, 40_000), (PHONE, 161), b"x"));
    assert!(said[0].unsolicited);
    let headers = format!(
        "{}User-Agent: Yealink SIP-T46U 108.86.0.20\r\n",
        head("u", "f", "", "1 REGISTER", "214", "214")
    );
    let said = whats(b.sip(PHONE, PBX, "REGISTER sip:x SIP/2.0", &headers));
    assert!(
        said.iter().any(
            |what| matches!(what, What::Hint(hint) if hint.identity.firmware == Text::from("108.86.0.20"))
        ),
        "{said:?}"
    );
    let mapping = whats(b.packet(
        (PHONE, 5_350),
        ([10, 0, 3, 1], 5_351),
        &[0, 1, 0, 0, 0x13, 0xc4, 0x13, 0xc4, 0, 0, 28, 32],
    ));
    assert!(
        mapping.iter().any(|what| matches!(what, What::Mapping(hole) if hole.internal == 5_060)),
        "{mapping:?}"
    );
}

/// The nonce was given before the restart: that the answer to it is refused means a wrong password.
#[test]
fn a_restart_does_not_forget_nonces_and_phones() {
    let mut first = Bench::new();
    first.ask("214", "reg", 1, "");
    first.answer("214", "reg", 1, "401 Unauthorized", &challenge("before", ""));
    let mut steps_after = Vec::new();
    for remembers in [true, false] {
        let mut second = Bench { now: first.now, ..Bench::new() };
        if remembers {
            let kept = postcard::to_stdvec(&first.sensor.snapshot()).unwrap();
            second.sensor.restore(postcard::from_bytes(&kept).unwrap());
        }
        second.ask("214", "reg", 2, &digest("214", "before", 1));
        let said = second.answer("214", "reg", 2, "401 Unauthorized", &challenge("after", ""));
        steps_after.push(steps(said));
    }
    let [known, unknown] = [SipStep::Refused, SipStep::Challenged].map(|step| vec![(step, 401)]);
    assert_eq!(steps_after, [known, unknown]);
}

/// RFC 8760 section 2.4: a registrar offers several algorithms, the best one first or last.
#[test]
fn all_challenges_of_a_response_are_read() {
    for (first, second) in [("MD5", "SHA-256"), ("SHA-256", "MD5"), ("SHA-512-256", "SHA-256")] {
        let mut b = Bench::new();
        let offer = |algorithm: &str| {
            format!(
                "WWW-Authenticate: Digest realm=\"pbx\", nonce=\"of-{algorithm}\", algorithm={algorithm}\r\n"
            )
        };
        let all = [offer(first), offer(second), offer("MD5")].concat();
        b.ask("214", "reg", 1, "");
        b.answer("214", "reg", 1, "401 Unauthorized", &all);
        let used = whats(b.ask("214", "reg", 2, &digest("214", "of-MD5", 1)));
        let downgrade = used.iter().find_map(|what| match what {
            What::Mechanism(used) => Some(used.downgrade),
            _ => None,
        });
        assert_eq!(downgrade, Some(true), "{first}, {second}: {used:?}");
        // The nonce of whichever was taken up is known as fresh: a refusal is one of the password.
        let said = b.answer("214", "reg", 2, "401 Unauthorized", &challenge("again", ""));
        assert_eq!(steps(said), [(SipStep::Refused, 401)]);
    }
}
