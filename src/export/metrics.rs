//! `/metrics`: one collector over the engine's own counters.
//!
//! In: the `Board`. Out: Prometheus' text format.
//! Never: lets a stranger make a series: labels come from enums, the configuration or bounded tables.

mod families;
mod label;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Encoder, Registry, TextEncoder};

pub use families::{FAMILIES, Family};
pub use label::{HandsetLabel, Names};

use crate::finding::{Check, Severity};
use crate::inventory::State;
use crate::tally::Label;
use crate::view::{Board, Destination, JudgeView, SensorView, rule_pairs};
use families::Page;

/// Open incidents that have a series of their own.
const ACTIVE: usize = 200;

/// What the operator may choose.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Which handsets are named.
    pub handset_label: HandsetLabel,
    /// How a handset is named.
    pub names: Names,
}

/// The metrics of a running engine.
pub struct Metrics {
    registry: Registry,
    settings: Arc<RwLock<Settings>>,
}

impl Metrics {
    /// Over a board.
    ///
    /// # Errors
    /// If the tables of metrics contradict themselves.
    pub fn new(board: Arc<Board>, settings: Settings) -> Result<Self, prometheus::Error> {
        let settings = Arc::new(RwLock::new(settings));
        let registry = Registry::new();
        let descs = FAMILIES.iter().map(Family::desc).collect::<Result<Vec<_>, _>>()?;
        registry.register(Box::new(Engine { board, settings: Arc::clone(&settings), descs }))?;
        let process = prometheus::process_collector::ProcessCollector::for_self();
        registry.register(Box::new(process))?;
        Ok(Self { registry, settings })
    }

    /// Takes other settings.
    pub fn reload(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    /// The page as Prometheus scrapes it.
    ///
    /// # Errors
    /// If a metric contradicts its description.
    pub fn text(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::with_capacity(64 * 1024);
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// The collector.
struct Engine {
    board: Arc<Board>,
    settings: Arc<RwLock<Settings>>,
    descs: Vec<Desc>,
}

impl Collector for Engine {
    fn desc(&self) -> Vec<&Desc> {
        self.descs.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (sensor, judge) = (self.board.sensor(), self.board.judge());
        let mut page = Page::default();
        page.row("ringfence_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        capture(&mut page, &sensor);
        sip(&mut page, &sensor);
        calls(&mut page, &sensor);
        destinations(&mut page, &judge);
        handsets(&mut page, &sensor, &judge, &settings);
        alerts(&mut page, &judge, &settings);
        posture(&mut page, &judge);
        tables(&mut page, &sensor, &judge);
        self.vitals(&mut page);
        page.done()
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows only floats; counts stay below 2^53")]
const fn float(n: u64) -> f64 {
    n as f64
}

/// Microseconds as seconds.
fn seconds(micros: u64) -> f64 {
    float(micros) / 1e6
}

fn unix(micros: i64) -> f64 {
    seconds(u64::try_from(micros).unwrap_or(0))
}

fn capture(page: &mut Page, view: &SensorView) {
    for source in &view.sources {
        let interface = ("interface", source.name.as_str());
        page.row("ringfence_capture_received_packets_total", &[interface], float(source.received));
        for (place, n) in &source.dropped {
            page.row("ringfence_capture_dropped_packets_total", &[interface, ("where", place)], float(*n));
        }
        for (direction, at) in &source.last {
            let labels = [interface, ("direction", direction)];
            page.row("ringfence_capture_last_packet_timestamp_seconds", &labels, unix(at.0));
        }
        page.row("ringfence_capture_up", &[interface], f64::from(u8::from(source.up)));
        page.row("ringfence_capture_reopened_total", &[interface], float(source.reopened));
    }
    for (outcome, n) in &view.packets {
        page.row("ringfence_packets_total", &[("outcome", outcome)], float(*n));
    }
    for (sign, n) in &view.signs {
        page.row("ringfence_coverage_signs_total", &[("sign", sign)], float(*n));
    }
}

fn sip(page: &mut Page, view: &SensorView) {
    for (method, response, transport, n) in &view.messages {
        let method = method.to_lowercase();
        let kind = if *response { format!("{method}_response") } else { method };
        let labels = [("kind", kind.as_str()), ("transport", transport)];
        page.row("ringfence_sip_messages_total", &labels, float(*n));
    }
    page.row("ringfence_sip_encrypted_flows", &[], float(view.encrypted_flows));
}

fn calls(page: &mut Page, view: &SensorView) {
    for (class, [attempted, answered, talked, up]) in &view.calls {
        let class = [("class", class.name())];
        page.row("ringfence_calls_total", &class, float(*attempted));
        page.row("ringfence_calls_answered_total", &class, float(*answered));
        page.row("ringfence_call_seconds_total", &class, seconds(*talked));
        page.row("ringfence_calls_active", &class, float(*up));
    }
}

fn destinations(page: &mut Page, view: &JudgeView) {
    // A region's rows and the common ones may both be of one kind: they are summed here, once.
    let mut rows: BTreeMap<(&str, String), [u64; 3]> = BTreeMap::new();
    for Destination { kind, region, calls, talked, money } in &view.destinations {
        let region = region.map_or_else(|| "other".to_owned(), |region| region.to_string());
        let row = rows.entry((kind.name(), region)).or_default();
        for (sum, n) in row.iter_mut().zip([calls, talked, money]) {
            *sum = sum.saturating_add(*n);
        }
    }
    for ((kind, region), [calls, talked, money]) in rows {
        let labels = [("kind", kind), ("region", region.as_str())];
        page.row("ringfence_destination_calls_total", &labels, float(calls));
        page.row("ringfence_destination_seconds_total", &labels, seconds(talked));
        let labels = [labels[0], labels[1], ("currency", view.currency.as_str())];
        page.row("ringfence_destination_exposure_total", &labels, seconds(money));
    }
}

fn handsets(page: &mut Page, view: &SensorView, judge: &JudgeView, settings: &Settings) {
    page.row("ringfence_watched_seconds", &[], f64::from(judge.days) * 86_400.0);
    for state in State::ALL {
        let n = judge.inventory.iter().filter(|entry| entry.state(judge.now) == *state).count();
        page.row("ringfence_handsets", &[("state", state.name())], float(n as u64));
    }
    if settings.handset_label == HandsetLabel::All {
        let mut labels: Vec<String> =
            view.handsets.iter().map(|who| settings.names.label(Some(who))).collect();
        labels.sort_unstable();
        labels.dedup();
        for handset in labels.iter().take(label::MOST) {
            page.row("ringfence_handset_info", &[("handset", handset)], 1.0);
        }
    }
}

fn alerts(page: &mut Page, view: &JudgeView, settings: &Settings) {
    let raised: BTreeMap<_, _> =
        view.raised.iter().map(|(rule, severity, n)| ((*rule, *severity), *n)).collect();
    for (rule, severity) in rule_pairs() {
        let labels = [("rule", rule.name()), ("severity", severity.name())];
        let n = raised.get(&(rule, severity)).copied().unwrap_or(0);
        page.row("ringfence_alerts_total", &labels, float(n));
    }
    let mut active: BTreeMap<[String; 3], u64> = BTreeMap::new();
    // The worst first: a flood of notices doesn't push out what pages.
    let mut open: Vec<_> = view.open.iter().collect();
    open.sort_by_key(|alert| std::cmp::Reverse(alert.finding.severity));
    for alert in open {
        let finding = &alert.finding;
        let handset = match settings.handset_label {
            HandsetLabel::Off => String::new(),
            _ => settings.names.label(finding.who.as_ref()),
        };
        let key = [finding.rule.name().to_owned(), finding.severity.name().to_owned(), handset];
        if active.len() >= ACTIVE && !active.contains_key(&key) {
            continue;
        }
        let n = active.entry(key).or_default();
        *n = n.saturating_add(1);
    }
    let shown: u64 = active.values().sum();
    for ([rule, severity, handset], n) in &active {
        let labels = [("rule", rule.as_str()), ("severity", severity), ("handset", handset)];
        page.row("ringfence_alert_active", &labels, float(*n));
    }
    let open = u64::try_from(view.open.len()).unwrap_or(u64::MAX);
    page.row("ringfence_alert_series_suppressed", &[], float(open.saturating_sub(shown)));
    page.histogram("ringfence_alert_delay_seconds", &view.delay);
}

fn posture(page: &mut Page, view: &JudgeView) {
    let found: BTreeMap<_, _> =
        view.findings.iter().map(|(check, severity, n)| ((*check, *severity), *n)).collect();
    for check in Check::ALL {
        for severity in Severity::ALL {
            let n = found.get(&(*check, *severity)).copied().unwrap_or(0);
            let labels = [("check", check.name()), ("severity", severity.name())];
            page.row("ringfence_posture_findings", &labels, float(n));
        }
    }
}

fn tables(page: &mut Page, sensor: &SensorView, judge: &JudgeView) {
    for (table, n) in sensor.evicted.iter().chain(&judge.evicted) {
        page.row("ringfence_evicted_total", &[("table", table)], float(*n));
    }
}

impl Engine {
    fn vitals(&self, page: &mut Page) {
        let vitals = &self.board.vitals;
        for (sink, n) in vitals.sent.iter() {
            page.row("ringfence_sink_sent_total", &[("sink", sink.name())], float(n));
        }
        for (sink, n) in vitals.failed.iter() {
            page.row("ringfence_sink_failed_total", &[("sink", sink.name())], float(n));
        }
        for (queue, n) in vitals.dropped.iter() {
            page.row("ringfence_queue_dropped_total", &[("queue", queue.name())], float(n));
        }
        for (worker, n) in vitals.panics.iter() {
            page.row("ringfence_worker_panics_total", &[("worker", worker.name())], float(n));
        }
        for (layer, holds) in vitals.sandbox.iter() {
            page.row("ringfence_sandbox", &[("layer", layer.name())], float(holds));
        }
        let load = |cell: &std::sync::atomic::AtomicU64| float(cell.load(Ordering::Relaxed));
        let time = |cell: &std::sync::atomic::AtomicI64| unix(cell.load(Ordering::Relaxed));
        page.row("ringfence_state_bytes", &[], load(&vitals.state_bytes));
        page.row("ringfence_state_last_save_timestamp_seconds", &[], time(&vitals.state_saved));
        page.row("ringfence_alertmanager_push_enabled", &[], load(&vitals.push_enabled));
        page.row("ringfence_config_last_reload_successful", &[], load(&vitals.reload_successful));
        page.row("ringfence_config_last_reload_timestamp_seconds", &[], time(&vitals.reloaded));
    }
}

#[cfg(test)]
mod tests;
