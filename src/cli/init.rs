//! `init`: a configuration file to begin with, every key with its default and what it means.

use std::fs::OpenOptions;
use std::io::Write;

use super::{Failure, args};

const EXAMPLE: &str = include_str!("../../etc/ringfence.toml");

pub(super) fn run(init: &args::Init, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(path) = &init.output else { return Ok(out.write_all(EXAMPLE.as_bytes())?) };
    let failed = |error| Failure::Runtime(format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(EXAMPLE.as_bytes()).map_err(failed)
}
