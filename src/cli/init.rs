//! `init`: a configuration file to begin with, every key with its default and what it means; what a
//! first look shows is filled in.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

#[cfg(feature = "daemon")]
use super::complain;
use super::{Failure, args, columns};
use crate::capture::file::{self, Source};
use crate::config::Config;
use crate::record::folded;
use crate::run::guess::{self, Guess, Look};

/// How long it sleeps between two looks at the ring.
#[cfg(feature = "daemon")]
const TENTH: std::time::Duration = std::time::Duration::from_millis(100);

const EXAMPLE: &str = include_str!("../../etc/ringfence.toml");

pub(super) fn run(init: &args::Init, out: &mut dyn Write) -> Result<(), Failure> {
    let guesses = match &init.interface {
        None => Vec::new(),
        Some(source) => guesses(source, init.seconds)?,
    };
    let text = guess::write(EXAMPLE, &guesses);
    // Whatever was guessed, the file must hold.
    Config::parse("the guessed configuration", &text, Path::new(""))?;
    let Some(path) = &init.output else { return Ok(out.write_all(text.as_bytes())?) };
    let name = path.display();
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Failure::Runtime(format!("{name} exists already, and no file is overwritten: name another one"))
        }
        _ => Failure::Runtime(format!("{name}: {error}")),
    };
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    for Guess { section, key, value, why } in &guesses {
        folded(out, columns(), 4, &format!("guessed  {section}.{key} = {value}: {why}"))?;
    }
    if init.interface.is_some() && guesses.is_empty() {
        writeln!(out, "nothing could be guessed: every key has its default")?;
    }
    Ok(writeln!(out, "wrote {name}; look it over, then try: ringfence --config {name} check")?)
}

fn guesses(source: &str, seconds: u32) -> Result<Vec<Guess>, Failure> {
    let mut guesses: Vec<Guess> = home().into_iter().collect();
    let config = Config::parse("the machine's own", &guess::write(EXAMPLE, &guesses), Path::new(""))?;
    let mut look = Look::new(&config.dial(), config.sensor(), config.office_hours().clone())?;
    let path = Path::new(source);
    if path.is_file() {
        read(&mut look, path)?;
    } else {
        guesses.push(Guess {
            section: "capture",
            key: "interfaces",
            value: format!("[\"{}\"]", listen(&mut look, &config, source, seconds)?),
            why: "this is where it listened".to_owned(),
        });
    }
    guesses.extend(look.guesses());
    Ok(guesses)
}

fn read(look: &mut Look, path: &Path) -> Result<(), Failure> {
    let wrong = |error: crate::capture::CaptureError| Failure::Runtime(error.to_string());
    let mut capture = file::open(&Source::Path(path.to_owned())).map_err(wrong)?;
    while let Some(frame) = capture.next().map_err(wrong)? {
        look.frame(&frame);
    }
    Ok(())
}

/// Listens for a while; `auto` picks the interface. Gives its name.
#[cfg(feature = "daemon")]
fn listen(look: &mut Look, config: &Config, name: &str, seconds: u32) -> Result<String, Failure> {
    use crate::capture::live;
    let wrong = |error: live::LiveError| Failure::Runtime(error.to_string());
    let name = if name == "auto" { busiest(config)? } else { name.to_owned() };
    complain(&format!("listening on {name} for {seconds} seconds"));
    let mut live = live::Live::open(config.live(std::slice::from_ref(&name))).map_err(wrong)?;
    for _ in 0..seconds.saturating_mul(10) {
        std::thread::sleep(TENTH);
        while live.poll(std::time::Duration::ZERO, &mut |frame| look.frame(frame))? > 0 {}
    }
    Ok(name)
}

#[cfg(not(feature = "daemon"))]
fn listen(_: &mut Look, _: &Config, name: &str, _: u32) -> Result<String, Failure> {
    Err(Failure::Usage(format!("{name}: no such file, and this build can't listen on an interface")))
}

/// The interface that shows most traffic in two seconds, and isn't the one of the default route if
/// another shows some.
#[cfg(feature = "daemon")]
fn busiest(config: &Config) -> Result<String, Failure> {
    use crate::capture::live;
    let mut names = live::interfaces();
    let settings = config.live(&names);
    names.retain(|name| name != "lo" && name != "any" && live::open(&settings, name).is_ok());
    let route = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let default = route.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        (words.next() == Some("00000000")).then(|| name.to_owned())
    });
    let mut live = live::Live::open(config.live(&names)).map_err(|e| Failure::Runtime(e.to_string()))?;
    for _ in 0..20 {
        std::thread::sleep(TENTH);
        // One burst of each is enough to compare them by; a busy one is full each time.
        live.poll(std::time::Duration::ZERO, &mut |_| {})?;
    }
    let rank = |(name, counts): &(&str, live::PortCounts)| {
        (counts.received > 0 && default.as_deref() != Some(name), counts.received)
    };
    let best = live.counts().max_by_key(rank).map(|(name, _)| name.to_owned());
    best.ok_or_else(|| Failure::Runtime("there is no interface to listen on".to_owned()))
}

/// The home country: that of the machine's time zone, else of its locale.
fn home() -> Option<Guess> {
    let zone = std::env::var("TZ").ok().filter(|zone| zone.contains('/'));
    let zone = zone.or_else(|| {
        let link = std::fs::read_link("/etc/localtime").ok()?;
        link.to_str()?.split_once("zoneinfo/").map(|(_, zone)| zone.to_owned())
    });
    let zone =
        zone.or_else(|| std::fs::read_to_string("/etc/timezone").ok().map(|zone| zone.trim().to_owned()));
    let by_zone = zone.as_deref().and_then(Config::country_of_timezone).map(|country| (country, "time zone"));
    let locale = ["LC_ALL", "LC_TELEPHONE", "LANG"].iter().find_map(|name| std::env::var(name).ok());
    let by_locale =
        locale.as_deref().and_then(|locale| locale.split_once('_')?.1.get(..2)).and_then(Config::country);
    let (country, from) = by_zone.or(by_locale.map(|country| (country, "locale")))?;
    Some(Guess {
        section: "site",
        key: "home",
        value: format!("\"{country}\""),
        why: format!("from the machine's {from}"),
    })
}
