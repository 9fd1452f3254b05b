//! Calls that nobody ends: what their session timers and their media say.

use super::*;
use crate::fact::Lapse;

const CALLEE: ([u8; 4], u16) = (PBX, 20_000);
const CALLER: ([u8; 4], u16) = (PHONE, 4_000);

impl Bench {
    /// A message of the one call, with a body if there is one.
    fn dialog(&mut self, out: bool, start: &str, cseq: &str, more: &str, body: &str) -> Vec<CallFact> {
        let headers = head("c", "f", "t", cseq, "214", "005355512345");
        let length = body.len();
        let text = format!("{start}\r\n{headers}{more}Content-Length: {length}\r\n\r\n{body}");
        let (src, dst) = if out { (PHONE, PBX) } else { (PBX, PHONE) };
        calls(self.datagram(src, dst, text.as_bytes()))
    }

    fn says(&mut self, out: bool, start: &str, cseq: &str) -> Vec<CallFact> {
        self.dialog(out, start, cseq, "", "")
    }

    /// The call is placed and answered.
    fn answered(&mut self, more: &str, body: &str) -> CallFact {
        self.register(PHONE, PBX, "214");
        let attempt = only(&self.invite(PHONE, PBX, "005355512345", "c"));
        let facts = self.dialog(false, "SIP/2.0 200 OK", "1 INVITE", more, body);
        assert_eq!(only(&facts).state, CallState::Answered);
        attempt
    }

    /// Both ends speak for so long.
    fn speech(&mut self, seconds: i64) -> Vec<CallFact> {
        let mut facts = Vec::new();
        for _ in 0..seconds * 2 {
            for (src, dst) in [(CALLER, CALLEE), (CALLEE, CALLER)] {
                self.now = self.now.plus(Span(230_000));
                facts.extend(calls(self.packet(src, dst, &[&[0x80, 8, 0, 1][..], &[7; 160]].concat())));
            }
        }
        facts
    }

    /// A frame of speech in Ethernet, as most mirrors give it.
    fn spoken(&mut self, src: ([u8; 4], u16), dst: ([u8; 4], u16)) {
        let mut data =
            vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 200, 0, 7, 0x40, 0, 64, 17, 0, 0];
        data.extend(
            [&src.0[..], &dst.0, &src.1.to_be_bytes(), &dst.1.to_be_bytes(), &[0, 180, 0, 0]].concat(),
        );
        data.extend([&[0x80, 8, 0, 1][..], &[7; 168]].concat());
        self.now = self.now.plus(Span(20_000));
        let frame = Frame { ts: self.now, link: Link::Ethernet, interface: 0, wire_len: 214, data: &data };
        self.sensor.handle_frame(&frame);
        while self.sensor.poll_fact().is_some() {}
    }

    /// So long passes, with nothing on the wire but a keepalive a minute.
    fn quiet(&mut self, length: Span) -> Vec<CallFact> {
        let end = self.now.plus(length);
        let mut facts = Vec::new();
        while self.now < end {
            self.now = self.now.plus(Span::MINUTE.min(end.since(self.now)));
            facts.extend(calls(self.datagram(PHONE, PBX, b"\r\n\r\n")));
        }
        facts
    }

    fn open(&self, call: &CallFact) -> u32 {
        let key = Key { account: Account::Handset(call.who.id), group: call.target.group };
        self.ledger.counts(key, self.now).open
    }
}

fn sdp(more: &str) -> String {
    format!("v=0\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\nm=audio 20000 RTP/AVP 8\r\n{more}")
}

fn near(span: Span, seconds: i64) -> bool {
    (seconds * 1_000..=seconds * 1_000 + 3_000).contains(&(span.0 / 1_000))
}

#[test]
fn a_session_timer_that_nobody_refreshes_ends_the_call_when_it_runs_out() {
    let mut b = Bench::new();
    let call = b.answered("Session-Expires: 600;refresher=uac\r\n", "");
    assert!(b.quiet(Span::minutes(9)).is_empty());
    b.says(true, "UPDATE sip:x@203.0.113.10 SIP/2.0", "2 UPDATE");
    b.dialog(false, "SIP/2.0 200 OK", "2 UPDATE", "x: 600\r\n", "");
    assert!(b.quiet(Span::minutes(9)).is_empty(), "it was refreshed");
    assert_eq!(b.open(&call), 1);
    let end = only(&b.quiet(Span::minutes(5)));
    assert_eq!((end.state, end.expired), (CallState::Ended, Some(Lapse::SessionTimer)));
    assert!(near(end.talked, 9 * 60 + 600), "{:?}", end.talked);
    assert_eq!(b.open(&call), 0);
    assert!(b.quiet(Span::hours(5)).is_empty(), "its end is told once");
    assert_eq!(b.sensor.totals().attempts, 1);
}

#[test]
fn a_refresh_that_names_no_timer_ends_the_agreement() {
    let mut b = Bench::new();
    let call = b.answered("Session-Expires: 600\r\n", "");
    b.says(true, "UPDATE sip:x@203.0.113.10 SIP/2.0", "2 UPDATE");
    b.says(false, "SIP/2.0 200 OK", "2 UPDATE");
    assert!(b.quiet(Span::hours(3)).is_empty());
    assert_eq!(b.open(&call), 1);
    assert_eq!(only(&b.quiet(Span::hours(2))).expired, Some(Lapse::TimeLimit));
}

#[test]
fn media_that_stop_end_the_call_with_the_last_of_them() {
    let mut b = Bench::new();
    let call = b.answered("", &sdp(""));
    assert!(b.speech(150).is_empty());
    assert!(b.quiet(Span::minutes(4)).is_empty());
    let end = only(&b.quiet(Span::minutes(3)));
    assert_eq!((end.state, end.expired), (CallState::Ended, Some(Lapse::MediaStopped)));
    assert!(near(end.talked, 149), "{:?}", end.talked);
    assert_eq!(b.open(&call), 0);
    let seconds = b.ledger.talked_micros().get(call.target.class) / 1_000_000;
    assert_eq!(seconds, u64::try_from(end.talked.as_secs()).unwrap());
}

/// However speech takes its way through the sensor, it is known when it passed last.
#[test]
fn the_last_of_the_media_is_known_to_a_second() {
    let mut b = Bench::new();
    b.answered("", &sdp(""));
    for _ in 0..25 * 95 {
        b.spoken(CALLER, CALLEE);
        b.spoken(CALLEE, CALLER);
    }
    let end = only(&b.quiet(Span::minutes(10)));
    assert_eq!(end.expired, Some(Lapse::MediaStopped));
    assert!(near(end.talked, 93), "{:?}", end.talked);
}

#[test]
fn an_end_that_was_told_too_early_is_told_again_and_nothing_counts_twice() {
    let mut b = Bench::new();
    let call = b.answered("", &sdp(""));
    b.speech(60);
    let early = only(&b.quiet(Span::minutes(10)));
    assert!(b.speech(90).is_empty(), "it goes on");
    assert_eq!(b.open(&call), 1, "media came again");
    let bye = only(&b.says(true, "BYE sip:x@203.0.113.10 SIP/2.0", "3 BYE"));
    assert_eq!((bye.state, bye.expired, bye.told), (CallState::Ended, None, early.talked));
    assert!(near(bye.talked, 60 + 600 + 90), "{:?}", bye.talked);
    assert_eq!(b.open(&call), 0);
    let seconds = b.ledger.talked_micros().get(call.target.class) / 1_000_000;
    assert_eq!(seconds, u64::try_from(bye.talked.as_secs()).unwrap());
    let totals = b.sensor.totals();
    assert_eq!((totals.attempts, totals.answered), (1, 1));
}

#[test]
fn who_holds_sends_nothing_and_is_still_there() {
    for hold in ["a=sendonly\r\n", "a=inactive\r\n"] {
        let mut b = Bench::new();
        let call = b.answered("", &sdp(""));
        b.speech(30);
        let re_invite = "INVITE sip:x@203.0.113.10 SIP/2.0";
        assert!(b.dialog(true, re_invite, "2 INVITE", "", &sdp(hold)).is_empty());
        b.says(false, "SIP/2.0 200 OK", "2 INVITE");
        assert!(b.quiet(Span::hours(2)).is_empty(), "{hold}");
        assert!(b.dialog(true, re_invite, "3 INVITE", "", &sdp("a=sendrecv\r\n")).is_empty());
        b.says(false, "SIP/2.0 200 OK", "3 INVITE");
        b.speech(30);
        assert_eq!(b.open(&call), 1);
        let end = only(&b.quiet(Span::minutes(10)));
        assert!(near(end.talked, 30 + 7_200 + 29), "{:?}", end.talked);
        assert_eq!(b.sensor.totals().attempts, 1);
    }
}

#[test]
fn a_session_that_is_refreshed_needs_no_media_and_media_need_no_refresh() {
    let mut b = Bench::new();
    let call = b.answered("Session-Expires: 1800\r\n", &sdp(""));
    b.speech(30);
    assert!(b.quiet(Span::minutes(29)).is_empty(), "the timer has not run out");
    assert!(b.speech(120).is_empty(), "nobody refreshed, but they speak");
    assert_eq!(b.open(&call), 1);
    let end = only(&b.quiet(Span::minutes(10)));
    assert_eq!(end.expired, Some(Lapse::SessionTimer));
    assert!(near(end.talked, 30 + 29 * 60 + 119), "{:?}", end.talked);
}

#[test]
fn one_way_of_media_proves_nothing() {
    let mut b = Bench::new();
    let call = b.answered("", &sdp(""));
    b.packet(CALLER, CALLEE, &[&[0x80, 8, 0, 1][..], &[7; 160]].concat());
    assert!(b.quiet(Span::hours(3)).is_empty());
    assert_eq!(b.open(&call), 1);
}

#[test]
fn a_call_that_is_over_by_its_timer_is_no_new_one_when_it_goes_on() {
    let mut b = Bench::new();
    let call = b.answered("Session-Expires: 90\r\n", "");
    let end = only(&b.quiet(Span::minutes(10)));
    assert_eq!(end.expired, Some(Lapse::SessionTimer));
    assert!(b.dialog(true, "INVITE sip:x@203.0.113.10 SIP/2.0", "2 INVITE", "", "").is_empty());
    assert!(b.says(false, "SIP/2.0 200 OK", "2 INVITE").is_empty());
    assert_eq!((b.open(&call), b.sensor.totals().attempts), (1, 1));
}
