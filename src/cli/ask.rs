//! `alerts`, `ack`, `learn`, `calls`, `handsets`, `posture`, `status`, `reload`: the state of a running daemon.

use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

use super::args::{self, Args};
use super::table::{Column, moment, plain, table};
use super::{Failure, json};
use crate::record::folded;
use crate::run::control::{self, Ask};

/// What is shown of each sort of record: heading, key, and whether it's a figure.
const ALERTS: &[Column] = &[
    Column::figure("ID", "id"),
    Column::text("STATE", "state").spare(),
    Column::text("SEVERITY", "severity"),
    Column::time("SINCE (UTC)", "since"),
    Column::text("RULE", "rule"),
    Column::text("HANDSET", "handset").spare(),
    Column::figure("CALLS", "calls"),
    Column::money("MONEY", "exposure"),
    Column::text("WHAT", "sentence"),
];
const CALLS: &[Column] = &[
    Column::time("TIME (UTC)", "time"),
    Column::text("HANDSET", "handset"),
    Column::text("DIRECTION", "direction").spare(),
    Column::text("DIALLED", "dialled"),
    Column::text("KIND", "kind"),
    Column::text("REGION", "region").spare(),
    Column::text("STATE", "state"),
    Column::figure("SECONDS", "duration_s"),
];
const HANDSETS: &[Column] = &[
    Column::text("HANDSET", "handset"),
    Column::text("NAME", "name"),
    Column::text("ADDRESS", "ip"),
    Column::text("HARDWARE", "mac"),
    Column::text("REGISTERED", "registered"),
];
const POSTURE: &[Column] = &[
    Column::text("CHECK", "check"),
    Column::text("STATUS", "status"),
    Column::text("SEVERITY", "severity"),
    Column::text("HANDSET", "handset"),
    Column::text("WHAT", "sentence"),
];

pub(super) fn alerts(args: &Args, wish: &args::Alerts, out: &mut dyn Write) -> Result<(), Failure> {
    let ask = Ask::Alerts { open: wish.open, since: since(wish.since.as_deref())?, limit: wish.limit };
    list(args, &ask, ALERTS, wish.json, "no alerts", out)
}

pub(super) fn calls(args: &Args, wish: &args::Calls, out: &mut dyn Write) -> Result<(), Failure> {
    let ask = Ask::Calls { since: since(wish.since.as_deref())?, limit: wish.limit };
    list(args, &ask, CALLS, wish.json, "no calls", out)
}

pub(super) fn handsets(args: &Args, wish: &args::Plain, out: &mut dyn Write) -> Result<(), Failure> {
    list(args, &Ask::Handsets, HANDSETS, wish.json, "no handsets were seen yet", out)
}

pub(super) fn posture(args: &Args, wish: &args::Plain, out: &mut dyn Write) -> Result<(), Failure> {
    list(args, &Ask::Posture, POSTURE, wish.json, "nothing was seen yet", out)
}

pub(super) fn ack(args: &Args, wish: &args::Ack, out: &mut dyn Write) -> Result<(), Failure> {
    let seconds = seconds(&wish.r#for)
        .ok_or_else(|| Failure::Usage(format!("--for: write 30m, 2h or 7d, not \"{}\"", wish.r#for)))?;
    let answer = asked(args, &Ask::Ack { id: wish.id, seconds, why: wish.why.clone() })?;
    if wish.json {
        return Ok(json(out, &answer)?);
    }
    let until = answer["until"].as_str().unwrap_or_default();
    Ok(writeln!(out, "alert {} is accepted until {until}", wish.id)?)
}

pub(super) fn learn(args: &Args, wish: &args::Learn, out: &mut dyn Write) -> Result<(), Failure> {
    let socket = socket(args)?;
    let calls = super::history::calls(&wish.files, &args.daemon_config()?)?;
    let answer = control::teach(&socket, &calls).map_err(Failure::Runtime)?;
    if wish.json {
        return Ok(json(out, &answer)?);
    }
    let (learnt, known) = (&answer["learnt"], &answer["known"]);
    writeln!(out, "{learnt} calls were learnt from; nothing was raised")?;
    if known != 0 {
        writeln!(out, "{known} were passed over: they aren't older than what it knows already")?;
    }
    Ok(())
}

pub(super) fn reload(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    asked(args, &Ask::Reload)?;
    Ok(writeln!(out, "the configuration was read again and holds")?)
}

pub(super) fn status(args: &Args, wish: &args::Plain, out: &mut dyn Write) -> Result<(), Failure> {
    let answer = asked(args, &Ask::Status)?;
    let status = &answer["status"];
    if wish.json {
        return Ok(json(out, status)?);
    }
    for (name, key) in [
        ("site", "site"),
        ("version", "version"),
        ("started", "started"),
        ("healthy", "healthy"),
        ("frames", "frames"),
        ("SIP messages", "sip_messages"),
        ("calls", "attempts"),
        ("calls up now", "calls_active"),
        ("handsets", "handsets"),
        ("open alerts", "alerts_open"),
        ("encrypted flows", "encrypted_flows"),
        ("last save", "state_last_save"),
    ] {
        let value = &status[key];
        let text = if matches!(key, "started" | "state_last_save") { moment(value) } else { plain(value) };
        writeln!(out, "{name:<15} {text}")?;
    }
    for source in status["sources"].as_array().into_iter().flatten() {
        let state = if source["up"] == true { "up" } else { "DOWN" };
        let lost: u64 = source["dropped"]
            .as_object()
            .into_iter()
            .flat_map(|o| o.values())
            .filter_map(Value::as_u64)
            .sum();
        let (name, received) = (plain(&source["interface"]), &source["received"]);
        let last = moment(&source["last_packet"]["any"]);
        writeln!(out, "{name:<15} {state}, {received} packets, {lost} lost, last {last}")?;
    }
    let layers = status["sandbox"].as_object().into_iter().flatten();
    let missing: Vec<&str> =
        layers.filter(|(_, holds)| **holds == false).map(|(name, _)| name.as_str()).collect();
    if !missing.is_empty() {
        writeln!(out, "{:<15} without {}", "sandbox", missing.join(", "))?;
    }
    for warning in status["warnings"].as_array().into_iter().flatten() {
        folded(out, super::columns(), 2, &format!("! {}", plain(warning)))?;
    }
    Ok(())
}

/// `drill --fire`.
pub(super) fn fire(args: &Args, as_json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let answer = asked(args, &Ask::Fire)?;
    if as_json {
        return Ok(json(out, &answer["fired"])?);
    }
    let fired = answer["fired"].as_array().map(Vec::as_slice).unwrap_or_default();
    if fired.is_empty() {
        return Err(Failure::Runtime("no sink is configured: nobody would hear of an alert".to_owned()));
    }
    let shown =
        [Column::text("SINK", "sink"), Column::figure("SECONDS", "seconds"), Column::text("ERROR", "error")];
    table(out, super::columns(), &shown, fired)?;
    let failed = fired.iter().filter(|one| !one["error"].is_null()).count();
    match failed {
        0 => Ok(()),
        n => Err(Failure::Runtime(format!("{n} of {} sinks failed", fired.len()))),
    }
}

fn since(text: Option<&str>) -> Result<Option<String>, Failure> {
    if let Some(text) = text {
        control::check_since(text).map_err(|why| Failure::Usage(format!("--since: {why}")))?;
    }
    Ok(text.map(str::to_owned))
}

/// `30m`, `2h`, `7d` as seconds.
fn seconds(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u32>().ok().filter(|n| *n > 0).map(|n| i64::from(n).saturating_mul(unit))
}

fn list(
    args: &Args,
    ask: &Ask,
    columns: &[Column],
    as_json: bool,
    nothing: &str,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let answer = asked(args, ask)?;
    let records = answer["records"].as_array().map(Vec::as_slice).unwrap_or_default();
    if as_json {
        for record in records {
            json(out, record)?;
        }
        return Ok(());
    }
    if records.is_empty() {
        return Ok(writeln!(out, "{nothing}")?);
    }
    Ok(table(out, super::columns(), columns, records)?)
}

fn asked(args: &Args, ask: &Ask) -> Result<Value, Failure> {
    control::ask(&socket(args)?, ask).map_err(Failure::Runtime)
}

fn socket(args: &Args) -> Result<PathBuf, Failure> {
    let socket = args.daemon_config()?.control_socket();
    socket.ok_or_else(|| Failure::Usage("[control] socket is empty: nobody can be asked".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_as_people_write_them() {
        assert_eq!((seconds("2h"), seconds("30m"), seconds("7d")), (Some(7_200), Some(1_800), Some(604_800)));
        for wrong in ["", "h", "0h", "2", "-1h", "1e3s", "\u{fc}"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
