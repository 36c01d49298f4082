//! What the writer thread reports to the service's exporter; alone in its process, whose recorder it sets.

#![expect(clippy::unwrap_used, reason = "what cannot be set up ends the test")]

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use compliance_log::{
    ComplianceLog, audit_event,
    test_util::{Fault, Faults, within_sync},
};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Recorder, SharedString, Unit,
};

#[path = "it/support.rs"]
#[expect(dead_code, reason = "shared with others")]
mod support;

#[audit_event(name = "step.done", target = "step")]
struct Step {}

#[audit_event(name = "note.kept", target = "note")]
struct Kept {
    #[audit(internal)]
    text: String,
}

/// Keeps the last figure of each name, whatever its labels.
#[derive(Clone, Default)]
struct Figures(Arc<Mutex<BTreeMap<String, f64>>>);

struct Figure(String, Figures);

impl Figures {
    fn of(&self, name: &str) -> Option<f64> {
        self.0.lock().unwrap().get(name).copied()
    }

    fn figure(&self, key: &Key) -> Arc<Figure> {
        Arc::new(Figure(key.name().to_owned(), self.clone()))
    }
}

impl Figure {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut figures = (self.1).0.lock().unwrap();
        let figure = figures.entry(self.0.clone()).or_default();
        *figure = change(*figure);
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures of a test are small")]
impl CounterFn for Figure {
    fn increment(&self, by: u64) {
        self.change(|figure| figure + by as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(|_| value as f64);
    }
}

impl GaugeFn for Figure {
    fn increment(&self, by: f64) {
        self.change(|figure| figure + by);
    }

    fn decrement(&self, by: f64) {
        self.change(|figure| figure - by);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &metrics::Metadata<'_>) -> Counter {
        Counter::from_arc(self.figure(key))
    }

    fn register_gauge(&self, key: &Key, _: &metrics::Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.figure(key))
    }

    fn register_histogram(&self, _: &Key, _: &metrics::Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn the_store_its_budget_and_what_became_of_it_are_reported() {
    let figures = Figures::default();
    metrics::set_global_recorder(figures.clone()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::new();
    let builder = ComplianceLog::builder("svc").env("test").dir(dir.path());
    let log = faults
        .under(builder)
        .max_bytes(8 * 1024 * 1024)
        .open()
        .unwrap();
    let commit = || within_sync(&log, || Step {}.commit().wait());
    commit().unwrap();
    support::wait_until("the figures are reported", || {
        figures.of("compliance_log_store_bytes") > Some(0.0)
            && figures
                .of("compliance_log_disk_full_seconds")
                .is_some_and(f64::is_finite)
    });
    let max = figures.of("compliance_log_store_bytes_max");
    assert_eq!(max, Some(8.0 * 1024.0 * 1024.0));
    assert_eq!(figures.of("compliance_log_files_altered"), None);

    assert_eq!(figures.of("compliance_log_redactions"), None);
    let text = "mail bob@example.com, password=hunter2".to_owned();
    within_sync(&log, || Kept { text }.commit().wait()).unwrap();
    assert_eq!(figures.of("compliance_log_redactions"), Some(2.0));
    assert!(figures.of("compliance_log_queue_bytes") > Some(0.0));

    faults.set(Fault::NoSpace);
    commit().unwrap_err();
    assert_eq!(figures.of("compliance_log_degraded"), Some(1.0));
    faults.clear();
    support::wait_until("it is mended", || commit().is_ok());
    assert_eq!(figures.of("compliance_log_degraded"), Some(0.0));

    let active = support::segments(log.store().unwrap(), "audit").pop();
    fs::remove_file(active.unwrap()).unwrap();
    commit().unwrap();
    assert_eq!(figures.of("compliance_log_files_altered"), Some(1.0));
    log.shutdown().unwrap();
}
