//! The report says what the store has, and nothing that the wire wrote is markup in it.

use super::*;
use crate::store::{self, AlertRow, NoteRow, Store};
use crate::time::{OfficeHours, Span, Timestamp};

const DAY: i64 = 20_760;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_parts(DAY * 86_400 + hours * 3_600, 0)
}

fn alert(id: u64, raised: Timestamp, severity: &str, sentence: &str) -> AlertRow {
    let record = serde_json::json!({
        "type": "alert", "id": id, "sentence": sentence, "reasons": ["each number next to another one"],
        "handset": "214", "name": "Reception", "numbers": 7, "regions": ["LV"],
        "exposure": {"low": 20.0, "high": 56.0, "amount": 38.2, "currency": "GBP", "basis": "built-in table 2026-11"},
        "evidence": {"per_hour": 430.0}, "last_call": raised.to_string(),
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
        amount: 38_200_000,
        currency: "GBP".into(),
        record: record.to_string(),
    }
}

fn report_of(fill: impl FnOnce(&Store)) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let settings = store::Settings {
        path: folder.path().join("r.db"),
        retention_days: 1_000_000,
        ..store::Settings::default()
    };
    let opened = Store::open(settings.clone(), at(0)).unwrap();
    fill(&opened.store);
    opened.store.close();
    opened.thread.join().unwrap();
    let reader = store::Reader::open(&settings.path).unwrap();
    let period = Period { from: at(0), until: at(0).plus(Span::days(30)) };
    let hours = OfficeHours::default();
    let office = Office { site: "office <1>", currency: "GBP", hours: &hours, zone: "Etc/UTC" };
    gather(&reader, office, period, at(800)).unwrap()
}

#[test]
fn an_empty_store_promises_nothing() {
    let html = report_of(|_| ()).html();
    assert!(html.contains("Nothing is known of this time"));
    assert!(html.contains("The checklist was not noted"));
    assert!(!html.contains("No toll fraud was seen") && html.contains("<strong>not known</strong>"));
    assert!(html.contains("office &lt;1&gt;"));
}

#[test]
fn incidents_are_told_with_what_they_cost() {
    let report = report_of(|store| {
        let _ = store.alert(alert(1, at(1), "critical", "handset 214 placed 11 calls"), Vec::new());
        let _ = store.alert(alert(2, at(5), "info", "one call"), Vec::new());
        let _ = store.alert(alert(3, at(-48), "warning", "before"), Vec::new());
    });
    assert_eq!((report.totals.incidents, report.totals.lost, report.notices), (1, 38_200_000, 1));
    assert!(report.incidents[0].avoided > 0);
    let html = report.html();
    assert!(html.contains("GBP 38.20") && html.contains("GBP 20.00 to GBP 56.00"));
    assert!(html.contains("1 notice that paged nobody") || html.contains("1 notice"));
}

#[test]
fn text_from_the_wire_stays_text() {
    let evil = "<img src=a onerror=alert(1)></style><script>x</script>";
    let html = report_of(|store| {
        let _ = store.alert(alert(1, at(1), "critical", evil), Vec::new());
        let checklist = serde_json::json!({"checks": [{"check": "scanner", "section": "intrusion", "status": "finding",
            "findings": [{"sentence": evil}], "advice": evil}]});
        store.note(NoteRow { day: DAY, checklist: checklist.to_string(), coverage: serde_json::json!({"warnings": [evil]}).to_string() });
    })
    .html();
    assert!(!html.contains("<img") && !html.contains("<script"));
    assert_eq!(html.matches("&lt;img").count(), 4);
}

#[test]
fn changes_of_the_checklist_are_named() {
    let list = |status: &str| {
        serde_json::json!({"checks": [{"check": "outdated_firmware", "section": "firmware", "status": status, "findings": []}]})
            .to_string()
    };
    let note = |day, status| NoteRow { day, checklist: list(status), coverage: "{}".into() };
    let report = report_of(|store| {
        store.note(note(DAY - 3, "finding"));
        store.note(note(DAY + 3, "pass"));
    });
    assert_eq!(report.watched, 1);
    let html = report.html();
    assert!(html.contains("Pass</span>") && html.contains("(before: finding)"));
    assert!(html.contains("<li>Outdated firmware: pass, before finding.</li>"));
}
