//! `explain`: how a dialled string is read.

use std::io::{self, Write};

use super::Failure;
use super::args::{self, Args};
use crate::dial::{self, Dial, Explained, Region};
use crate::record::{explained as explained_json, units};
use crate::tally::Label;

pub(super) fn run(args: &Args, explain: &args::Explain, out: &mut dyn Write) -> Result<(), Failure> {
    let dial = Dial::new(&settings(args.config()?.dial(), explain)?)?;
    for (n, input) in explain.inputs.iter().enumerate() {
        let explained = dial.explain(input);
        if explain.json {
            explained_json(out, &explained)?;
        } else {
            if n > 0 {
                writeln!(out)?;
            }
            text(&explained, out)?;
        }
    }
    Ok(())
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
    let connect =
        if e.connect_fee == 0 { String::new() } else { format!(", {} to connect", units(e.connect_fee)) };
    format!("{} {}{range} a minute{connect}; {}, {}", e.currency, units(price), e.rate_name, e.basis)
}
