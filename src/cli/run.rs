//! `run`: the daemon.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;

use super::args::{self, Args};
use super::{Failure, is_terminal};
use crate::config::Config;
use crate::judge::Output;
use crate::record::{Recorder, Style, Writer};
use crate::run::daemon::{self, DaemonError, MakeOutlets, Options};
use crate::run::outlet::Outlet;
use crate::tally::Label;

pub(super) fn run(args: &Args, run: &args::Run) -> Result<(), Failure> {
    let failed = |error| match error {
        DaemonError::Usage(what) => Failure::Usage(what),
        DaemonError::Runtime(what) => Failure::Runtime(what),
    };
    daemon::hold_hangups().map_err(failed)?;
    log(args.verbose);
    let config = args.config()?;
    let options = Options {
        config: args.config.clone(),
        interfaces: run.interface.clone(),
        user: run.user.clone(),
        allow_root: run.allow_root,
    };
    let verbose = args.verbose;
    let outlets: MakeOutlets = Box::new(move |config, recorder| {
        let mut outlets: Vec<Box<dyn Outlet>> = Vec::new();
        // Whoever sees both would read everything twice.
        if !(verbose > 0 && io::stdout().is_terminal() && io::stderr().is_terminal()) {
            outlets.push(Box::new(Said));
        }
        if verbose > 0 {
            outlets.push(Box::new(Shown(writer(config, recorder, verbose > 1))));
        }
        Ok(outlets)
    });
    daemon::run(config, &options, outlets).map_err(failed)
}

/// To standard error, for journald or whoever reads it. `RUST_LOG` says more than -v can.
fn log(verbose: u8) {
    let level = match verbose {
        0 | 1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let terminal = is_terminal(&io::stderr());
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let format = format.with_ansi(terminal).with_target(false);
    // journald stamps lines itself. Only the first call in a process counts.
    let _ = if terminal { format.try_init() } else { format.without_time().try_init() };
}

fn writer(config: &Config, recorder: &Recorder, verbose: bool) -> Writer {
    Writer {
        style: if is_terminal(&io::stdout()) { Style::Colour } else { Style::Plain },
        recorder: recorder.clone(),
        hours: config.office_hours().clone(),
        zone: config.timezone().to_owned(),
        verbose,
        width: super::columns(),
    }
}

/// Says alerts in the log, one line each, numbers masked.
struct Said;

impl Outlet for Said {
    fn output(&mut self, output: &Output) {
        let Output::Alert(alert) = output else { return };
        let (state, finding) = (alert.state, &alert.finding);
        let (rule, severity) = (finding.rule.name(), finding.severity.name());
        tracing::warn!(id = alert.id, rule, severity, "alert {state}: {}", finding.sentence);
    }
}

/// Shows alerts to whoever watches.
struct Shown(Writer);

impl Outlet for Shown {
    fn output(&mut self, output: &Output) {
        if let Output::Alert(alert) = output {
            let mut out = io::stdout().lock();
            // If nobody can see it, the log has it too.
            let _ = self.0.alert(&mut out, alert).and_then(|()| out.flush());
        }
    }
}
