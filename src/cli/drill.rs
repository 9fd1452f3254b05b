//! `drill`: labelled synthetic traffic.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::json;

use super::{Failure, args, json};
use crate::drill::{self, DrillError, Options, Scenario, Sort, Summary};

pub(super) fn run(drill: &args::Drill, out: &mut dyn Write) -> Result<(), Failure> {
    // clap sees to it that either all three or --list are there.
    let (Some(name), Some(seed), Some(path)) = (&drill.scenario, drill.seed, &drill.output) else {
        return Ok(list(drill.json, out)?);
    };
    if !drill::scenarios().iter().any(|scenario| scenario.name == name) {
        return Err(Failure::Usage(DrillError::Unknown(name.clone()).to_string()));
    }
    let labels_path = path.with_extension("labels.jsonl");
    let (mut capture, mut labels) = (create(path)?, create(&labels_path)?);
    let options = Options { handsets: drill.handsets, days: drill.days, attack_calls: drill.attack_calls };
    let failed = |what: String| Failure::Runtime(format!("{}: {what}", path.display()));
    let summary = drill::generate_with(name, seed, options, &mut capture, &mut labels)
        .map_err(|error| failed(described(&error)))?;
    capture.flush().and_then(|()| labels.flush()).map_err(|error| failed(error.to_string()))?;
    Ok(report(&summary, path, &labels_path, drill.json, out)?)
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    File::create(path).map(BufWriter::new).map_err(|e| Failure::Runtime(format!("{}: {e}", path.display())))
}

fn described(error: &DrillError) -> String {
    match error {
        DrillError::Write(cause) => format!("{error}: {cause}"),
        DrillError::Unknown(_) => error.to_string(),
    }
}

fn report(
    summary: &Summary,
    path: &Path,
    labels: &Path,
    as_json: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if as_json {
        return json(
            out,
            &json!({
                "capture": path.display().to_string(),
                "labels": labels.display().to_string(),
                "frames": summary.frames,
                "bytes": summary.bytes,
                "invites": summary.invites,
                "calls": summary.calls,
                "attacks": summary.episodes,
                "attack_calls": summary.marked_calls,
                "start": summary.start.to_string(),
                "end": summary.end.to_string(),
            }),
        );
    }
    writeln!(
        out,
        "{}: {} frames, {} calls, {} to {}",
        path.display(),
        summary.frames,
        summary.calls,
        summary.start,
        summary.end
    )?;
    writeln!(out, "{}: {} attacks of {} calls", labels.display(), summary.episodes, summary.marked_calls)
}

fn list(as_json: bool, out: &mut dyn Write) -> io::Result<()> {
    for scenario in drill::scenarios() {
        if as_json {
            json(
                out,
                &json!({
                    "scenario": scenario.name,
                    "sort": sort(scenario),
                    "about": scenario.about,
                    "days": scenario.days,
                    "handsets": scenario.handsets,
                }),
            )?;
        } else {
            writeln!(out, "{:<28} {:<7} {}", scenario.name, sort(scenario), scenario.about)?;
        }
    }
    Ok(())
}

const fn sort(scenario: &Scenario) -> &'static str {
    match scenario.sort {
        Sort::Quiet => "quiet",
        Sort::Posture => "posture",
        Sort::Attack => "attack",
        Sort::World => "world",
    }
}
