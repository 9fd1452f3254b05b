//! Facts and alerts to write down in tests.

use crate::alert::{Alert, AlertState};
use crate::bounded::Table;
use crate::calls::CallNo;
use crate::decode::Mac;
use crate::dial::{Class, Group, Kind, Leg, Number, RateId, Region, Risk, Target};
use crate::fact::{CallFact, CallState, Cause, Direction};
use crate::finding::{
    Check, CheckFinding, Evidence, Exposure, Finding, Rule, Sample, Severity, Status, Subject,
};
use crate::handsets::{HandsetId, Who};
use crate::posture::checklist::{Blind, Checklist, Row, Say};
use crate::text::Text;
use crate::time::{Span, Timestamp};

/// Saturday 2026-11-21 02:14:07.000123 UTC.
pub(crate) const NIGHT: Timestamp = Timestamp(1_795_227_247_000_123);

pub(crate) fn who() -> Who {
    let mut table = Table::new(1, 0);
    let slot = table.find_or_insert(&0u8, Timestamp(0), || ()).slot;
    Who {
        id: HandsetId(slot),
        user: Text::from("214"),
        verified: true,
        ip: [10, 0, 3, 17].into(),
        mac: Some(Mac([0, 0x15, 0x65, 1, 2, 3])),
    }
}

pub(crate) fn call() -> CallFact {
    CallFact {
        time: NIGHT,
        call: CallNo(7),
        state: CallState::Attempted,
        leg: Leg::Handset,
        joined: false,
        direction: Direction::Outbound,
        cause: Cause::Dialled,
        code: 0,
        started: NIGHT,
        talked: Span::ZERO,
        expired: None,
        told: Span::ZERO,
        call_id_reused: false,
        repeated: false,
        who: who(),
        call_id: Text::from("a1@10.0.3.17"),
        dialled: Text::from("900882161234567"),
        target: Target {
            class: Class::Global,
            kind: Kind::Satellite,
            region: Some(Region::WORLD),
            number: Number::new(b"882161234567"),
            exact: true,
            risk: Risk::High,
            group: Group::Risky,
            rate: RateId(0),
            rule: "country code 882",
        },
        caller: 0,
    }
}

pub(crate) fn alert(state: AlertState, calls: u32) -> Alert {
    let sample = |id: &str| Sample { call_id: Text::from(id), time: NIGHT };
    Alert {
        id: 1,
        state,
        time: NIGHT,
        since: NIGHT,
        accepted_until: None,
        finding: Finding {
            time: NIGHT,
            rule: Rule::OutOfHours.into(),
            severity: Severity::Critical,
            subject: Subject::Handset(who().id),
            who: Some(who()),
            sentence: format!("handset 214 (Reception) placed {calls} calls to LV out of office hours"),
            reasons: vec!["It is night".to_owned(), "It is dear".to_owned()],
            calls,
            numbers: 1,
            regions: vec![Region::new("LV").unwrap()],
            exposure: Exposure {
                low: 20_100_000,
                amount: 38_200_000,
                high: 56_000_000,
                currency: "GBP".to_owned(),
                basis: "built-in table 2026-11".to_owned(),
            },
            evidence: vec![
                ("count".into(), Evidence::Figure(2.0)),
                ("calls_up".into(), Evidence::Count(1_234)),
                ("when".into(), Evidence::Word("night".to_owned())),
                ("new".into(), Evidence::Flag(true)),
            ],
            samples: vec![sample("a1@10.0.3.17"), sample("a2\\b@10.0.3.17")],
            first_call: NIGHT,
            last_call: NIGHT.plus(Span::seconds(61)),
        },
    }
}

/// A finding about the handset of `who`.
pub(super) fn finding(check: Check) -> CheckFinding {
    CheckFinding {
        time: NIGHT,
        check,
        status: Status::Finding,
        severity: Severity::Critical,
        subject: Subject::Handset(who().id),
        who: Some(who()),
        sentence: "the phone 10.0.3.18 asked for port 5060".to_owned(),
        evidence: vec![("external_port".into(), Evidence::Count(5_060))],
        count: 1,
        first: NIGHT,
    }
}

/// One check of three sorts.
pub(super) fn checklist() -> Checklist {
    let found = finding(Check::OpenedPort);
    let sentence = "the support provider came in".to_owned();
    let visit = CheckFinding { status: Status::Pass, sentence, ..finding(Check::BackdoorInbound) };
    let blind = Say::CannotSee(Blind::OneWay, String::new());
    let refused = Say::Pass("12 ports were asked, all refused".to_owned());
    Checklist {
        rows: vec![
            Row::new(Check::OpenedPort, vec![(&found, NIGHT)], Say::NotSeen(String::new())),
            Row::new(Check::BackdoorInbound, vec![(&visit, NIGHT)], refused),
            Row::new(Check::Scanner, Vec::new(), blind),
        ],
    }
}
