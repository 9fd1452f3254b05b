//! `check`: is the configuration right, and what is in force?

use std::io::{self, Write};

use serde_json::json;

use super::args::{self, Args};
use super::{Failure, complain, json};
use crate::config::{Config, Error};
use crate::dial::Dial;

pub(super) fn run(args: &Args, check: &args::Check, out: &mut dyn Write) -> Result<(), Failure> {
    let loaded = args.config().and_then(|config| {
        Dial::new(&config.dial())?;
        #[cfg(feature = "daemon")]
        if let Some(file) = &args.config {
            config.ready(file)?;
        }
        Ok(config)
    });
    match loaded {
        Ok(config) if check.json => Ok(json(out, &fine(&config)?)?),
        Ok(config) => Ok(text(&config, out)?),
        Err(failure) => {
            if check.json {
                json(out, &wrong(&failure))?;
            }
            out.flush()?;
            Err(failure)
        }
    }
}

fn text(config: &Config, out: &mut dyn Write) -> io::Result<()> {
    for key in config.ahead_of_this_version() {
        complain(&format!("note: {key} is checked, but this version doesn't use it yet"));
    }
    out.write_all(config.effective().as_bytes())
}

fn fine(config: &Config) -> io::Result<serde_json::Value> {
    Ok(json!({
        "ok": true,
        "unused": config.ahead_of_this_version(),
        "effective": serde_json::to_value(config.file())?,
    }))
}

fn wrong(failure: &Failure) -> serde_json::Value {
    let problems = match failure {
        Failure::Config(Error::Invalid { problems }) => problems
            .iter()
            .map(|p| json!({ "file": p.file, "line": p.line, "key": p.key, "what": p.what }))
            .collect(),
        other => vec![json!({ "file": null, "line": null, "key": null, "what": other.to_string() })],
    };
    json!({ "ok": false, "problems": problems })
}
