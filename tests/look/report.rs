//! The report: valid HTML that prints, and figures that are the store's, asked for once more in SQL.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use ringfence::store::{self, AlertRow, NoteRow, Store};
use ringfence::time::{Span, Timestamp};
use rusqlite::{Connection, Row};
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

/// Microseconds that a test's calls are never up for: in the file they become minutes.
const STRETCHED: &str = "UPDATE calls SET talked = talked + (started % 7) * 37250000 WHERE answered";

/// An office whose day is not the day in UTC, and that opens in three hours: lines for `[site]`,
/// seconds east of UTC, and the second of the local day at which it opens.
#[expect(clippy::disallowed_methods, reason = "a running daemon's time is the wall clock's")]
fn far_away() -> (String, i64, i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = i64::try_from(now).unwrap();
    let east = if now % 86_400 >= 43_200 { 43_200 } else { -43_200 };
    // POSIX counts to the west.
    let zone = if east > 0 { "Etc/GMT-12" } else { "Etc/GMT+12" };
    let hour = ((now + east) / 3_600 + 3) % 24;
    let hours = format!("Mon-Sun {hour:02}:00-{hour:02}:30");
    (format!("timezone = \"{zone}\"\noffice_hours = \"{hours}\"\n"), east, hour * 3_600)
}

/// As the report writes it, below a million.
fn money(micros: i64) -> String {
    assert!(micros < 1_000_000_000_000, "no more than one comma");
    let (pounds, pence) = (micros / 1_000_000, micros / 10_000 % 100);
    if pounds < 1_000 {
        format!("GBP {pounds}.{pence:02}")
    } else {
        format!("GBP {},{:03}.{pence:02}", pounds / 1_000, pounds % 1_000)
    }
}

/// The rows that a question gives.
fn rows<T>(db: &Connection, sql: &str, row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = db.prepare(sql).unwrap();
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// A daemon that was fed: each figure of its report against SQL on the same file.
#[test]
fn its_figures_are_the_stores() {
    if !have(&["node"]) {
        return;
    }
    let (site, east, opens) = far_away();
    let mut daemon = Daemon::start(&site);
    let (fed, said) = node("feed.mjs", &[&daemon.hep.to_string(), "4"]);
    assert!(fed, "{said}");
    std::thread::sleep(std::time::Duration::from_secs(2));
    daemon.stop();
    let path = daemon.folder.path().join("ringfence.db");
    let db = Connection::open(&path).unwrap();
    last_months_note(&db);
    assert!(db.execute(STRETCHED, []).unwrap() > 10);
    let html =
        made(daemon.folder.path(), &path, &daemon.folder.path().join("ringfence.toml"), &["--since", "2d"]);
    if have_web() && have(&["pdftotext"]) {
        let paper = printed(&html, "report-office");
        assert!(paper.contains("Calls out of the office by day"), "{paper}");
    }
    let html = std::fs::read_to_string(html).unwrap();
    // What the daemon noted of its checklist, and what became of it since.
    assert_eq!(html.matches("<div class=\"check ").count(), 19);
    assert!(html.contains("<li>Brute force: not seen, before finding.</li>"));
    assert!(html.contains("Something was noted on 1 of 2 days"));
    let findings = rows(
        &db,
        "SELECT count(*) FROM json_each((SELECT checklist FROM days ORDER BY day DESC LIMIT 1), '$.checks')
         WHERE json_extract(value, '$.status') = 'finding'",
        |row| row.get::<_, i64>(0),
    );
    assert_eq!(figure(&html, "Checklist findings"), findings[0].to_string());

    the_incidents(&db, &html, east, opens);
    the_calls(&db, &html, east);
}

fn the_incidents(db: &Connection, html: &str, east: i64, opens: i64) {
    // What an incident would have cost until the office opened; the last call's time to the microsecond.
    let sql = format!(
        "WITH paged AS (SELECT *, json_extract(record, '$.last_call') AS last FROM alerts WHERE severity <> 'info'),
              ended AS (SELECT *, unixepoch(substr(last, 1, 19)) AS s, CAST(substr(last, 21, 6) AS INTEGER) AS us FROM paged)
         SELECT amount, calls, json_extract(record, '$.numbers'),
                CAST(coalesce(json_extract(record, '$.evidence.per_hour'), 0.0)
                     * ((((({opens} - (s + {east}) % 86400 + 86400) % 86400) * 1000000 - us) / 1000000.0) / 3600.0)
                     * 1e6 AS INTEGER),
                CAST(round(json_extract(record, '$.exposure.low') * 1e6) AS INTEGER),
                CAST(round(json_extract(record, '$.exposure.high') * 1e6) AS INTEGER)
         FROM ended ORDER BY raised, id"
    );
    let told = rows(db, &sql, |row| {
        let n = |at: usize| row.get::<_, i64>(at);
        Ok((n(0)?, n(1)?, n(2)?, n(3)?, n(4)?, n(5)?))
    });
    let articles: Vec<&str> = html.split("<article class=\"incident").skip(1).collect();
    assert!(!told.is_empty(), "the feed has an attack in it");
    assert_eq!((figure(html, "Incidents"), articles.len()), (told.len().to_string(), told.len()));
    let (mut lost, mut saved) = (0, 0);
    for ((amount, calls, numbers, avoided, low, high), article) in told.iter().zip(&articles) {
        lost += amount;
        saved += avoided;
        if *calls > 0 {
            assert!(article.contains(&format!(
                "<dd>{} ({} to {}, ",
                money(*amount),
                money(*low),
                money(*high)
            )));
            let many = |n: i64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
            let said = format!("<dd>{} to {}", many(*calls, "call"), many(*numbers, "number"));
            assert!(article.contains(&said), "{said}: {article}");
        }
        let said = format!("about {}", money(*avoided));
        assert_eq!(article.contains(&said), *avoided > 0, "{said}: {article}");
    }
    assert!(lost > 0 && saved > 0);
    assert_eq!(figure(html, "Money lost in them"), money(lost));
    assert_eq!(figure(html, "Money avoided"), money(saved));
    let notices =
        rows(db, "SELECT count(*) FROM alerts WHERE severity = 'info'", |row| row.get::<_, i64>(0))[0];
    assert_eq!(html.contains("that paged nobody"), notices > 0);
    assert!(notices == 0 || html.contains(&format!("<p>{notices} notice")), "{notices} notices");
}

fn the_calls(db: &Connection, html: &str, east: i64) {
    // Of a call with two legs, one counts: it is found here by its number, as the store's own mark isn't asked.
    let out = "leg = (SELECT min(leg) FROM calls c WHERE c.started = calls.started AND c.id = calls.id) \
               AND direction <> 'inbound' AND class NOT IN ('internal', 'feature')";
    let sums = format!("SELECT count(*), sum(cost) FROM calls WHERE {out}");
    let (calls, cost) =
        rows(db, &sums, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).pop().unwrap();
    assert!(calls > 20);
    assert_eq!(figure(html, "Calls out of the office"), calls.to_string());
    assert_eq!(figure(html, "Cost of all calls"), money(cost));

    // Each bar of the chart is a day of the office's time.
    let daily = format!(
        "SELECT ltrim(strftime('%d', started / 1000000 + {east}, 'unixepoch'), '0'), count(*) FROM calls
         WHERE {out} GROUP BY (started / 1000000 + {east}) / 86400"
    );
    let daily = rows(db, &daily, |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
    let bars: Vec<&str> = html.split("<title>").skip(2).filter_map(|rest| rest.split('<').next()).collect();
    assert!((2..=3).contains(&bars.len()), "{bars:?}");
    let busy: Vec<_> = bars.iter().filter(|bar| !bar.ends_with(": 0 calls")).collect();
    assert_eq!(busy.len(), daily.len(), "{bars:?}: {daily:?}");
    for ((day, calls), bar) in daily.iter().zip(busy) {
        assert!(
            bar.starts_with(&format!("{day} ")) && bar.ends_with(&format!(": {calls} calls")),
            "{bar}: {day} {calls}"
        );
    }

    let abroad = format!(
        "SELECT region, sum(cost) FROM calls WHERE {out} AND region <> '' GROUP BY region ORDER BY 2 DESC, 1 LIMIT 10"
    );
    let abroad = rows(db, &abroad, |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)));
    let said: Vec<String> =
        abroad.iter().map(|(region, cost)| format!("{} {}", name(region), money(*cost))).collect();
    assert!(
        said.len() > 3 && html.contains(&format!("\"Money by country: {}\"", said.join(", "))),
        "{said:?}"
    );

    let classes = rows(
        db,
        "SELECT class, kind, count(*), sum(state IN ('answered', 'ended')), (sum(talked) + 59999999) / 60000000, sum(cost) \
         FROM calls WHERE direction <> 'inbound' AND NOT joined GROUP BY class, kind",
        |row| {
            let n = |at: usize| row.get::<_, i64>(at);
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, [n(2)?, n(3)?, n(4)?], n(5)?))
        },
    );
    for (class, kind, figures, cost) in &classes {
        let start = format!("<td>{class}</td><td>{}</td>", kind.replace('_', " "));
        let (_, rest) = html.split_once(&start).unwrap_or_else(|| panic!("no row {class} {kind}"));
        let cells: Vec<&str> = rest
            .split("<td class=\"n\">")
            .skip(1)
            .take(4)
            .map(|cell| cell.split('<').next().unwrap())
            .collect();
        let expected: Vec<String> = figures.iter().map(i64::to_string).chain([money(*cost)]).collect();
        assert_eq!(cells, expected, "{class} {kind}");
    }
    assert!(
        classes.len() >= 3 && classes.iter().any(|(_, _, [_, _, minutes], _)| *minutes > 5),
        "{classes:?}"
    );
    assert_eq!(html.matches("<tr><td>").count(), classes.len());
}

fn name(region: &str) -> String {
    let name = ringfence::record::advice::country(region);
    name[..1].to_uppercase() + &name[1..]
}
