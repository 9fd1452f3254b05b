//! Every metric with its kind, its labels and its meaning: the table of `docs/metrics.md`.
//!
//! In: rows. Out: families as Prometheus' library wants them.
//! Never: takes a row that isn't in the table.

use std::collections::{BTreeMap, HashMap};

use prometheus::core::Desc;
use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};

use crate::view::{DELAY_BOUNDS, Delay};

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: "counter", labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: "gauge", labels, help }
}

/// All of them, process metrics apart.
pub const FAMILIES: &[Family] = &[
    gauge("ringfence_build_info", &["version"], "1; which version runs."),
    counter("ringfence_capture_received_packets_total", &["interface"], "Packets taken in."),
    counter(
        "ringfence_capture_dropped_packets_total",
        &["interface", "where"],
        "Packets lost before they could be read: in the kernel's ring, by the interface, in the HEP feed's queue.",
    ),
    gauge(
        "ringfence_capture_last_packet_timestamp_seconds",
        &["interface", "direction"],
        "When the last packet came: any, from the office's handsets (outbound), to them (inbound).",
    ),
    gauge(
        "ringfence_capture_up",
        &["interface"],
        "1 if packets can come: the interface is open and its link up.",
    ),
    counter(
        "ringfence_capture_reopened_total",
        &["interface"],
        "How often a lost interface was opened again.",
    ),
    counter(
        "ringfence_packets_total",
        &["outcome"],
        "Packets by what became of them; together all that were received.",
    ),
    counter("ringfence_coverage_signs_total", &["sign"], "Signs of what can and can't be seen."),
    counter(
        "ringfence_sip_messages_total",
        &["kind", "transport"],
        "SIP messages by method, responses by the method they answer.",
    ),
    gauge(
        "ringfence_sip_encrypted_flows",
        &[],
        "Encrypted flows that may be signalling: calls in them can't be seen.",
    ),
    counter("ringfence_calls_total", &["class"], "Call attempts as people count them, each once."),
    counter("ringfence_calls_answered_total", &["class"], "Calls that were answered."),
    counter("ringfence_call_seconds_total", &["class"], "Seconds talked, counted when a call ends."),
    gauge("ringfence_calls_active", &["class"], "Calls that ring or talk now."),
    counter(
        "ringfence_destination_calls_total",
        &["kind", "region"],
        "Calls that leave the office, by where they go.",
    ),
    counter("ringfence_destination_seconds_total", &["kind", "region"], "Seconds talked, by where calls go."),
    counter(
        "ringfence_destination_exposure_total",
        &["kind", "region", "currency"],
        "What ended calls cost, as far as the tariff says.",
    ),
    gauge(
        "ringfence_watched_seconds",
        &[],
        "How long something was seen, in whole days, restarts included: what is usual is learnt from it.",
    ),
    gauge(
        "ringfence_handsets",
        &["state"],
        "Devices of the inventory: registered, silent (registered, but no call for long), lapsed, unregistered (a phone by its hardware or its own words), stranger.",
    ),
    gauge(
        "ringfence_handset_info",
        &["handset"],
        "1 for each handset, with handset_label = \"all\"; at most 200.",
    ),
    counter(
        "ringfence_alerts_total",
        &["rule", "severity"],
        "Incidents raised; every pair is there from the start.",
    ),
    gauge(
        "ringfence_alert_active",
        &["rule", "severity", "handset"],
        "Incidents open now; gone when they clear. At most 200 series.",
    ),
    gauge("ringfence_alert_series_suppressed", &[], "Open incidents beyond those 200 series."),
    Family {
        name: "ringfence_alert_delay_seconds",
        kind: "histogram",
        labels: &[],
        help: "From the deciding packet's time to the alert.",
    },
    gauge(
        "ringfence_posture_findings",
        &["check", "severity"],
        "Open findings of the handset-security checklist.",
    ),
    counter("ringfence_sink_sent_total", &["sink"], "Deliveries that succeeded."),
    counter("ringfence_sink_failed_total", &["sink"], "Attempts at delivery that failed."),
    counter("ringfence_queue_dropped_total", &["queue"], "What a full queue dropped."),
    counter("ringfence_evicted_total", &["table"], "Entries that a full table forgot or refused."),
    counter("ringfence_worker_panics_total", &["worker"], "Panics of a worker that were caught."),
    gauge("ringfence_sandbox", &["layer"], "1 for each layer of the sandbox that holds."),
    gauge("ringfence_state_bytes", &[], "Size of the database."),
    gauge("ringfence_state_last_save_timestamp_seconds", &[], "When state was last saved; 0 = never."),
    gauge("ringfence_alertmanager_push_enabled", &[], "1 if alerts are pushed to Alertmanager directly."),
    gauge(
        "ringfence_config_last_reload_successful",
        &[],
        "1 if the last reload of the configuration was taken.",
    ),
    gauge("ringfence_config_last_reload_timestamp_seconds", &[], "When a reload was last tried; 0 = never."),
];

impl Family {
    pub(super) fn desc(&self) -> Result<Desc, prometheus::Error> {
        let labels = self.labels.iter().map(|label| (*label).to_owned()).collect();
        Desc::new(self.name.to_owned(), self.help.to_owned(), labels, HashMap::new())
    }
}

/// The families of one scrape.
#[derive(Default)]
pub(super) struct Page {
    rows: BTreeMap<&'static str, Vec<Metric>>,
}

impl Page {
    /// One sample.
    pub(super) fn row(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let Some(family) = FAMILIES.iter().find(|family| family.name == name) else {
            debug_assert!(false, "{name} isn't in the table");
            return;
        };
        let mut metric = if family.kind == "counter" {
            let mut counter = Counter::default();
            counter.set_value(value);
            let mut metric = Metric::default();
            metric.set_counter(counter);
            metric
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            Metric::from_gauge(gauge)
        };
        metric.set_label(labels.iter().map(|(name, value)| pair(name, value)).collect());
        self.rows.entry(family.name).or_default().push(metric);
    }

    pub(super) fn histogram(&mut self, name: &'static str, delay: &Delay) {
        let mut histogram = Histogram::default();
        histogram.set_sample_count(delay.count);
        histogram.set_sample_sum(delay.sum);
        let bucket = |(bound, within): (&f64, &u64)| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(*within);
            bucket
        };
        histogram.set_bucket(DELAY_BOUNDS.iter().zip(&delay.within).map(bucket).collect());
        let mut metric = Metric::default();
        metric.set_histogram(histogram);
        self.rows.entry(name).or_default().push(metric);
    }

    pub(super) fn done(mut self) -> Vec<MetricFamily> {
        FAMILIES
            .iter()
            .filter_map(|family| {
                let rows = self.rows.remove(family.name)?;
                let mut out = MetricFamily::default();
                out.set_name(family.name.to_owned());
                out.set_help(family.help.to_owned());
                out.set_field_type(match family.kind {
                    "counter" => MetricType::COUNTER,
                    "histogram" => MetricType::HISTOGRAM,
                    _ => MetricType::GAUGE,
                });
                out.set_metric(rows);
                Some(out)
            })
            .collect()
    }
}

fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
