//! What to do now about an incident, step by step.
//!
//! In: what spoke, and of whom. Out: sentences with places for names.
//! Never: leaves a rule or a check without a first step.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::detect::clear_sip_drop;
use crate::finding::{Check, Rule, Topic};
use crate::posture::sheet;
use crate::tally::Label;

const STOP: &str = "Stop it: in the PBX, bar outgoing calls of {handset}, or unplug the handset{place}. Hang up calls that are still up.";
const STOP_OFFICE: &str = "Stop it: in the PBX, bar calls abroad and to premium numbers for the whole office. Hang up calls that are still up.";
const UNFORWARD: &str = "Stop it: in the PBX and on the handset{place}, remove call forwarding and transfers of {handset} that nobody of yours set up. Hang up calls that are still up.";
const HANG_UP: &str = "Stop it: hang up the call in the PBX, or unplug the handset{place}. A line that nobody talks on costs all the same.";
const NO_PHONE: &str = "Find out what stands at the handset's place{place}: ordinary phones don't do this, programs do. Take it off the network if it isn't yours.";
const PREFIXES: &str =
    "In the PBX, let {handset} dial only what it needs: somebody looks for a prefix that leads out.";
const PASSWORDS: &str = "Change the passwords: the SIP password of account {account}, its voicemail PIN, and the web password of the handset. Look for call forwarding that nobody set.";
const PASSWORDS_OFFICE: &str = "Change the passwords: the SIP password of every account that placed these calls, its voicemail PIN, and the web password of its handset. Look for call forwarding that nobody set.";
const PROVIDER: &str =
    "Call your provider: ask them to bar {where}, give them the times and Call-IDs, and keep the capture.";
const RIGHT: &str = "Was it somebody of yours, and in order? Accept it for a while: ringfence ack {id} --for 8h --why \"who, and why\"";

/// What to do, first things first. `{handset}`, `{account}`, `{place}`, `{where}` and `{id}` stand for
/// what the incident's record says; `office` is whether it names no handset.
pub fn steps(topic: Topic, office: bool) -> Vec<&'static str> {
    let rule = match topic {
        Topic::Check(check) => return vec![sheet::advice(check)],
        Topic::Rule(rule) => rule,
    };
    let stop = if office { STOP_OFFICE } else { STOP };
    let passwords = if office { PASSWORDS_OFFICE } else { PASSWORDS };
    let first = match rule {
        Rule::ClearSipDrop => return vec![clear_sip_drop::ADVICE],
        Rule::Forwarding if !office => vec![UNFORWARD],
        Rule::LongCall if !office => vec![HANG_UP],
        Rule::PrefixProbe if !office => vec![stop, PREFIXES],
        Rule::CallidReuse if !office => vec![stop, NO_PHONE],
        Rule::Forwarding
        | Rule::LongCall
        | Rule::PrefixProbe
        | Rule::CallidReuse
        | Rule::Spike
        | Rule::HandsetCeiling
        | Rule::OfficeCeiling
        | Rule::OutOfHours
        | Rule::FirstCountry
        | Rule::NumberBlock
        | Rule::Concurrent
        | Rule::Spend => vec![stop],
    };
    first.into_iter().chain([passwords, PROVIDER, RIGHT]).collect()
}

/// All steps by the label of what speaks: those of a handset's incident and those of the office's.
pub fn all() -> Value {
    let of = |topic: Topic| (topic.name(), json!([steps(topic, false), steps(topic, true)]));
    let rules = Rule::ALL.iter().map(|rule| of(Topic::Rule(*rule)));
    let checks = Check::ALL.iter().map(|check| of(Topic::Check(*check)));
    rules.chain(checks).collect::<BTreeMap<_, _>>().into_iter().collect()
}

/// The steps for an alert, from its record; empty for what is no incident.
pub fn told(alert: &Value) -> Vec<String> {
    let text = |key: &str| alert[key].as_str().filter(|text| !text.is_empty());
    let label = text("rule").unwrap_or_default();
    let rule = Rule::of_name(label).map(Topic::Rule);
    let Some(topic) = rule.or_else(|| Check::of_name(label).map(Topic::Check)) else { return Vec::new() };
    let handset = text("handset").or(text("user"));
    let place: Vec<&str> = [text("ip"), text("mac")].into_iter().flatten().collect();
    let regions = alert["regions"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let countries: Vec<String> = regions.map(country).collect();
    let fill = |step: &str| {
        step.replace("{handset}", handset.unwrap_or_default())
            .replace("{account}", text("user").or(handset).unwrap_or_default())
            .replace(
                "{place}",
                &if place.is_empty() { String::new() } else { format!(" ({})", place.join(", ")) },
            )
            .replace(
                "{where}",
                &if countries.is_empty() { "the numbers".to_owned() } else { countries.join(", ") },
            )
            .replace("{id}", &alert["id"].to_string())
    };
    steps(topic, handset.is_none()).into_iter().map(fill).collect()
}

/// The name of an ISO code; `001` are networks that span the world.
pub fn country(region: &str) -> String {
    if region == "001" {
        return "satellite and international networks".to_owned();
    }
    crate::dial::Region::new(region).map_or_else(|| region.to_owned(), |known| known.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_and_every_check_says_what_to_do() {
        let all = all();
        let labels = Rule::ALL.iter().map(|r| r.name()).chain(Check::ALL.iter().map(|c| c.name()));
        let mut seen = 0;
        for label in labels {
            for steps in all[label].as_array().unwrap_or_else(|| panic!("{label} has no advice")) {
                let steps: Vec<&str> =
                    steps.as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
                assert!(!steps.is_empty() && steps.iter().all(|step| step.len() > 40), "{label}: {steps:?}");
                assert!(steps.iter().all(|step| step.ends_with(['.', '"'])), "{label}: {steps:?}");
            }
            let [handset, office] = [false, true].map(|office| all[label][usize::from(office)].to_string());
            assert!(!office.contains("{handset}") && !office.contains("{account}"), "{label}: {office}");
            assert_eq!(
                handset.contains("Call your provider"),
                Rule::of_name(label).is_some() && label != "clear_sip_drop"
            );
            seen += 1;
        }
        assert_eq!(seen, all.as_object().unwrap().len());
    }

    #[test]
    fn names_stand_where_they_belong() {
        let record = json!({"rule": "spike", "handset": "214", "user": "214", "ip": "10.0.3.24", "mac": null,
                            "regions": ["LV", "001"], "id": 7});
        let told = told(&record);
        assert!(told[0].contains("calls of 214, or unplug the handset (10.0.3.24)."), "{told:?}");
        assert!(told[2].contains("bar Latvia, satellite and international networks, give"), "{told:?}");
        assert!(told[3].contains("ack 7 ") && told.iter().all(|step| !step.contains('{')), "{told:?}");
        let office = super::told(&json!({"rule": "spend", "handset": null, "id": 8}));
        assert!(office[0].contains("the whole office") && office.iter().all(|step| !step.contains('{')));
        assert!(super::told(&json!({"rule": "fire_drill"})).is_empty());
    }
}
