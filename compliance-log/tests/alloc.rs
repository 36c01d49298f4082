//! A typed event costs its caller no heap allocation.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use compliance_log::{
    ComplianceLog, audit_event,
    context::{AuditContext, Identity, SpanId, TraceFlags, TraceId, TraceIds},
    pseudonym::Keyring,
    test_util::within_sync,
};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS
        .try_with(|count| count.set(count.get() + 1))
        .unwrap_or(());
}

#[expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait; this one only counts"
)]
// SAFETY: every call is handed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[audit_event(name = "booking.created", target = "booking/{booking_id}")]
struct BookingCreated {
    booking_id: u64,
    #[audit(internal)]
    offer_id: String,
    #[audit(internal)]
    provider: &'static str,
    payload_size: u64,
    #[audit(pseudonym)]
    passenger: String,
    #[audit(mask = "pan")]
    card: String,
    #[audit(internal)]
    note: Option<String>,
    price: f64,
    seats: Vec<u16>,
}

#[test]
fn a_typed_event_of_nine_fields_allocates_nothing() {
    const EVENTS: u64 = 50_000;
    const ROUND: u64 = 1_000;
    let dir = tempfile::tempdir().unwrap();
    let mut keys = Keyring::default();
    for tenant in ["acme", "bolt", "corp"] {
        for field in ["user_id", "data.passenger"] {
            keys.add_key(tenant, field).unwrap();
        }
    }
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .dir(dir.path())
        .pseudonym_keys(keys)
        .trace_ids(|| {
            Some(TraceIds {
                trace_id: TraceId::from_bytes([1; 16])?,
                span_id: SpanId::from_bytes([2; 8])?,
                flags: TraceFlags::RANDOM,
            })
        })
        .open()
        .unwrap();
    let event = BookingCreated {
        booking_id: 17,
        offer_id: "o-2026-000123".to_owned(),
        provider: "northern-rail",
        payload_size: 4096,
        passenger: "Quite A Long Name".to_owned(),
        card: "4111 1111 1111 1111".to_owned(),
        note: Some("window seat, and a text that is long enough to be looked at".to_owned()),
        price: 129.95,
        seats: vec![11, 12, 13],
    };
    let context = AuditContext::request()
        .request_id("r-1")
        .user_agent("test/1.0")
        .build();
    context
        .verified(Identity::new().tenant("acme").user("u-1"))
        .unwrap();
    // Fewer than fill the queue: a refusal says why, and that text is allocated.
    let round = || {
        let before = ALLOCATIONS.get();
        for _ in 0..ROUND {
            event.emit().unwrap();
        }
        let allocations = ALLOCATIONS.get() - before;
        log.flush().unwrap();
        allocations
    };
    let allocations: u64 = within_sync(&log, || {
        context.scope_sync(|| {
            // The thread's buffers and both of the queue's grow to their size first.
            for _ in 0..20 {
                round();
            }
            (0..EVENTS / ROUND).map(|_| round()).sum()
        })
    });
    println!("{allocations} allocations for {EVENTS} events");
    assert_eq!(allocations, 0, "of {EVENTS} events");
    log.shutdown().unwrap();
}
