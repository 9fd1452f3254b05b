//! One leg of a call: who talks to whom, and which message is sent when.
//!
//! In: two parties and the times that matter. Out: cues in time order.
//! Never: knows how a message looks.

use super::packet::End;
use super::proof::Auth;
use super::rng::Rng;
use crate::time::{Span, Timestamp};

/// One millisecond.
const MS: i64 = 1_000;

/// The two ends of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Who sent the first request.
    Caller,
    Callee,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// One end of a leg.
#[derive(Clone, Debug)]
pub(super) struct Party {
    pub(super) end: End,
    /// User-Agent or Server.
    pub(super) agent: &'static str,
    pub(super) allow: &'static str,
    pub(super) supported: &'static str,
    /// User part of its Contact.
    pub(super) contact: String,
    /// Port of its RTP.
    pub(super) media: u16,
}

/// A leg: everything that its messages have in common.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) caller: Party,
    pub(super) callee: Party,
    pub(super) call_id: String,
    /// From-tag and To-tag.
    pub(super) tags: [String; 2],
    /// Branches, nonces and responses come from it.
    pub(super) secret: u64,
    pub(super) from_name: String,
    pub(super) from_user: String,
    pub(super) from_host: String,
    pub(super) to_user: String,
    /// Host of To and of the Request-URI.
    pub(super) to_host: String,
    pub(super) first_cseq: u32,
    /// Account that the caller proves to be, if it must.
    pub(super) account: Option<String>,
    /// Its password, where responses are real.
    pub(super) password: String,
    /// How it is proved.
    pub(super) auth: Auth,
    /// More headers of the INVITE, each with its line end.
    pub(super) more: String,
    /// Seconds that a registration holds.
    pub(super) expires: i64,
    /// Where a 302 or a REFER points to.
    pub(super) target: String,
    /// The account that diverted the call here, if one did.
    pub(super) diverted_by: String,
    /// Whether it continues a call whose first leg passes the switch as well.
    pub(super) joined: bool,
    /// Whether its Call-ID belongs to several calls.
    pub(super) reused: bool,
}

/// What is sent. A request's answer names the same CSeq as the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Register {
        proof: bool,
    },
    Unauthorized,
    Registered,
    Invite {
        proof: bool,
    },
    Challenge,
    Trying,
    Ringing,
    /// 183 with early media.
    Progress,
    Answer,
    /// A final status that isn't 2xx.
    Refusal(u16),
    AckRefusal,
    AckAnswer,
    Cancel,
    CancelOk,
    /// re-INVITE: on hold, or back.
    Hold(bool),
    HoldOk(bool),
    Refer,
    ReferAccepted,
    Notify(u16),
    NotifyOk,
    Bye,
    ByeOk,
    Rtp(u16),
}

/// One message of a leg.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cue {
    pub(super) at: Timestamp,
    pub(super) from: Side,
    pub(super) what: What,
    /// Counted from the leg's first CSeq of the sender of the request.
    pub(super) cseq: u32,
}

/// How a leg ends, with the moments that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Answered, and ended by one side.
    Answered {
        answer: Timestamp,
        bye: Timestamp,
        by: Side,
        hold: bool,
    },
    Refused {
        at: Timestamp,
        code: u16,
    },
    Cancelled {
        at: Timestamp,
    },
    /// Answered, then the callee refers the caller to `target` and hangs up.
    Referred {
        answer: Timestamp,
        refer: Timestamp,
    },
}

/// How the INVITE is taken.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner {
    /// The caller must prove its account: 407.
    pub(super) challenged: bool,
    /// The first INVITE carries a proof made with an earlier nonce.
    pub(super) cached: bool,
    /// The first INVITE is sent twice.
    pub(super) resent: bool,
    /// RTP packets shown in each direction.
    pub(super) rtp: u16,
}

/// Collects cues.
struct Script<'r> {
    cues: Vec<Cue>,
    now: Timestamp,
    rng: &'r mut Rng,
}

impl Script<'_> {
    /// The next message, between `low` and `high` milliseconds after the last one.
    fn after(&mut self, low: i64, high: i64, from: Side, what: What, cseq: u32) {
        self.now = self.now.plus(Span(self.rng.between(low * MS, high * MS)));
        self.cues.push(Cue { at: self.now, from, what, cseq });
    }

    /// The next message at a moment, or just after the last one if that is later.
    fn at(&mut self, at: Timestamp, from: Side, what: What, cseq: u32) {
        self.now = at.max(self.now.plus(Span(MS)));
        self.cues.push(Cue { at: self.now, from, what, cseq });
    }
}

/// The cues of a call's leg. The moments of `course` are pushed back where the messages before
/// them need longer.
pub(super) fn call(start: Timestamp, course: Course, manner: Manner, rng: &mut Rng) -> Vec<Cue> {
    use Side::{Callee, Caller};
    let mut script = Script { cues: Vec::with_capacity(16), now: start, rng };
    let mut cseq = 0;
    let proof = manner.cached;
    script.at(start.minus(Span(MS)), Caller, What::Invite { proof }, cseq);
    script.cues[0].at = start;
    script.now = start;
    if manner.resent {
        // Timer A (RFC 3261 section 17.1.1.2).
        script.after(500, 500, Caller, What::Invite { proof }, cseq);
    }
    if manner.challenged {
        script.after(12, 35, Callee, What::Challenge, cseq);
        script.after(2, 6, Caller, What::AckRefusal, cseq);
        cseq += 1;
        script.after(3, 12, Caller, What::Invite { proof: true }, cseq);
    }
    script.after(10, 30, Callee, What::Trying, cseq);
    match course {
        Course::Refused { at, code } => {
            script.at(at, Callee, What::Refusal(code), cseq);
            script.after(2, 8, Caller, What::AckRefusal, cseq);
        }
        Course::Cancelled { at } => {
            script.after(150, 900, Callee, What::Ringing, cseq);
            script.at(at, Caller, What::Cancel, cseq);
            script.after(8, 20, Callee, What::CancelOk, cseq);
            script.after(1, 5, Callee, What::Refusal(487), cseq);
            script.after(2, 8, Caller, What::AckRefusal, cseq);
        }
        Course::Answered { answer, bye, by, hold } => {
            talk(&mut script, answer, cseq, manner.rtp);
            if hold {
                music(&mut script, answer, bye, cseq + 1);
                cseq += 2;
            }
            script.at(bye, by, What::Bye, cseq + 1);
            script.after(8, 25, by.other(), What::ByeOk, cseq + 1);
        }
        Course::Referred { answer, refer } => {
            talk(&mut script, answer, cseq, manner.rtp);
            script.at(refer, Callee, What::Refer, cseq + 1);
            script.after(8, 25, Caller, What::ReferAccepted, cseq + 1);
            script.after(200, 900, Caller, What::Notify(100), cseq + 2);
            script.after(2, 8, Callee, What::NotifyOk, cseq + 2);
            script.after(2_000, 9_000, Caller, What::Notify(200), cseq + 3);
            script.after(2, 8, Callee, What::NotifyOk, cseq + 3);
            script.after(5, 40, Callee, What::Bye, cseq + 4);
            script.after(8, 25, Caller, What::ByeOk, cseq + 4);
        }
    }
    script.cues
}

/// Ringing, answer and the first packets of speech.
fn talk(script: &mut Script<'_>, answer: Timestamp, cseq: u32, rtp: u16) {
    use Side::{Callee, Caller};
    let what = if script.rng.chance(120) { What::Progress } else { What::Ringing };
    script.after(150, 900, Callee, what, cseq);
    script.at(answer, Callee, What::Answer, cseq);
    script.after(4, 15, Caller, What::AckAnswer, cseq);
    for n in 0..rtp {
        script.after(10, 10, Caller, What::Rtp(n), cseq);
        script.after(10, 10, Callee, What::Rtp(n), cseq);
    }
}

/// The caller puts the other side on hold in the middle of the call.
fn music(script: &mut Script<'_>, answer: Timestamp, bye: Timestamp, cseq: u32) {
    use Side::{Callee, Caller};
    let third = Span(bye.since(answer).0 / 3);
    for (n, on, at) in [(0, true, answer.plus(third)), (1, false, answer.plus(third).plus(third))] {
        script.at(at, Caller, What::Hold(on), cseq + n);
        script.after(10, 40, Callee, What::HoldOk(on), cseq + n);
        script.after(3, 10, Caller, What::AckAnswer, cseq + n);
    }
}

/// The cues of a registration.
pub(super) fn register(start: Timestamp, challenged: bool, rng: &mut Rng) -> Vec<Cue> {
    use Side::{Callee, Caller};
    let mut script = Script { cues: Vec::with_capacity(4), now: start, rng };
    script.after(0, 0, Caller, What::Register { proof: !challenged }, 0);
    if challenged {
        script.after(12, 35, Callee, What::Unauthorized, 0);
        script.after(3, 12, Caller, What::Register { proof: true }, 1);
    }
    script.after(12, 35, Callee, What::Registered, u32::from(challenged));
    script.cues
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_are_in_time_order_and_start_on_time() {
        let mut rng = Rng::new(3, 0);
        let start = Timestamp(1_000_000_000);
        let answer = start.plus(Span::seconds(8));
        let bye = answer.plus(Span::MINUTE);
        let courses = [
            Course::Answered { answer, bye, by: Side::Callee, hold: true },
            Course::Answered { answer: start, bye: start, by: Side::Caller, hold: false },
            Course::Refused { at: answer, code: 486 },
            Course::Cancelled { at: answer },
            Course::Referred { answer, refer: bye },
        ];
        for course in courses {
            for flags in 0..8 {
                let manner = Manner {
                    challenged: flags & 1 > 0,
                    cached: flags & 2 > 0,
                    resent: flags & 4 > 0,
                    rtp: 2,
                };
                let cues = call(start, course, manner, &mut rng);
                assert_eq!(cues[0].at, start);
                assert!(cues.windows(2).all(|pair| pair[0].at <= pair[1].at), "{cues:?}");
                if course == courses[0] {
                    let at = |what| cues.iter().find(|cue| cue.what == what).unwrap().at;
                    assert_eq!((at(What::Answer), at(What::Bye)), (answer, bye));
                }
            }
        }
        assert_eq!(register(start, true, &mut rng).len(), 4);
        assert_eq!(register(start, false, &mut rng).len(), 2);
    }
}
