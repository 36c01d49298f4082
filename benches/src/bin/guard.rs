//! What `guard` costs in front of `tracing-subscriber`'s JSON formatter, beside the formatter alone, in
//! one run, rounds interleaved. Lines are formatted and thrown away.

use std::time::Duration;

use compliance_log::guard;
use compliance_log_benches::{median, thread_cpu};
use tracing_subscriber::layer::SubscriberExt;

const EVENTS: u32 = 100_000;
const EVENTS_SHORT: u32 = 1_000;
const ROUNDS: usize = 7;

/// An event of ten harmless fields, in a span of two.
fn harmless(number: u64) {
    tracing::info!(
        booking_id = number,
        offer_id = "o-2026-000123",
        provider = "northern-rail",
        payload_size = 4096,
        route = "BER-MUC",
        cabin = "second",
        price = 129.95,
        note = "window seat, quiet coach if there is one",
        retry = false,
        partner = ?Some("agency-7"),
        "booked seat {} of {}", number % 70, 70
    );
}

/// The same with one secret, which has to be taken out.
fn secret(number: u64) {
    tracing::info!(
        booking_id = number,
        offer_id = "o-2026-000123",
        provider = "northern-rail",
        payload_size = 4096,
        route = "BER-MUC",
        cabin = "second",
        price = 129.95,
        note = "window seat, password=hunter2",
        retry = false,
        partner = ?Some("agency-7"),
        "booked seat {} of {}", number % 70, 70
    );
}

/// Nanoseconds of CPU per event.
fn measure<L>(layer: L, events: u32, one: fn(u64)) -> f64
where
    L: tracing_subscriber::Layer<tracing_subscriber::Registry> + Send + Sync,
{
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("request", route = "/bookings", request_id = "r-1");
        let _entered = span.enter();
        (0..1_000).for_each(one);
        let cpu: Duration = thread_cpu();
        (0..u64::from(events)).for_each(one);
        thread_cpu().saturating_sub(cpu).as_secs_f64() * 1e9 / f64::from(events)
    })
}

fn json<S>() -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .json()
        .with_writer(std::io::sink)
}

fn main() {
    let short = std::env::args().any(|word| word == "--short");
    let (events, rounds) = if short {
        (EVENTS_SHORT, 1)
    } else {
        (EVENTS, ROUNDS)
    };
    let mut figures: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        figures[0].push(measure(guard(json()), events, harmless));
        figures[1].push(measure(json(), events, harmless));
        figures[2].push(measure(guard(json()), events, secret));
        figures[3].push(measure(json(), events, secret));
    }
    let [guarded, bare, guarded_secret, bare_secret] = figures.map(median);
    compliance_log_benches::print(&[
        (
            "CPU per harmless event, ns",
            guarded,
            bare,
            "1.5 x fmt JSON without a guard",
        ),
        (
            "CPU per redacted event, ns",
            guarded_secret,
            bare_secret,
            "none: what it takes",
        ),
    ]);
}
