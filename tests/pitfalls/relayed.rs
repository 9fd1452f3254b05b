//! What a PBX makes of a call: legs from another of its addresses, in the wrong order, to the next trunk, to
//! quite another number; and who is charged with it.

use super::packets::*;
use super::talk::*;
use super::*;

type Heard = (i64, Vec<u8>);

const SECOND: Ip = [10, 0, 0, 6];
const TRUNK2: Ip = [198, 51, 100, 21];
const SITE: &str = "<sip:+442079460000@trunk>";
const CALLER: &str = "<sip:+447700900123@trunk>";

fn now(frame: Vec<u8>) -> Heard {
    (20, frame)
}

fn in_ms(ms: i64, heard: Heard) -> Heard {
    (ms, heard.1)
}

fn host(ip: Ip) -> String {
    format!("{}.{}.{}.{}", ip[0], ip[1], ip[2], ip[3])
}

/// A handset calls.
fn handset(id: &str, number: &str, extra: &str) -> Heard {
    now(sip(PHONE, PBX, invite(id, number).extra(extra).bytes()))
}

/// A PBX calls from one of its addresses.
fn trunk(from: Ip, to: Ip, id: &str, number: &str, caller: &str, extra: &str) -> Heard {
    let ask = ask("INVITE", &format!("sip:{number}@trunk"), id).caller(caller);
    let via = host(from);
    now(sip(from, to, ask.via(&[(&via, &format!("z9hG4bK{id}"))]).contact("<sip:x@y>").extra(extra).bytes()))
}

fn says(from: Ip, to: Ip, code: u16, id: &str, caller: &str) -> Heard {
    now(sip(from, to, answer(code, id).caller(caller).far_tag("t1").bytes()))
}

/// The same frame from other hardware.
fn from_hardware_of(ip: Ip, mut heard: Heard) -> Heard {
    heard.1[6..12].copy_from_slice(&sip(ip, TRUNK, b"")[6..12]);
    heard
}

/// An account that registers, and the PBX that accepts it.
fn registers(account: &str, phone: Ip, pbx: Ip) -> [Heard; 2] {
    let id = format!("reg{account}");
    let me = format!("<sip:{account}@pbx.example>");
    let ask = ask("REGISTER", "sip:pbx.example", &id).caller(&me).to(&me);
    let taken = answer(200, &id).method("REGISTER").caller(&me).to(&me).far_tag("r");
    [now(sip(phone, pbx, ask.bytes())), now(sip(pbx, phone, taken.bytes()))]
}

pub(crate) fn cases() -> Vec<Case> {
    [two_addresses(), wrong_order(), late_trunks(), forwards(), several_accounts(), doubted()]
        .into_iter()
        .flatten()
        .collect()
}

fn two_addresses() -> Vec<Case> {
    let session = "Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000\r\n";
    let charging =
        "P-Charging-Vector: icid-value=\"as1.example.net-0000015a4d\";icid-generated-at=10.0.0.5\r\n";
    let out = |id: &str, to: Ip, extra: &str| trunk(SECOND, to, id, DEAR, SITE, extra);
    let same = |heard: Heard| from_hardware_of(PBX, heard);
    let other_phone = now(sip(PHONE2, SECOND, invite("c2", DEAR).caller("<sip:215@pbx.example>").bytes()));
    vec![
        after("out of another address of the same hardware", 1, {
            let taken = [says(TRUNK, SECOND, 200, "l2", SITE), says(PBX, PHONE, 200, "c1", "<sip:214@x>")];
            [vec![handset("c1", DEAR, ""), same(out("l2", TRUNK, ""))], taken.to_vec()].concat()
        })
        .judged(1)
        .answered(1),
        after("the same, and then over the next trunk", 1, {
            let failed = says(TRUNK, SECOND, 503, "l2", SITE);
            vec![
                handset("c1", DEAR, ""),
                same(trunk(SECOND, TRUNK, "l2", DEAR, "<sip:214@pbx>", "")),
                failed,
                same(trunk(SECOND, TRUNK2, "l3", DEAR, "<sip:214@pbx>", "")),
            ]
        })
        .judged(1),
        // Anybody could send a number that somebody else sends; so the second leg is judged as well.
        after("out of another address with the same Session-ID", 1, {
            vec![handset("c1", DEAR, session), out("l2", TRUNK, session)]
        })
        .judged(2),
        after("the same with what stands for the call in charging", 1, {
            vec![handset("c1", DEAR, charging), out("l2", TRUNK, charging)]
        })
        .judged(2),
        after("a proxy, and behind it a PBX that dials out", 1, {
            let vias = [("10.0.0.5", "z9hG4bKp"), ("10.0.3.17:5060", "z9hG4bKa")];
            let near = now(sip(PHONE, PBX, invite("c1", DEAR).via(&vias[1..]).bytes()));
            let far = now(sip(PBX, SECOND, invite("c1", DEAR).via(&vias).bytes()));
            vec![near, far.clone(), far, out("l2", TRUNK, "")]
        })
        .judged(1)
        .charged(&["214"]),
        after("a proxy, a PBX behind it, and out through the proxy again", 1, {
            let vias = [("10.0.0.5", "z9hG4bKp"), ("10.0.3.17:5060", "z9hG4bKa")];
            let near = now(sip(PHONE, PBX, invite("c1", DEAR).via(&vias[1..]).bytes()));
            let far = now(sip(PBX, SECOND, invite("c1", DEAR).via(&vias).bytes()));
            let back = ask("INVITE", URI, "l2").caller(SITE).via(&[("10.0.0.6", "z9hG4bKq")]);
            let on = ask("INVITE", URI, "l2")
                .caller(SITE)
                .via(&[("10.0.0.5", "z9hG4bKr"), ("10.0.0.6", "z9hG4bKq")]);
            vec![near, far, now(sip(SECOND, PBX, back.bytes())), now(sip(PBX, TRUNK, on.bytes()))]
        })
        .judged(1)
        .charged(&["214"]),
        after("out of another address, and nothing shows whose", 2, {
            vec![handset("c1", DEAR, ""), out("l2", TRUNK, "")]
        })
        .judged(2),
        after("two phones that call one number over two servers", 2, {
            vec![handset("c1", DEAR, ""), other_phone.clone()]
        })
        .judged(2),
        after("the same behind one router", 2, {
            let near = from_hardware_of(TRUNK2, handset("c1", DEAR, ""));
            vec![near, from_hardware_of(TRUNK2, other_phone)]
        })
        .judged(2),
        after("a speed dial, with what stands for the call in charging", 1, {
            vec![handset("c1", "*77", charging), trunk(PBX, TRUNK, "l2", DEAR, "<sip:anonymous@x>", charging)]
        })
        .judged(1)
        .charged(&["214"]),
    ]
}

/// Two ports of a mirror, the trunk's written first.
fn wrong_order() -> Vec<Case> {
    let second = || trunk(PBX, TRUNK, "l2", DEAR, SITE, "");
    let first = |ms| in_ms(ms, handset("c1", &format!("9{DEAR}"), ""));
    let taken = [says(TRUNK, PBX, 200, "l2", SITE), says(PBX, PHONE, 200, "c1", "<sip:214@x>")];
    let turned = |ms| [vec![second(), first(ms)], taken.to_vec()].concat();
    let ring =
        now(sip(PBX, PHONE, ask("INVITE", "sip:+442079460018@10.0.3.17", "in").caller(CALLER).bytes()));
    vec![
        after("the trunk's leg is seen first", 1, turned(2)).answered(1).charged(&["214"]),
        after("the trunk's leg is seen first by 150 ms", 1, turned(150)).answered(1),
        after("three legs in the wrong order", 1, {
            let far = trunk(SECOND, TRUNK, "l3", DEAR, SITE, "");
            vec![far, in_ms(2, trunk(PBX, SECOND, "l2", DEAR, "<sip:214@pbx>", "")), first(2)]
        })
        .charged(&["214"]),
        after("a second later that is another call", 2, turned(1_000)).answered(2),
        after("two phones, and one trunk leg first", 2, {
            let other = invite("c2", DEAR).caller("<sip:215@pbx.example>").via(&[("10.0.3.18", "z9hG4bKo")]);
            vec![second(), first(5), now(sip(PHONE2, PBX, other.bytes()))]
        })
        .charged(&["214", "215"]),
        after("a phone that calls whom the PBX is just calling there", 2, {
            vec![ring, in_ms(5, handset("c1", "+442079460018", ""))]
        }),
    ]
}

/// A trunk that fails, or says nothing, while the handset waits.
fn late_trunks() -> Vec<Case> {
    let begun = || vec![handset("c1", DEAR, ""), trunk(PBX, TRUNK, "l2", DEAR, SITE, "")];
    let next = |ms| in_ms(ms, trunk(PBX, TRUNK2, "l3", DEAR, SITE, ""));
    let fails = |ms, code| in_ms(ms, says(TRUNK, PBX, code, "l2", SITE));
    let over = says(PBX, PHONE, 503, "c1", "<sip:214@x>");
    vec![
        after("the next trunk, five seconds later", 1, [begun(), vec![fails(5_000, 503), next(50)]].concat())
            .judged(1),
        after("the next trunk, since the first says nothing", 1, [begun(), vec![next(32_000)]].concat())
            .judged(1),
        after("the next trunk within 2 s, under the office's own number", 1, {
            [begun(), vec![fails(5, 503), next(1)]].concat()
        })
        .judged(1),
        after("only the trunks are seen, and the first fails", 1, {
            let taken = says(TRUNK2, PBX, 200, "l3", SITE);
            vec![trunk(PBX, TRUNK, "l2", DEAR, SITE, ""), fails(5, 503), next(1), taken]
        })
        .judged(2)
        .answered(1),
        after("a phone that tries two servers in turn, and both fail", 2, {
            let tried = |server: Ip, id: &'static str| {
                let from = "<sip:214@pbx.example>";
                [now(sip(PHONE, server, invite(id, DEAR).bytes())), says(server, PHONE, 503, id, from)]
            };
            [tried(CLOUD, "a"), tried(TRUNK, "b"), tried(CLOUD, "c")].concat()
        })
        .judged(3),
        after("only the trunks are seen, and the first is busy but not failed yet", 2, {
            vec![trunk(PBX, TRUNK, "l2", DEAR, SITE, ""), next(1_000)]
        }),
        after("the handset was told that it failed", 2, {
            [begun(), vec![fails(3_000, 503), over, next(3_000)]].concat()
        }),
        after("the first trunk rings: another handset calls", 2, {
            [begun(), vec![says(TRUNK, PBX, 180, "l2", SITE), next(5_000)]].concat()
        })
        .judged(2),
        after("a hunt group, one phone after the other", 1, {
            let ring = |ms, phone, id: &str, account: &str| {
                let ask = ask("INVITE", &format!("sip:{account}@phone"), id).caller("<sip:214@pbx>");
                in_ms(ms, now(sip(PBX, phone, ask.via(&[("10.0.0.5", &format!("z9hG4bK{id}"))]).bytes())))
            };
            let handset = handset("c1", "600", "");
            vec![handset, ring(50, PHONE2, "h1", "215"), ring(15_000, PHONE3, "h2", "216")]
        }),
    ]
}

/// A PBX of which no registration was seen sends a call elsewhere.
fn forwards() -> Vec<Case> {
    let comes_in = || trunk(TRUNK, PBX, "in", "+442079460018", CALLER, "");
    let by = "Diversion: <sip:214@pbx>;reason=unconditional\r\n";
    let history = "History-Info: <sip:214@pbx?Reason=SIP%3Bcause%3D302>;index=1\r\n";
    let out = |to: Ip, caller: &str, extra: &str| trunk(PBX, to, "fw", DEAR, caller, extra);
    let inside = |extra: &str| vec![handset("c1", "215", ""), out(TRUNK, "<sip:214@pbx>", extra)];
    let to_215 = "Diversion: <sip:215@pbx>;reason=no-answer\r\n";
    let from_cloud = ask("INVITE", "sip:214@10.0.3.17", "in").caller(CALLER);
    let lies = ask("INVITE", URI, "c1").caller(CALLER).extra("Diversion: <sip:216@pbx>\r\n");
    vec![
        after("who diverts is charged", 1, vec![comes_in(), out(TRUNK, CALLER, by)]).charged(&["214"]),
        after("the history says who", 1, vec![comes_in(), out(TRUNK, CALLER, history)]).charged(&["214"]),
        after("the office's own number as the caller", 1, vec![comes_in(), out(TRUNK, SITE, by)])
            .charged(&["214"]),
        after("nothing says who, over the same trunk", 1, vec![comes_in(), out(TRUNK, CALLER, "")])
            .judged(1)
            .charged(&["+442079460018"]),
        after("a colleague's phone gives up, and nothing says why the PBX dials then", 1, {
            let ring = ask("INVITE", "sip:215@10.0.3.18", "l2").via(&[("10.0.0.5", "z9hG4bKl2")]);
            let cancel = ask("CANCEL", "sip:215@10.0.3.18", "l2").via(&[("10.0.0.5", "z9hG4bKl2")]);
            vec![
                handset("c1", "215", ""),
                now(sip(PBX, PHONE2, ring.bytes())),
                says(PHONE2, PBX, 180, "l2", "<sip:214@x>"),
                in_ms(8_000, now(sip(PBX, PHONE2, cancel.bytes()))),
                says(PHONE2, PBX, 487, "l2", "<sip:214@x>"),
                out(TRUNK, SITE, ""),
            ]
        })
        .judged(1)
        .charged(&["215"]),
        after("an inbound call after a minute's attendant, and then out", 2, {
            let out = in_ms(60_000, out(TRUNK, SITE, by));
            vec![comes_in(), says(PBX, TRUNK, 200, "in", CALLER), out]
        })
        .charged(&["214"]),
        after("over another trunk", 1, vec![comes_in(), out(TRUNK2, CALLER, by)]).charged(&["214"]),
        after("nothing says who: whose number was called", 1, vec![comes_in(), out(TRUNK2, CALLER, "")])
            .charged(&["+442079460018"]),
        after("a colleague's forward", 1, inside(to_215)).judged(1).charged(&["215"]),
        after("a colleague's forward that nothing tells of", 1, inside("")).judged(1).charged(&["215"]),
        after("a colleague's forward after 20 s", 1, {
            let out = in_ms(20_000, out(TRUNK, SITE, to_215));
            vec![handset("c1", "215", ""), says(PBX, PHONE, 180, "c1", "<sip:214@x>"), out]
        })
        .judged(1)
        .charged(&["215"]),
        after("both legs of a forward are one answer", 1, {
            let taken =
                [says(TRUNK, PBX, 200, "fw", "<sip:214@pbx>"), says(PBX, PHONE, 200, "c1", "<sip:214@x>")];
            [inside(to_215), taken.to_vec()].concat()
        })
        .answered(1),
        after("a handset that says another diverts is charged itself", 1, {
            let call = [now(sip(CLOUD, PHONE, from_cloud.bytes())), now(sip(PHONE, CLOUD, lies.bytes()))];
            [registers("214", PHONE, CLOUD), call].concat()
        })
        .charged(&["214"]),
    ]
}

/// Several accounts at one address: an adapter with several lines, or many handsets behind it.
fn several_accounts() -> Vec<Case> {
    let at = |accounts: usize, caller: &str, username: &str| {
        let accounts = ["301", "302", "303", "304", "305", "306"][..accounts].iter();
        let proof = credentials("Authorization", "").replace("\"214\"", &format!("\"{username}\""));
        let asks = answer(401, "c1").caller(caller).far_tag("x").extra(&challenge("WWW-Authenticate", ""));
        let call = [
            now(sip(PHONE, CLOUD, invite("c1", DEAR).caller(caller).bytes())),
            now(sip(CLOUD, PHONE, asks.bytes())),
            now(sip(PHONE, CLOUD, invite("c1", DEAR).cseq(2).caller(caller).extra(&proof).bytes())),
            now(sip(CLOUD, PHONE, ok("c1").cseq(2).caller(caller).bytes())),
        ];
        accounts.flat_map(|account| registers(account, PHONE, CLOUD)).chain(call).collect::<Vec<_>>()
    };
    let hidden = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
    let line = "<sip:302@pbx.example>";
    vec![
        after("two lines, the second calls", 1, at(2, line, "302")).answered(1).charged(&["302"]),
        after("two lines, a hidden caller", 1, at(2, hidden, "302")).answered(1).charged(&["302"]),
        after("four lines, a hidden caller", 1, at(4, hidden, "303")).answered(1).charged(&["303"]),
        after("two lines, a username that is no account", 1, at(2, line, "voip77")).charged(&["302"]),
        after("six handsets, the second calls", 1, at(6, line, "302")).answered(1).charged(&["302"]),
        after("six handsets, a hidden caller", 1, at(6, hidden, "302")).answered(1).charged(&["302"]),
        after("six handsets, hidden, a username that is no account", 1, at(6, hidden, "voip77"))
            .charged(&["voip77"]),
        after("one line, a username that is no account", 1, at(1, line, "voip77")).charged(&["301"]),
    ]
}

/// A method in the wrong case that fails: 100 at once shows that it was taken for an INVITE.
fn doubted() -> Vec<Case> {
    let tried = |code: u16, early: bool, ms: i64| {
        let reply =
            |code: u16| now(sip(CLOUD, PHONE, answer(code, "c1").method("invite").far_tag("x").bytes()));
        let mut frames = vec![now(sip(PHONE, CLOUD, ask("invite", URI, "c1").bytes()))];
        frames.extend(
            early.then(|| in_ms(ms, now(sip(CLOUD, PHONE, answer(100, "c1").method("invite").bytes())))),
        );
        frames.push(reply(code));
        frames
    };
    let mut cases = vec![after("invite, 100 late, and then 404", 0, tried(404, true, 4_000))];
    for (name, code, counted) in [
        ("invite and 404", 404, 1),
        ("invite and 408", 408, 1),
        ("invite and 500", 500, 1),
        ("invite and 503", 503, 1),
        ("invite and 403", 403, 1),
        ("invite and 405", 405, 0),
        ("invite and 501", 501, 0),
        ("invite and 400", 400, 0),
    ] {
        cases.push(after(name, counted, tried(code, true, 20)).answered(0));
        cases.push(after(name, 0, tried(code, false, 0)));
    }
    cases
}
