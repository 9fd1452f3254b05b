//! What a user can type.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{ArgAction, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

const EXIT_CODES: &str = "\
Exit codes: 0 fine; 1 a run-time failure; 2 wrong usage or configuration; 3 an alert was seen
(replay --fail-on-alert).";

const EXPLAINED: &str = "\
Examples:
  ringfence explain 0044 20 7946 0958        four strings; quote what belongs together
  ringfence explain '0044 20 7946 0958' --home US
  ringfence explain '*21*0037129123456#' --outside-line 9 --json";

/// Watches an office's mirror port and says when a handset is used for toll fraud.
#[derive(Debug, Parser)]
#[command(name = "ringfence", version, after_help = EXIT_CODES)]
pub(super) struct Args {
    /// The configuration file; without one the built-in defaults hold
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
    /// Say more
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub(super) verbose: u8,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Watch the mirror port: capture, detect, serve, notify
    #[cfg(feature = "daemon")]
    Run(Run),
    /// List alerts of the running daemon
    #[cfg(feature = "daemon")]
    Alerts(Alerts),
    /// Accept an open alert for a while: it isn't told again unless it gets more severe
    #[cfg(feature = "daemon")]
    Ack(Ack),
    /// Let the running daemon learn what is usual from past calls, without raising anything
    #[cfg(feature = "daemon")]
    Learn(Learn),
    /// List calls
    #[cfg(feature = "daemon")]
    Calls(Calls),
    /// List handsets
    #[cfg(feature = "daemon")]
    Handsets(Plain),
    /// Print the handset-security checklist
    #[cfg(feature = "daemon")]
    Posture(Plain),
    /// Say how the running daemon fares
    #[cfg(feature = "daemon")]
    Status(Plain),
    /// Let the running daemon read its configuration again
    #[cfg(feature = "daemon")]
    Reload,
    /// Read captures through the engine and print the alerts
    Replay(Replay),
    /// Say whether the mirror is right, and what can't be seen from here
    Doctor(Doctor),
    /// Say how a dialled string is read: where it goes, what decided, what it costs
    #[command(after_help = EXPLAINED)]
    Explain(Explain),
    /// Write labelled synthetic traffic
    Drill(Drill),
    /// Score detection on labelled traffic, beside other systems' rules
    Score(Score),
    /// Write the report for the boss and the insurer from what is stored
    #[cfg(feature = "daemon")]
    Report(Report),
    /// Check the configuration and print what is in force
    Check(Check),
    /// Write a commented configuration file
    Init(Init),
    /// Print completions for a shell
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// One JSON object a line, numbers in full
    Jsonl,
}

#[cfg(feature = "daemon")]
#[derive(Debug, clap::Args)]
pub(super) struct Run {
    /// An interface that sees the mirror port; instead of the configuration's
    #[arg(short, long, value_name = "IFACE")]
    pub(super) interface: Vec<String>,
    /// The user to run as once the sockets are open, if started as root; instead of the configuration's
    #[arg(long, value_name = "USER")]
    pub(super) user: Option<String>,
    /// Stay root, without any capability
    #[arg(long, conflicts_with = "user")]
    pub(super) allow_root: bool,
}

#[cfg(feature = "daemon")]
#[derive(Debug, clap::Args)]
pub(super) struct Alerts {
    /// Only open ones
    #[arg(long)]
    pub(super) open: bool,
    /// What happened since: 24h, 7d, 2026-11-26 or 2026-11-26T08:00:00Z
    #[arg(long, value_name = "T")]
    pub(super) since: Option<String>,
    /// At the most so many, the newest
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(super) json: bool,
}

#[cfg(feature = "daemon")]
#[derive(Debug, clap::Args)]
pub(super) struct Ack {
    /// The alert's number
    pub(super) id: u64,
    /// For how long: 30m, 2h, 7d
    #[arg(long, value_name = "SPAN")]
    pub(super) r#for: String,
    /// The reason
    #[arg(long, value_name = "TEXT")]
    pub(super) why: String,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[cfg(feature = "daemon")]
#[derive(Debug, clap::Args)]
pub(super) struct Calls {
    /// What happened since: 24h, 7d, 2026-11-26 or 2026-11-26T08:00:00Z
    #[arg(long, value_name = "T")]
    pub(super) since: Option<String>,
    /// At the most so many, the newest
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(super) json: bool,
}

#[cfg(feature = "daemon")]
#[derive(Debug, clap::Args)]
pub(super) struct Learn {
    /// A PBX's call records (CSV) or captures of earlier days; all that there are, in any order: only
    /// calls from before everything that the daemon knows can be learnt from
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[cfg(feature = "daemon")]
#[derive(Debug, clap::Args)]
pub(super) struct Plain {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[cfg(feature = "daemon")]
#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// The page to write; - is standard output
    #[arg(long, value_name = "FILE")]
    pub(super) html: PathBuf,
    /// From when on: 30d, or the beginning of a day in the office's time, as 2026-11-01
    #[arg(long, value_name = "T", default_value = "30d")]
    pub(super) since: String,
    /// Until when, the same way; instead of now
    #[arg(long, value_name = "T")]
    pub(super) until: Option<String>,
    /// The store to read; instead of the configuration's
    #[arg(long, value_name = "FILE")]
    pub(super) store: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Replay {
    /// What to print
    #[arg(long, value_enum, default_value = "text")]
    pub(super) format: Format,
    /// Write what the sensor told the judge to a file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(super) facts: Option<PathBuf>,
    /// Exit with 3 if there was an alert that pages: warning or critical
    #[arg(long)]
    pub(super) fail_on_alert: bool,
    /// Keep nothing of it (a replay keeps nothing unless asked)
    #[arg(long)]
    pub(super) no_store: bool,
    /// Learn what is usual first, without raising anything: a PBX's call records (CSV) or an earlier
    /// capture. Several with commas between them, or the option several times
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    pub(super) learn: Vec<PathBuf>,
    /// Captures: pcap or pcapng, also in gzip; - is standard input. Several are one stream, in order
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// Listen on an interface instead of reading a capture
    #[arg(short, long, value_name = "IFACE", conflicts_with = "file", required_unless_present = "file")]
    pub(super) interface: Option<String>,
    /// How long to listen
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(super) seconds: u64,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// A capture: pcap or pcapng, also in gzip; - is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The country to dial from, two letters; instead of the configuration's
    #[arg(long, value_name = "CC")]
    pub(super) home: Option<String>,
    /// Digits for an outside line; instead of the configuration's
    #[arg(long, value_name = "D")]
    pub(super) outside_line: Vec<String>,
    /// Print one JSON object for each input
    #[arg(long)]
    pub(super) json: bool,
    /// Dialled strings, sip: or tel: URIs; - reads one a line from standard input
    #[arg(required = true, value_name = "NUMBER_OR_URI")]
    pub(super) inputs: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Drill {
    /// Which traffic
    #[arg(required_unless_present_any = ["list", "fire"])]
    pub(super) scenario: Option<String>,
    /// The same scenario and seed give the same bytes
    #[arg(long, value_name = "N", required_unless_present_any = ["list", "fire"])]
    pub(super) seed: Option<u64>,
    /// The capture; its labels go beside it, into FILE.labels.jsonl
    #[arg(short, long, value_name = "FILE.pcap", required_unless_present_any = ["list", "fire"])]
    pub(super) output: Option<PathBuf>,
    /// Handsets of the office, instead of the scenario's own number
    #[arg(long, value_name = "N")]
    pub(super) handsets: Option<u16>,
    /// Calendar days, instead of the scenario's own number
    #[arg(long, value_name = "N")]
    pub(super) days: Option<u16>,
    /// The most calls of any one attack; the others are left out, and the capture stays small
    #[arg(long, value_name = "N")]
    pub(super) attack_calls: Option<usize>,
    /// List the scenarios
    #[arg(long, conflicts_with_all = ["scenario", "seed", "output", "handsets", "days", "attack_calls"])]
    pub(super) list: bool,
    /// Send one marked test incident through every sink of the running daemon, and print each one's delay
    #[arg(long, conflicts_with_all = ["scenario", "seed", "output", "handsets", "days", "attack_calls", "list"])]
    pub(super) fire: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Score {
    /// Folders of FILE.pcap (also .pcapng, .gz) with FILE.labels.jsonl beside them
    #[arg(value_name = "DIR", required_unless_present = "worlds", conflicts_with = "worlds")]
    pub(super) folders: Vec<PathBuf>,
    /// Play these drill worlds or scenarios instead, without captures: names with commas between
    /// them; all, attacks and quiet name groups
    #[arg(long, value_name = "NAMES", num_args = 0..=1, default_missing_value = "all", value_delimiter = ',')]
    pub(super) worlds: Option<Vec<String>>,
    /// The seeds to play them with
    #[arg(long, value_name = "A-B", default_value = "6001-6008", requires = "worlds")]
    pub(super) seeds: String,
    /// Calendar days, instead of each world's own number
    #[arg(long, value_name = "N", requires = "worlds")]
    pub(super) days: Option<u16>,
    /// Handsets of each office, instead of each world's own number
    #[arg(long, value_name = "N", requires = "worlds")]
    pub(super) handsets: Option<u16>,
    /// Leave other systems' rules out
    #[arg(long)]
    pub(super) alone: bool,
    /// List every false alarm and every attack that was missed or found late, on standard error
    #[arg(long)]
    pub(super) faults: bool,
    /// Threads at work at once; without it, as many as there are processors
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<usize>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// Write to a file that doesn't exist yet, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Guess what can be guessed from an interface or a capture; auto looks for the interface
    #[arg(short, long, value_name = "IFACE|FILE")]
    pub(super) interface: Option<String>,
    /// How long to listen
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(super) seconds: u32,
}

pub(super) fn completions(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    // The generator itself can't report a pipe that closed.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "ringfence", &mut script);
    out.write_all(&script)
}

pub(super) fn man(out: &mut dyn Write) -> io::Result<()> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page)?;
    out.write_all(&page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn usage_as_the_interface_has_it() {
        for line in [
            "ringfence --config f.toml -v replay --format jsonl --facts x --fail-on-alert --no-store a.pcap -",
            "ringfence replay a.pcap --config f.toml",
            "ringfence replay --learn Master.csv,old.pcap --learn 3cx.csv a.pcap",
            "ringfence explain --home GB --outside-line 9 --json 900441632960001 tel:+1;phone-context=x *21*5#",
            "ringfence drill night --seed 1 -o x.pcap",
            "ringfence drill night --seed 1 -o x.pcap --handsets 4 --days 2 --attack-calls 9",
            "ringfence drill --list",
            "ringfence check",
            "ringfence doctor a.pcap --json",
            "ringfence doctor -i eth1 --seconds 5",
            #[cfg(feature = "daemon")]
            "ringfence run -i eth1 -i eth2",
            #[cfg(feature = "daemon")]
            "ringfence alerts --open --since 24h --json",
            #[cfg(feature = "daemon")]
            "ringfence ack 7 --for 2h --why fair",
            #[cfg(feature = "daemon")]
            "ringfence learn Master.csv old.pcap --json",
            #[cfg(feature = "daemon")]
            "ringfence calls --since 2026-11-26 --json",
            #[cfg(feature = "daemon")]
            "ringfence handsets --json",
            #[cfg(feature = "daemon")]
            "ringfence posture",
            #[cfg(feature = "daemon")]
            "ringfence status",
            "ringfence drill --fire",
            "ringfence score captures more --json",
            "ringfence score --worlds",
            "ringfence score --worlds ordinary,small --seeds 1-9 --days 40 --handsets 9 --alone --faults",
            "ringfence completions bash",
            "ringfence man",
            "ringfence init",
            "ringfence init -i eth1 --seconds 5 -o x.toml",
        ] {
            assert!(Args::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
        for line in [
            "ringfence",
            "ringfence replay",
            "ringfence drill night",
            "ringfence replay --format xml a",
            "ringfence doctor",
            "ringfence doctor -i eth1 a.pcap",
            "ringfence score",
            "ringfence score captures --worlds all",
        ] {
            let wrong = Args::try_parse_from(line.split(' ')).unwrap_err();
            assert!(wrong.exit_code() == 2, "{line}");
        }
    }
}
