//! `report`: the page for the boss and the insurer.

use std::io::Write;
use std::path::Path;

use super::Failure;
use super::args::{Args, Report};
use crate::dial::Dial;
use crate::export::report::{self, Office, Period};
use crate::store::Reader;
use crate::time::{Timestamp, since_local};

pub(super) fn run(args: &Args, report: &Report, out: &mut dyn Write) -> Result<(), Failure> {
    let config = args.daemon_config()?;
    let now = crate::run::clock::wall();
    let moment = |text: &str, option: &str| {
        since_local(text, now, config.office_hours())
            .ok_or_else(|| Failure::Usage(format!("--{option} {text}: write 30d, or a date as 2026-11-01")))
    };
    let until = report.until.as_deref().map_or(Ok(now), |text| moment(text, "until"))?;
    let period = Period { from: moment(&report.since, "since")?, until };
    if period.from >= until {
        return Err(Failure::Usage("--since lies after the report's end".to_owned()));
    }
    let none = || Failure::Usage("[store] path is empty: name a store with --store".to_owned());
    let path = report.store.clone().or_else(|| config.store_path()).ok_or_else(none)?;
    let html = page(&path, &config, period, now)?;
    if report.html == Path::new("-") {
        out.write_all(html.as_bytes())?;
    } else {
        let failed = |error| Failure::Runtime(format!("{}: {error}", report.html.display()));
        std::fs::write(&report.html, html).map_err(failed)?;
        writeln!(out, "wrote {}", report.html.display())?;
    }
    Ok(())
}

fn page(
    path: &Path,
    config: &crate::config::Config,
    period: Period,
    now: Timestamp,
) -> Result<String, Failure> {
    let failed = |error| {
        Failure::Runtime(format!(
            "{}: {error}; the daemon writes it, see [store] path, or name one with --store",
            path.display()
        ))
    };
    let reader = Reader::open(path).map_err(failed)?;
    let dial = Dial::new(&config.dial())?;
    let office = Office {
        site: config.site_name(),
        currency: dial.currency(),
        hours: config.office_hours(),
        zone: config.timezone(),
    };
    Ok(report::gather(&reader, office, period, now).map_err(failed)?.html())
}
