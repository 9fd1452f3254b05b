//! `replay`: captures through the engine, on the trace's own time.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use super::args::{self, Args, Format};
use super::{Failure, complain, is_terminal};
use crate::capture::file::Source;
use crate::config::Config;
use crate::fact::Fact;
use crate::judge::Output;
use crate::learn::{self, Office};
use crate::ledger;
use crate::record::{Privacy, Recorder, Report, Style, Summary, Writer};
use crate::run::engine::{Engine, Settings, Sink};
use crate::run::replay::{Progress, replay};

pub(super) fn run(args: &Args, replay_args: &args::Replay, out: &mut dyn Write) -> Result<(), Failure> {
    let config = args.config()?;
    let recorder = Recorder { privacy: Privacy::Full, names: config.names() };
    let mut engine = Engine::new(Settings {
        dial: config.dial(),
        sensor: config.sensor(),
        ledger: ledger::Settings::default(),
        judge: config.judge(),
    })?;
    prime(&mut engine, &replay_args.learn, &config)?;
    let facts = replay_args.facts.as_deref().map(create).transpose()?;
    let sources: Vec<Source> = replay_args.files.iter().map(|file| Source::from_arg(file)).collect();
    let lines = (replay_args.format == Format::Jsonl).then_some(&mut *out);
    let mut sink = Records { recorder: &recorder, lines, facts, report: Report::default() };

    let mut bar = Bar::new();
    let broken = replay(&mut engine, &sources, &mut sink, &mut |progress| bar.show(progress))?;
    bar.clear();

    let Records { report, facts, .. } = sink;
    if let Some(mut facts) = facts {
        facts.flush()?;
    }
    let (now, length) = engine.now();
    let summary = Summary::new(engine.sensor(), engine.judge(), report.raised(), now, length);
    match replay_args.format {
        Format::Jsonl => recorder.summary(out, &summary)?,
        // Nothing could be opened: the complaint below says it all.
        Format::Text if broken.len() == sources.len() && summary.totals.frames == 0 => {}
        Format::Text => writer(&config, recorder, args.verbose > 0).write(out, &report, &summary)?,
    }
    out.flush()?;
    for error in &broken {
        complain(&error.to_string());
    }
    if replay_args.fail_on_alert && report.paging() > 0 {
        return Err(Failure::Alerted);
    }
    match broken.len() {
        0 => Ok(()),
        1 => Err(Failure::Runtime("one capture could not be read whole".to_owned())),
        n => Err(Failure::Runtime(format!("{n} captures could not be read whole"))),
    }
}

/// Lets an engine learn from files, and says what each taught.
fn prime(engine: &mut Engine, files: &[PathBuf], config: &Config) -> Result<(), Failure> {
    let office =
        Office { dial: config.dial(), sensor: config.sensor(), hours: config.office_hours().clone() };
    let mut calls = Vec::new();
    for file in files {
        let fault = |what: String| Failure::Runtime(format!("{}: {what}", file.display()));
        let (history, broken) = learn::load(file, &office).map_err(|error| fault(error.to_string()))?;
        complain(&format!("{}: {}", file.display(), history.describe()));
        if let Some(broken) = broken {
            complain(&broken.to_string());
        }
        calls.extend(history.calls);
    }
    calls.sort_by_key(|call| call.time);
    engine.learn(&calls);
    Ok(())
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    File::create(path).map(BufWriter::new).map_err(|e| Failure::Runtime(format!("{}: {e}", path.display())))
}

fn writer(config: &Config, recorder: Recorder, verbose: bool) -> Writer {
    let style = if is_terminal(&io::stdout()) { Style::Colour } else { Style::Plain };
    Writer {
        style,
        recorder,
        hours: config.office_hours().clone(),
        zone: config.timezone().to_owned(),
        verbose,
    }
}

/// Writes records as they come and keeps the incidents for the end.
struct Records<'a, 'out> {
    recorder: &'a Recorder,
    lines: Option<&'a mut (dyn Write + 'out)>,
    facts: Option<BufWriter<File>>,
    report: Report,
}

impl Sink for Records<'_, '_> {
    fn fact(&mut self, fact: &Fact) -> io::Result<()> {
        self.facts.as_mut().map_or(Ok(()), |out| self.recorder.fact(out, fact))
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        if let Output::Alert(alert) = output {
            self.report.add(alert);
        }
        self.lines.as_mut().map_or(Ok(()), |out| self.recorder.output(out, output))
    }
}

/// A progress bar, if somebody is watching.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new() -> Self {
        Self(io::stderr().is_terminal().then(ProgressBar::no_length))
    }

    fn show(&mut self, progress: Progress) {
        let Some(bar) = &self.0 else { return };
        if let Some(total) = progress.total
            && bar.length() != Some(total)
            && let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes}  {msg} frames")
        {
            bar.set_length(total);
            bar.set_style(style);
        }
        bar.set_position(progress.bytes);
        bar.set_message(progress.frames.to_string());
    }

    fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
