//! Calls that something about them leaves in doubt: the method's case, a To-tag of nobody's, two that
//! answer, credentials under other tags, whoever is to dial after a REFER.

use super::packets::*;
use super::talk::*;
use super::*;

type Heard = (i64, Vec<u8>);

fn now(frame: Vec<u8>) -> Heard {
    (20, frame)
}

fn in_s(seconds: i64, heard: Heard) -> Heard {
    (seconds * 1_000, heard.1)
}

fn q(ask: Ask) -> Heard {
    now(sip(PHONE, CLOUD, ask.bytes()))
}

fn r(answer: Answer) -> Heard {
    now(sip(CLOUD, PHONE, answer.bytes()))
}

/// Nothing for so long.
fn silence(seconds: i64) -> Heard {
    in_s(seconds, now(sip(PHONE, CLOUD, b"\r\n\r\n")))
}

pub(crate) fn cases() -> Vec<Case> {
    [
        wrong_case(),
        wrong_case_on_the_way(),
        fakes(),
        two_answers(),
        credentials_elsewhere(),
        transfers(),
        short(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What Kamailio 5.6 makes of `invite`: it passes it on as it is, and the answers say `CSeq: 1 invite`.
fn wrong_case() -> Vec<Case> {
    let invite = |cseq| q(ask("invite", URI, "c1").cseq(cseq));
    let says = |code| r(answer(code, "c1").method("invite").far_tag("t1"));
    let bye = |method| in_s(30, q(ask(method, URI, "c1").cseq(2).far_tag("t1")));
    vec![
        after("invite alone", 0, vec![invite(1), silence(100), silence(300)]),
        after("invite, and only a hop says 100", 0, vec![invite(1), says(100), silence(100), silence(300)]),
        after("invite that is refused", 0, vec![invite(1), says(405), silence(400)]),
        after("invite that nobody may send", 0, vec![invite(1), says(401), silence(400)]),
        after("invite that rings", 1, vec![invite(1), says(100), says(180)]).dear().answered(0),
        after("invite to somebody who is busy", 1, vec![invite(1), says(486)]).dear().answered(0),
        after("invite that is answered, and bye", 1, vec![invite(1), says(180), says(200), bye("bye")])
            .dear()
            .answered(1)
            .talked(&[30]),
        after("Invite that is answered at once", 1, {
            vec![q(ask("Invite", URI, "c1")), r(ok("c1")), bye("BYE")]
        })
        .dear()
        .answered(1)
        .talked(&[30]),
        after("invite again with credentials, and cancel", 1, {
            let cancel = q(ask("cancel", URI, "c1").cseq(2));
            let over = r(answer(487, "c1").cseq(2).method("invite").far_tag("t1"));
            let rings = r(answer(183, "c1").cseq(2).method("invite").far_tag("t1"));
            vec![invite(1), says(407), invite(2), rings, in_s(5, cancel), over]
        })
        .dear()
        .answered(0),
        after("invite, and then as it should be", 1, {
            vec![invite(1), q(ask("INVITE", URI, "c1")), r(ok("c1"))]
        })
        .dear()
        .answered(1),
        after("invite with a fake To-tag", 1, {
            vec![q(ask("invite", URI, "c1").far_tag("fake")), r(ok("c1").method("invite").far_tag("fake"))]
        })
        .dear()
        .answered(1),
        after("invite to two numbers under one Call-ID", 2, {
            let other = format!("sip:{OTHER}@pbx.example");
            let busy = |cseq| r(answer(486, "c1").cseq(cseq).method("invite").far_tag("b"));
            vec![invite(1), busy(1), q(ask("invite", &other, "c1").cseq(2)), busy(2)]
        })
        .numbers(&[DEAR_E164, OTHER_E164]),
    ]
}

const PHONE_VIA: (&str, &str) = ("10.0.3.17:5060", "z9hG4bKa");
const PBX_VIA: (&str, &str) = ("10.0.0.5:5060", "z9hG4bKb");

fn wrong_case_on_the_way() -> Vec<Case> {
    let near = || now(sip(PHONE, PBX, ask("invite", URI, "c1").via(&[PHONE_VIA]).bytes()));
    let far = || now(sip(PBX, TRUNK, ask("invite", URI, "c1").via(&[PBX_VIA, PHONE_VIA]).bytes()));
    let taken =
        |src, dst, vias: &[(&str, &str)]| now(sip(src, dst, ok("c1").method("invite").via(vias).bytes()));
    let answers = || [taken(TRUNK, PBX, &[PBX_VIA, PHONE_VIA]), taken(PBX, PHONE, &[PHONE_VIA])];
    let twice = |heard: Heard| [heard.clone(), (0, tagged(&heard.1, 5))];
    vec![
        after("invite through a proxy", 1, [vec![near(), far()], answers().to_vec()].concat())
            .dear()
            .answered(1),
        after("invite through a proxy, the far hop first", 1, {
            [vec![far(), near()], answers().to_vec()].concat()
        })
        .dear()
        .answered(1),
        after("invite and its answer, each twice", 1, {
            [near(), taken(PBX, PHONE, &[PHONE_VIA])].into_iter().flat_map(twice).collect()
        })
        .dear()
        .answered(1),
        case("invite on a stream between others", 2, {
            let other = invite("c2", OTHER).bytes();
            let text = [ask("OPTIONS", URI, "o").bytes(), ask("invite", URI, "c1").bytes(), other].concat();
            let taken = ok("c1").method("invite").bytes();
            vec![
                segment((PHONE, 40_000), (CLOUD, 5060), 1_000, &text),
                segment((CLOUD, 5060), (PHONE, 40_000), 1, &taken),
            ]
        })
        .numbers(&[OTHER_E164, DEAR_E164])
        .answered(1),
    ]
}

fn fakes() -> Vec<Case> {
    let fake = || q(invite("c1", DEAR).far_tag("fake"));
    let bye = in_s(30, q(ask("BYE", URI, "c1").cseq(2).far_tag("fake")));
    vec![
        after("a fake To-tag that is answered at once", 1, {
            vec![fake(), r(answer(100, "c1")), r(answer(200, "c1").far_tag("fake")), bye]
        })
        .dear()
        .answered(1)
        .talked(&[30]),
        after("a fake To-tag, and who is called is busy", 1, {
            vec![fake(), r(answer(486, "c1").far_tag("fake")), silence(400)]
        })
        .dear()
        .answered(0),
    ]
}

/// Both forks answer (RFC 3261 section 13.2.2.4): two dialogs, one call until the last of them ends.
fn two_answers() -> Vec<Case> {
    let up = |frames: Vec<Heard>| {
        let taken = ["ta", "tb"].map(|tag| r(answer(200, "c1").far_tag(tag)));
        [vec![q(invite("c1", DEAR))], taken.to_vec(), frames].concat()
    };
    let bye = |seconds, cseq, tag| in_s(seconds, q(ask("BYE", URI, "c1").cseq(cseq).far_tag(tag)));
    let far = "<sip:00882160012345@pbx.example>";
    let near = "<sip:214@pbx.example>";
    let back = |method: &str, cseq| {
        let ask = ask(method, "sip:214@10.0.3.17", "c1").cseq(cseq).caller(far).tag("ta");
        in_s(5, now(sip(CLOUD, PHONE, ask.to(near).far_tag("fc1").bytes())))
    };
    let back_ok = now(sip(
        PHONE,
        CLOUD,
        answer(200, "c1").cseq(7).caller(far).tag("ta").to(near).far_tag("fc1").bytes(),
    ));
    vec![
        after("two answer, the second is hung up at once", 1, up(vec![bye(0, 2, "tb"), bye(60, 3, "ta")]))
            .answered(1)
            .talked(&[60]),
        after("two answer, the first is hung up before", 1, {
            up(vec![bye(10, 2, "ta"), (0, tagged(&bye(0, 2, "ta").1, 5)), bye(50, 3, "tb")])
        })
        .answered(1)
        .talked(&[60]),
        after("the callee's own re-INVITE makes no second one", 1, {
            let taken = r(answer(200, "c1").far_tag("ta"));
            vec![q(invite("c1", DEAR)), taken, back("INVITE", 7), back_ok, back("BYE", 8)]
        })
        .answered(1)
        .talked(&[10]),
    ]
}

/// Devices that send their credentials under another tag, or another Call-ID.
fn credentials_elsewhere() -> Vec<Case> {
    let asks = |id: &str, tag: &str| {
        r(answer(401, id).tag(tag).far_tag("x").extra(&challenge("WWW-Authenticate", "")))
    };
    let proof = credentials("Authorization", "");
    let shown = |id: &str, tag: &str, cseq| q(invite(id, DEAR).tag(tag).cseq(cseq).extra(&proof));
    let first = |id: &str, tag: &str| q(invite(id, DEAR).tag(tag));
    vec![
        after("credentials under another tag", 1, {
            vec![first("c1", "a"), asks("c1", "a"), shown("c1", "b", 2), r(ok("c1").cseq(2).tag("b"))]
        })
        .dear()
        .answered(1),
        after("credentials under another Call-ID, and a call after it", 2, {
            let bye = in_s(3, q(ask("BYE", URI, "c2").tag("b").cseq(2).far_tag("t1")));
            let taken = |id: &str, tag: &str| r(ok(id).tag(tag));
            let frames = vec![first("c1", "a"), asks("c1", "a"), shown("c2", "b", 1), taken("c2", "b"), bye];
            [frames, vec![shown("c3", "c", 1), taken("c3", "c")]].concat()
        })
        .answered(2),
        after("one challenge takes in one call only", 2, {
            vec![first("c1", "a"), asks("c1", "a"), shown("c2", "b", 1), shown("c3", "c", 1)]
        }),
        after("credentials long after the challenge", 2, {
            vec![first("c1", "a"), asks("c1", "a"), in_s(11, shown("c2", "b", 1))]
        }),
    ]
}

/// A REFER that a proxy passes on to the colleague whose phone then dials.
fn transfers() -> Vec<Case> {
    let to = format!("Refer-To: <{URI}>\r\n");
    let refer = |src, dst, vias: &[(&str, &str)]| {
        now(sip(
            src,
            dst,
            ask("REFER", "sip:215@pbx", "c1").cseq(2).far_tag("t1").via(vias).extra(&to).bytes(),
        ))
    };
    let dials = ask("INVITE", URI, "n1").caller("<sip:215@pbx.example>").via(&[("10.0.3.18", "z9hG4bKn")]);
    vec![after("a transfer that the colleague's phone dials", 2, {
        vec![
            now(sip(PHONE, PBX, invite("c1", "215").via(&[PHONE_VIA]).bytes())),
            now(sip(PBX, PHONE, ok("c1").via(&[PHONE_VIA]).bytes())),
            in_s(5, refer(PHONE, PBX, &[PHONE_VIA])),
            refer(PBX, PHONE2, &[PBX_VIA, PHONE_VIA]),
            (200, sip(PHONE2, PBX, dials.bytes())),
        ]
    })]
}

/// A proxy forwards to a number of few digits, 118118 being directory enquiries in the United Kingdom.
fn short() -> Vec<Case> {
    let passed = |called: &str, dst: Ip, on: &str| {
        let second = ask("INVITE", &format!("sip:{on}@there"), "c1").via(&[PBX_VIA, PHONE_VIA]);
        vec![
            now(sip(PHONE, PBX, invite("c1", called).via(&[PHONE_VIA]).bytes())),
            now(sip(PBX, dst, second.bytes())),
        ]
    };
    vec![
        after("a forward to a dear short number", 1, passed("215", TRUNK, "118118")).numbers(&["", ""]),
        after("an extension's other number in the office", 1, passed("215", PHONE2, "100")).numbers(&[""]),
        after("the outside line's digit comes off", 1, passed("9118", TRUNK, "118")).numbers(&[""]),
        after("what no plan has is no forward", 1, passed("215", TRUNK, "123456")).numbers(&[""]),
    ]
}
