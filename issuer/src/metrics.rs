//! What is counted, and how it is told: in the text format of OpenMetrics. Names follow the semantic conventions of
//! OpenTelemetry where these have one, and Prometheus' for processes.
//!
//! No label holds anything of a request but its route and method, so the number of series is bounded.

mod process;
#[cfg(test)]
mod tests;

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::app::App;
use crate::audit::Event;
use crate::feed;
use crate::log;

/// The content type of [`render`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The upper ends of the buckets for the duration of requests, in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// What is counted while it happens. Clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    active: Gauge,
    events: Family<EventLabels, Counter>,
    purged: Family<TableLabel, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    http_request_method: &'static str,
    http_route: String,
    http_response_status_code: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    event: &'static str,
    outcome: &'static str,
    cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TableLabel {
    table: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            active: Gauge::default(),
            events: Family::default(),
            purged: Family::default(),
        }
    }
}

impl Metrics {
    /// A request has come.
    pub(crate) fn begin_request(&self) {
        self.active.inc();
    }

    /// A request is over; without a status its client did not wait for it.
    pub(crate) fn end_request(&self, method: &'static str, route: &str, status: Option<u16>, took: Duration) {
        self.active.dec();
        let Some(status) = status else { return };
        let labels = RequestLabels {
            http_request_method: method,
            http_route: route.to_owned(),
            http_response_status_code: status,
        };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Something was done, or refused.
    pub(crate) fn count(&self, event: &Event<'_>) {
        let labels = EventLabels {
            event: event.kind.as_str(),
            outcome: event.outcome.as_str(),
            cause: event.cause.unwrap_or("-"),
        };
        self.events.get_or_create(&labels).inc();
    }

    /// So many rows of a table were over.
    pub(crate) fn purged(&self, table: &'static str, rows: u64) {
        self.purged.get_or_create(&TableLabel { table }).inc_by(rows);
    }
}

/// All that this process tells, as the text that is scraped.
///
/// # Errors
/// Something cannot be written as text: a fault of ours.
pub(crate) fn render(app: &App) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::default();
    counted(&mut registry, app.store.metrics());
    state(&mut registry, app);
    process::register(&mut registry);
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

/// What was counted.
fn counted(registry: &mut Registry, metrics: &Metrics) {
    registry.register_with_unit(
        "http_server_request_duration",
        "From the head of a request to that of its response, on the public listener",
        Unit::Seconds,
        metrics.requests.clone(),
    );
    registry.register(
        "http_server_active_requests",
        "Requests that are being answered on the public listener",
        metrics.active.clone(),
    );
    registry.register(
        "bearward_issuer_events",
        "Authentication events, as in the audit trail",
        metrics.events.clone(),
    );
    registry.register(
        "bearward_issuer_purged_rows",
        "Rows that were over and were deleted",
        metrics.purged.clone(),
    );
}

/// What is at this moment.
fn state(registry: &mut Registry, app: &App) {
    let pool = app.store.connections();
    let connections = Family::<[(&str, &str); 1], Gauge>::default();
    for (state, number) in [("idle", pool.idle), ("used", pool.used)] {
        connections.get_or_create(&[("state", state)]).set(number.into());
    }
    registry.register("db_client_connection_count", "Connections to PostgreSQL", connections);
    let gauge = |number: usize| ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
    registry.register(
        "db_client_connection_max",
        "The most connections to PostgreSQL that requests share",
        ConstGauge::new(i64::from(pool.max)),
    );
    let hashing = app.hasher.load();
    registry.register("bearward_issuer_hashes_running", "Password hashes that run", gauge(hashing.running));
    registry.register(
        "bearward_issuer_hashes_waiting",
        "Requests that wait for a hash",
        gauge(hashing.waiting),
    );
    registry.register(
        "bearward_issuer_hashes_max",
        "Password hashes that may run at a time",
        gauge(hashing.permits),
    );
    registry.register(
        "bearward_issuer_hashes_refused",
        "Requests that were told to come again because too many waited for a hash",
        ConstCounter::new(hashing.refused),
    );
    let throttled = Family::<[(&str, &str); 2], Counter>::default();
    for (kind, how, count) in app.throttle.counts().all() {
        throttled.get_or_create(&[("event", kind), ("how", how)]).inc_by(count);
    }
    registry.register("bearward_issuer_throttled", "Attempts that were refused or slowed", throttled);
    registry.register(
        "bearward_issuer_log_lines_dropped",
        "Lines of the log that nobody read fast enough",
        ConstCounter::new(log::dropped()),
    );
    if let Some(feed) = &app.feed {
        feed::metrics::register(registry, feed);
    }
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    registry.register("bearward_issuer_build", "The release", Info::new(version));
}
