//! What is one call, and what is another.

use super::packets::*;
use super::talk::*;
use super::*;

type Heard = (i64, Vec<u8>);

/// 20 ms later.
fn now(frame: Vec<u8>) -> Heard {
    (20, frame)
}

/// From the phone to its PBX in the cloud.
fn q(ask: Ask) -> Heard {
    now(sip(PHONE, CLOUD, ask.bytes()))
}

/// Back to it.
fn r(answer: Answer) -> Heard {
    now(sip(CLOUD, PHONE, answer.bytes()))
}

/// The same, so many seconds later.
fn in_s(seconds: i64, heard: Heard) -> Heard {
    (seconds * 1_000, heard.1)
}

fn first() -> Heard {
    now(sip(PHONE, CLOUD, dear()))
}

/// A request of the phone's within the dialog.
fn within(method: &str, cseq: u32) -> Ask {
    ask(method, URI, "c1").cseq(cseq).far_tag("t1")
}

fn up() -> Vec<Heard> {
    vec![first(), r(ok("c1")), q(within("ACK", 1))]
}

const FAR: &str = "<sip:00882160012345@pbx.example>";
const NEAR: &str = "\"Desk\" <sip:214@pbx.example>";

/// A request of the far end's.
fn back(method: &str, cseq: u32) -> Heard {
    let branch = format!("z9hG4bKback{cseq}");
    let ask =
        ask(method, "sip:214@10.0.3.17:5060", "c1").cseq(cseq).caller(FAR).tag("t1").to(NEAR).far_tag("fc1");
    now(sip(CLOUD, PHONE, ask.via(&[("203.0.113.10:5060", &branch)]).bytes()))
}

/// The phone's answer to it.
fn back_answer(code: u16, cseq: u32) -> Heard {
    let branch = format!("z9hG4bKback{cseq}");
    let answer = answer(code, "c1").cseq(cseq).caller(FAR).tag("t1").to(NEAR).far_tag("fc1");
    now(sip(PHONE, CLOUD, answer.via(&[("203.0.113.10:5060", &branch)]).bytes()))
}

fn chain(parts: &[&[Heard]]) -> Vec<Heard> {
    parts.concat()
}

pub(crate) fn cases() -> Vec<Case> {
    [dialogs(), retries(), hops(), borders(), legs(), overlap(), transfers(), forwards(), hiding(), blind()]
        .into_iter()
        .flatten()
        .collect()
}

fn dialogs() -> Vec<Case> {
    let early = answer(183, "c1").far_tag("t1").extra("Require: 100rel\r\nRSeq: 1\r\n").body(SDP);
    let rings = || r(answer(180, "c1").far_tag("t1"));
    let of = |method: &str, cseq| r(ok("c1").method(method).cseq(cseq));
    let copies = [0, 500, 1_000, 2_000, 4_000, 8_000, 16_000].map(|ms| (ms, first().1));
    let gateway = ask("INVITE", "sip:gw7@198.51.100.77:5080", "c1").cseq(2).far_tag("t1").to(FAR).body(SDP);
    vec![
        after("sent seven times", 1, copies.to_vec()).dear(),
        after(
            "early media, PRACK, UPDATE",
            1,
            vec![
                first(),
                r(answer(100, "c1")),
                r(early),
                q(within("PRACK", 2).extra("RAck: 1 1 INVITE\r\n")),
                of("PRACK", 2),
                q(within("UPDATE", 3).body(SDP)),
                of("UPDATE", 3),
                in_s(3, rings()),
                in_s(3, r(ok("c1"))),
                q(within("ACK", 1)),
                in_s(30, q(within("BYE", 4))),
                of("BYE", 4),
            ],
        )
        .dear()
        .answered(1),
        after(
            "re-INVITEs of both ends",
            1,
            chain(&[
                &up(),
                &[
                    in_s(5, q(within("INVITE", 2).body(SDP))),
                    r(ok("c1").cseq(2)),
                    in_s(5, back("INVITE", 7)),
                    back_answer(200, 7),
                    in_s(5, back("INVITE", 8)),
                    in_s(5, q(within("BYE", 3))),
                ],
            ]),
        )
        .dear()
        .answered(1),
        after(
            "a re-INVITE to the far end's own address",
            1,
            chain(&[&up(), &[in_s(5, q(gateway)), r(ok("c1").cseq(2))]]),
        )
        .dear()
        .answered(1),
        after(
            "both ends re-INVITE at once",
            1,
            chain(&[
                &up(),
                &[
                    in_s(5, q(within("INVITE", 2))),
                    back("INVITE", 7),
                    r(answer(491, "c1").cseq(2).far_tag("t1")),
                    back_answer(491, 7),
                    in_s(2, q(within("INVITE", 3))),
                    r(ok("c1").cseq(3)),
                    in_s(2, back("INVITE", 8)),
                    back_answer(200, 8),
                ],
            ]),
        )
        .dear()
        .answered(1),
        after(
            "answered while it is cancelled",
            1,
            vec![
                first(),
                rings(),
                in_s(3, q(ask("CANCEL", URI, "c1"))),
                r(ok("c1")),
                of("CANCEL", 1),
                q(within("ACK", 1)),
                q(within("BYE", 2)),
            ],
        )
        .dear()
        .answered(1),
        after(
            "cancelled",
            1,
            vec![
                first(),
                rings(),
                in_s(3, q(ask("CANCEL", URI, "c1"))),
                of("CANCEL", 1),
                r(answer(487, "c1").far_tag("t1")),
                q(within("ACK", 1)),
            ],
        )
        .dear()
        .answered(0),
    ]
}

fn retries() -> Vec<Case> {
    let refused =
        |code, cseq, tag: &str, extra: &str| r(answer(code, "c1").cseq(cseq).far_tag(tag).extra(extra));
    let again = |cseq, extra: &str| q(invite("c1", DEAR).cseq(cseq).extra(extra));
    let (www, proxy) = (challenge("WWW-Authenticate", ""), challenge("Proxy-Authenticate", ""));
    let (one, other) = (credentials("Authorization", ""), credentials("Proxy-Authorization", ""));
    let mut cases = vec![
        after(
            "asked for credentials by two, and for new ones",
            1,
            vec![
                first(),
                refused(401, 1, "x", &www),
                q(ask("ACK", URI, "c1").far_tag("x")),
                again(2, &one),
                refused(407, 2, "y", &proxy),
                q(ask("ACK", URI, "c1").cseq(2).far_tag("y")),
                again(3, &format!("{one}{other}")),
                refused(407, 3, "z", &challenge("Proxy-Authenticate", "2")),
                again(4, &credentials("Proxy-Authorization", "2")),
                r(ok("c1").cseq(4)),
            ],
        )
        .dear()
        .answered(1),
        after(
            "a device that keeps the challenge's To-tag",
            1,
            vec![
                first(),
                refused(407, 1, "y", &proxy),
                q(invite("c1", DEAR).cseq(2).far_tag("y").extra(&other)),
                r(ok("c1").cseq(2).far_tag("z")),
            ],
        )
        .dear()
        .answered(1),
        after("503, and the next server", 1, {
            let next = [203, 0, 113, 11];
            let again = invite("c1", DEAR).via(&[("10.0.3.17:5060", "z9hG4bKother")]).bytes();
            vec![
                first(),
                refused(503, 1, "y", ""),
                now(sip(PHONE, next, again)),
                now(sip(next, PHONE, ok("c1").bytes())),
            ]
        })
        .dear()
        .answered(1),
        after("busy, and dialled again", 2, {
            let again = invite("c9", DEAR);
            vec![first(), refused(486, 1, "y", ""), in_s(20, q(again)), r(answer(486, "c9").far_tag("y"))]
        }),
        after("moved to another number", 1, {
            let moved = "Contact: <sip:00882160077777@gw.example>\r\n";
            let there = ask("INVITE", "sip:00882160077777@gw.example", "c1").cseq(2);
            vec![first(), refused(302, 1, "y", moved), q(within("ACK", 1)), q(there), r(ok("c1").cseq(2))]
        })
        .answered(1),
        after("503 and the same again much later under the same Call-ID", 2, {
            vec![first(), refused(503, 1, "y", ""), in_s(30, again(2, "")), r(ok("c1").cseq(2))]
        })
        .answered(1),
    ];
    let retried = [
        ("422", 422u16),
        ("423", 423),
        ("488", 488),
        ("494", 494),
        ("415", 415),
        ("420", 420),
        ("300", 300),
        ("413", 413),
        ("416", 416),
        ("421", 421),
        ("414", 414),
        ("417", 417),
        ("428", 428),
        ("429", 429),
        ("433", 433),
        ("436", 436),
        ("438", 438),
        ("580", 580),
        ("606", 606),
    ];
    cases.extend(retried.map(|(name, code)| {
        let frames = vec![
            first(),
            refused(code, 1, "y", ""),
            q(ask("ACK", URI, "c1").far_tag("y")),
            again(2, ""),
            r(ok("c1").cseq(2)),
        ];
        after(name, 1, frames).dear().answered(1)
    }));
    cases
}

const PHONE_VIA: (&str, &str) = ("10.0.3.17:5060", "z9hG4bKa");
const ONE: (&str, &str) = ("10.0.0.5:5060", "z9hG4bKb1");
const TWO: (&str, &str) = ("10.0.0.5:5060", "z9hG4bKb2");

fn from_phone(number: &str) -> Heard {
    now(sip(PHONE, PBX, invite("c1", number).via(&[PHONE_VIA]).bytes()))
}

/// The PBX passes it on.
fn on(to: Ip, uri: &str, vias: &[(&str, &str)], called: &str) -> Heard {
    now(sip(PBX, to, ask("INVITE", uri, "c1").via(vias).to(called).bytes()))
}

fn hops() -> Vec<Case> {
    let called = "<sip:215@pbx.example>";
    let rings = |src, dst, tag: &str, vias: &[(&str, &str)]| {
        now(sip(src, dst, answer(180, "c1").to(called).far_tag(tag).via(vias).bytes()))
    };
    let taken = |src, dst, tag: &str, vias: &[(&str, &str)]| {
        now(sip(src, dst, answer(200, "c1").to(called).far_tag(tag).via(vias).bytes()))
    };
    let (left, right) = ([ONE, PHONE_VIA], [TWO, PHONE_VIA]);
    let fork = vec![
        from_phone("215"),
        on(PHONE2, "sip:215@10.0.3.18:5060", &left, called),
        on(PHONE3, "sip:215@10.0.3.19:5060", &right, called),
        rings(PHONE2, PBX, "p2", &left),
        rings(PHONE3, PBX, "p3", &right),
        rings(PBX, PHONE, "p2", &[PHONE_VIA]),
        in_s(3, taken(PHONE2, PBX, "p2", &left)),
        taken(PBX, PHONE, "p2", &[PHONE_VIA]),
        now(sip(PBX, PHONE3, ask("CANCEL", "sip:215@10.0.3.19:5060", "c1").via(&[TWO]).to(called).bytes())),
        now(sip(PHONE3, PBX, answer(487, "c1").to(called).far_tag("p3").via(&right).bytes())),
    ];
    let both = chain(&[&fork, &[taken(PHONE3, PBX, "p3", &right)]]);
    let trunk = on(TRUNK, "sip:+882160012345@trunk", &left, FAR).1;
    let phone = from_phone(DEAR).1;
    let hop = [phone.clone(), tagged(&phone, 5), trunk.clone(), tagged(&trunk, 6)];
    let turned = [2usize, 0, 3, 1].map(|i| hop[i].clone());
    let there = [("203.0.113.10", "z9hG4bKs"), ONE, PHONE_VIA];
    let again = [("10.0.0.5", "z9hG4bKs2"), ("203.0.113.10", "z9hG4bKs"), ONE, PHONE_VIA];
    vec![
        after("forked to two phones, one answers", 1, fork).answered(1),
        after("forked to two phones, both answer", 1, both).answered(1),
        case("two hops, each twice", 1, hop.to_vec()).dear(),
        case("two hops in the wrong order, each twice", 1, turned.to_vec()),
        after(
            "a spiral",
            1,
            vec![
                from_phone(DEAR),
                on(CLOUD, URI, &left, FAR),
                now(sip(
                    CLOUD,
                    PBX,
                    ask("INVITE", "sip:gw+882160012345@pbx", "c1").via(&there).to(FAR).bytes(),
                )),
                on(TRUNK, "sip:882160012345@tr", &again, FAR),
            ],
        ),
        after("a loop until the hops are used up", 1, {
            let mut vias = vec![PHONE_VIA];
            let mut frames = vec![from_phone(DEAR)];
            for branch in ["z9hG4bK01", "z9hG4bK02", "z9hG4bK03", "z9hG4bK04", "z9hG4bK05", "z9hG4bK06"] {
                vias.insert(0, ("10.0.0.5:5060", branch));
                let (src, dst) = if vias.len() % 2 == 0 { (PBX, CLOUD) } else { (CLOUD, PBX) };
                frames.push(now(sip(src, dst, invite("c1", DEAR).via(&vias).bytes())));
            }
            frames.push(now(sip(PBX, PHONE, answer(483, "c1").far_tag("l").via(&[PHONE_VIA]).bytes())));
            frames
        })
        .dear()
        .answered(0),
    ]
}

/// Session border controllers that hide what is behind them (RFC 5853 section 3.1): no Via but their own.
fn borders() -> Vec<Case> {
    let own = [("10.0.0.5:5060", "z9hG4bKsbc")];
    let hidden = |number: &str, id: &str, tag: &str, from: &str| {
        let ask = ask("INVITE", &format!("sip:{number}@trunk"), id).tag(tag).caller(from).to(FAR).via(&own);
        now(sip(PBX, TRUNK, ask.contact("<sip:10.0.0.5:5060>").bytes()))
    };
    let answers = |id: &str, tag: &str| {
        let inside = answer(200, "c1").far_tag("in").via(&[PHONE_VIA]).bytes();
        let outside = answer(200, id).tag(tag).far_tag("out").via(&own).bytes();
        [now(sip(TRUNK, PBX, outside)), now(sip(PBX, PHONE, inside))]
    };
    let whole = |second: Heard, id: &str, tag: &str| chain(&[&[from_phone(DEAR), second], &answers(id, tag)]);
    vec![
        after("Call-ID and tag stay, the number in another form", 1, {
            whole(hidden("+882160012345", "c1", "fc1", NEAR), "c1", "fc1")
        })
        .dear()
        .answered(1),
        after("everything stays but Via", 1, whole(hidden(DEAR, "c1", "fc1", NEAR), "c1", "fc1"))
            .dear()
            .answered(1),
        after("the trunk's side is seen first", 1, {
            vec![hidden("+882160012345", "c1", "fc1", NEAR), from_phone(DEAR)]
        }),
        after("another tag under the same Call-ID", 1, {
            whole(hidden("+882160012345", "c1", "sbc", NEAR), "c1", "sbc")
        })
        .answered(1),
        after("everything is new but the number", 1, {
            whole(hidden("+882160012345", "sbc-1", "sbc", "<sip:+442079460000@trunk>"), "sbc-1", "sbc")
        })
        .answered(1),
        after("everything is new, and the number has a carrier's prefix", 1, {
            whole(
                hidden("99882160012345", "sbc-1", "sbc", "<sip:anonymous@anonymous.invalid>"),
                "sbc-1",
                "sbc",
            )
        })
        .answered(1),
        after("sent twice on both sides", 1, {
            let second = hidden("+882160012345", "c1", "fc1", NEAR);
            vec![from_phone(DEAR), second.clone(), (500, from_phone(DEAR).1), (500, second.1)]
        })
        .dear(),
        after("two calls of one handset at once through it", 2, {
            let other = invite("c2", OTHER).via(&[("10.0.3.17:5060", "z9hG4bKc2")]);
            let second = ask("INVITE", "sip:+882160077777@trunk", "sbc-2")
                .tag("sbc2")
                .via(&[("10.0.0.5", "z9hG4bKs2")]);
            vec![
                from_phone(DEAR),
                now(sip(PHONE, PBX, other.bytes())),
                hidden("+882160012345", "sbc-1", "sbc", "<sip:+442079460000@trunk>"),
                now(sip(PBX, TRUNK, second.caller("<sip:+442079460000@trunk>").bytes())),
            ]
        }),
    ]
}

/// The PBX's own INVITE to the carrier.
fn dials(id: &str, number: &str, from: &str) -> Heard {
    let branch = format!("z9hG4bK{id}");
    let ask = ask("INVITE", &format!("sip:{number}@trunk"), id).caller(from).via(&[("10.0.0.5", &branch)]);
    now(sip(PBX, TRUNK, ask.contact("<sip:10.0.0.5>").bytes()))
}

fn legs() -> Vec<Case> {
    let site = "<sip:+442079460000@trunk>";
    let caller = "<sip:+447700900123@trunk>";
    let comes_in =
        ask("INVITE", "sip:+442079460018@pbx", "in1").caller(caller).via(&[("198.51.100.20", "z9hG4bKin")]);
    let comes_in = now(sip(TRUNK, PBX, comes_in.contact("<sip:198.51.100.20>").bytes()));
    let rings = [(PHONE, "214"), (PHONE2, "215"), (PHONE3, "216")].map(|(phone, account)| {
        let branch = format!("z9hG4bKl{account}");
        let ask = ask("INVITE", &format!("sip:{account}@10.0.3.1"), &format!("leg{account}"));
        let ask =
            ask.caller("<sip:+447700900123@pbx>").via(&[("10.0.0.5", &branch)]).contact("<sip:10.0.0.5>");
        (100, sip(PBX, phone, ask.bytes()))
    });
    let of = |phone: Ip, account: &str, id: &str, host: &str| {
        let from = format!("<sip:{account}@pbx.example>");
        now(sip(phone, PBX, invite(id, DEAR).caller(&from).via(&[(host, &format!("z9hG4bK{id}"))]).bytes()))
    };
    vec![
        after(
            "a handset's leg and the trunk's",
            1,
            vec![
                now(sip(PHONE, PBX, invite("leg1", "900882160012345").bytes())),
                (200, dials("leg2", DEAR, site).1),
                now(sip(TRUNK, PBX, ok("leg2").caller(site).bytes())),
                now(sip(PBX, PHONE, ok("leg1").bytes())),
            ],
        )
        .answered(1),
        after("a call that comes in and rings three phones", 1, chain(&[&[comes_in], &rings])),
        after(
            "two handsets call one number at once",
            2,
            vec![
                of(PHONE, "214", "ha", "10.0.3.17"),
                of(PHONE2, "215", "hb", "10.0.3.18"),
                (100, dials("ta", DEAR, "<sip:214@pbx.example>").1),
                (50, dials("tb", DEAR, "<sip:215@pbx.example>").1),
            ],
        ),
        after("the PBX rings a phone and then dials for it (click to dial)", 2, {
            let ring = ask("INVITE", "sip:214@10.0.3.17", "cc1").caller("<sip:00882160012345@pbx.example>");
            let ring = ring.via(&[("10.0.0.5", "z9hG4bKcc")]).contact("<sip:10.0.0.5>");
            let taken = ok("cc1").caller("<sip:00882160012345@pbx.example>").to("<sip:214@pbx.example>");
            vec![
                now(sip(PBX, PHONE, ring.bytes())),
                now(sip(PHONE, PBX, taken.via(&[("10.0.0.5", "z9hG4bKcc")]).bytes())),
                (500, dials("cc2", DEAR, "<sip:214@pbx.example>").1),
            ]
        }),
    ]
}

fn overlap() -> Vec<Case> {
    let digits = ["0088", "0088216", "00882160", DEAR];
    let dialled = |ids: [&'static str; 4], counts: bool, tag: Option<&str>| {
        let mut frames = Vec::new();
        for (i, number) in (0u32..).zip(digits) {
            let id = ids[i as usize];
            let cseq = if counts { i + 1 } else { 1 };
            let mut ask = invite(id, number).cseq(cseq).to("<sip:x@y>");
            let mut more = answer(484, id).cseq(cseq).far_tag(&format!("e{i}"));
            if let Some(tag) = tag {
                (ask, more) = (ask.tag(tag), more.tag(tag));
            }
            frames.push(q(ask));
            if number != DEAR {
                frames.push(r(more));
            }
        }
        frames
    };
    vec![
        after("overlap dialling", 1, dialled(["c1"; 4], true, None)),
        after("overlap dialling with a tag of its own", 1, dialled(["c1"; 4], true, Some("same"))),
    ]
}

fn refer(cseq: u32, extra: &str) -> Heard {
    now(sip(PHONE, PBX, ask("REFER", "sip:215@pbx", "c1").cseq(cseq).far_tag("t1").extra(extra).bytes()))
}

fn transfers() -> Vec<Case> {
    let to = format!("Refer-To: <{URI}>\r\n");
    let short = format!("r: <{URI}>\r\n");
    let colleague =
        || [now(sip(PHONE, PBX, invite("c1", "215").bytes())), now(sip(PBX, PHONE, ok("c1").bytes()))];
    let says = |code, cseq| {
        now(sip(PBX, PHONE, answer(code, "c1").cseq(cseq).method("REFER").far_tag("t1").bytes()))
    };
    let blind = [in_s(5, refer(2, &to)), says(202, 2), (100, dials("xfer", DEAR, "<sip:214@pbx.example>").1)];
    let asked = [
        refer(2, &short),
        refer(2, &short),
        refer(2, &short),
        says(407, 2),
        refer(3, &format!("{to}{}", credentials("Proxy-Authorization", ""))),
    ];
    let first = |id: &str, number: &str| now(sip(PHONE, PBX, invite(id, number).bytes()));
    let taken = |id: &str, tag: &str| now(sip(PBX, PHONE, answer(200, id).far_tag(tag).bytes()));
    let joins = format!("Refer-To: <sip:{DEAR}@pbx?Replaces=A2%3Bto-tag%3Dtb%3Bfrom-tag%3DfA2>\r\n");
    let joins = ask("REFER", "sip:215@pbx", "A1").cseq(2).far_tag("ta").extra(&joins);
    let picks = ask("INVITE", "sip:215@pbx", "B1").caller("<sip:216@pbx>").via(&[("10.0.3.18", "z9hG4bKB1")]);
    let picks = picks.extra("Replaces: A1;to-tag=ta;from-tag=fA1;early-only\r\n");
    vec![
        after("a blind transfer, and what the PBX dials for it", 2, chain(&[&colleague(), &blind])),
        after("a REFER that is sent again, and then with credentials", 2, chain(&[&colleague(), &asked])),
        after(
            "an attended transfer",
            2,
            vec![
                first("A1", "215"),
                taken("A1", "ta"),
                in_s(5, first("A2", DEAR)),
                taken("A2", "tb"),
                in_s(5, now(sip(PHONE, PBX, joins.bytes()))),
            ],
        )
        .answered(2),
        after(
            "a call that a colleague picks up",
            1,
            vec![
                first("A1", "215"),
                now(sip(PBX, PHONE, answer(180, "A1").far_tag("ta").bytes())),
                in_s(3, now(sip(PHONE2, PBX, picks.bytes()))),
            ],
        ),
    ]
}

/// A call that comes in, and the call out that a forward makes of it: somebody dialled once. The call out
/// costs, so it's judged.
fn forwards() -> Vec<Case> {
    const OTHER_TRUNK: Ip = [198, 51, 100, 21];
    let caller = "<sip:+447700900123@trunk>";
    let goes_out = |to: Ip, extra: &str| {
        let ask = ask("INVITE", &format!("sip:{DEAR}@trunk"), "fw").caller(caller);
        let ask = ask.via(&[("10.0.0.5", "z9hG4bKfw")]).contact("<sip:10.0.0.5>").extra(extra);
        (100, sip(PBX, to, ask.bytes()))
    };
    let comes_in = |called: &str| {
        let ask = ask("INVITE", &format!("sip:{called}@pbx"), "in1").caller(caller);
        now(sip(
            TRUNK,
            PBX,
            ask.via(&[("198.51.100.20", "z9hG4bKin")]).contact("<sip:198.51.100.20>").bytes(),
        ))
    };
    let told = now(sip(PBX, TRUNK, answer(181, "in1").caller(caller).far_tag("f").bytes()));
    let by = "Diversion: <sip:214@pbx>;reason=unconditional\r\n";
    let history = "History-Info: <sip:+442079460018@pbx>;index=1, <sip:214@pbx>;index=1.1;mp=1,\r\n \
        <sip:00882160012345@trunk;cause=302>;index=1.1.1\r\n";
    vec![
        after("the caller is told (181), the trunk's leg says who", 1, {
            vec![comes_in("+442079460018"), goes_out(TRUNK, by), told]
        })
        .judged(1),
        after("the history says who", 1, vec![comes_in("+442079460018"), goes_out(TRUNK, history)]).judged(1),
        after("out over another of the carrier's addresses", 1, {
            vec![comes_in("+442079460018"), goes_out(OTHER_TRUNK, by)]
        })
        .judged(1),
        after(
            "the same, and nothing says who",
            1,
            vec![comes_in("+442079460018"), goes_out(OTHER_TRUNK, "")],
        )
        .judged(1),
        after("the same to an extension", 1, vec![comes_in("214"), goes_out(OTHER_TRUNK, "")]).judged(1),
        after("a proxy that forwards to two at once under the same Call-ID", 1, {
            let left = [ONE, PHONE_VIA];
            let right = [TWO, PHONE_VIA];
            let frames = [
                on(TRUNK, URI, &left, "<sip:215@pbx>"),
                on(TRUNK, &URI.replace("12345", "77777"), &right, "<sip:215@pbx>"),
            ];
            [from_phone("215")].into_iter().chain(frames.clone()).chain(frames).collect()
        })
        .numbers(&["", DEAR_E164, OTHER_E164]),
        after("a speed dial that the PBX dials out", 1, {
            let from = "<sip:+442079460214@pbx.example>";
            vec![
                now(sip(PHONE, PBX, invite("c1", "*12").caller(from).bytes())),
                (100, dials("c2", DEAR, from).1),
            ]
        })
        .judged(1),
        after("181 alone is no call of its own", 1, {
            vec![first(), r(answer(181, "c1").far_tag("t1")), r(ok("c1"))]
        })
        .dear()
        .answered(1),
    ]
}

fn hiding() -> Vec<Case> {
    let fake = || q(invite("c1", DEAR).far_tag("fake"));
    let says = |code| r(answer(code, "c1").far_tag("fake"));
    let numbers = ["00882160000345", "00882160001345", "00882160002345", "00882160003345"];
    let nobody = "<sip:1@2>";
    let reused = |same: bool| -> Vec<Heard> {
        let mut frames = Vec::new();
        for (i, number) in (0u32..).zip(numbers) {
            let (cseq, tag) = (if same { 1 } else { i + 1 }, format!("q{i}"));
            let branch = format!("z9hG4bKu{i}");
            let via = [("10.0.3.17", &branch[..])];
            frames.push(q(ask("INVITE", &format!("sip:{number}@p"), "c1").cseq(cseq).to(nobody).via(&via)));
            frames.push(r(answer(200, "c1").cseq(cseq).to(nobody).far_tag(&tag).via(&via)));
            if !same {
                frames.push(in_s(5, q(ask("BYE", "sip:1@2", "c1").cseq(i + 50).to(nobody).far_tag(&tag))));
            }
        }
        frames
    };
    let again = (0u32..3).flat_map(|i| {
        let tag = format!("t{i}");
        [
            q(invite("c1", DEAR).cseq(i * 10 + 1)),
            r(answer(200, "c1").cseq(i * 10 + 1).far_tag(&tag)),
            in_s(5, q(ask("BYE", URI, "c1").cseq(i * 10 + 2).far_tag(&tag))),
        ]
    });
    let asked = vec![
        fake(),
        r(answer(407, "c1").far_tag("fake").extra(&challenge("Proxy-Authenticate", ""))),
        q(invite("c1", DEAR).cseq(2).far_tag("fake").extra(&credentials("Proxy-Authorization", ""))),
        r(ok("c1").cseq(2).far_tag("fake")),
    ];
    vec![
        after(
            "a fake To-tag that is denied",
            0,
            vec![fake(), says(481), in_s(400, now(sip(PHONE, CLOUD, b"\r\n\r\n")))],
        ),
        after("a fake To-tag that rings", 1, vec![fake(), says(180)]).dear(),
        after("a fake To-tag that is challenged", 1, asked).dear().answered(1),
        after("one Call-ID for four numbers", 4, reused(false)).answered(4),
        after("one Call-ID and CSeq for four numbers", 4, reused(true)).answered(4),
        after("one Call-ID for three calls to one number", 3, again.collect()).answered(3),
        after(
            "one Call-ID with two tags",
            2,
            vec![q(invite("c1", DEAR).tag("a")), q(invite("c1", OTHER).tag("b"))],
        ),
        after("a Call-ID that comes again after a reboot, from another port", 2, {
            let again = invite("c1", DEAR).via(&[("10.0.3.17:1024", "z9hG4bKreboot")]).bytes();
            vec![
                first(),
                r(answer(486, "c1").far_tag("x")),
                in_s(300, now(datagram((PHONE, 1024), (CLOUD, 5060), &again))),
            ]
        }),
        after("a NAT that changes the port while it is up", 1, {
            let bye = within("BYE", 2).bytes();
            chain(&[&up(), &[in_s(60, now(datagram((PHONE, 33_333), (CLOUD, 5060), &bye)))]])
        })
        .dear()
        .answered(1),
    ]
}

/// What began before the watch, and what passes somewhere else.
fn blind() -> Vec<Case> {
    vec![
        after(
            "re-INVITEs of a call from before the watch",
            0,
            vec![
                q(within("INVITE", 12).body(SDP)),
                r(answer(481, "c1").cseq(12).far_tag("t1")),
                in_s(400, now(sip(PHONE, CLOUD, b"\r\n\r\n"))),
            ],
        ),
        after(
            "answers to calls that nobody saw begin",
            0,
            vec![
                r(answer(180, "c1").far_tag("t1")),
                r(ok("c1")),
                q(within("ACK", 1)),
                in_s(9, q(within("BYE", 2))),
                r(ok("c1").cseq(2).method("BYE")),
            ],
        )
        .answered(0),
        after("requests only", 1, vec![first(), q(within("ACK", 1)), in_s(9, q(within("BYE", 2)))]).dear(),
    ]
}
