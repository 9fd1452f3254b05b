//! The dashboards: the rules of Grafana's linter, and every query on a real Prometheus.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::daemon::Daemon;
use super::{have, node};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("grafana/dashboards")
}

pub(crate) fn files() -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = found.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    files.sort();
    assert_eq!(files.len(), 2);
    files
}

fn dashboards() -> Vec<Value> {
    files()
        .iter()
        .map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        .collect()
}

fn list<'v>(value: &'v Value, key: &str) -> Vec<&'v Value> {
    value[key].as_array().map(|list| list.iter().collect()).unwrap_or_default()
}

fn panels(dashboard: &Value) -> Vec<&Value> {
    list(dashboard, "panels").into_iter().filter(|panel| panel["type"] != "row").collect()
}

/// Panels that the file of exceptions names for a rule: (dashboard, panel).
fn excepted(rule: &str) -> BTreeSet<(String, String)> {
    let text = std::fs::read_to_string(folder().join(".lint")).unwrap();
    let block = text.split(&format!("  {rule}:\n")).nth(1).unwrap_or_default();
    let lines = block.lines().take_while(|line| line.starts_with("    "));
    let mut pairs = BTreeSet::new();
    let mut dashboard = String::new();
    for line in lines {
        if let Some((_, name)) = line.split_once("- dashboard: ") {
            dashboard = name.to_owned();
        } else if let Some((_, name)) = line.split_once("panel: ") {
            pairs.insert((dashboard.clone(), name.to_owned()));
        }
    }
    pairs
}

fn variable<'d>(dashboard: &'d Value, name: &str) -> Option<&'d Value> {
    list(&dashboard["templating"], "list").into_iter().find(|variable| variable["name"] == name)
}

fn faults_of_templates(dashboard: &Value, faults: &mut Vec<String>) {
    let mut expect = |held: bool, what: &str| {
        if !held {
            faults.push(format!("{}: {what}", dashboard["title"]));
        }
    };
    let source = variable(dashboard, "datasource");
    expect(
        source.is_some_and(|v| v["type"] == "datasource" && v["query"] == "prometheus"),
        "template-datasource",
    );
    expect(source.is_some_and(|v| v["label"] == "Data source"), "template-datasource: label");
    for name in ["job", "instance"] {
        let found = variable(dashboard, name);
        let is = |key: &str, value: Value| found.is_some_and(|v| v[key] == value);
        expect(is("type", "query".into()) && is("multi", true.into()), &format!("template-{name}"));
        expect(
            is("allValue", ".+".into()) && is("refresh", 2.into()),
            &format!("template-{name}: all, on time change"),
        );
        expect(
            is("datasource", serde_json::json!({"type": "prometheus", "uid": "${datasource}"})),
            "template datasource",
        );
    }
    expect(dashboard["editable"] == false, "uneditable");
    expect(dashboard["id"].is_null() && dashboard["uid"].is_string(), "uid fixed, id null");
    expect((39..=42).contains(&dashboard["schemaVersion"].as_i64().unwrap_or(0)), "schemaVersion 39 to 42");
    expect(dashboard.get("__inputs").is_none(), "no __inputs: provisioning doesn't fill them in");
}

/// Whether Grafana knows a unit: by the id that its `@grafana/data` has for it, or as words of one's own.
fn is_unit(unit: &str) -> bool {
    let own = unit.strip_prefix("suffix:").is_some_and(|words| !words.trim().is_empty());
    own || ["bytes", "cps", "none", "percentunit", "pps", "s"].contains(&unit)
}

/// Ranges that stand in square brackets after a rate, irate or increase.
fn ranges(expr: &str) -> Vec<String> {
    expr.split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(']'))
        .map(|(range, _)| range.to_owned())
        .collect()
}

/// Selectors in braces, each with the name before it.
fn selectors(expr: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in expr.match_indices('{') {
        let name: String =
            expr[..at].chars().rev().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let name: String = name.chars().rev().collect();
        if let Some((inside, _)) = expr[at + 1..].split_once('}')
            && !name.is_empty()
        {
            found.push((name, inside.to_owned()));
        }
    }
    found
}

fn faults_of_query(expr: &str, may_range: bool) -> Vec<&'static str> {
    let mut faults = Vec::new();
    if !may_range && ranges(expr).iter().any(|range| range != "$__rate_interval") {
        faults.push("target-rate-interval");
    }
    let selectors = selectors(expr);
    if selectors.is_empty() {
        faults.push("target-promql: nothing selected");
    }
    for (name, inside) in &selectors {
        if !inside.contains("job=~\"$job\"") || !inside.contains("instance=~\"$instance\"") {
            faults.push("target-job, target-instance");
        }
        let selector = format!("{name}{{{inside}}}");
        let raised = ["rate(", "irate(", "increase(", "changes("]
            .iter()
            .any(|f| expr.contains(&format!("{f}{selector}[")));
        if (name.ends_with("_total") || name.ends_with("_bucket")) && !raised {
            faults.push("target-counter-agg");
        }
        if name.ends_with("_bucket") && !expr.contains("by (le") {
            faults.push("target-histogram: keep le");
        }
    }
    faults
}

#[test]
fn dashboards_hold_the_linters_rules() {
    let may_range = excepted("target-rate-interval-rule");
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for dashboard in &dashboards() {
        let title = dashboard["title"].as_str().unwrap().to_owned();
        faults_of_templates(dashboard, &mut faults);
        for panel in panels(dashboard) {
            let name = panel["title"].as_str().unwrap_or_default().to_owned();
            let mut expect = |held: bool, what: &str| {
                if !held {
                    faults.push(format!("{title} / {name}: {what}"));
                }
            };
            expect(!name.is_empty(), "panel-title");
            expect(panel["description"].as_str().is_some_and(|d| d.len() > 20), "panel-description");
            expect(panel["datasource"]["uid"] == "${datasource}", "panel-datasource");
            expect(panel["fieldConfig"]["defaults"]["unit"].as_str().is_some_and(is_unit), "panel-units");
            expect(!list(panel, "targets").is_empty(), "panel-no-targets");
            let place = (title.clone(), name.clone());
            for target in list(panel, "targets") {
                expect(target["datasource"]["uid"] == "${datasource}", "target datasource");
                for fault in faults_of_query(target["expr"].as_str().unwrap(), may_range.contains(&place)) {
                    expect(false, fault);
                }
            }
            seen.insert(place);
        }
        overlap(dashboard, &mut faults);
    }
    assert!(faults.is_empty(), "{faults:#?}");
    let stale: Vec<_> = may_range.difference(&seen).collect();
    assert!(stale.is_empty(), "exceptions for panels that don't exist: {stale:?}");
}

/// No two panels share a place or a number.
fn overlap(dashboard: &Value, faults: &mut Vec<String>) {
    let all = list(dashboard, "panels");
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in all {
        if !ids.insert(panel["id"].as_i64()) {
            faults.push(format!("panel number {} twice", panel["id"]));
        }
        let at = |key: &str| panel["gridPos"][key].as_i64().unwrap();
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                if x >= 24 || !taken.insert((x, y)) {
                    faults.push(format!("{}: overlaps at {x}, {y}", panel["title"]));
                }
            }
        }
    }
}

#[test]
fn the_rules_would_notice() {
    assert!(
        faults_of_query("sum(rate(x_total{job=~\"$job\",instance=~\"$instance\"}[$__rate_interval]))", false)
            .is_empty()
    );
    assert_eq!(
        faults_of_query("rate(x_total{job=~\"$job\",instance=~\"$instance\"}[5m])", false),
        ["target-rate-interval"]
    );
    assert_eq!(
        faults_of_query("x_total{job=~\"$job\",instance=~\"$instance\"}", false),
        ["target-counter-agg"]
    );
    assert_eq!(faults_of_query("x{job=~\"$job\"}", false), ["target-job, target-instance"]);
}

/// A Prometheus that scrapes a daemon every second, until it's dropped.
struct Prometheus {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    fn start(daemon: &Daemon) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: ringfence\n    static_configs:\n      - targets: [\"127.0.0.1:{}\"]\n",
            daemon.http
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port, _folder: folder }
    }

    /// The series that an expression gives now; an error as text.
    fn query(&self, expr: &str) -> Result<usize, String> {
        let url = format!("http://127.0.0.1:{}/api/v1/query", self.port);
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.get(url).query("query", expr).call().map_err(|e| e.to_string())?;
        let body = answer.body_mut().read_to_string().map_err(|e| e.to_string())?;
        let body: Value = serde_json::from_str(&body).map_err(|_| body.clone())?;
        if body["status"] != "success" {
            return Err(body["error"].to_string());
        }
        Ok(body["data"]["result"].as_array().map_or(0, Vec::len))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn every_query_gives_data() {
    if !have(&["prometheus", "node"]) {
        return;
    }
    let daemon = Daemon::start("");
    let prometheus = Prometheus::start(&daemon);
    let scraped = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(200));
        prometheus.query("up == 1") == Ok(1)
    });
    // How long ago the state was saved is a panel, too: it is saved soon after the start.
    let saved = (0..150).any(|_| {
        std::thread::sleep(Duration::from_millis(200));
        prometheus.query("ringfence_state_last_save_timestamp_seconds > 0") == Ok(1)
    });
    assert!(scraped, "Prometheus doesn't scrape: {:?}", prometheus.query("up"));
    assert!(saved, "no state was saved");
    let (fed, said) = node("feed.mjs", &[&daemon.hep.to_string(), "12"]);
    assert!(fed, "{said}");
    std::thread::sleep(Duration::from_secs(2));
    let exposed = daemon.get("/metrics").unwrap();
    let (mut queries, mut faults) = (0, Vec::new());
    for dashboard in &dashboards() {
        let annotations = list(&dashboard["annotations"], "list");
        let noted = annotations.iter().filter_map(|a| Some(("annotation", a["expr"].as_str()?)));
        let panels = panels(dashboard);
        let shown = panels.iter().flat_map(|panel| {
            let title = panel["title"].as_str().unwrap();
            list(panel, "targets").into_iter().map(move |target| (title, target["expr"].as_str().unwrap()))
        });
        for (title, expr) in noted.chain(shown) {
            for (name, _) in selectors(expr) {
                let family = name.trim_end_matches("_bucket");
                let known = name == "up" || exposed.contains(&format!("# TYPE {family} "));
                if !known {
                    faults.push(format!("{title}: no metric {name}"));
                }
            }
            let filled = expr
                .replace("$__rate_interval", "20s")
                .replace("$__range", "1m")
                .replace("=~\"$job\"", "=~\".+\"")
                .replace("=~\"$instance\"", "=~\".+\"");
            queries += 1;
            match prometheus.query(&filled) {
                Ok(0) => {
                    faults.push(format!("{title}: nothing from {filled}"));
                }
                Ok(_) => {}
                Err(error) => faults.push(format!("{title}: {error} from {filled}")),
            }
        }
    }
    println!("{queries} queries on a real Prometheus");
    assert!(faults.is_empty(), "{faults:#?}\n{}", daemon.log());
}
