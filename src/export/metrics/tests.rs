use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::alert::{Alert, AlertState};
use crate::bounded::Table;
use crate::finding::{Exposure, Finding, Rule, Subject};
use crate::handsets::{HandsetId, Who};
use crate::text::Text;
use crate::time::Timestamp;

fn metrics(settings: Settings) -> (Arc<Board>, Metrics) {
    let board = Arc::<Board>::default();
    let metrics = Metrics::new(Arc::clone(&board), settings).unwrap();
    (board, metrics)
}

fn text(metrics: &Metrics) -> String {
    String::from_utf8(metrics.text().unwrap()).unwrap()
}

fn who(user: &[u8], verified: bool, n: u32) -> Who {
    let mut table = Table::new(1, 0);
    let slot = table.find_or_insert(&0, Timestamp(0), || ()).slot;
    let ip = std::net::IpAddr::from(n.to_be_bytes());
    Who { id: HandsetId(slot), user: Text::new(user), verified, ip, mac: None }
}

fn alert(id: u64, who: Who, rule: Rule, severity: Severity) -> Arc<Alert> {
    let finding = Finding {
        time: Timestamp(0),
        rule: rule.into(),
        severity,
        subject: Subject::Handset(who.id),
        who: Some(who),
        sentence: String::new(),
        reasons: Vec::new(),
        calls: 1,
        numbers: 1,
        regions: Vec::new(),
        exposure: Exposure::default(),
        evidence: Vec::new(),
        samples: Vec::new(),
        first_call: Timestamp(0),
        last_call: Timestamp(0),
    };
    Arc::new(Alert {
        id,
        state: AlertState::Raised,
        time: Timestamp(0),
        since: Timestamp(0),
        accepted_until: None,
        finding,
    })
}

#[test]
fn every_pair_of_rule_and_severity_is_there_from_the_start() {
    let (_, metrics) = metrics(Settings::default());
    let text = text(&metrics);
    for (rule, severity) in rule_pairs() {
        let line = format!("ringfence_alerts_total{{rule=\"{}\",severity=\"{severity}\"}} 0", rule.name());
        assert!(text.contains(&line), "{line}");
    }
}

#[test]
fn an_open_incident_has_a_series_until_it_clears() {
    let (board, metrics) = metrics(Settings::default());
    let open = vec![alert(1, who(b"214", true, 1), Rule::Spend, Severity::Critical)];
    board.publish_judge(JudgeView { open, ..JudgeView::default() });
    let line = "ringfence_alert_active{rule=\"spend\",severity=\"critical\",handset=\"214\"} 1";
    assert!(text(&metrics).contains(line));
    board.publish_judge(JudgeView::default());
    assert!(!text(&metrics).contains("ringfence_alert_active{"));
}

#[test]
fn handsets_are_named_by_the_operator_or_the_registrar_only() {
    let configured = BTreeMap::from([("214".to_owned(), "Reception, \"front\"".to_owned())]);
    let names = Names { configured, key: [7; 32] };
    assert_eq!(names.label(Some(&who(b"214", true, 1))), "Reception, \"front\"");
    assert_eq!(names.label(Some(&who(b"215", true, 1))), "215");
    for (user, verified) in [(&b"215"[..], false), (b"2 15", true), (b"", false), (&[b'a'; 33], true)] {
        let label = names.label(Some(&who(user, verified, 1)));
        assert!(label.len() == 10 && label.starts_with("h-"), "{label}");
    }
    let one = names.label(Some(&who(b"x", false, 1)));
    assert_eq!(one, names.label(Some(&who(b"y", false, 1))), "what a stranger calls itself doesn't count");
    assert_ne!(one, names.label(Some(&who(b"x", false, 2))));
    let other = Names { key: [8; 32], ..names };
    assert_ne!(one, other.label(Some(&who(b"x", false, 1))), "without the key it says nothing");
    assert_eq!(other.label(None), "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever strangers send, there are no more series, and no label holds what they sent.
    #[test]
    fn strangers_make_no_series(users in proptest::collection::vec((any::<[u8; 12]>(), any::<u32>()), 1..2_000)) {
        let settings = Settings { handset_label: HandsetLabel::All, ..Settings::default() };
        let (board, metrics) = metrics(settings);
        let empty = text(&metrics).lines().count();
        let all: Vec<Who> = users.iter().map(|(user, n)| who(user, false, *n)).collect();
        let open = (0_u64..).zip(&all).map(|(id, who)| alert(id, *who, Rule::PrefixProbe, Severity::Warning));
        board.publish_judge(JudgeView { open: open.collect(), ..JudgeView::default() });
        board.publish_sensor(SensorView { handsets: Arc::new(all), ..SensorView::default() });
        let text = text(&metrics);
        prop_assert!(text.lines().count() <= empty + 2 * 200 + 8);
        let labels: BTreeSet<&str> =
            text.lines().filter_map(|line| Some(line.split_once("handset=\"")?.1.split_once('"')?.0)).collect();
        for label in labels {
            let plain = label.strip_prefix("h-").is_some_and(|hex| hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
            prop_assert!(plain, "{}", label);
        }
    }
}

/// The table of `docs/metrics.md`, from the program's own.
#[test]
fn the_documentation_is_the_programs_own_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let ours = FAMILIES.iter().map(|family| {
        let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{}` | {} | {} | {} |", family.name, family.kind, labels.join(", "), family.help)
    });
    let (board, metrics) = metrics(Settings::default());
    drop(board);
    let page = text(&metrics);
    let help = |name: &str| {
        let start = format!("# HELP {name} ");
        page.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default().to_owned()
    };
    let process = page.lines().filter_map(|line| line.strip_prefix("# TYPE process_")).map(|line| {
        let (name, kind) = line.split_once(' ').unwrap();
        let name = format!("process_{name}");
        format!("| `{name}` | {kind} |  | {} |", help(&name))
    });
    let table: Vec<String> = ours.chain(process).collect();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let (head, _) = text.split_once("|---|---|---|---|\n").unwrap();
    let wanted = format!("{head}|---|---|---|---|\n{}\n", table.join("\n"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), wanted, "UPDATE_GOLDEN=1 rewrites it");
}
