//! The helpers for tests of services: what holds passes, and what does not says what was recorded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use compliance_log::{
    ComplianceLog, audit_event,
    context::{AuditContext, Identity},
    event::registered,
    test_util::{Captured, capture, within_sync},
};

#[audit_event(name = "seat.taken", version = 2, target = "seat/{seat}")]
struct SeatTaken {
    seat: u32,
    booking_id: u64,
    #[audit(mask = "pan")]
    card: String,
    #[audit(internal)]
    note: Option<String>,
}

#[audit_event(name = "seat.refused", outcome = "fail", target = "seat/{seat}")]
struct SeatRefused {
    seat: u32,
    #[audit(public, max_len = 64)]
    error_code: &'static str,
}

/// Lacks the target that its category requires.
#[audit_event(name = "door.opened")]
#[derive(Default)]
struct DoorOpened {
    #[audit(internal)]
    target_resource: Option<&'static str>,
}

fn taken(note: Option<&str>) -> SeatTaken {
    SeatTaken {
        seat: 12,
        booking_id: 17,
        card: "4111 1111 1111 1111".to_owned(),
        note: note.map(str::to_owned),
    }
}

/// A request of tenant `acme` in which `f` runs.
fn in_request(log: &ComplianceLog, f: impl FnOnce()) {
    let context = AuditContext::request().request_id("r-1").build();
    context
        .verified(Identity::new().tenant("acme").user("u-1"))
        .unwrap();
    within_sync(log, || context.scope_sync(f));
}

/// What an assertion that must fail says.
fn refusal(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).unwrap_err();
    *panic.downcast::<String>().unwrap()
}

fn one_of_each() -> (ComplianceLog, Captured) {
    let (log, captured) = capture();
    in_request(&log, || {
        taken(None).emit().unwrap();
        let refused = SeatRefused {
            seat: 13,
            error_code: "TAKEN",
        };
        refused.emit().unwrap();
    });
    (log, captured)
}

#[test]
fn a_captured_log_warns_of_nothing() {
    let (log, captured) = capture();
    assert_eq!(log.warnings(), [""; 0]);
    captured
        .assert_one_named("log.started")
        .field("level", "INFO");
}

#[test]
fn what_was_recorded_passes() {
    let (log, captured) = one_of_each();
    let taken = captured.assert_one::<SeatTaken>();
    taken
        .success()
        .tenant("acme")
        .user("u-1")
        .target("seat/12")
        .field("booking_id", 17)
        .field("seat", 12)
        .field("data.seat", 12)
        .field("card", "****1111")
        .redacted("data.card");
    captured
        .assert_one::<SeatRefused>()
        .fail("TAKEN")
        .in_trace_of(&taken);
    assert_eq!(captured.assert_one_named("seat.taken"), taken);
    captured.assert_no_secrets(["4111111111111111", "4111 1111 1111 1111"]);
    captured.assert_complete();

    log.shutdown().unwrap();
    captured.assert_chain_valid();
    assert_eq!(
        captured.named("log.stopped").len(),
        1,
        "it answers after the end"
    );
}

#[test]
fn a_check_that_fails_shows_the_record() {
    let (_log, captured) = one_of_each();
    let taken = captured.assert_one::<SeatTaken>();
    let refused = captured.assert_one::<SeatRefused>();
    let lone = {
        let (log, other) = capture();
        within_sync(&log, || self::taken(None).emit()).unwrap();
        other.assert_one::<SeatTaken>()
    };
    let failing: [(&str, &dyn Fn()); 10] = [
        ("`outcome` is \"fail\", not \"success\"", &|| {
            refused.success();
        }),
        ("`error_code` is \"TAKEN\", not \"GONE\"", &|| {
            refused.fail("GONE");
        }),
        ("`tenant_id` is \"acme\", not \"other\"", &|| {
            taken.tenant("other");
        }),
        ("`user_id` is \"u-1\", not \"u-2\"", &|| {
            taken.user("u-2");
        }),
        ("`target_resource` is \"seat/12\", not \"seat/1\"", &|| {
            taken.target("seat/1");
        }),
        ("`seat` is 12, not \"12\"", &|| {
            taken.field("seat", "12");
        }),
        ("`data.booking_id` is missing, not 17", &|| {
            taken.field("data.booking_id", 17);
        }),
        ("`note` is missing, not \"x\"", &|| {
            taken.field("note", "x");
        }),
        ("`card` was not redacted", &|| {
            taken.redacted("card");
        }),
        ("not of one trace", &|| {
            lone.in_trace_of(&lone);
        }),
    ];
    for (said, assertion) in failing {
        let message = refusal(assertion);
        assert!(message.contains(said), "{message}");
        assert!(message.contains("\"event\":\"seat."), "{message}");
    }
}

#[test]
fn a_count_that_is_not_one_lists_what_was_recorded() {
    let (log, captured) = capture();
    let none = refusal(|| drop(captured.assert_one::<SeatTaken>()));
    assert!(
        none.starts_with("seat.taken version 2 was recorded 0 times, not once; recorded were:\n"),
        "{none}"
    );
    assert!(none.contains("\n  chain.genesis"), "{none}");
    captured.assert_none::<SeatTaken>();

    in_request(&log, || taken(None).emit().unwrap());
    in_request(&log, || taken(None).emit().unwrap());
    let two = refusal(|| drop(captured.assert_one::<SeatTaken>()));
    assert!(two.contains("was recorded 2 times"), "{two}");
    assert!(two.contains("\n  seat.taken 2 success seat/12"), "{two}");
    assert_eq!(captured.all::<SeatTaken>().len(), 2);
    let some = refusal(|| captured.assert_none::<SeatTaken>());
    assert!(some.contains("\"target_resource\":\"seat/12\""), "{some}");
    let named = refusal(|| drop(captured.assert_one_named("http.request")));
    assert!(
        named.contains("http.request was recorded 0 times"),
        "{named}"
    );
}

#[test]
fn a_secret_in_a_record_is_reported_without_being_shown() {
    let (log, captured) = capture();
    in_request(&log, || {
        taken(Some("see %68unter2-of-acme")).emit().unwrap();
    });
    let secrets = ["correct horse", "hunter2-of-acme"];
    let said = refusal(|| captured.assert_no_secrets(secrets));
    assert!(
        said.starts_with("secret 2 of 2 was written percent-encoded, in \"seat.taken\""),
        "{said}"
    );
    assert!(!said.contains("unter2"), "{said}");
    let short = refusal(|| captured.assert_no_secrets(["4711"]));
    assert!(short.contains("secret 1 has fewer than 5 bytes"), "{short}");
}

#[test]
fn an_incomplete_record_is_shown() {
    let (log, captured) = capture();
    within_sync(&log, || taken(None).emit()).unwrap();
    captured.assert_complete();
    in_request(&log, || DoorOpened::default().emit().unwrap());
    let said = refusal(|| captured.assert_complete());
    assert!(
        said.contains("\"door.opened\" has `schema_violations` [\"target_resource\"]"),
        "{said}"
    );
}

#[test]
fn an_event_type_that_nothing_emits_is_named() {
    let (_log, captured) = one_of_each();
    let others: Vec<&str> = registered()
        .iter()
        .map(|meta| meta.name)
        .filter(|name| !["seat.taken", "seat.refused", "door.opened"].contains(name))
        .collect();
    let missing = refusal(|| captured.assert_registered_events_all_emitted(&others));
    assert_eq!(missing, "never recorded:\n  door.opened version 1");
    captured.assert_registered_events_all_emitted(&[&others[..], &["door.opened"]].concat());
    let stale = refusal(|| captured.assert_registered_events_all_emitted(&["door.shut"]));
    assert!(
        stale.starts_with("door.shut is no registered event"),
        "{stale}"
    );
}
