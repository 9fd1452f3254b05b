//! The report: valid HTML that prints, and figures that are the store's, asked for once more in SQL.

use std::path::{Path, PathBuf};
use std::process::Command;

use ringfence::store::{self, AlertRow, NoteRow, Store};
use ringfence::time::{Span, Timestamp};
use rusqlite::Connection;
use serde_json::json;

use super::daemon::Daemon;
use super::{have, have_web, node};

/// What strangers write where a report shows it.
const EVIL: &str = "<script>alert(1)</script><img src=a onerror=alert(2)>\"'&amp;</style>";
/// Saturday 2026-10-10.
const SATURDAY: i64 = 20_736;

fn at(day: i64, hour: i64) -> Timestamp {
    Timestamp::from_parts(day * 86_400 + hour * 3_600, 0)
}

fn alert(id: u64, raised: Timestamp, severity: &str, amount: i64, sentence: &str) -> AlertRow {
    let record = json!({
        "type": "alert", "id": id, "sentence": sentence, "reasons": ["each number next to another one", EVIL],
        "handset": "214", "name": EVIL, "ip": "10.0.3.24", "numbers": 7, "regions": ["LV", "CU"],
        "exposure": {"low": 20.0, "high": 56.0, "amount": 38.2, "currency": "GBP", "basis": "built-in table 2026-11"},
        "evidence": {"per_hour": 10.0}, "last_call": raised.to_string(),
    });
    AlertRow {
        raised,
        id,
        state: "cleared".into(),
        rule: "spike".into(),
        severity: severity.into(),
        handset: "214".into(),
        label: "214".into(),
        updated: raised.plus(Span::hours(12)),
        calls: 11,
        amount,
        currency: "GBP".into(),
        record: record.to_string(),
    }
}

/// A checklist of which one check changes.
fn checklist(firmware: &str) -> String {
    let row = |check: &str, section: &str, status: &str, sentence: &str| {
        let found = json!([{ "sentence": sentence }]);
        let findings = if status == "finding" { found } else { json!([]) };
        json!({"check": check, "section": section, "status": status, "findings": findings,
               "why": "it was looked at", "advice": if status == "finding" { Some("Update it.") } else { None }})
    };
    json!({"checks": [
        row("outdated_firmware", "firmware", firmware, "2 handsets are below their floor"),
        row("scanner", "intrusion", "finding", EVIL),
        row("brute_force", "intrusion", "not_seen", ""),
        row("default_sip_password", "passwords", "cannot_see", ""),
    ]})
    .to_string()
}

/// A store in `folder` with what `fill` hands in.
fn stored(folder: &Path, fill: impl FnOnce(&Store)) -> PathBuf {
    let path = folder.join("report.db");
    let settings =
        store::Settings { path: path.clone(), retention_days: 1_000_000, ..store::Settings::default() };
    let opened = Store::open(settings, at(SATURDAY, 0)).unwrap();
    fill(&opened.store);
    opened.store.close();
    opened.thread.join().unwrap();
    path
}

/// The report that the program makes of October 2026.
fn october(folder: &Path, path: &Path) -> PathBuf {
    let config = folder.join("ringfence.toml");
    std::fs::write(&config, format!("[site]\nname = {EVIL:?}\ntimezone = \"Etc/UTC\"\n")).unwrap();
    made(folder, path, &config, &["--since", "2026-10-01", "--until", "2026-11-01"])
}

fn made(folder: &Path, path: &Path, config: &Path, period: &[&str]) -> PathBuf {
    let html = folder.join("report.html");
    let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .arg("--config")
        .arg(config)
        .args(["report", "--html"])
        .arg(&html)
        .arg("--store")
        .arg(path)
        .args(period)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    html
}

/// Holds a report against the browser and the validator; gives what its PDF says.
fn printed(html: &Path, name: &str) -> String {
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("look");
    std::fs::create_dir_all(&shots).unwrap();
    let (held, said) = node("report.mjs", &[html.to_str().unwrap(), shots.to_str().unwrap(), name]);
    assert!(held, "{name}: {said}");
    let output =
        Command::new("pdftotext").arg("-layout").arg(shots.join(format!("{name}.pdf"))).arg("-").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The strong figure after a term of the summary.
fn figure(html: &str, name: &str) -> String {
    let (_, rest) =
        html.split_once(&format!("<dt>{name}</dt><dd><strong>")).unwrap_or_else(|| panic!("{name}"));
    rest.split_once("</strong>").unwrap().0.to_owned()
}

#[test]
fn a_month_with_incidents_prints() {
    if !have_web() || !have(&["pdftotext"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = stored(folder.path(), |store| {
        let _ = store.alert(alert(1, at(SATURDAY, 2), "critical", 38_200_000, EVIL), Vec::new());
        let _ = store.alert(alert(2, at(SATURDAY + 3, 10), "warning", 1_805_000, "a second one"), Vec::new());
        let _ = store.alert(alert(3, at(SATURDAY + 4, 10), "info", 990_000, "a notice"), Vec::new());
        let _ =
            store.alert(alert(4, at(SATURDAY - 20, 10), "critical", 7_000_000, "in September"), Vec::new());
        let warned = json!({"warnings": [EVIL, "3 of 14 handsets signal over TLS"]}).to_string();
        for (day, firmware) in [(-60, "pass"), (-11, "finding"), (1, "finding"), (9, "pass")] {
            store.note(NoteRow {
                day: SATURDAY + day,
                checklist: checklist(firmware),
                coverage: warned.clone(),
            });
        }
    });
    let html = october(folder.path(), &path);
    let text = std::fs::read_to_string(&html).unwrap();
    assert_eq!(figure(&text, "Incidents"), "2");
    assert_eq!(figure(&text, "Money lost in them"), "GBP 40.00");
    // GBP 10 an hour: from Saturday 02:00 until Monday 08:00, 54 h; the other one in office hours, 0.
    assert_eq!(figure(&text, "Money avoided"), "GBP 540.00");
    assert_eq!(figure(&text, "Checklist findings"), "1");
    assert!(text.contains("1 more than in the time before"), "1 in September");
    assert!(text.contains("<li>Money lost in incidents: GBP 40.00, before GBP 7.00.</li>"));
    for (markup, own) in [("<script", 0), ("<img", 0), ("</style>", 1)] {
        assert_eq!(text.matches(markup).count(), own, "{markup}");
    }
    let paper = printed(&html, "report-incidents");
    for said in ["GBP 40.00", "GBP 540.00", "<script>alert(1)</script>", "3 of 14 handsets signal over TLS"] {
        assert!(paper.contains(said), "{said}: {paper}");
    }
    // What changed since September's last note.
    assert!(paper.contains("Outdated firmware: pass, before finding."), "{paper}");
    let changed = paper.lines().find(|line| line.contains("(before: finding)")).unwrap_or_default();
    assert!(changed.contains("Pass") && changed.contains("Outdated firmware"), "{paper}");
    assert!(paper.contains("Saturday 10 October 2026, 02:00") && paper.contains("Latvia, Cuba"), "{paper}");
    assert!(paper.contains("2 of 31 days"), "{paper}");
}

#[test]
fn an_empty_month_prints() {
    if !have_web() || !have(&["pdftotext"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = stored(folder.path(), |_| ());
    let html = october(folder.path(), &path);
    let paper = printed(&html, "report-empty");
    assert!(paper.contains("Nothing is known of this time"), "{paper}");
}

/// Forty days ago the checklist was as it is today, but for one check.
fn last_months_note(db: &Connection) {
    let (day, today): (i64, String) =
        db.query_row("SELECT day, checklist FROM days", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let mut checklist: serde_json::Value = serde_json::from_str(&today).unwrap();
    let rows = checklist["checks"].as_array_mut().unwrap();
    let row = rows.iter_mut().find(|row| row["check"] == "brute_force").unwrap();
    assert_eq!(row["status"], "not_seen");
    row["status"] = "finding".into();
    let sql = "INSERT INTO days(day, checklist, coverage) VALUES (?1, ?2, '{}')";
    db.execute(sql, (day - 40, checklist.to_string())).unwrap();
}

/// A daemon that was fed: each figure of its report against SQL on the same file.
#[test]
fn its_figures_are_the_stores() {
    if !have(&["node"]) {
        return;
    }
    let mut daemon = Daemon::start("");
    let (fed, said) = node("feed.mjs", &[&daemon.hep.to_string(), "4"]);
    assert!(fed, "{said}");
    std::thread::sleep(std::time::Duration::from_secs(2));
    daemon.stop();
    let path = daemon.folder.path().join("ringfence.db");
    last_months_note(&Connection::open(&path).unwrap());
    let html =
        made(daemon.folder.path(), &path, &daemon.folder.path().join("ringfence.toml"), &["--since", "2d"]);
    let html = std::fs::read_to_string(html).unwrap();
    // What the daemon noted of its checklist, and what became of it since.
    assert_eq!(html.matches("<div class=\"check ").count(), 19);
    assert!(html.contains("<li>Brute force: not seen, before finding.</li>"));
    assert!(html.contains("Something was noted on 1 of 2 days"));
    let db = Connection::open(&path).unwrap();
    let money = |micros: i64| {
        assert!(micros < 1_000_000_000_000, "no more than one comma");
        let (pounds, pence) = (micros / 1_000_000, micros / 10_000 % 100);
        if pounds < 1_000 {
            format!("GBP {pounds}.{pence:02}")
        } else {
            format!("GBP {},{:03}.{pence:02}", pounds / 1_000, pounds % 1_000)
        }
    };
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();

    let incidents = one("SELECT count(*) FROM alerts WHERE severity IN ('warning', 'critical')");
    assert!(incidents > 0, "the feed has an attack in it");
    assert_eq!(figure(&html, "Incidents"), incidents.to_string());
    assert_eq!(html.matches("<article class=\"incident").count(), usize::try_from(incidents).unwrap());
    let lost = one("SELECT sum(amount) FROM alerts WHERE severity <> 'info'");
    assert!(lost > 0);
    assert_eq!(figure(&html, "Money lost in them"), money(lost));
    let out = "leg = (SELECT min(leg) FROM calls c WHERE c.started = calls.started AND c.id = calls.id) \
               AND direction <> 'inbound' AND class NOT IN ('internal', 'feature')";
    let (calls, cost) = (
        one(&format!("SELECT count(*) FROM calls WHERE {out}")),
        one(&format!("SELECT sum(cost) FROM calls WHERE {out}")),
    );
    assert!(calls > 20);
    assert_eq!(figure(&html, "Calls out of the office"), calls.to_string());
    assert_eq!(figure(&html, "Cost of all calls"), money(cost));

    let mut classes = db
        .prepare(
            "SELECT class, kind, count(*), sum(state IN ('answered', 'ended')), \
                    (sum(talked) / 1000000 + 59) / 60, sum(cost) \
             FROM calls WHERE direction <> 'inbound' AND NOT joined GROUP BY class, kind",
        )
        .unwrap();
    let rows = classes.query_map([], |row| {
        let n = |at: usize| row.get::<_, i64>(at);
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, [n(2)?, n(3)?], n(4)?, n(5)?))
    });
    let mut seen = 0;
    for row in rows.unwrap() {
        let (class, kind, [attempts, answered], _, cost) = row.unwrap();
        let start = format!("<td>{class}</td><td>{}</td>", kind.replace('_', " "));
        let (_, rest) = html.split_once(&start).unwrap_or_else(|| panic!("no row {class} {kind}"));
        let cells: Vec<&str> = rest.split("<td class=\"n\">").skip(1).take(4).collect();
        let cell = |at: usize| cells[at].split_once('<').unwrap().0;
        assert_eq!(
            (cell(0), cell(1)),
            (attempts.to_string().as_str(), answered.to_string().as_str()),
            "{class} {kind}"
        );
        assert_eq!(cell(3), money(cost), "{class} {kind}");
        seen += 1;
    }
    assert!(seen >= 3, "{seen} kinds of calls");
}
