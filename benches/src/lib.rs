//! What the benches share: an event of 16 fields, CPU time of a thread, medians, a table.

#![expect(clippy::expect_used, reason = "a bench that cannot run stops")]

use std::{
    io::{self, Write},
    time::Duration,
};

use compliance_log::{
    audit_event,
    context::{AuditContext, Identity},
};

/// CPU time that this thread has used.
pub fn thread_cpu() -> Duration {
    used(rustix::time::ClockId::ThreadCPUTime)
}

/// CPU time that all threads of this process have used.
pub fn process_cpu() -> Duration {
    used(rustix::time::ClockId::ProcessCPUTime)
}

fn used(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// The middle value; the lower one of two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get((values.len().max(1) - 1) / 2)
        .copied()
        .unwrap_or(f64::NAN)
}

/// One line per figure: ours, the other's, their ratio, and the ratio to reach.
pub fn print(rows: &[(&str, f64, f64, &str)]) {
    let mut out = io::stdout().lock();
    let mut line = |text: String| {
        // A closed pipe is the reader's choice.
        out.write_all(text.as_bytes()).unwrap_or(());
    };
    line(format!(
        "{:<30} {:>10} {:>10} {:>7}  goal\n",
        "", "ours", "other", "ratio"
    ));
    for (what, ours, other, goal) in rows {
        let ratio = ours / other;
        line(format!(
            "{what:<30} {ours:>10.1} {other:>10.1} {ratio:>7.3}  {goal}\n"
        ));
    }
}

/// What a booking service records; with trace, tenant and request it has 16 fields.
#[audit_event(name = "booking.created", target = "booking/{booking_id}")]
#[expect(
    missing_docs,
    reason = "a peer is shown the same fields by their names"
)]
#[derive(Debug)]
pub struct BookingCreated {
    pub booking_id: u64,
    #[audit(internal)]
    pub offer_id: &'static str,
    #[audit(internal)]
    pub provider: &'static str,
    pub payload_size: u64,
    #[audit(internal)]
    pub route: &'static str,
    #[audit(internal)]
    pub cabin: &'static str,
    pub seats: u64,
    pub price: f64,
    #[audit(internal)]
    pub currency: &'static str,
    #[audit(internal)]
    pub note: &'static str,
    #[audit(internal)]
    pub partner: &'static str,
    pub retry: bool,
    pub attempt: u64,
}

/// One whose text holds no secret.
pub fn booking(booking_id: u64) -> BookingCreated {
    BookingCreated {
        booking_id,
        offer_id: "o-2026-000123",
        provider: "northern-rail",
        payload_size: 4096,
        route: "BER-MUC",
        cabin: "second",
        seats: 2,
        price: 129.95,
        currency: "EUR",
        note: "window seat, quiet coach if there is one",
        partner: "agency-7",
        retry: false,
        attempt: 1,
    }
}

/// Runs `f` in a request of a known tenant and user.
///
/// # Panics
///
/// Never: the context is new, so that its first identity is taken.
pub fn in_request<R>(f: impl FnOnce() -> R) -> R {
    let context = AuditContext::request()
        .request_id("r-1")
        .user_agent("bench/1")
        .build();
    context
        .verified(Identity::new().tenant("acme").user("u-1"))
        .expect("the first identity");
    context.scope_sync(f)
}
