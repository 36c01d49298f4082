//! The series of figures that requests are counted in, by route.

use std::{cell::RefCell, collections::BTreeMap};

use metrics::{Counter, Histogram, Key, Label, Level, Metadata};

use super::duration::digits;
use crate::metric;

/// What is reported of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Series {
    /// How long it took.
    Duration { method: &'static str, status: u16 },
    /// That no event tells of it.
    Gap,
}

impl Series {
    pub(super) fn record(self, route: Option<&str>, report: impl FnOnce(Histogram)) {
        self.named(route, |key| {
            report(metrics::with_recorder(|recorder| {
                recorder.register_histogram(key, &METADATA)
            }));
        });
    }

    pub(super) fn count(self, route: Option<&str>, report: impl FnOnce(Counter)) {
        self.named(route, |key| {
            report(metrics::with_recorder(|recorder| {
                recorder.register_counter(key, &METADATA)
            }));
        });
    }

    /// Calls `report` with the name of the series. It calls a recorder, which may serve requests of its
    /// own: their reports within this one are left out, so that the names are free. During thread exit
    /// there are none.
    fn named(self, route: Option<&str>, report: impl FnOnce(&Key)) {
        let named = |names: &RefCell<Names>| names.borrow_mut().with(self, route, report);
        metric::report(|| NAMES.try_with(named).unwrap_or(()));
    }

    fn name(self, route: Option<&str>) -> Key {
        let route = |label| route.map(|route| Label::new(label, route.to_owned()));
        match self {
            Self::Duration { method, status } => {
                let method = Label::from_static_parts("http_request_method", method);
                let status = Label::from_static_parts("http_response_status_code", digits(status));
                let labels = [Some(method), route("http_route"), Some(status)];
                let labels: Vec<Label> = labels.into_iter().flatten().collect();
                Key::from_parts("http_server_request_duration_seconds", labels)
            }
            Self::Gap => {
                let labels: Vec<Label> = route("route").into_iter().collect();
                Key::from_parts("compliance_log_audit_gap", labels)
            }
        }
    }
}

static METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// More series are named anew for each request.
const NAMES_MAX: usize = 1024;

thread_local! {
    static NAMES: RefCell<Names> = RefCell::default();
}

/// The names that a thread made, by route: to make one takes longer than to report.
#[derive(Default)]
struct Names {
    routes: BTreeMap<Box<str>, Vec<(Series, Key)>>,
    count: usize,
}

impl Names {
    fn with(&mut self, series: Series, route: Option<&str>, report: impl FnOnce(&Key)) {
        let Some(route) = route else {
            return report(&series.name(None));
        };
        let mut names = self.routes.get(route).into_iter().flatten();
        if let Some((_, name)) = names.find(|(named, _)| *named == series) {
            return report(name);
        }
        let name = series.name(Some(route));
        report(&name);
        if self.count < NAMES_MAX {
            self.count += 1;
            let names = self.routes.entry(route.into()).or_default();
            names.push((series, name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_once_until_there_are_too_many() {
        let gap = |names: &mut Names, route: &str| {
            let mut label = String::new();
            names.with(Series::Gap, Some(route), |key| {
                label = key.labels().map(Label::value).collect();
            });
            label
        };
        let mut names = Names::default();
        for route in 0..NAMES_MAX + 2 {
            let route = route.to_string();
            for _ in 0..2 {
                assert_eq!(gap(&mut names, &route), route);
            }
        }
        assert_eq!(names.routes.len(), NAMES_MAX);
        let durations = [("GET", 200), ("GET", 404), ("PUT", 200), ("GET", 200)];
        let mut names = Names::default();
        for (method, status) in durations {
            let series = Series::Duration { method, status };
            names.with(series, Some("/x"), |key| {
                let labels: Vec<&str> = key.labels().map(Label::value).collect();
                assert_eq!(labels, [method, "/x", digits(status)]);
            });
        }
        assert_eq!(names.routes["/x"].len(), 3);
    }
}
