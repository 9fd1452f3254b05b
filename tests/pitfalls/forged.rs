//! Messages that say a costly call is a part of another one: what goes where it costs is judged all the same.

use super::packets::*;
use super::talk::*;
use super::*;

const ENEMY: Ip = [10, 0, 9, 9];
const ENEMYS: &str = "<sip:999@pbx.example>";
const OWN: &str = "<sip:214@pbx.example>";
const SITE: &str = "<sip:+442079460000@trunk>";
/// At home, with the last eight digits of `DEAR`.
const ALIKE: &str = "+442160012345";

fn from(src: Ip, dst: Ip, ask: Ask) -> Vec<u8> {
    let host = format!("{}.{}.{}.{}", src[0], src[1], src[2], src[3]);
    sip(src, dst, ask.via(&[(&host, "z9hG4bKf")]).bytes())
}

fn calls(src: Ip, dst: Ip, id: &str, number: &str, caller: &str) -> Vec<u8> {
    from(src, dst, ask("INVITE", &format!("sip:{number}@pbx.example"), id).caller(caller))
}

fn says(src: Ip, dst: Ip, code: u16, id: &str, caller: &str) -> Vec<u8> {
    sip(src, dst, answer(code, id).caller(caller).far_tag("t1").bytes())
}

pub(crate) fn cases() -> Vec<Case> {
    let refer = |to: &str| {
        let to = format!("Refer-To: <sip:{to}@pbx.example>\r\n");
        from(ENEMY, PHONE, ask("REFER", "sip:214@10.0.3.17", "r1").caller(OWN).far_tag("t1").extra(&to))
    };
    let replaces = "Replaces: ph;from-tag=fph;to-tag=t1\r\n";
    let again = |id: &str| from(PHONE, PBX, invite(id, DEAR).extra(replaces));
    let by_214 = "Diversion: <sip:214@pbx.example>;reason=unconditional\r\n";
    let trunk = |id: &str, number: &str| calls(PBX, TRUNK, id, number, SITE);
    vec![
        case("a call to the sender's address before it", 1, {
            vec![calls(ENEMY, PHONE, "ph", ALIKE, ENEMYS), from(PHONE, PBX, invite("c1", DEAR))]
        })
        .judged(1),
        case("a call whose From is the number, and Replaces", 1, {
            let phantom = calls(ENEMY, PBX, "ph", "215", &format!("<sip:{DEAR}@pbx.example>"));
            vec![phantom, again("c1"), again("c2"), again("c3")]
        })
        .judged(3),
        case("a REFER to another number", 1, {
            let calls = ["c1", "c2"].map(|id| from(PHONE, PBX, invite(id, DEAR)));
            [vec![refer("02079460018")], calls.to_vec()].concat()
        })
        .judged(2),
        case("a REFER, and the number more than once", 1, {
            vec![refer(DEAR), from(PHONE, PBX, invite("c1", DEAR)), from(PHONE, PBX, invite("c2", DEAR))]
        })
        .judged(2),
        case("one call that the PBX makes many of", 5, {
            let many = (0..5).flat_map(|n| {
                let id = format!("l{n}");
                [trunk(&id, DEAR), says(TRUNK, PBX, 200, &id, SITE)]
            });
            [from(PHONE, PBX, invite("c1", DEAR))].into_iter().chain(many).collect()
        })
        .judged(5),
        case("over three trunks, of which two fail", 1, {
            let fails = |id: &str| says(TRUNK, PBX, 503, id, SITE);
            vec![
                from(PHONE, PBX, invite("c1", DEAR)),
                trunk("l1", DEAR),
                fails("l1"),
                trunk("l2", DEAR),
                fails("l2"),
                trunk("l3", DEAR),
            ]
        })
        .judged(1),
        case("six digits that many numbers end in", 1, {
            vec![from(PHONE, PBX, invite("c1", "012345")), trunk("l1", DEAR)]
        })
        .judged(1),
        case("a short number that a forward goes to", 1, {
            let comes = calls(TRUNK, PBX, "in", "02079460018", "<sip:+447700900123@trunk>");
            let ask = ask("INVITE", "sip:118118@trunk", "fw").caller("<sip:+447700900123@trunk>");
            vec![comes, from(PBX, CLOUD, ask.extra(by_214))]
        })
        .numbers(&["+442079460018", ""]),
        case("another's call that was cancelled just before", 2, {
            let comes = calls(TRUNK, PBX, "in", "02079460018", "<sip:+447700900123@trunk>");
            let rings = calls(PBX, PHONE, "h1", "214", "<sip:+447700900123@trunk>");
            let over = sip(PHONE, PBX, answer(487, "h1").far_tag("t").bytes());
            vec![comes, rings, over, calls(PBX, TRUNK, "l1", DEAR, "<sip:220@pbx.example>")]
        })
        .judged(1)
        .charged(&["220"]),
    ]
}
