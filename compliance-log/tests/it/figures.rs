//! What is reported on this thread, series by series.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, LocalRecorderGuard, Metadata,
    Recorder, SharedString, Unit,
};

/// Of each series of counters and histograms: what was added to it, and how often.
#[derive(Clone, Default)]
pub(crate) struct Figures(Arc<Mutex<BTreeMap<String, (f64, u64)>>>);

impl Figures {
    /// Takes what this thread reports, until the guard is dropped.
    pub(crate) fn record(&self) -> LocalRecorderGuard<'_> {
        metrics::set_default_local_recorder(self)
    }

    /// The sum over all series of a name.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let series = self.0.lock().unwrap();
        let of_name = series.iter().filter(|(key, _)| key.starts_with(name));
        of_name.map(|(_, (sum, _))| sum).sum()
    }

    /// How often something was reported to each series of a name, by its labels.
    pub(crate) fn counts(&self, name: &str) -> BTreeMap<String, u64> {
        let series = self.0.lock().unwrap();
        let of_name = series.iter().filter_map(|(key, (_, count))| {
            Some((key.strip_prefix(name)?.trim().to_owned(), *count))
        });
        of_name.collect()
    }

    fn series(&self, key: &Key) -> Arc<Series> {
        let labels = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()));
        let labels: Vec<String> = labels.collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        Arc::new(Series(name, self.clone()))
    }
}

struct Series(String, Figures);

impl Series {
    fn add(&self, value: f64) {
        let mut series = (self.1).0.lock().unwrap();
        let (sum, count) = series.entry(self.0.clone()).or_default();
        *sum += value;
        *count += 1;
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures of a test are small")]
impl CounterFn for Series {
    fn increment(&self, by: u64) {
        self.add(by as f64);
    }

    fn absolute(&self, value: u64) {
        self.add(value as f64);
    }
}

impl HistogramFn for Series {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.series(key))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.series(key))
    }
}
