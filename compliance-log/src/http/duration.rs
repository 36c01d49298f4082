//! `http_server_request_duration_seconds`, by the names of OpenTelemetry's semantic conventions for HTTP.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use http::Method;
use metrics::{Key, Label, Level, Metadata};

use crate::metric;

/// Reports how long a request took, until the end of its body. There are as many series as the service's
/// author wrote routes, times the methods and statuses that these answer with: no client can make more.
pub(super) fn report(method: &Method, route: Option<&str>, status: u16, took: Duration) {
    metric::report(|| {
        // A recorder that serves requests of its own finds no report within this one. During thread
        // exit there is nothing to name a series by.
        let report = |series: &RefCell<Series>| {
            series.borrow_mut().of(known(method), route, status, |key| {
                metrics::with_recorder(|recorder| recorder.register_histogram(key, &METADATA))
                    .record(took);
            });
        };
        SERIES.try_with(report).unwrap_or(());
    });
}

static METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// More series are named anew for each request.
const SERIES_MAX: usize = 1024;

thread_local! {
    // To name a series takes longer than to add to it.
    static SERIES: RefCell<Series> = RefCell::default();
}

/// The series that a thread reported to, by route.
#[derive(Default)]
struct Series {
    routes: BTreeMap<Box<str>, Vec<Named>>,
    count: usize,
}

struct Named {
    method: &'static str,
    status: u16,
    key: Key,
}

impl Series {
    fn of(
        &mut self,
        method: &'static str,
        route: Option<&str>,
        status: u16,
        report: impl FnOnce(&Key),
    ) {
        let Some(route) = route else {
            return report(&name(method, None, status));
        };
        let mut named = self.routes.get(route).into_iter().flatten();
        let known = named.find(|named| named.method == method && named.status == status);
        if let Some(named) = known {
            return report(&named.key);
        }
        let key = name(method, Some(route), status);
        report(&key);
        if self.count < SERIES_MAX {
            self.count += 1;
            let named = self.routes.entry(route.into()).or_default();
            named.push(Named {
                method,
                status,
                key,
            });
        }
    }
}

fn name(method: &'static str, route: Option<&str>, status: u16) -> Key {
    let labels = [
        Some(Label::from_static_parts("http_request_method", method)),
        route.map(|route| Label::new("http_route", route.to_owned())),
        Some(Label::from_static_parts(
            "http_response_status_code",
            digits(status),
        )),
    ];
    let labels: Vec<Label> = labels.into_iter().flatten().collect();
    Key::from_parts("http_server_request_duration_seconds", labels)
}

/// The methods of RFC 9110 and RFC 5789; all others are one.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::CONNECT => "CONNECT",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::PATCH => "PATCH",
        _ => "_OTHER",
    }
}

/// The three digits of a status.
pub(super) fn digits(status: u16) -> &'static str {
    let digits = DIGITS.get(usize::from(status)).unwrap_or(&DIGITS[0]);
    std::str::from_utf8(digits).unwrap_or("000")
}

static DIGITS: [[u8; 3]; 1000] = {
    let mut all = [[b'0'; 3]; 1000];
    let mut status = 1;
    while status < all.len() {
        let mut digits = all[status - 1];
        let mut place = 2;
        while digits[place] == b'9' {
            digits[place] = b'0';
            place -= 1;
        }
        digits[place] += 1;
        all[status] = digits;
        status += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_its_digits() {
        for status in 100..1000 {
            assert_eq!(digits(status), status.to_string());
        }
        assert_eq!(digits(u16::MAX), "000");
    }

    #[test]
    fn methods_that_anybody_made_up_are_one() {
        for method in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
        ] {
            assert_eq!(known(&method.parse().unwrap()), method);
        }
        for method in ["PROPFIND", "get", "QUERY", "X1"] {
            assert_eq!(known(&method.parse().unwrap()), "_OTHER");
        }
    }
}
