//! Records have the ids of the spans that a receiver of OpenTelemetry was sent.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up, or is not there, ends the test"
)]

mod receiver;
mod service;

use std::collections::BTreeMap;

use serde_json::Value;

use receiver::{Receiver, Span};
use service::Service;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// What one booking left in two services, of which the first asks the second, and in the receiver.
struct Told {
    bookings: Vec<Value>,
    rates: Vec<Value>,
    spans: BTreeMap<String, Span>,
}

/// `None` where there is no receiver.
fn book(settings: &[(&str, &str)], headers: &str) -> Option<Told> {
    let receiver = Receiver::start()?;
    let mut settings = settings.to_vec();
    settings.push(("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.address()));
    let (bookings, rates) = records(&settings, headers);
    let spans = receiver.spans();
    Some(Told {
        bookings,
        rates,
        spans,
    })
}

/// The records that one booking left in both services.
fn records(settings: &[(&str, &str)], headers: &str) -> (Vec<Value>, Vec<Value>) {
    let rates = Service::start(settings);
    let address = rates.address();
    let bookings = [settings, &[("RATES", &address)]].concat();
    let bookings = Service::start(&bookings);
    bookings.post("/bookings/17", headers);
    let (bookings, rates) = (bookings.records(), rates.records());
    let mut names: Vec<&str> = bookings.iter().map(name).collect();
    names.sort_unstable();
    let expected = [
        "booking.confirmed",
        "booking.created",
        "http.request",
        "partner notified",
        "rate asked for",
    ];
    assert_eq!(names, expected);
    let mut names: Vec<&str> = rates.iter().map(name).collect();
    names.sort_unstable();
    assert_eq!(names, ["http.request", "rate told"]);
    (bookings, rates)
}

/// The message of a plain event, else its name.
fn name(record: &Value) -> &str {
    let message = record["message"].as_str();
    message.unwrap_or_else(|| record["event"].as_str().unwrap())
}

fn text<'r>(record: &'r Value, key: &str) -> &'r str {
    record[key].as_str().unwrap()
}

/// The one trace of all records, all of which have these flags.
fn only_trace<'r>(records: &[&'r [Value]], flags: &str) -> &'r str {
    let mut records = records.iter().copied().flatten();
    let trace = text(records.next().unwrap(), "trace_id");
    assert!(trace.len() == 32 && trace != "0".repeat(32), "{trace}");
    for record in records {
        assert_eq!(text(record, "trace_id"), trace, "{record}");
        assert_eq!(text(record, "trace_flags"), flags, "{record}");
        let span = text(record, "span_id");
        assert!(span.len() == 16 && span != "0".repeat(16), "{record}");
    }
    trace
}

/// Each record is in the span that its code ran in, and the spans of both services hang together.
fn assert_in_their_spans(told: &Told, flags: &str) -> String {
    let trace = only_trace(&[&told.bookings, &told.rates], flags);
    for record in told.bookings.iter().chain(&told.rates) {
        let span = told.spans.get(text(record, "span_id"));
        let span = span.unwrap_or_else(|| panic!("no such span was exported: {record}"));
        assert_eq!(span.trace_id, trace, "{record}");
        let expected = match name(record) {
            "partner notified" => "notify",
            "rate asked for" => "ask for a rate",
            "rate told" => "GET /rates/{id}",
            "http.request" if told.rates.contains(record) => "GET /rates/{id}",
            _ => "POST /bookings/{id}",
        };
        assert_eq!(span.name, expected, "{record}");
    }
    let id_of = |name: &str| {
        let mut spans = told.spans.iter().filter(|(_, span)| span.name == name);
        let (id, span) = spans.next().unwrap();
        assert!(spans.next().is_none(), "two spans {name}");
        (id.clone(), span.parent.clone())
    };
    let (server, parent) = id_of("POST /bookings/{id}");
    let (client, parent_of_client) = id_of("ask for a rate");
    assert_eq!(parent_of_client, Some(server));
    assert_eq!(id_of("GET /rates/{id}").1, Some(client));
    parent.unwrap_or_default()
}

#[test]
fn records_are_in_the_spans_that_are_exported() {
    let Some(told) = book(&[], "") else { return };
    assert_eq!(assert_in_their_spans(&told, "01"), "", "nobody called it");
}

#[test]
fn so_they_are_in_a_trace_that_somebody_else_began() {
    // The random flag too comes through, of which OpenTelemetry for Rust knows nothing.
    for flags in ["01", "03"] {
        let header = format!("traceparent: 00-{TRACE}-{PARENT}-{flags}\r\n");
        let Some(told) = book(&[], &header) else {
            return;
        };
        assert_eq!(assert_in_their_spans(&told, flags), PARENT);
        assert_eq!(only_trace(&[&told.bookings], flags), TRACE);
    }
}

#[test]
fn a_header_that_is_not_valid_begins_a_trace_in_both() {
    let header = format!("traceparent: 00-{TRACE}-{PARENT}-01-\r\n");
    let Some(told) = book(&[], &header) else {
        return;
    };
    assert_eq!(assert_in_their_spans(&told, "01"), "");
    assert_ne!(only_trace(&[&told.bookings], "01"), TRACE);
}

#[test]
fn spans_that_are_not_sampled_have_ids_all_the_same() {
    let header = format!("traceparent: 00-{TRACE}-{PARENT}-03\r\n");
    for (header, flags) in [("", "00"), (&*header, "02")] {
        let Some(told) = book(&[("OTEL_TRACES_SAMPLER", "always_off")], header) else {
            return;
        };
        assert!(told.spans.is_empty(), "{:?}", told.spans);
        let trace = only_trace(&[&told.bookings, &told.rates], flags);
        assert_eq!(trace == TRACE, !header.is_empty());
        // Of their own, where the code runs in a span of its own.
        let of = |name: &str| {
            let found = told
                .bookings
                .iter()
                .find(|record| self::name(record) == name);
            text(found.unwrap(), "span_id").to_owned()
        };
        assert_eq!(of("booking.created"), of("http.request"));
        assert_eq!(of("booking.confirmed"), of("http.request"));
        assert_ne!(of("rate asked for"), of("http.request"));
    }
}

#[test]
fn spans_that_are_filtered_out_leave_the_ids_of_the_log() {
    let Some(told) = book(&[("SPANS", "error")], "") else {
        return;
    };
    assert!(told.spans.is_empty(), "{:?}", told.spans);
    only_trace(&[&told.bookings, &told.rates], "02");
}

#[test]
fn without_opentelemetry_ids_are_the_log_s_own() {
    let (bookings, rates) = records(&[], "");
    let first = only_trace(&[&bookings, &rates], "02").to_owned();
    let (bookings, rates) = records(&[], "");
    assert_ne!(only_trace(&[&bookings, &rates], "02"), first);
    let header = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n");
    let (bookings, rates) = records(&[], &header);
    assert_eq!(only_trace(&[&bookings, &rates], "01"), TRACE);
}
