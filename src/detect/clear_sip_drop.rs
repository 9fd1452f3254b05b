//! Rule `clear_sip_drop`: a handset's SIP in clear has fallen far below what it was, so its calls may no
//! longer be seen.
//!
//! In: what the sensor counted of a handset. Out: a finding on it.
//! Never: says that calls were placed: nobody could see them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::finding::{Evidence, Exposure, Finding, Rule, Severity, Subject};
use crate::handsets::Who;
use crate::tally::Label;
use crate::time::{Span, Timestamp};

use super::sentence::{named, plural};

/// What to do about it.
pub const ADVICE: &str = "If somebody set it to TLS on purpose, watch its calls where they are in clear: mirror the PBX's line to the carrier, or let the PBX send HEP. If nobody did, check the handset's settings and change its passwords.";

/// What the sensor counted.
#[derive(Clone, Copy, Debug)]
pub struct Drop<'a> {
    /// When it was noticed.
    pub time: Timestamp,
    /// Which handset.
    pub who: &'a Who,
    /// Its SIP messages in clear a day, as was usual.
    pub usual: u32,
    /// Its SIP messages in clear in the last day.
    pub last: u32,
    /// Whether it has begun to speak TLS or DTLS instead.
    pub encrypted: bool,
}

/// One handset. A handset that went over to TLS is a page: from here on nobody watches its calls. One
/// that merely speaks less is only worth knowing: people go on holiday.
pub fn heard(drop: &Drop<'_>, names: &BTreeMap<String, String>, exposure: Exposure) -> Finding {
    let Drop { time, who, usual, last, encrypted } = *drop;
    let handset = named(who, names);
    let used = format!("it used to send {} in clear a day", plural(usual, "SIP message"));
    let (change, unseen) = if encrypted {
        (
            "has gone over to encrypted SIP",
            format!("{used} and sends none now; its calls can no longer be seen from here"),
        )
    } else {
        (
            "hardly speaks SIP any more",
            format!("{used}, and sent {last} in the last; its calls may pass unseen"),
        )
    };
    let sentence = format!("{handset} {change}: {unseen}");
    let count = |name, n: u32| (Cow::Borrowed(name), Evidence::Count(u64::from(n)));
    Finding {
        time,
        rule: Rule::ClearSipDrop.into(),
        severity: if encrypted { Severity::Warning } else { Severity::Info },
        subject: Subject::Handset(who.id),
        who: Some(*who),
        sentence,
        reasons: vec![Rule::ClearSipDrop.about().trim_end_matches('.').to_owned()],
        calls: 0,
        numbers: 0,
        regions: Vec::new(),
        exposure,
        evidence: vec![
            count("usual_a_day", usual),
            count("last_day", last),
            (Cow::Borrowed("encrypted"), Evidence::Flag(encrypted)),
        ],
        samples: Vec::new(),
        first_call: time.minus(Span::DAY),
        last_call: time,
    }
}
