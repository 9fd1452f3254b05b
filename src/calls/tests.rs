use super::*;

/// A message as a phone or PBX would send it.
struct Sip<'a> {
    start: &'a str,
    call_id: &'a str,
    from: &'a str,
    from_tag: &'a str,
    to_tag: &'a str,
    cseq: u32,
    method: &'a str,
    extra: &'a str,
    vias: usize,
}

impl Default for Sip<'_> {
    fn default() -> Self {
        Self {
            start: "",
            call_id: "c1",
            from: "214",
            from_tag: "f1",
            to_tag: "",
            cseq: 1,
            method: "INVITE",
            extra: "",
            vias: 1,
        }
    }
}

fn invite<'a>(start: &'a str) -> Sip<'a> {
    Sip { start, ..Sip::default() }
}

fn response(start: &str) -> Sip<'_> {
    Sip { start, to_tag: "t1", ..Sip::default() }
}

struct Bench {
    calls: Calls<()>,
    now: Timestamp,
    src: u8,
    dst: u8,
}

impl Bench {
    fn new() -> Self {
        Self { calls: Calls::new(Settings::default()), now: Timestamp::from_parts(1_000, 0), src: 1, dst: 10 }
    }

    fn feed(&mut self, sip: &Sip<'_>) -> Step {
        let to_tag = if sip.to_tag.is_empty() { String::new() } else { format!(";tag={}", sip.to_tag) };
        let vias = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\n".repeat(sip.vias);
        let text = format!(
            "{}\r\n{vias}From: <sip:{}@example.com>;tag={}\r\nTo: <sip:x@example.com>{to_tag}\r\n\
             Call-ID: {}\r\nCSeq: {} {}\r\n{}Content-Length: 0\r\n\r\n",
            sip.start, sip.from, sip.from_tag, sip.call_id, sip.cseq, sip.method, sip.extra
        );
        let msg = Message::parse(text.as_bytes()).unwrap();
        let path = Path {
            src: ([10, 0, 0, self.src], 5060).into(),
            dst: ([10, 0, 0, self.dst], 5060).into(),
            src_mac: None,
            dst_mac: None,
            vlan: None,
            mirror: None,
        };
        let dialled = match msg.start {
            Start::Request { uri, .. } => crate::sip::uri::user(uri),
            Start::Response(_) => &[],
        };
        let caller = crate::sip::uri::user(msg.from.uri);
        self.calls.observe(&Seen { msg: &msg, path: &path, dialled, caller, now: self.now })
    }

    fn wait(&mut self, span: Span) {
        self.now = self.now.plus(span);
    }

    fn expired(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(step) = self.calls.expire(self.now) {
            if let Step::Ended(slot) | Step::Failed(slot) = step {
                self.calls.release(slot);
            }
            steps.push(step);
        }
        steps
    }
}

const INVITE: &str = "INVITE sip:0044123@example.com SIP/2.0";

#[test]
fn resent_and_challenged_is_one_attempt() {
    let mut b = Bench::new();
    assert!(matches!(b.feed(&invite(INVITE)), Step::Attempted(_)));
    assert!(matches!(b.feed(&invite(INVITE)), Step::Same(_)));
    assert!(matches!(b.feed(&response("SIP/2.0 407 Proxy Authentication Required")), Step::Same(_)));
    let again = Sip { cseq: 2, extra: "Proxy-Authorization: Digest username=\"214\"\r\n", ..invite(INVITE) };
    assert!(matches!(b.feed(&again), Step::Same(_)));
    assert!(matches!(b.feed(&response("SIP/2.0 180 Ringing")), Step::Ringing(_)));
    assert!(matches!(b.feed(&response("SIP/2.0 200 OK")), Step::Answered(_)));
    assert!(matches!(b.feed(&response("SIP/2.0 200 OK")), Step::Same(_)));
    b.wait(Span::MINUTE);
    let bye =
        Sip { start: "BYE sip:x@10.0.0.9 SIP/2.0", method: "BYE", to_tag: "t1", cseq: 3, ..Sip::default() };
    let Step::Ended(slot) = b.feed(&bye) else { panic!("the call did not end") };
    assert_eq!(b.calls.get(slot).unwrap().talked(b.now), Span::MINUTE);
    assert!(matches!(b.feed(&bye), Step::Same(_)));
}

#[test]
fn a_bye_of_the_callee_ends_the_call() {
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    b.feed(&response("SIP/2.0 200 OK"));
    let bye = Sip {
        start: "BYE sip:214@10.0.0.1 SIP/2.0",
        method: "BYE",
        from_tag: "t1",
        to_tag: "f1",
        ..Sip::default()
    };
    assert!(matches!(b.feed(&bye), Step::Ended(_)));
}

#[test]
fn a_re_invite_of_either_end_is_no_attempt() {
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    b.feed(&response("SIP/2.0 200 OK"));
    let hold = Sip { cseq: 2, to_tag: "t1", ..invite("INVITE sip:x@10.0.0.9 SIP/2.0") };
    assert!(matches!(b.feed(&hold), Step::Same(_)));
    let theirs = Sip { from_tag: "t1", to_tag: "f1", ..invite("INVITE sip:214@10.0.0.1 SIP/2.0") };
    assert!(matches!(b.feed(&theirs), Step::Same(_)));
    assert_eq!(b.calls.len(), 1);
}

#[test]
fn a_fake_to_tag_hides_nothing() {
    let mut b = Bench::new();
    let fake = Sip { to_tag: "made-up", ..invite(INVITE) };
    assert_eq!(b.feed(&fake), Step::InDialogUnknown);
    assert!(matches!(b.feed(&response("SIP/2.0 100 Trying")), Step::Same(_)));
    assert!(matches!(b.feed(&response("SIP/2.0 183 Session Progress")), Step::Attempted(_)));
}

#[test]
fn a_dialog_that_began_before_us_is_no_attempt() {
    let mut b = Bench::new();
    let old = Sip { to_tag: "old", ..invite(INVITE) };
    b.feed(&old);
    assert_eq!(b.feed(&response("SIP/2.0 481 Call/Transaction Does Not Exist")), Step::Unknown);
    assert!(b.calls.is_empty());
}

#[test]
fn an_unknown_dialog_that_nobody_denies_counts_after_five_minutes() {
    let mut b = Bench::new();
    b.feed(&Sip { to_tag: "made-up", ..invite(INVITE) });
    b.wait(Span::minutes(4));
    assert!(b.expired().is_empty());
    b.wait(Span::minutes(2));
    assert!(matches!(b.expired()[..], [Step::Attempted(_)]));
}

#[test]
fn a_reused_call_id_hides_nothing() {
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    let other = Sip { cseq: 2, ..invite("INVITE sip:0088299@example.com SIP/2.0") };
    let Step::Attempted(slot) = b.feed(&other) else { panic!("the second number was not seen") };
    assert!(b.calls.get(slot).unwrap().call_id_reused);
    assert!(matches!(b.feed(&other), Step::Same(_)));
    assert!(matches!(b.feed(&invite(INVITE)), Step::Same(_)), "the first one, resent");
    let faked = Sip { cseq: 3, to_tag: "fake", ..invite("INVITE sip:0088277@example.com SIP/2.0") };
    b.feed(&response("SIP/2.0 180 Ringing"));
    assert!(matches!(b.feed(&faked), Step::Attempted(_)));
}

#[test]
fn a_call_id_used_again_after_bye_is_a_new_call() {
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    b.feed(&response("SIP/2.0 200 OK"));
    b.feed(&Sip {
        start: "BYE sip:x@10.0.0.9 SIP/2.0",
        method: "BYE",
        to_tag: "t1",
        cseq: 2,
        ..Sip::default()
    });
    assert!(matches!(b.feed(&invite(INVITE)), Step::Same(_)), "a late copy");
    let Step::Attempted(slot) = b.feed(&Sip { cseq: 5, ..invite(INVITE) }) else { panic!("not seen") };
    assert!(!b.calls.get(slot).unwrap().call_id_reused);
}

#[test]
fn overlap_dialling_extends() {
    let mut b = Bench::new();
    b.feed(&invite("INVITE sip:0049@example.com SIP/2.0"));
    assert!(matches!(b.feed(&response("SIP/2.0 484 Address Incomplete")), Step::Same(_)));
    let more = Sip { cseq: 2, ..invite("INVITE sip:004930@example.com SIP/2.0") };
    let Step::Retargeted(slot) = b.feed(&more) else { panic!("not extended") };
    assert_eq!(b.calls.get(slot).unwrap().dialled.as_bytes(), b"004930");
}

#[test]
fn after_a_redirection_the_new_number_is_the_same_attempt() {
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    assert!(matches!(b.feed(&response("SIP/2.0 302 Moved Temporarily")), Step::Redirected(_)));
    let moved = Sip { cseq: 2, ..invite("INVITE sip:0088299@example.com SIP/2.0") };
    assert!(matches!(b.feed(&moved), Step::Retargeted(_)));
}

#[test]
fn hop_copies_and_forks_are_one_attempt() {
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    (b.src, b.dst) = (10, 20);
    assert!(matches!(
        b.feed(&Sip { vias: 2, ..invite("INVITE sip:line1@10.0.0.20 SIP/2.0") }),
        Step::Same(_)
    ));
    b.dst = 21;
    assert!(matches!(
        b.feed(&Sip { vias: 2, ..invite("INVITE sip:line1@10.0.0.21 SIP/2.0") }),
        Step::Same(_)
    ));
    assert!(matches!(b.feed(&response("SIP/2.0 486 Busy Here")), Step::Failed(_)));
    let second = Sip { to_tag: "t2", ..response("SIP/2.0 200 OK") };
    assert!(matches!(b.feed(&second), Step::Reopened(_)));
}

#[test]
fn the_trunk_leg_continues_the_handset_leg() {
    let mut b = Bench::new();
    let Step::Attempted(first) = b.feed(&invite("INVITE sip:900441632960123@example.com SIP/2.0")) else {
        panic!()
    };
    (b.src, b.dst) = (10, 99);
    b.wait(Span(300_000));
    let leg =
        Sip { call_id: "trunk", from_tag: "z", ..invite("INVITE sip:+441632960123@carrier.example SIP/2.0") };
    let Step::Attempted(second) = b.feed(&leg) else { panic!() };
    let (first, second) = (*b.calls.get(first).unwrap(), *b.calls.get(second).unwrap());
    assert_eq!(first.no, second.no);
    assert!(!first.joined && second.joined);
}

#[test]
fn an_invite_that_replaces_a_known_dialog_is_its_call() {
    const REPLACES: &str = "Replaces: c1;to-tag=t1;from-tag=f1\r\n";
    let taken_over = |dialled, extra, over: bool| {
        let mut b = Bench::new();
        b.feed(&invite("INVITE sip:201@example.com SIP/2.0"));
        b.feed(&response("SIP/2.0 200 OK"));
        if over {
            b.feed(&Sip { start: "BYE sip:x@h SIP/2.0", method: "BYE", cseq: 2, ..response("") });
        }
        b.src = 2;
        let Step::Attempted(slot) =
            b.feed(&Sip { call_id: "c2", from_tag: "f2", from: "215", extra, ..invite(dialled) })
        else {
            panic!()
        };
        b.calls.get(slot).unwrap().joined
    };
    assert!(taken_over("INVITE sip:201@example.com SIP/2.0", REPLACES, false));
    assert!(taken_over("INVITE sip:214@example.com SIP/2.0", REPLACES, false));
    assert!(!taken_over("INVITE sip:00882123@example.com SIP/2.0", REPLACES, false));
    assert!(!taken_over("INVITE sip:201@example.com SIP/2.0", REPLACES, true));
    let unknown = "Replaces: none;to-tag=t1;from-tag=f1\r\n";
    assert!(!taken_over("INVITE sip:201@example.com SIP/2.0", unknown, false));
}

#[test]
fn a_pbx_of_several_addresses_is_one() {
    let pbx = ["10.0.0.10", "2001:db8::/64", "10.0.0.20/31"].map(|network| network.parse().unwrap());
    for (pbx, counted) in [(&pbx[..], 1), (&pbx[..1], 2), (&[], 2)] {
        let mut b = Bench::new();
        b.calls.know_pbx(pbx);
        assert!(matches!(b.feed(&invite("INVITE sip:00882160012345@pbx SIP/2.0")), Step::Attempted(_)));
        (b.src, b.dst) = (21, 99);
        let trunk =
            Sip { call_id: "c2", from_tag: "f2", ..invite("INVITE sip:+882160012345@carrier SIP/2.0") };
        let Step::Attempted(slot) = b.feed(&trunk) else { panic!("no attempt") };
        let call = b.calls.get(slot).unwrap();
        assert_eq!((call.no, call.joined), (CallNo(counted), counted == 1));
    }
}

#[test]
fn two_handsets_that_call_one_number_keep_their_own_trunk_legs() {
    let mut b = Bench::new();
    let number = "INVITE sip:00441632960123@example.com SIP/2.0";
    let mut nos = Vec::new();
    for (src, dst, id) in [(1, 10, "a"), (2, 10, "b"), (10, 99, "ta"), (10, 99, "tb")] {
        (b.src, b.dst) = (src, dst);
        let Step::Attempted(slot) = b.feed(&Sip { call_id: id, ..invite(number) }) else { panic!() };
        nos.push(b.calls.get(slot).unwrap().no.0);
    }
    assert_eq!(nos, [1, 2, 1, 2]);
}

#[test]
fn a_fork_of_the_second_leg_needs_the_same_caller() {
    let mut b = Bench::new();
    b.feed(&invite("INVITE sip:217@example.com SIP/2.0"));
    (b.src, b.dst) = (10, 17);
    let mut nos = Vec::new();
    for (id, from) in [("fork-1", "214"), ("fork-2", "214"), ("outside", "441632960000")] {
        let leg = Sip { call_id: id, from, ..invite("INVITE sip:217@10.0.0.17 SIP/2.0") };
        let Step::Attempted(slot) = b.feed(&leg) else { panic!() };
        nos.push(b.calls.get(slot).unwrap().no.0);
    }
    assert_eq!(nos, [1, 1, 2]);
}

#[test]
fn late_legs_and_other_numbers_are_calls_of_their_own() {
    let mut b = Bench::new();
    b.feed(&invite("INVITE sip:202@example.com SIP/2.0"));
    (b.src, b.dst) = (10, 99);
    let other = Sip { call_id: "o", ..invite("INVITE sip:0044202@example.com SIP/2.0") };
    let Step::Attempted(slot) = b.feed(&other) else { panic!() };
    assert_eq!(b.calls.get(slot).unwrap().no.0, 2, "202 is an extension, not the end of 0044202");
    b.wait(Span::seconds(3));
    let late = Sip { call_id: "l", ..invite("INVITE sip:202@example.com SIP/2.0") };
    let Step::Attempted(slot) = b.feed(&late) else { panic!() };
    assert_eq!(b.calls.get(slot).unwrap().no.0, 3);
}

#[test]
fn calls_that_nobody_ends_expire() {
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    b.wait(Span::minutes(6));
    assert!(matches!(b.expired()[..], [Step::Failed(_)]));
    b.feed(&Sip { call_id: "c2", ..invite(INVITE) });
    b.feed(&Sip { call_id: "c2", ..response("SIP/2.0 200 OK") });
    b.wait(Span::hours(3));
    let refresh = Sip { call_id: "c2", to_tag: "t1", cseq: 2, ..invite(INVITE) };
    assert!(matches!(b.feed(&refresh), Step::Same(_)));
    b.wait(Span::hours(3));
    assert!(b.expired().is_empty(), "a session refresh keeps it alive");
    b.wait(Span::hours(2));
    assert!(matches!(b.expired()[..], [Step::Ended(_)]));
    assert!(b.calls.is_empty());
}

#[test]
fn a_flood_leaves_answered_calls_alone() {
    let settings = Settings { unanswered: 16, answered: 16, ..Settings::default() };
    let mut b = Bench { calls: Calls::new(settings), ..Bench::new() };
    b.feed(&invite(INVITE));
    b.feed(&response("SIP/2.0 200 OK"));
    let mut pushed_out = 0;
    for n in 0..1_000 {
        b.wait(Span(1_000));
        b.feed(&Sip { call_id: &format!("flood-{n}"), ..invite(INVITE) });
        pushed_out += usize::from(b.calls.take_pushed_out().is_some());
    }
    assert_eq!((b.calls.len(), pushed_out, b.calls.evicted()), (17, 984, 984));
    let bye =
        Sip { start: "BYE sip:x@10.0.0.9 SIP/2.0", method: "BYE", to_tag: "t1", cseq: 9, ..Sip::default() };
    assert!(matches!(b.feed(&bye), Step::Ended(_)));
}

#[test]
fn an_offer_that_is_refused_and_made_again_is_one_attempt() {
    for refused in [422, 494] {
        let mut b = Bench::new();
        b.feed(&invite(INVITE));
        assert!(matches!(b.feed(&response(&format!("SIP/2.0 {refused} No"))), Step::Same(_)));
        assert!(matches!(b.feed(&Sip { cseq: 2, ..invite(INVITE) }), Step::Same(_)), "{refused}");
    }
    for refused in [423, 488] {
        let mut b = Bench::new();
        let line = format!("SIP/2.0 {refused} No");
        let Step::Attempted(slot) = b.feed(&invite(INVITE)) else { panic!() };
        // It is over, for most devices have no other offer...
        assert_eq!(b.feed(&response(&line)), Step::Failed(slot));
        assert_eq!(b.feed(&invite(INVITE)), Step::Same(slot), "a copy that comes late");
        // ... unless it is made again. A game isn't played for long.
        for cseq in 2..=5 {
            let again = Sip { cseq, ..invite(INVITE) };
            assert_eq!(b.feed(&again), Step::Resumed(slot), "{refused}");
            let refusal = Sip { cseq, ..response(&line) };
            assert_eq!(b.feed(&refusal), Step::Failed(slot));
        }
        assert!(matches!(b.feed(&Sip { cseq: 6, ..invite(INVITE) }), Step::Attempted(_)));
    }
}

/// The mirror shows the proxy's copy before the handset's own INVITE.
#[test]
fn the_hop_nearest_the_caller_names_it_whichever_was_seen_first() {
    let mut b = Bench::new();
    (b.src, b.dst) = (10, 20);
    let further = Sip { vias: 2, ..invite("INVITE sip:+5355512345@trunk SIP/2.0") };
    let Step::Attempted(slot) = b.feed(&further) else { panic!() };
    (b.src, b.dst) = (1, 10);
    let near = invite("INVITE sip:005355512345@example.com SIP/2.0");
    assert_eq!(b.feed(&near), Step::Nearer(slot));
    assert_eq!(b.feed(&near), Step::Same(slot));
    let call = b.calls.get(slot).unwrap();
    assert_eq!((call.path.src, call.dialled), (([10, 0, 0, 1], 5060).into(), Text::from("005355512345")));
    (b.src, b.dst) = (10, 20);
    assert_eq!(b.feed(&further), Step::Same(slot));
    // Later, or for another number, it is no copy.
    b.wait(Span::seconds(3));
    (b.src, b.dst) = (2, 10);
    assert!(matches!(b.feed(&invite("INVITE sip:0088216012345@example.com SIP/2.0")), Step::Attempted(_)));
}

#[test]
fn a_proxy_that_forwards_under_the_same_call_id_says_so() {
    let mut b = Bench::new();
    let Step::Attempted(slot) = b.feed(&invite("INVITE sip:215@example.com SIP/2.0")) else { panic!() };
    (b.src, b.dst) = (10, 20);
    for start in ["INVITE sip:line1@10.0.0.20 SIP/2.0", "INVITE sip:215@10.0.0.21 SIP/2.0"] {
        assert_eq!(b.feed(&Sip { vias: 2, ..invite(start) }), Step::Same(slot));
    }
    let dear = Sip { vias: 2, ..invite("INVITE sip:0088216012345@trunk SIP/2.0") };
    assert_eq!(b.feed(&dear), Step::Elsewhere(slot));
    assert_eq!(b.feed(&dear), Step::Elsewhere(slot), "whoever tells of it knows a copy");
}

/// Where nothing was answered yet, no tag of the far end is known: that hides no other number.
#[test]
fn a_fake_to_tag_behind_a_known_call_id_hides_nothing() {
    let other = Sip { to_tag: "fake", cseq: 2, ..invite("INVITE sip:0088216012345@example.com SIP/2.0") };
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    assert!(matches!(b.feed(&other), Step::Attempted(_)), "nothing was heard");
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    b.feed(&response("SIP/2.0 404 Not Found"));
    assert!(matches!(b.feed(&other), Step::Attempted(_)), "a failure was");
    let mut b = Bench::new();
    assert_eq!(b.feed(&Sip { to_tag: "fake", ..invite(INVITE) }), Step::InDialogUnknown);
    assert!(matches!(b.feed(&other), Step::Attempted(_)), "behind another fake tag");
    // A far end's own name or extension is a re-INVITE's.
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    let hold = Sip { to_tag: "t1", cseq: 2, ..invite("INVITE sip:gw7@10.0.0.9 SIP/2.0") };
    assert!(matches!(b.feed(&hold), Step::Same(_)));
}

#[test]
fn the_branch_that_answers_is_known_however_many_rang() {
    let mut b = Bench::new();
    b.feed(&invite(INVITE));
    for tag in ["a", "b", "c", "d", "e"] {
        b.feed(&Sip { to_tag: tag, ..response("SIP/2.0 180 Ringing") });
    }
    b.feed(&Sip { to_tag: "f", ..response("SIP/2.0 200 OK") });
    let hold = Sip { to_tag: "f", cseq: 2, ..invite("INVITE sip:+442079460018@10.0.0.9 SIP/2.0") };
    assert!(matches!(b.feed(&hold), Step::Same(_)));
}
