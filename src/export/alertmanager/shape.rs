//! The shape in which Alertmanager takes alerts.
//!
//! In: a notice. Out: labels that identify, annotations that tell. Never: a label from the wire.

use serde::Serialize;

use super::super::post::Notice;

/// What identifies an alert there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Labels {
    pub(super) alertname: &'static str,
    pub(super) site: String,
    pub(super) handset: String,
    pub(super) rule: String,
    pub(super) severity: String,
    pub(super) service: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Annotations {
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) runbook_url: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Post {
    pub(super) labels: Labels,
    pub(super) annotations: Annotations,
    pub(super) starts_at: String,
    pub(super) ends_at: String,
}

/// The same names as in `etc/prometheus/ringfence.rules.yml`.
pub(super) const TOLL: &str = "RingfenceTollFraudSuspected";
pub(super) const POSTURE: &str = "RingfencePostureFinding";
pub(super) const DRILL: &str = "RingfenceFireDrill";

pub(super) fn labels(notice: &Notice) -> Labels {
    let toll = <crate::finding::Rule as crate::tally::Label>::ALL
        .iter()
        .any(|rule| crate::tally::Label::name(*rule) == notice.rule);
    let alertname = if notice.is_drill() {
        DRILL
    } else if toll {
        TOLL
    } else {
        POSTURE
    };
    Labels {
        alertname,
        site: notice.site.clone(),
        handset: notice.label.clone(),
        rule: notice.rule.clone(),
        severity: notice.severity.clone(),
        service: "ringfence",
    }
}

pub(super) fn annotations(notice: &Notice) -> Annotations {
    let name = labels(notice).alertname;
    let summary = match name {
        TOLL => "A handset is placing calls that look like toll fraud.",
        DRILL => "This is a fire drill: nothing happened.",
        _ => "A handset is open to attack, or under attack.",
    };
    Annotations {
        summary: summary.to_owned(),
        description: notice.sentence.clone(),
        runbook_url: format!("file:///usr/share/doc/ringfence/runbooks/{}.md", notice.rule),
    }
}
