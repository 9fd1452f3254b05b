//! Labels of attacks, ours or another generator's.
//!
//! In: `FILE.labels.jsonl`, or a drill's own episodes. Out: `Attack`.
//! Never: refuses a file for a field it can do without; says which lines it couldn't read.

use serde::Deserialize;

use crate::drill::Episode;
use crate::time::{Span, Timestamp};

/// One attack as it was played.
#[derive(Clone, Debug)]
pub(super) struct Attack {
    pub(super) name: String,
    pub(super) scenario: String,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Extensions, addresses or hardware addresses.
    pub(super) handsets: Vec<String>,
    /// In time order.
    pub(super) calls: Vec<AttackCall>,
}

/// One call of an attack.
#[derive(Clone, Copy, Debug)]
pub(super) struct AttackCall {
    /// Stands for its Call-ID.
    pub(super) id: u64,
    pub(super) time: Timestamp,
    pub(super) answered: Timestamp,
    pub(super) talk: Span,
    pub(super) per_minute: f64,
}

impl AttackCall {
    /// What it had cost at a moment, by the second.
    pub(super) fn cost_until(&self, at: Timestamp) -> f64 {
        let talked = at.since(self.answered).0.min(self.talk.0);
        Span(talked.max(0)).as_secs_f64() / 60.0 * self.per_minute
    }

    pub(super) fn cost(&self) -> f64 {
        self.talk.as_secs_f64() / 60.0 * self.per_minute
    }
}

/// Stands for a Call-ID: equal ones are equal (FNV-1a).
pub(super) fn call_key(call_id: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    call_id.iter().fold(0xcbf2_9ce4_8422_2325, fold)
}

/// A line of the file. Everything but the calls may be missing.
#[derive(Deserialize)]
struct Line {
    #[serde(default, alias = "id", alias = "name")]
    episode: serde_json::Value,
    #[serde(default, alias = "kind", alias = "attack")]
    scenario: String,
    #[serde(default)]
    start: serde_json::Value,
    #[serde(default)]
    end: serde_json::Value,
    #[serde(default, alias = "handset", alias = "victims")]
    handsets: serde_json::Value,
    #[serde(default)]
    calls: Vec<Entry>,
}

/// A call of a line: an object, or just its Call-ID.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Id(String),
    Whole {
        #[serde(alias = "callid", alias = "call-id", alias = "id")]
        call_id: String,
        #[serde(default, alias = "start", alias = "ts")]
        time: serde_json::Value,
        #[serde(default)]
        setup_s: Option<f64>,
        #[serde(default, alias = "talk_s", alias = "duration")]
        duration_s: Option<f64>,
        #[serde(default, alias = "rate", alias = "price_per_min")]
        rate_per_min: Option<f64>,
    },
}

/// Reads a file of labels; the second value names lines that aren't labels, and why.
pub(super) fn read(text: &str) -> (Vec<Attack>, Vec<String>) {
    let (mut attacks, mut bad) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<Line>(line)
            .map_err(|e| e.to_string())
            .and_then(|line| attack(line, number))
        {
            Ok(attack) => attacks.push(attack),
            Err(why) => bad.push(format!("line {number}: {why}")),
        }
    }
    (attacks, bad)
}

fn attack(line: Line, number: usize) -> Result<Attack, String> {
    let start = moment(&line.start);
    let mut calls: Vec<AttackCall> = line.calls.iter().filter_map(|entry| call(entry, start)).collect();
    if calls.is_empty() {
        return Err("no calls with a time".to_owned());
    }
    calls.sort_by_key(|call| call.time);
    let first = calls.first().map_or_else(Timestamp::default, |call| call.time);
    let last = calls.iter().map(|c| c.answered.plus(c.talk)).max().unwrap_or(first);
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(Attack {
        name: if line.episode.is_null() { format!("line {number}") } else { text(&line.episode) },
        scenario: if line.scenario.is_empty() { "unnamed".to_owned() } else { line.scenario },
        start: start.unwrap_or(first).min(first),
        end: moment(&line.end).unwrap_or(last).max(last),
        handsets: match line.handsets {
            serde_json::Value::Array(list) => list.iter().map(text).collect(),
            serde_json::Value::Null => Vec::new(),
            one => vec![text(&one)],
        },
        calls,
    })
}

fn call(entry: &Entry, start: Option<Timestamp>) -> Option<AttackCall> {
    let span = |seconds: Option<f64>| Span(micros(seconds.unwrap_or(0.0)));
    Some(match entry {
        Entry::Id(id) => {
            let time = start?;
            let id = call_key(id.as_bytes());
            AttackCall { id, time, answered: time, talk: Span::ZERO, per_minute: 0.0 }
        }
        Entry::Whole { call_id, time, setup_s, duration_s, rate_per_min } => {
            let time = moment(time).or(start)?;
            AttackCall {
                id: call_key(call_id.as_bytes()),
                time,
                answered: time.plus(span(*setup_s)),
                talk: span(*duration_s),
                per_minute: rate_per_min.unwrap_or(0.0).max(0.0),
            }
        }
    })
}

/// Microseconds of so many seconds; nothing for what is no time.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and such values mean nothing")]
fn micros(seconds: f64) -> i64 {
    if seconds.is_finite() && seconds > 0.0 { (seconds * 1e6).round() as i64 } else { 0 }
}

/// RFC 3339, or seconds since 1970.
fn moment(value: &serde_json::Value) -> Option<Timestamp> {
    match value {
        serde_json::Value::Number(n) => n.as_f64().map(|seconds| Timestamp(micros(seconds))),
        serde_json::Value::String(text) => {
            let parsed: jiff::Timestamp = text.trim().parse().ok()?;
            Some(Timestamp(parsed.as_microsecond()))
        }
        _ => None,
    }
}

/// The labels of a drill that was played without a file.
pub(super) fn of_drill(episodes: &[Episode]) -> Vec<Attack> {
    let text = |value: &str| serde_json::Value::String(value.to_owned());
    let mut attacks = Vec::with_capacity(episodes.len());
    for episode in episodes {
        let mut calls: Vec<AttackCall> = Vec::with_capacity(episode.calls.len());
        for call in &episode.calls {
            let Some(time) = moment(&text(&call.time)) else { continue };
            calls.push(AttackCall {
                id: call_key(call.call_id.as_bytes()),
                time,
                answered: time.plus(Span(micros(call.setup_s))),
                talk: Span(micros(call.duration_s)),
                per_minute: call.rate_per_min,
            });
        }
        calls.sort_by_key(|call| call.time);
        attacks.push(Attack {
            name: episode.episode.clone(),
            scenario: episode.scenario.clone(),
            start: moment(&text(&episode.start)).unwrap_or_default(),
            end: moment(&text(&episode.end)).unwrap_or_default(),
            handsets: episode.handsets.clone(),
            calls,
        });
    }
    attacks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_generators_labels_are_read_as_far_as_they_go() {
        let text = concat!(
            r#"{"episode":7,"scenario":"x","handsets":"214","calls":[{"call_id":"a","time":1792000000.5,"extra":1}]}"#,
            "\n\n",
            r#"{"start":"2026-11-02T10:00:00Z","calls":["a","b"],"currency":"EUR"}"#,
            "\n",
            r#"{"scenario":"y","calls":[{"call_id":"c","time":"2026-11-02T11:00:00+01:00","setup_s":5,"duration_s":60,"rate_per_min":0.5}]}"#,
            "\n",
            r#"{"scenario":"z","calls":[]}"#,
            "\nnonsense",
        );
        let (attacks, bad) = read(text);
        assert_eq!((attacks.len(), bad.len()), (3, 2), "{bad:?}");
        assert_eq!((attacks[0].name.as_str(), &attacks[0].handsets), ("7", &vec!["214".to_owned()]));
        assert_eq!(attacks[0].start, Timestamp(1_792_000_000_500_000));
        assert_eq!(attacks[1].calls.len(), 2);
        let call = attacks[2].calls[0];
        assert_eq!(call.time.to_string(), "2026-11-02T10:00:00.000000Z");
        assert_eq!(attacks[2].end, call.time.plus(Span::seconds(65)));
        assert!((call.cost() - 0.5).abs() < 1e-12);
        assert!((call.cost_until(call.time.plus(Span::seconds(35))) - 0.25).abs() < 1e-12);
        assert!(call.cost_until(call.time) == 0.0);
    }
}
