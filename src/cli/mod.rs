//! The command line.
//!
//! In: arguments. Out: text or JSON on standard output, complaints on standard error, an exit code.
//! Never: holds logic.

mod args;
#[cfg(feature = "daemon")]
mod ask;
mod check;
mod doctor;
mod drill;
mod explain;
mod history;
mod init;
mod replay;
#[cfg(feature = "daemon")]
mod report;
#[cfg(feature = "daemon")]
mod run;
mod score;
#[cfg(feature = "daemon")]
mod table;

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::config::{self, Config};
use crate::dial::DialError;
use crate::text;

use args::{Args, Command};

/// Why a command didn't do what it was asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Something went wrong on the way.
    #[error("{0}")]
    Runtime(String),
    /// It was asked for something that can't be.
    #[error("{0}")]
    Usage(String),
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The configuration makes no dial plan.
    #[error("the dial plan can't be made: {0}")]
    Dial(#[from] DialError),
    /// Standard output or a file can't be written.
    #[error("can't write: {0}")]
    Write(#[from] io::Error),
    /// The wish was fulfilled; the code says what was found.
    #[error("")]
    Alerted,
}

impl Failure {
    /// INTERFACE section 2: 1 a run-time failure, 2 wrong usage or config, 3 an alert was seen.
    const fn code(&self) -> u8 {
        match self {
            Self::Runtime(_) | Self::Write(_) => 1,
            Self::Usage(_) | Self::Config(_) | Self::Dial(_) => 2,
            Self::Alerted => 3,
        }
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(wrong) => {
            // Help and version aren't failures; a pipe that closed on them neither.
            let _ = wrong.print();
            return ExitCode::from(if wrong.use_stderr() { 2 } else { 0 });
        }
    };
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has read enough.
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            if !matches!(failure, Failure::Alerted) {
                complain(&failure.to_string());
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match &args.command {
        #[cfg(feature = "daemon")]
        Command::Run(daemon) => {
            // Its alerts are shown from another thread.
            drop(out);
            return run::run(args, daemon);
        }
        Command::Replay(replay) => replay::run(args, replay, &mut out)?,
        Command::Doctor(doctor) => doctor::run(args, doctor, &mut out)?,
        Command::Explain(explain) => explain::run(args, explain, &mut out)?,
        #[cfg(feature = "daemon")]
        Command::Alerts(wish) => ask::alerts(args, wish, &mut out)?,
        #[cfg(feature = "daemon")]
        Command::Ack(wish) => ask::ack(args, wish, &mut out)?,
        #[cfg(feature = "daemon")]
        Command::Learn(wish) => ask::learn(args, wish, &mut out)?,
        #[cfg(feature = "daemon")]
        Command::Calls(wish) => ask::calls(args, wish, &mut out)?,
        #[cfg(feature = "daemon")]
        Command::Handsets(wish) => ask::handsets(args, wish, &mut out)?,
        #[cfg(feature = "daemon")]
        Command::Posture(wish) => ask::posture(args, wish, &mut out)?,
        #[cfg(feature = "daemon")]
        Command::Status(wish) => ask::status(args, wish, &mut out)?,
        #[cfg(feature = "daemon")]
        Command::Reload => ask::reload(args, &mut out)?,
        #[cfg(feature = "daemon")]
        Command::Drill(drill) if drill.fire => ask::fire(args, drill.json, &mut out)?,
        #[cfg(not(feature = "daemon"))]
        Command::Drill(drill) if drill.fire => {
            return Err(Failure::Usage("this build has no daemon, so there are no sinks".to_owned()));
        }
        Command::Drill(drill) => drill::run(drill, &mut out)?,
        Command::Score(score) => score::run(args, score, &mut out)?,
        #[cfg(feature = "daemon")]
        Command::Report(report) => report::run(args, report, &mut out)?,
        Command::Check(check) => check::run(args, check, &mut out)?,
        Command::Init(init) => init::run(init, &mut out)?,
        Command::Completions { shell } => args::completions(*shell, &mut out)?,
        Command::Man => args::man(&mut out)?,
    }
    Ok(out.flush()?)
}

/// The configuration that the package brings, which its unit names.
#[cfg(feature = "daemon")]
const INSTALLED: &str = "/etc/ringfence/ringfence.toml";

impl Args {
    /// The file that was named, else the built-in defaults.
    fn config(&self) -> Result<Config, Failure> {
        self.config.as_deref().map_or_else(|| Ok(Config::default()), |path| Ok(Config::load(path)?))
    }

    /// The configuration of the running daemon: the file that was named, else the package's, if it is
    /// installed.
    #[cfg(feature = "daemon")]
    fn daemon_config(&self) -> Result<Config, Failure> {
        let installed = std::path::Path::new(INSTALLED);
        match &self.config {
            None if installed.is_file() => Ok(Config::load(installed)?),
            _ => self.config(),
        }
    }
}

/// Says on standard error, line by line, what is wrong; names of files and values may come from anybody.
/// If nobody can hear it, so be it.
fn complain(what: &str) {
    let mut err = io::stderr().lock();
    for line in what.lines() {
        let _ = writeln!(err, "ringfence: {}", inert(line));
    }
}

/// A line that moves no cursor and turns no text around; backslashes stay as they are.
fn inert(line: &str) -> Cow<'_, str> {
    let escaped = text::escape(line.as_bytes());
    if escaped.replace("\\\\", "\\") == line { Cow::Borrowed(line) } else { Cow::Owned(escaped) }
}

fn is_terminal(stream: &impl IsTerminal) -> bool {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    wanted && stream.is_terminal() && std::env::var_os("TERM").is_none_or(|value| value != "dumb")
}

/// One JSON value a line; of a record, its type first, as everywhere.
fn json(out: &mut dyn Write, value: &serde_json::Value) -> io::Result<()> {
    match value.as_object().and_then(|record| Some((record, record.get("type")?))) {
        Some((record, kind)) => {
            write!(out, "{{\"type\":{kind}")?;
            for (key, value) in record.iter().filter(|(key, _)| *key != "type") {
                write!(out, ",{}:{value}", serde_json::Value::from(key.as_str()))?;
            }
            writeln!(out, "}}")
        }
        None => writeln!(out, "{value}"),
    }
}

/// Columns of the terminal that standard output is, if it is one; at least 40, so that a wrong answer
/// leaves something to read, and at most 120, because longer lines are hard to read.
fn columns() -> Option<usize> {
    let terminal = console::Term::stdout();
    let (_, columns) = terminal.size_checked().filter(|_| terminal.is_term())?;
    Some(usize::from(columns).clamp(40, 120))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_says_first_what_it_is() {
        let printed = |value: serde_json::Value| {
            let mut out = Vec::new();
            json(&mut out, &value).unwrap();
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), value);
            String::from_utf8(out).unwrap()
        };
        let record = serde_json::json!({ "a\n\"": [1, null], "type": "call", "zz": { "type": "x" } });
        assert!(printed(record).starts_with(r#"{"type":"call","a\n\"":[1,null],"zz""#));
        assert_eq!(printed(serde_json::json!({ "ok": true })), "{\"ok\":true}\n");
        assert_eq!(printed(serde_json::json!([{ "a": 1 }])), "[{\"a\":1}]\n");
    }

    #[test]
    fn exit_codes_are_those_of_the_interface() {
        assert_eq!(Failure::Runtime(String::new()).code(), 1);
        assert_eq!(Failure::Write(io::Error::other("x")).code(), 1);
        assert_eq!(Failure::Usage(String::new()).code(), 2);
        assert_eq!(Failure::Dial(DialError::OutsideLine("x".to_owned())).code(), 2);
        assert_eq!(Failure::Alerted.code(), 3);
    }
}
