//! What a PBX places for somebody else: after a REFER or a 302, for somebody outside who has an account's
//! password or needs none, and to every phone of a group.

use super::packets::*;
use super::talk::*;
use super::*;

/// Somebody outside; the carrier's other address.
const STRANGER: Ip = [192, 0, 2, 66];
const SITE: &str = "<sip:+442079460000@trunk>";
const THIEF: &str = "<sip:214@pbx.example>";

fn from(src: Ip, dst: Ip, ask: Ask) -> Vec<u8> {
    let host = format!("{}.{}.{}.{}", src[0], src[1], src[2], src[3]);
    sip(src, dst, ask.via(&[(&host, "z9hG4bKo")]).bytes())
}

/// The PBX dials.
fn trunk(id: &str, number: &str, caller: &str) -> Vec<u8> {
    from(PBX, TRUNK, ask("INVITE", &format!("sip:{number}@trunk"), id).caller(caller).contact("<sip:x@y>"))
}

fn says(src: Ip, dst: Ip, code: u16, id: &str, caller: &str, cseq: u32) -> Vec<u8> {
    sip(src, dst, answer(code, id).caller(caller).cseq(cseq).far_tag("t1").bytes())
}

fn registers(account: &str, phone: Ip) -> [Vec<u8>; 2] {
    registers_at(PBX, account, phone)
}

fn registers_at(pbx: Ip, account: &str, phone: Ip) -> [Vec<u8>; 2] {
    let id = format!("reg{account}");
    let me = format!("<sip:{account}@pbx.example>");
    let taken = answer(200, &id).method("REGISTER").caller(&me).to(&me).far_tag("r");
    let ask = ask("REGISTER", "sip:pbx.example", &id).caller(&me).to(&me);
    [from(phone, pbx, ask), sip(pbx, phone, taken.bytes())]
}

pub(crate) fn cases() -> Vec<Case> {
    [asked_for(), with_a_password(), without_one(), hidden(), groups()].into_iter().flatten().collect()
}

/// Two handsets, whose numbers the PBX knows.
fn in_office(parts: &[&[Vec<u8>]]) -> Vec<Vec<u8>> {
    [&registers("214", PHONE)[..], &registers("215", PHONE2), &parts.concat()].concat()
}

fn asked_for() -> Vec<Case> {
    let colleague = || from(PHONE, PBX, invite("c1", "215"));
    let refer = || {
        let to = format!("Refer-To: <sip:{DEAR}@pbx.example>\r\n");
        from(PHONE, PBX, ask("REFER", "sip:215@pbx", "c1").cseq(3).far_tag("t1").extra(&to))
    };
    let rings = || {
        let ask = ask("INVITE", "sip:215@10.0.3.18", "h1").caller(THIEF);
        from(PBX, PHONE2, ask)
    };
    let moved = || {
        let to = format!("Contact: <sip:{DEAR}@pbx.example>\r\n");
        sip(PHONE2, PBX, answer(302, "h1").caller(THIEF).far_tag("m").extra(&to).bytes())
    };
    let taken = [says(TRUNK, PBX, 200, "l2", SITE, 1), says(PBX, PHONE, 200, "c1", THIEF, 1)];
    let failed = || says(TRUNK, PBX, 503, "l2", SITE, 1);
    vec![
        case("a transfer, and the leg that the PBX makes of it", 2, {
            in_office(&[&[
                colleague(),
                says(PBX, PHONE, 200, "c1", THIEF, 1),
                refer(),
                trunk("l2", DEAR, SITE),
            ]])
        })
        .judged(1)
        .charged(&["214"]),
        case("a transfer that is answered", 2, {
            in_office(&[
                &[colleague(), says(PBX, PHONE, 200, "c1", THIEF, 1), refer(), trunk("l2", DEAR, SITE)],
                &taken[..1],
            ])
        })
        .judged(1)
        .answered(2)
        .charged(&["214"]),
        case("a transfer over the next trunk", 2, {
            in_office(&[
                &[colleague(), refer(), trunk("l2", DEAR, SITE), failed()],
                &[from(PBX, CLOUD, ask("INVITE", URI, "l3").caller(SITE))],
            ])
        })
        .judged(1)
        .charged(&["214"]),
        case("a 302, and the leg that the PBX makes of it", 1, {
            in_office(&[&[colleague(), rings(), moved(), trunk("l2", DEAR, SITE)]])
        })
        .judged(1)
        .charged(&["215"]),
        case("a 302 whose leg is answered", 1, {
            in_office(&[&[colleague(), rings(), moved(), trunk("l2", DEAR, SITE)], &taken])
        })
        .judged(1)
        .answered(1)
        .charged(&["215"]),
        case("a call that two phones forward elsewhere", 1, {
            let ring = from(PBX, PHONE3, ask("INVITE", "sip:216@10.0.3.19", "h2").caller(THIEF));
            let to = "Contact: <sip:00882160012399@pbx.example>\r\n";
            let moved_too = sip(PHONE3, PBX, answer(302, "h2").caller(THIEF).far_tag("m").extra(to).bytes());
            in_office(&[
                &registers("216", PHONE3),
                &[colleague(), rings(), ring, moved(), moved_too],
                &[trunk("l2", DEAR, SITE), trunk("l3", "00882160012399", SITE)],
            ])
        })
        .judged(1)
        .charged(&["215", "216"]),
        case("a carrier's 302 to its next gateway", 1, {
            let to = format!("Contact: <sip:{DEAR}@198.51.100.21>\r\n");
            let moved = sip(TRUNK, PBX, answer(302, "l2").caller(SITE).far_tag("m").extra(&to).bytes());
            let next = from(PBX, CLOUD, ask("INVITE", URI, "l3").caller(SITE));
            in_office(&[&[from(PHONE, PBX, invite("c1", DEAR)), trunk("l2", DEAR, SITE), moved, next]])
        })
        .judged(1)
        .charged(&["214"]),
        case("a 302, and another handset's call to the same number", 2, {
            let other = from(PHONE3, PBX, invite("c2", DEAR).caller("<sip:216@pbx.example>"));
            in_office(&[
                &[colleague(), rings(), moved(), other],
                &[trunk("l2", DEAR, SITE), trunk("l4", DEAR, "<sip:+442079460001@trunk>")],
            ])
        })
        .judged(2),
    ]
}

/// A call from outside, its challenge, and its credentials.
fn proved(id: &str, number: &str) -> Vec<Vec<u8>> {
    let again = invite(id, number).caller(THIEF).cseq(2).extra(&credentials("Authorization", ""));
    let asks = answer(401, id).caller(THIEF).far_tag("x").extra(&challenge("WWW-Authenticate", ""));
    vec![
        from(STRANGER, PBX, invite(id, number).caller(THIEF)),
        sip(PBX, STRANGER, asks.bytes()),
        from(STRANGER, PBX, again),
    ]
}

fn with_a_password() -> Vec<Case> {
    let home = "02079460234";
    let rings = |id: &str| says(PBX, STRANGER, 180, id, THIEF, 2);
    let refused = says(PBX, STRANGER, 403, "c1", THIEF, 2);
    let out = |id: &str, number: &str| trunk(id, number, SITE);
    vec![
        case(
            "through the PBX to the trunk",
            1,
            in_office(&[&proved("c1", DEAR), &[out("l2", DEAR), rings("c1")]]),
        )
        .judged(1)
        .charged(&["214"]),
        case("answered: one call, one answer", 1, {
            let taken = [says(TRUNK, PBX, 200, "l2", SITE, 1), says(PBX, STRANGER, 200, "c1", THIEF, 2)];
            in_office(&[&proved("c1", DEAR), &[out("l2", DEAR)], &taken])
        })
        .judged(1)
        .answered(1),
        case("at home", 1, in_office(&[&proved("c1", home), &[out("l2", home)]])).charged(&["214"]),
        case("a trunk that the mirror doesn't show", 1, in_office(&[&proved("c1", DEAR), &[rings("c1")]]))
            .judged(1)
            .charged(&["214"]),
        case("an account that nobody registered", 1, [proved("c1", DEAR), vec![rings("c1")]].concat())
            .judged(1)
            .charged(&["214"]),
        case("refused", 1, in_office(&[&proved("c1", DEAR), &[refused]])).judged(0).charged(&[]),
        case("a branch that proves itself, to a handset", 1, {
            let ring = from(PBX, PHONE2, ask("INVITE", "sip:215@10.0.3.18", "h1").caller(THIEF));
            in_office(&[&proved("c1", "215"), &[ring, rings("c1")]])
        })
        .judged(0)
        .charged(&[]),
        case("a branch that proves itself, to the office's own number", 1, {
            let ring = from(PBX, PHONE2, ask("INVITE", "sip:215@10.0.3.18", "h1").caller(THIEF));
            in_office(&[&proved("c1", home), &[ring, rings("c1")]])
        })
        .charged(&[]),
        case("who registered from outside is a handset", 1, {
            in_office(&[
                &registers("216", STRANGER),
                &[from(STRANGER, PBX, invite("c1", DEAR).caller("<sip:216@pbx.example>"))],
            ])
        })
        .judged(1)
        .charged(&["216"]),
    ]
}

/// Nobody says who calls: the PBX itself, for all that is known.
fn hidden() -> Vec<Case> {
    let caller = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
    vec![
        case("a trunk's call of a caller who hides", 1, in_office(&[&[trunk("l2", DEAR, caller)]]))
            .charged(&[""]),
    ]
}

fn without_one() -> Vec<Case> {
    let home = "02079460234";
    let comes = |number: &str| from(STRANGER, PBX, invite("c1", number).caller("<sip:100@192.0.2.66>"));
    vec![
        case("a PBX that lets anybody through", 1, in_office(&[&[comes(DEAR), trunk("l2", DEAR, SITE)]]))
            .judged(1),
        case("the same behind a prefix", 1, {
            in_office(&[&[comes(&format!("9{DEAR}")), trunk("l2", DEAR, SITE)]])
        })
        .judged(1),
        case(
            "a call for the office that is passed on",
            1,
            in_office(&[&[comes(home), trunk("l2", home, SITE)]]),
        )
        .charged(&[]),
        case("a call for a handset at home", 1, {
            let ring = from(PBX, STRANGER, ask("INVITE", "sip:216@192.0.2.66", "h1").caller(SITE));
            in_office(&[
                &registers("216", STRANGER),
                &[from(TRUNK, PBX, invite("c1", home).caller(SITE)), ring],
            ])
        })
        .charged(&[]),
    ]
}

/// A Cloud PBX rings several phones for one call, each with a call of its own.
fn groups() -> Vec<Case> {
    const CALLER: &str = "<sip:+447700900123@pbx.example>";
    const OTHER_CALLER: &str = "<sip:+447700900124@pbx.example>";
    let phones = [(PHONE, "214"), (PHONE2, "215"), (PHONE3, "216")];
    let at = |ms: i64, frame: Vec<u8>| (ms, frame);
    let registered = || {
        let all = phones.iter().flat_map(|(phone, account)| registers_at(CLOUD, account, *phone));
        all.map(|frame| at(20, frame)).collect::<Vec<_>>()
    };
    let ring = |ms: i64, n: usize, id: &str, caller: &str| {
        let (phone, account) = phones[n];
        at(ms, from(CLOUD, phone, ask("INVITE", &format!("sip:{account}@phone"), id).caller(caller)))
    };
    let says = |ms: i64, n: usize, code: u16, id: &str| {
        at(ms, sip(phones[n].0, CLOUD, answer(code, id).caller(CALLER).far_tag("t").bytes()))
    };
    let hidden = "<sip:anonymous@anonymous.invalid>";
    let whole = |frames: Vec<(i64, Vec<u8>)>| [registered(), frames].concat();
    vec![
        after("three phones at once, one answers", 1, {
            whole(vec![
                ring(20, 0, "g1", CALLER),
                ring(20, 1, "g2", CALLER),
                ring(20, 2, "g3", CALLER),
                says(3_000, 1, 200, "g2"),
                says(20, 0, 487, "g1"),
                says(20, 2, 487, "g3"),
            ])
        })
        .answered(1),
        after("one phone after the other", 1, {
            whole(vec![ring(20, 0, "g1", CALLER), says(9_000, 0, 487, "g1"), ring(50, 1, "g2", CALLER)])
        }),
        after(
            "two callers at once",
            2,
            whole(vec![ring(20, 0, "g1", CALLER), ring(20, 1, "g2", OTHER_CALLER)]),
        ),
        after("two who hide", 2, whole(vec![ring(20, 0, "g1", hidden), ring(20, 1, "g2", hidden)])),
        after("the same caller again", 2, {
            whole(vec![ring(20, 0, "g1", CALLER), says(9_000, 0, 486, "g1"), ring(5_000, 1, "g2", CALLER)])
        }),
        after("the same phone twice", 2, whole(vec![ring(20, 0, "g1", CALLER), ring(20, 0, "g2", CALLER)])),
    ]
}
