//! `http_server_request_duration_seconds`, by the names of OpenTelemetry's semantic conventions for HTTP.

use std::time::Duration;

use http::Method;

use super::series::Series;

/// Reports how long a request took, until the end of its body. There are as many series as the service's
/// author wrote routes, times the methods and statuses that these answer with: no client can make more.
pub(super) fn report(method: &Method, route: Option<&str>, status: u16, took: Duration) {
    let method = known(method);
    Series::Duration { method, status }.record(route, |histogram| histogram.record(took));
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
