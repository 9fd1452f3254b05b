//! `doctor`: is the mirror right?

use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::args::{self, Args};
use super::{Failure, columns, is_terminal, json};
use crate::capture::file::{self, Source};
use crate::dial::Dial;
use crate::record::{Style, folded, grouped, length};
use crate::run::doctor::{Doctor, Level, Report, Verdict};
use crate::tally::Label;

pub(super) fn run(args: &Args, wish: &args::Doctor, out: &mut dyn Write) -> Result<(), Failure> {
    let config = args.config()?;
    let mut doctor = Doctor::new(config.sensor(), Dial::new(&config.dial())?);
    let broken = match (&wish.file, &wish.interface) {
        (Some(path), _) => read(&mut doctor, path)?,
        (None, Some(interface)) => {
            listen(&mut doctor, interface, wish.seconds)?;
            None
        }
        (None, None) => return Err(Failure::Usage("doctor needs a capture's name, or -i IFACE".to_owned())),
    };
    let report = doctor.finish();
    if wish.json {
        json(out, &object(&report))?;
    } else {
        text(&report, columns(), out)?;
    }
    out.flush()?;
    match (broken, report.verdict) {
        (Some(error), _) => Err(Failure::Runtime(error)),
        (None, Verdict::Blind) => Err(Failure::Runtime("no call can be seen from here".to_owned())),
        (None, _) => Ok(()),
    }
}

/// Reads a capture; what stood before a fault is looked at all the same.
fn read(doctor: &mut Doctor, path: &Path) -> Result<Option<String>, Failure> {
    let mut capture =
        file::open(&Source::from_arg(path)).map_err(|error| Failure::Runtime(error.to_string()))?;
    loop {
        match capture.next() {
            Ok(Some(frame)) => doctor.take(&frame),
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(error.to_string())),
        }
    }
}

#[cfg(feature = "daemon")]
fn listen(doctor: &mut Doctor, interface: &str, seconds: u64) -> Result<(), Failure> {
    use crate::run::doctor::listen;
    listen(doctor, interface, seconds).map_err(Failure::Runtime)
}

#[cfg(not(feature = "daemon"))]
fn listen(_: &mut Doctor, _: &str, _: u64) -> Result<(), Failure> {
    Err(Failure::Usage("this build can't capture live; give it a capture file".to_owned()))
}

fn text(report: &Report, width: Option<usize>, out: &mut dyn Write) -> io::Result<()> {
    let style = if is_terminal(&io::stdout()) { Style::Colour } else { Style::Plain };
    let verdict = format!("{}: {}", report.verdict.name(), report.verdict.about());
    folded(out, width, 2, &style.bold(&verdict))?;
    writeln!(out, "  {} frames in {}", grouped(report.totals.frames), length(report.length))?;
    for line in &report.lines {
        let mark = match line.level {
            Level::Fine => "+",
            Level::Note => "-",
            Level::Doubt | Level::Fault => "!",
        };
        folded(out, width, 4, &format!("  {mark} {}", line.what))?;
        if !line.cure.is_empty() {
            folded(out, width, 6, &style.dim(&format!("      {}", line.cure)))?;
        }
    }
    if !report.phones.is_empty() {
        writeln!(out, "{}", style.bold("Phones and other devices that speak SIP"))?;
    }
    for (ip, phone) in &report.phones {
        let mac = phone.mac.map_or_else(|| "-".to_owned(), |mac| mac.to_string());
        let device = phone.device.map_or_else(
            || phone.agent.to_string(),
            |device| {
                let parts = [device.vendor.to_owned(), device.model.to_string(), device.firmware.to_string()];
                parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
            },
        );
        folded(out, width, 4, &format!("  {ip:<15} {mac:<17} {device}"))?;
    }
    Ok(())
}

fn object(report: &Report) -> serde_json::Value {
    let loss = report.loss;
    let share = |share: Option<f64>| share.map(|share| (share * 1_000.0).round() / 1_000.0);
    let phones: Vec<_> = report
        .phones
        .iter()
        .map(|(ip, phone)| {
            json!({
                "ip": ip.to_string(),
                "mac": phone.mac.map(|mac| mac.to_string()),
                "vlan": phone.vlan,
                "user_agent": phone.agent.to_string(),
                "make": phone.device.map(|device| device.vendor).filter(|make| !make.is_empty()),
                "model": phone.device.map(|device| device.model.to_string()),
                "firmware": phone.device.map(|device| device.firmware.to_string()),
            })
        })
        .collect();
    let lines: Vec<_> = report
        .lines
        .iter()
        .map(|line| json!({ "level": line.level.name(), "what": line.what, "cure": line.cure }))
        .collect();
    json!({
        "type": "doctor",
        "verdict": report.verdict.name(),
        "seconds": report.length.as_secs_f64(),
        "frames": report.totals.frames,
        "sip_messages": report.totals.sip_messages,
        "attempts": report.totals.attempts,
        "both_directions": report.both_directions,
        "doubled_share": share(report.doubled),
        "encrypted_share": share(report.encrypted_share),
        "rtp": report.rtp,
        "rtp_without_sip": report.rtp > 0 && report.totals.sip_messages == 0,
        "unicast_frames": report.unicast.0,
        "group_frames": report.unicast.1,
        "bad_checksums": report.bad_checksums.0,
        "checked_checksums": report.bad_checksums.1,
        "vlans": report.vlans.keys().collect::<Vec<_>>(),
        "mirrors": report.mirrors.keys().map(ToString::to_string).collect::<Vec<_>>(),
        "loss": {
            "received": loss.kernel.received,
            "dropped_kernel": loss.kernel.dropped,
            "dropped_interface": loss.kernel.dropped_by_interface,
            "truncated": loss.truncated,
            "tcp_gaps": loss.tcp_gaps,
            "responses_without_call": loss.responses_without_call,
        },
        "phones": phones,
        "findings": lines,
    })
}
