//! `explain`: how a dialled string is read.

use std::io::{self, BufRead, Read, Write};

use super::Failure;
use super::args::{self, Args};
use crate::dial::{self, Dial, Explained, Region};
use crate::record::{explained as explained_json, units};
use crate::tally::Label;

/// A message has no longer header.
const LONGEST_LINE: u64 = 64 * 1_024;

pub(super) fn run(args: &Args, explain: &args::Explain, out: &mut dyn Write) -> Result<(), Failure> {
    let dial = Dial::new(&settings(args.config()?.dial(), explain)?)?;
    let mut first = true;
    let mut tell = |input: &str, out: &mut dyn Write| -> Result<(), Failure> {
        let explained = dial.explain(input);
        if explain.json {
            return Ok(explained_json(out, &explained)?);
        }
        if !std::mem::take(&mut first) {
            writeln!(out)?;
        }
        Ok(text(&explained, out)?)
    };
    for input in &explain.inputs {
        if input != "-" {
            tell(input, out)?;
            continue;
        }
        each_line(&mut io::stdin().lock(), |line| {
            tell(line, out)?;
            // Whoever writes one line at a time waits for its answer.
            Ok(out.flush()?)
        })?;
    }
    Ok(())
}

/// The lines of a text, without their ends; of one that is longer than any URI, the beginning.
fn each_line(
    text: &mut impl BufRead,
    mut take: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let broken = |error: io::Error| Failure::Runtime(format!("standard input can't be read: {error}"));
    let mut line = Vec::new();
    loop {
        line.clear();
        if text.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(broken)? == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            text.skip_until(b'\n').map_err(broken)?;
        }
        take(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']))?;
    }
}

/// The configuration's settings, but for what the command line says.
fn settings(mut settings: dial::Settings, explain: &args::Explain) -> Result<dial::Settings, Failure> {
    if let Some(code) = &explain.home {
        let home = Region::new(code).ok_or_else(|| {
            Failure::Usage(format!("--home {code}: write the two letters of a country, as in GB"))
        })?;
        if home != settings.home {
            settings.currency = String::new();
        }
        settings.home = home;
    }
    if !explain.outside_line.is_empty() {
        settings.outside_line.clone_from(&explain.outside_line);
    }
    Ok(settings)
}

fn text(e: &Explained, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", crate::text::escape(e.input.as_bytes()))?;
    let mut row = |name: &str, value: &str| writeln!(out, "  {name:<9} {value}");
    let region = e.region.map(|r| format!(", {} ({r})", r.name())).unwrap_or_default();
    row("reads as", &format!("{}, {}{region}", e.class.name(), e.kind.name()))?;
    row("why", &e.rule)?;
    if let Some(number) = &e.e164 {
        row(
            "number",
            &format!("{number}{}", if e.exact { "" } else { ", not a number of the public plan" }),
        )?;
    }
    row("price", &price(e))?;
    row("counts as", &format!("{}, risk {}", e.group.name(), e.risk.name()))?;
    for (name, value) in [("range", &e.range), ("list", &e.list), ("or else", &e.ambiguity)] {
        if let Some(value) = value {
            row(name, value)?;
        }
    }
    Ok(())
}

fn price(e: &Explained) -> String {
    let Some(price) = e.price_per_min else { return "unknown".to_owned() };
    let range = match (e.price_low, e.price_high) {
        (Some(low), Some(high)) if low != high => format!(" ({} to {})", units(low), units(high)),
        _ => String::new(),
    };
    let connect = match (e.connect_fee, e.connect_covers_s) {
        (0, 0) => String::new(),
        (0, seconds) => format!(", the first {seconds} s free"),
        (fee, 0) => format!(", {} to connect", units(fee)),
        (fee, seconds) => format!(", {} for the first {seconds} s", units(fee)),
    };
    format!("{} {}{range} a minute{connect}; {}, {}", e.currency, units(price), e.rate_name, e.basis)
}
