//! `replay`: captures through the engine, on the trace's own time.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{self, Args, Format};
use super::{Failure, complain, history, is_terminal};
use crate::capture::file::Source;
use crate::config::Config;
use crate::fact::Fact;
use crate::judge::Output;
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
    engine.learn(&history::calls(&replay_args.learn, &config)?);
    let facts = replay_args.facts.as_deref().map(create).transpose()?;
    let sources: Vec<Source> = replay_args.files.iter().map(|file| Source::from_arg(file)).collect();
    let lines = (replay_args.format == Format::Jsonl).then_some(&mut *out);
    let mut sink =
        Records { recorder: &recorder, lines, facts, report: Report::default(), facts_failed: false };

    let bar = Bar::new(&replay_args.files);
    let ended = replay(&mut engine, &sources, &mut sink, &mut |progress| bar.show(progress));
    let broken = match ended {
        // A disk that is full, not a reader who has read enough: standard output says so itself.
        Err(error) if sink.facts_failed => return Err(unwritable(replay_args.facts.as_deref(), &error)),
        ended => ended?,
    };
    bar.clear();

    let Records { report, facts, .. } = sink;
    if let Some(mut facts) = facts {
        facts.flush().map_err(|error| unwritable(replay_args.facts.as_deref(), &error))?;
    }
    let (now, length) = engine.now();
    let summary = Summary::new(engine.sensor(), engine.judge(), report.raised(), now, length);
    match replay_args.format {
        Format::Jsonl => {
            recorder.unfound(out, &summary.checklist, now)?;
            recorder.summary(out, &summary)?;
        }
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

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    File::create(path).map(BufWriter::new).map_err(|error| unwritable(Some(path), &error))
}

fn unwritable(path: Option<&Path>, error: &io::Error) -> Failure {
    Failure::Runtime(format!("{}: can't be written: {error}", path.unwrap_or(Path::new("--facts")).display()))
}

fn writer(config: &Config, recorder: Recorder, verbose: bool) -> Writer {
    let style = if is_terminal(&io::stdout()) { Style::Colour } else { Style::Plain };
    Writer {
        style,
        recorder,
        hours: config.office_hours().clone(),
        zone: config.timezone().to_owned(),
        verbose,
        width: super::columns(),
    }
}

/// Writes records as they come and keeps the incidents for the end.
struct Records<'a, 'out> {
    recorder: &'a Recorder,
    lines: Option<&'a mut (dyn Write + 'out)>,
    facts: Option<BufWriter<File>>,
    report: Report,
    /// The facts' file couldn't be written.
    facts_failed: bool,
}

impl Sink for Records<'_, '_> {
    fn fact(&mut self, fact: &Fact) -> io::Result<()> {
        let written = self.facts.as_mut().map_or(Ok(()), |out| self.recorder.fact(out, fact));
        self.facts_failed |= written.is_err();
        written
    }

    fn output(&mut self, output: &Output) -> io::Result<()> {
        if let Output::Alert(alert) = output {
            self.report.add(alert);
        }
        self.lines.as_mut().map_or(Ok(()), |out| self.recorder.output(out, output))
    }
}

/// A progress bar over all files, if somebody is watching.
struct Bar {
    bar: Option<ProgressBar>,
    /// Bytes before each file; their sum last. `None` where a size isn't known.
    before: Vec<Option<u64>>,
}

/// How often the bar is drawn anew, a second.
const DRAWN: u8 = 8;

impl Bar {
    fn new(files: &[PathBuf]) -> Self {
        let size = |file: &PathBuf| std::fs::metadata(file).ok().filter(|m| m.is_file()).map(|m| m.len());
        let mut before = vec![Some(0)];
        let mut sum = Some(0_u64);
        for file in files {
            sum = sum.zip(size(file)).map(|(sum, size)| sum.saturating_add(size));
            before.push(sum);
        }
        let watched = io::stderr().is_terminal();
        let bar = watched.then(|| {
            let bar = ProgressBar::with_draw_target(sum, ProgressDrawTarget::stderr_with_hz(DRAWN));
            let template = if sum.is_some() {
                "{wide_bar} {percent:>3} % of {total_bytes}  {binary_bytes_per_sec}  {msg}  {eta} left"
            } else {
                "{spinner} {bytes} read  {binary_bytes_per_sec}  {msg}  {elapsed}"
            };
            // A template that were wrong would leave indicatif's own.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, before }
    }

    fn show(&self, progress: Progress) {
        let Some(bar) = &self.bar else { return };
        let before = self.before.get(progress.file).copied().flatten().unwrap_or(0);
        bar.set_position(before.saturating_add(progress.bytes));
        let frames = progress.frames;
        let word = if frames >= 1_000_000 {
            format!("{}.{} M frames", frames / 1_000_000, frames / 100_000 % 10)
        } else {
            format!("{} k frames", frames / 1_000)
        };
        bar.set_message(word);
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
