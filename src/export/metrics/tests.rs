use super::*;

fn metrics() -> (Arc<Board>, Metrics) {
    let board = Arc::<Board>::default();
    let metrics = Metrics::new(Arc::clone(&board), Settings::default()).unwrap();
    (board, metrics)
}

fn text(metrics: &Metrics) -> String {
    String::from_utf8(metrics.text().unwrap()).unwrap()
}

#[test]
fn every_pair_of_rule_and_severity_is_there_from_the_start() {
    let (_, metrics) = metrics();
    let text = text(&metrics);
    for (rule, severity) in rule_pairs() {
        let line = format!("ringfence_alerts_total{{rule=\"{}\",severity=\"{severity}\"}} 0", rule.name());
        assert!(text.contains(&line), "{line}");
    }
}
