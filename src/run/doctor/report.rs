//! What was found, in plain sentences with the cure.
//!
//! In: the sensor's coverage, the look at frames. Out: `Report`.
//! Never: praises what it couldn't see.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Look, Phone};
use crate::coverage::{Loss, Sign};
use crate::labels;
use crate::sensor::{Sensor, Totals};
use crate::time::Span;

labels! {
    /// Whether the mirror shows what it must.
    pub enum Verdict {
        Good = "good", "The mirror shows both directions of the phones' SIP.";
        Doubtful = "doubtful", "Calls can be seen, but not all, or not all of them.";
        Blind = "blind", "No call can be seen from here.";
    }
}

labels! {
    /// How a finding bears on the verdict.
    pub enum Level {
        Fine = "fine", "As it should be.";
        Note = "note", "Good to know.";
        Doubt = "doubt", "Something is missing.";
        Fault = "fault", "Calls can't be seen.";
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it bears on the verdict.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// What to do about it; may be empty.
    pub cure: &'static str,
}

/// What the doctor says.
#[derive(Clone, Debug)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// From the first frame to the last.
    pub length: Span,
    /// The sensor's counts.
    pub totals: Totals,
    /// Whether both directions are there; `None` if too little was seen.
    pub both_directions: Option<bool>,
    /// Which share of SIP messages is seen twice.
    pub doubled: Option<f64>,
    /// What was lost on the way.
    pub loss: Loss,
    /// Which share of the handsets signals over TLS or DTLS.
    pub encrypted_share: Option<f64>,
    /// RTP packets.
    pub rtp: u64,
    /// Frames to one station, and to groups.
    pub unicast: (u64, u64),
    /// Checksums that are wrong, of those that could be checked.
    pub bad_checksums: (u64, u64),
    /// Packets by VLAN.
    pub vlans: BTreeMap<u16, u64>,
    /// Packets by the sender of a remote mirror.
    pub mirrors: BTreeMap<IpAddr, u64>,
    /// Devices that spoke SIP in clear and say what they are.
    pub phones: BTreeMap<IpAddr, Phone>,
    /// The findings, in the order of what to do first.
    pub lines: Vec<Line>,
}

pub(super) fn report(sensor: &Sensor, look: &Look, length: Span) -> Report {
    let coverage = sensor.coverage();
    let one_way = coverage.one_way();
    let mut report = Report {
        verdict: Verdict::Good,
        length,
        totals: sensor.totals(),
        both_directions: one_way.map(|one_way| !one_way),
        doubled: coverage.doubles.share(),
        loss: coverage.loss(),
        encrypted_share: encrypted_share(sensor),
        rtp: look.rtp,
        unicast: (look.unicast, look.group),
        bad_checksums: (look.bad_checksums, look.checked),
        vlans: look.vlans.clone(),
        mirrors: look.mirrors.clone(),
        phones: look.phones.clone(),
        lines: Vec::new(),
    };
    let mut lines = Vec::new();
    sight(&mut lines, sensor, &report);
    directions(&mut lines, sensor, &report);
    losses(&mut lines, &report);
    notes(&mut lines, sensor, look, &report);
    lines.sort_by_key(|line| std::cmp::Reverse(line.level));
    report.verdict = match lines.first().map(|line| line.level) {
        Some(Level::Fault) => Verdict::Blind,
        Some(Level::Doubt) | None => Verdict::Doubtful,
        Some(Level::Note | Level::Fine) => Verdict::Good,
    };
    report.lines = lines;
    report
}

/// Handsets that encrypt, of all that were seen to signal.
fn encrypted_share(sensor: &Sensor) -> Option<f64> {
    let hidden = u32::try_from(sensor.coverage().encrypted.phones().count()).ok()?;
    let clear = u32::try_from(sensor.totals().handsets).ok()?;
    let all = hidden.saturating_add(clear);
    (all > 0).then(|| f64::from(hidden) / f64::from(all))
}

fn add(lines: &mut Vec<Line>, level: Level, what: String, cure: &'static str) {
    lines.push(Line { level, what, cure });
}

/// Whether there is SIP at all.
fn sight(lines: &mut Vec<Line>, sensor: &Sensor, report: &Report) {
    let coverage = sensor.coverage();
    let (unicast, group) = report.unicast;
    let broadcast_only = group > 0 && unicast.saturating_mul(50) < group;
    if report.totals.frames == 0 {
        return add(
            lines,
            Level::Fault,
            "nothing arrived at all".into(),
            "check the cable, and that the switch's mirror session is on and names this port as its destination",
        );
    }
    if broadcast_only {
        add(
            lines,
            Level::Fault,
            format!(
                "only broadcast and multicast arrives ({group} frames, {unicast} others): this port isn't mirrored to"
            ),
            "configure a mirror (SPAN) session on the switch: source = the port to the PBX or router, both directions; destination = this port",
        );
    }
    if coverage.messages() > 0 {
        let sip = coverage.messages();
        return add(
            lines,
            Level::Fine,
            format!("{sip} SIP messages can be read; {} calls were placed", report.totals.attempts),
            "",
        );
    }
    if coverage.is_encrypted() {
        add(
            lines,
            Level::Fault,
            "all signalling is encrypted: calls can't be seen from here, only how many there are by their media".into(),
            "have the PBX send HEP copies of its messages to [capture.hep] listen, or mirror a place where SIP is in clear",
        );
    } else if report.rtp > 0 {
        add(
            lines,
            Level::Fault,
            format!(
                "there are {} RTP packets but no SIP: the phones' media pass here and their signalling elsewhere, or encrypted",
                report.rtp
            ),
            "mirror the port to the PBX or its router instead, or have the PBX send HEP copies",
        );
    } else if !broadcast_only {
        add(
            lines,
            Level::Fault,
            "there is no SIP: either nobody used a phone meanwhile, or the phones' traffic doesn't pass here"
                .into(),
            "place a call while this runs; if it stays so, mirror the port that leads to the PBX or router",
        );
    }
}

fn directions(lines: &mut Vec<Line>, sensor: &Sensor, report: &Report) {
    let coverage = sensor.coverage();
    match report.both_directions {
        Some(true) => add(lines, Level::Fine, "both directions are mirrored".into(), ""),
        Some(false) if coverage.signs.get(Sign::Requests) == 0 => add(
            lines,
            Level::Fault,
            "one direction only: responses but no requests; calls can't be told".into(),
            "mirror both directions (on Cisco: `monitor session 1 source interface ... both`)",
        ),
        Some(false) => add(
            lines,
            Level::Doubt,
            "one direction only: attempts are counted, but whether they were answered isn't seen".into(),
            "mirror both directions (on Cisco: `monitor session 1 source interface ... both`)",
        ),
        None if coverage.messages() > 0 => add(
            lines,
            Level::Doubt,
            "too few SIP messages to tell whether both directions are mirrored".into(),
            "place a call and hang up while this runs",
        ),
        None => {}
    }
    if let Some(share) = report.doubled.filter(|share| *share >= 0.1) {
        add(
            lines,
            Level::Note,
            format!(
                "{:.0} of 100 SIP messages are seen twice; calls are counted once all the same",
                share * 100.0
            ),
            "mirror one port of the way only, to halve the load",
        );
    }
}

fn losses(lines: &mut Vec<Line>, report: &Report) {
    let loss = report.loss;
    let gone = loss.kernel.dropped.saturating_add(loss.kernel.dropped_by_interface);
    if gone > 0 {
        let all = loss.kernel.received.saturating_add(gone);
        add(
            lines,
            Level::Doubt,
            format!("{gone} of {all} packets were dropped before they could be read"),
            "raise [capture] buffer_mib, or mirror less",
        );
    }
    if loss.truncated > 0 {
        add(
            lines,
            Level::Doubt,
            format!("{} packets were cut short by the capture", loss.truncated),
            "record with the full length (tcpdump -s 0)",
        );
    }
    if loss.tcp_gaps > 0 {
        add(
            lines,
            Level::Doubt,
            format!("{} holes in TCP streams were never filled: the mirror loses packets", loss.tcp_gaps),
            "the mirror's port may be slower than what is mirrored: mirror less, or to a faster port",
        );
    }
    if loss.responses_without_call >= 5 {
        add(
            lines,
            Level::Doubt,
            format!("{} responses belong to calls whose INVITE wasn't seen", loss.responses_without_call),
            "calls that began earlier do so; if it goes on, one direction of some ports isn't mirrored",
        );
    }
}

fn notes(lines: &mut Vec<Line>, sensor: &Sensor, look: &Look, report: &Report) {
    let coverage = sensor.coverage();
    if let Some(share) = report.encrypted_share.filter(|share| *share > 0.0)
        && coverage.messages() > 0
    {
        add(
            lines,
            Level::Doubt,
            format!(
                "{:.0} of 100 handsets signal over TLS or DTLS: their calls can't be seen, only counted by their media",
                share * 100.0
            ),
            "have the PBX send HEP copies of its messages to [capture.hep] listen",
        );
    }
    if coverage.compressed() > 0 {
        add(
            lines,
            Level::Doubt,
            format!("{} WebSocket messages are compressed and can't be read", coverage.compressed()),
            "turn permessage-deflate off at the PBX, or have it send HEP copies",
        );
    }
    let (bad, checked) = report.bad_checksums;
    if bad.saturating_mul(10) > checked {
        add(
            lines,
            Level::Note,
            format!(
                "{bad} of {checked} checksums are wrong: the capture was made on the sending host, whose network card fills them in later"
            ),
            "nothing needs to be done: checksums aren't looked at",
        );
    }
    if !report.vlans.is_empty() {
        let ids: Vec<String> = report.vlans.keys().map(u16::to_string).collect();
        add(lines, Level::Note, format!("VLAN {}", ids.join(", ")), "");
    }
    if !report.mirrors.is_empty() {
        let senders: Vec<String> = report.mirrors.keys().map(IpAddr::to_string).collect();
        add(lines, Level::Note, format!("packets arrive in a tunnel from {}", senders.join(", ")), "");
    }
    if look.tcp_sip > 0 {
        add(lines, Level::Note, format!("{} of the SIP messages came over TCP", look.tcp_sip), "");
    }
    if coverage.messages() > 0 && report.rtp == 0 && report.totals.answered > 0 {
        add(
            lines,
            Level::Note,
            "no RTP: media pass elsewhere, so calls under TLS couldn't even be counted here".into(),
            "",
        );
    }
}
