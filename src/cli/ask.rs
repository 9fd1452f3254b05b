//! `alerts`, `ack`, `learn`, `calls`, `handsets`, `posture`, `status`, `reload`: the state of a running daemon.

use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

use super::args::{self, Args};
use super::table::{Column, moment, plain, table};
use super::{Failure, json};
use crate::finding::Check;
use crate::posture::sheet;
use crate::record::folded;
use crate::run::control::{self, Ask};
use crate::tally::Label;

/// Findings of one check that the text shows, at the most.
const SHOWN: usize = 8;

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
    Column::text("NAME", "name").spare(),
    Column::text("STATE", "state"),
    Column::text("ADDRESS", "ip"),
    Column::text("VLAN", "vlan").spare(),
    Column::text("BY", "transport").spare(),
    Column::time("LAST CALL (UTC)", "last_call").spare(),
    Column::time("REGISTERED (UTC)", "last_registration").spare(),
    Column::text("HARDWARE", "mac").spare(),
    Column::text("MAKE", "vendor"),
    Column::text("MODEL", "model"),
    Column::text("FIRMWARE", "firmware"),
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
    if wish.json {
        return list(args, &Ask::Posture, &[], true, "", out);
    }
    let answer = asked(args, &Ask::Posture)?;
    let records = answer["records"].as_array().map(Vec::as_slice).unwrap_or_default();
    if records.is_empty() {
        return Ok(writeln!(out, "nothing was seen yet")?);
    }
    Ok(checklist(out, super::columns(), records)?)
}

/// The checklist as the provider's sheet has it: each check with its state and on what that rests.
fn checklist(out: &mut dyn Write, width: Option<usize>, records: &[Value]) -> std::io::Result<()> {
    let (mut section, mut at) = (None, 0);
    while let Some(first) = records.get(at) {
        let same = records.get(at..).unwrap_or_default().iter().take_while(|r| r["check"] == first["check"]);
        let rows: Vec<&Value> = same.collect();
        at = at.saturating_add(rows.len());
        let name = first["check"].as_str().unwrap_or_default();
        let check = Check::ALL.iter().find(|check| check.name() == name);
        let here = check.map(|check| sheet::section(*check));
        if section != here {
            let title = here.map_or("Other", sheet::Section::title);
            writeln!(out, "{}{title}", if section.is_some() { "\n" } else { "" })?;
            section = here;
        }
        let said = |row: &Value, key: &str| plain(&row[key]);
        let (found, allowed): (Vec<&Value>, Vec<&Value>) =
            rows.iter().partition(|row| row["status"] == "finding");
        if found.is_empty() {
            let status = said(first, "status").replace('_', " ");
            folded(out, width, 36, &format!("  {status:<12}{name:<22}{}", said(first, "sentence")))?;
            visits(out, width, allowed.get(1..).unwrap_or_default())?;
            continue;
        }
        let rows = found;
        let rank = |row: &&&Value| ["info", "warning", "critical"].iter().position(|s| row["severity"] == *s);
        let worst = rows.iter().max_by_key(rank).map_or_else(String::new, |row| said(row, "severity"));
        writeln!(out, "  {:<12}{name:<22}{}", "FINDING", worst.to_uppercase())?;
        for row in rows.iter().take(SHOWN) {
            let found = format!("              - {} ({})", said(row, "sentence"), moment(&row["time"]));
            folded(out, width, 16, &found)?;
        }
        if rows.len() > SHOWN {
            writeln!(out, "              and {} more; --json has all", rows.len() - SHOWN)?;
        }
        folded(out, width, 16, &format!("              do: {}", said(first, "advice")))?;
        visits(out, width, &allowed)?;
    }
    Ok(())
}

/// What the support provider did, for the record.
fn visits(out: &mut dyn Write, width: Option<usize>, allowed: &[&Value]) -> std::io::Result<()> {
    for visit in allowed.iter().take(SHOWN) {
        let visit =
            format!("              allowed: {} ({})", plain(&visit["sentence"]), moment(&visit["time"]));
        folded(out, width, 16, &visit)?;
    }
    if allowed.len() > SHOWN {
        writeln!(out, "              and {} more visits; --json has all", allowed.len() - SHOWN)?;
    }
    Ok(())
}

pub(super) fn ack(args: &Args, wish: &args::Ack, out: &mut dyn Write) -> Result<(), Failure> {
    let seconds = seconds(&wish.r#for)
        .ok_or_else(|| Failure::Usage(format!("--for: write 30m, 2h or 7d, not \"{}\"", wish.r#for)))?;
    control::check_ack(seconds, &wish.why).map_err(Failure::Usage)?;
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
    let calls = if learnt == 1 { "call was" } else { "calls were" };
    writeln!(out, "{learnt} {calls} learnt from; nothing was raised")?;
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
    for sink in status["sinks"].as_array().into_iter().flatten() {
        let name = super::table::plain(&sink["sink"]);
        match sink["trouble"].as_str() {
            None => writeln!(out, "{name:<14} fine, {} wait", sink["waiting"])?,
            Some(_) => {
                let why = super::table::plain(&sink["trouble"]);
                writeln!(out, "{name:<14} FAILS, {} wait: {why}", sink["waiting"])?;
            }
        }
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
    let fired = answer["fired"].as_array().map(Vec::as_slice).unwrap_or_default();
    if as_json {
        json(out, &answer["fired"])?;
    }
    if fired.is_empty() {
        return Err(Failure::Runtime("no sink is configured: nobody would hear of an alert".to_owned()));
    }
    let shown =
        [Column::text("SINK", "sink"), Column::figure("SECONDS", "seconds"), Column::text("ERROR", "error")];
    if !as_json {
        table(out, super::columns(), &shown, fired)?;
    }
    out.flush()?;
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
    use serde_json::json;

    use super::*;

    /// Four states, told apart at a glance; silence is no pass.
    #[test]
    fn the_checklist_as_people_read_it() {
        let row = |check: &str, status: &str, severity: Option<&str>, sentence: &str| {
            json!({ "type": "finding", "time": "2026-11-24T09:00:00.000001Z", "check": check, "status": status,
                "severity": severity, "sentence": sentence, "advice": "Do it." })
        };
        let records = [
            row("unsolicited_inbound", "not_seen", None, "no packet"),
            row("backdoor_inbound", "finding", Some("warning"), "a knock"),
            row("backdoor_inbound", "finding", Some("critical"), "a session"),
            row("backdoor_inbound", "pass", None, "support was there"),
            row("backdoor_outbound", "not_seen", None, "no shell"),
            row("backdoor_outbound", "pass", None, "a tunnel of support's"),
            row("default_sip_password", "cannot_see", None, "The check is off"),
            row("weak_auth", "pass", None, "3 proofs"),
        ];
        let mut out = Vec::new();
        checklist(&mut out, None, &records).unwrap();
        let expected = "\
Router and firewall
  not seen    unsolicited_inbound   no packet

Back door
  FINDING     backdoor_inbound      CRITICAL
              - a knock (2026-11-24 09:00:00 UTC)
              - a session (2026-11-24 09:00:00 UTC)
              do: Do it.
              allowed: support was there (2026-11-24 09:00:00 UTC)
  not seen    backdoor_outbound     no shell
              allowed: a tunnel of support's (2026-11-24 09:00:00 UTC)

Passwords
  cannot see  default_sip_password  The check is off
  pass        weak_auth             3 proofs
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn spans_as_people_write_them() {
        assert_eq!((seconds("2h"), seconds("30m"), seconds("7d")), (Some(7_200), Some(1_800), Some(604_800)));
        for wrong in ["", "h", "0h", "2", "-1h", "1e3s", "\u{fc}"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
