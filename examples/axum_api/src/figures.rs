//! What Prometheus reads at `/metrics`: the figures of the service and those of its log.

use std::{sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// How often samples are summed up, so that they take no more memory while nobody reads them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Upper bounds in seconds, as OpenTelemetry advises for the time of a request; a sync of a disk is within
/// the same.
const SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The process's one exporter, made by whoever asks first: ask before the log is opened, or what it
/// reports at its start is missing.
pub fn exporter() -> PrometheusHandle {
    static EXPORTER: OnceLock<PrometheusHandle> = OnceLock::new();
    EXPORTER.get_or_init(install).clone()
}

fn install() -> PrometheusHandle {
    let builder = PrometheusBuilder::new();
    let builder = builder
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .unwrap_or_else(|_no_bounds| PrometheusBuilder::new());
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    // Where the process has a recorder already, this one stays empty.
    metrics::set_global_recorder(recorder).unwrap_or(());
    handle
}

/// Sums up samples for ever.
pub async fn keep_up(exporter: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        exporter.run_upkeep();
    }
}
