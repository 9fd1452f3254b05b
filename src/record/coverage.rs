//! What could and couldn't be seen, as the summary's `coverage` and as lines for people.

use std::net::IpAddr;

use serde::Serialize;

use super::Summary;
use super::json::counts;
use crate::coverage::Phone;

/// What media say of calls that can't be seen, for machines and people alike.
const LABEL: &str = "rate only, destination unknown";

#[derive(Serialize)]
pub(super) struct CoverageRecord<'a> {
    #[serde(serialize_with = "counts")]
    signs: &'a [(&'static str, u64)],
    #[serde(serialize_with = "counts")]
    evicted: &'a [(&'static str, u64)],
    /// Whether calls could be seen at all: if not, `attempts` says nothing.
    blind: bool,
    blind_reason: Option<&'static str>,
    /// Whether what is first or absent says nothing yet.
    warming_up: bool,
    one_way: Option<bool>,
    doubled_share: Option<f64>,
    loss: LossRecord,
    encrypted: EncryptedRecord,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct LossRecord {
    received: u64,
    dropped_kernel: u64,
    dropped_interface: u64,
    truncated: u64,
    tcp_gaps: u64,
    responses_without_call: u64,
}

#[derive(Serialize)]
struct EncryptedRecord {
    flows: u64,
    compressed_messages: u64,
    handsets: Vec<HiddenRecord>,
}

#[derive(Serialize)]
struct HiddenRecord {
    ip: IpAddr,
    server: String,
    since: String,
    connections: u32,
    calls_by_media: u32,
    at_once: u8,
    by_hour_utc: [u32; 24],
    note: &'static str,
}

impl<'a> CoverageRecord<'a> {
    pub(super) fn new(summary: &'a Summary) -> Self {
        let loss = summary.loss;
        let handsets = summary.hidden_handsets.iter().map(|(ip, phone)| HiddenRecord {
            ip: *ip,
            server: phone.server.to_string(),
            since: phone.since.to_string(),
            connections: phone.connections,
            calls_by_media: phone.calls,
            at_once: phone.at_once,
            by_hour_utc: phone.by_hour,
            note: LABEL,
        });
        Self {
            signs: &summary.signs,
            evicted: &summary.evicted,
            blind: summary.blind.is_some(),
            blind_reason: summary.blind,
            warming_up: summary.warming_up,
            one_way: summary.one_way,
            doubled_share: summary.doubled.map(|share| (share * 1_000.0).round() / 1_000.0),
            loss: LossRecord {
                received: loss.kernel.received,
                dropped_kernel: loss.kernel.dropped,
                dropped_interface: loss.kernel.dropped_by_interface,
                truncated: loss.truncated,
                tcp_gaps: loss.tcp_gaps,
                responses_without_call: loss.responses_without_call,
            },
            encrypted: EncryptedRecord {
                flows: summary.hidden.0,
                compressed_messages: summary.hidden.1,
                handsets: handsets.collect(),
            },
            warnings: &summary.warnings,
        }
    }
}

impl Summary {
    /// What could and couldn't be seen, as the summary's `coverage` in JSON.
    pub fn coverage_json(&self) -> String {
        // Plain figures and text: it can't fail.
        serde_json::to_string(&CoverageRecord::new(self)).unwrap_or_default()
    }
}

/// A handset whose signalling can't be read, in a line.
pub(super) fn hidden(ip: IpAddr, phone: &Phone) -> String {
    let busiest = (0u8..).zip(phone.by_hour).max_by_key(|(hour, n)| (*n, std::cmp::Reverse(*hour)));
    let when = busiest.filter(|(_, n)| *n > 0).map_or_else(String::new, |(hour, _)| {
        format!(
            ", {} at once at the most, most of them from {hour:02}:00 to {:02}:00 UTC",
            phone.at_once,
            (hour + 1) % 24
        )
    });
    let calls = if phone.calls == 1 { "call" } else { "calls" };
    format!("{ip} to {}: {} {calls} by the media{when}; {LABEL}", phone.server, phone.calls)
}
