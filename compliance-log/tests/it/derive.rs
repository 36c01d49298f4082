//! What `#[derive(AuditEvent)]` and `#[audit_event]` make of a struct.

use compliance_log::{
    AuditEvent, audit_event,
    event::{
        Action, AuditField, Category, Class, EventMeta, FieldMeta, Fields, Outcome, Raw, Visit,
    },
};
use std::fmt;

struct BookingId(u32);

impl AuditField for BookingId {
    fn raw(&self) -> Option<Raw<'_>> {
        Some(Raw::Id(self))
    }
}

impl fmt::Display for BookingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b-{}", self.0)
    }
}

/// Has no `AuditField`, so only `skip` lets it into an event.
struct Connection;

#[audit_event(
    name = "booking.created",
    version = 3,
    category = "admin",
    outcome = "fail",
    target = "{{booking}}/{booking_id}/{type}/{note}/{paid}"
)]
struct BookingCreated {
    #[audit(internal)]
    booking_id: BookingId,
    #[audit(pseudonym)]
    passenger: String,
    #[audit(mask = "pan")]
    card: Option<String>,
    #[audit(public, max_len = 80)]
    note: Option<&'static str>,
    #[audit(personal, rename = "seat_count")]
    seats: u8,
    #[audit(internal)]
    r#type: std::borrow::Cow<'static, str>,
    #[audit(cardholder, drop)]
    holder: String,
    paid: bool,
    #[audit(skip)]
    _connection: Connection,
    #[cfg(any())]
    never: Connection,
}

fn booking() -> BookingCreated {
    BookingCreated {
        booking_id: BookingId(17),
        passenger: "Ada".into(),
        card: None,
        note: Some("aisle"),
        seats: 2,
        r#type: "rail".into(),
        holder: "A. Lovelace".into(),
        paid: true,
        _connection: Connection,
    }
}

#[derive(Default)]
struct Seen(Vec<String>);

impl Visit for Seen {
    fn field(&mut self, meta: &FieldMeta, value: Raw<'_>) {
        let mut text = format!("{}={:?} ", meta.name, value);
        assert!(compliance_log::__private::show(&mut text, Some(value)).is_ok());
        self.0.push(text);
    }
}

fn seen(event: &dyn Fields) -> Vec<String> {
    let mut seen = Seen::default();
    event.visit(&mut seen);
    seen.0
}

fn target(event: &dyn Fields) -> String {
    let mut out = String::new();
    assert!(event.target(&mut out).is_ok());
    out
}

#[test]
fn the_type_states_its_schema() {
    let EventMeta {
        name,
        version,
        category,
        outcome,
        fields,
        ..
    } = *BookingCreated::META;
    assert_eq!((name, version), ("booking.created", 3));
    assert_eq!((category, outcome), (Category::Admin, Outcome::Fail));

    let fields: Vec<_> = fields
        .iter()
        .map(|f| (f.name, f.class, f.action, f.root))
        .collect();
    assert_eq!(
        fields,
        [
            ("booking_id", Class::Internal, Action::Keep, true),
            ("passenger", Class::Personal, Action::Pseudonym, false),
            ("card", Class::Cardholder, Action::MaskPan, false),
            ("note", Class::Public, Action::Keep, false),
            ("seat_count", Class::Personal, Action::Keep, false),
            ("type", Class::Internal, Action::Keep, false),
            ("holder", Class::Cardholder, Action::Drop, false),
            ("paid", Class::Internal, Action::Keep, false),
        ]
    );
}

#[test]
fn fields_with_a_value_are_visited_in_order() {
    let mut event = booking();
    assert_eq!(
        seen(&event),
        [
            "booking_id=Raw::Id b-17",
            "passenger=Raw::Str Ada",
            "note=Raw::Str aisle",
            "seat_count=Raw::U64 2",
            "type=Raw::Str rail",
            "holder=Raw::Str A. Lovelace",
            "paid=Raw::Bool true",
        ]
    );

    event.card = Some("4111111111111111".into());
    event.note = None;
    let seen = seen(&event);
    assert_eq!(seen[2], "card=Raw::Str 4111111111111111");
    assert_eq!(seen[3], "seat_count=Raw::U64 2");
}

#[test]
fn the_target_is_made_from_the_fields() {
    let mut event = booking();
    assert_eq!(target(&event), "{booking}/b-17/rail/aisle/true");
    event.note = None;
    assert_eq!(target(&event), "{booking}/b-17/rail/none/true");
}

#[test]
fn every_kind_of_value_can_stand_in_a_target() {
    struct Shown(fn() -> Raw<'static>);
    impl AuditField for Shown {
        fn raw(&self) -> Option<Raw<'_>> {
            Some(self.0())
        }
    }
    #[audit_event(name = "test.kinds", target = "{a} {b} {c} {d} {e}")]
    struct Kinds {
        a: i64,
        b: f64,
        c: std::net::IpAddr,
        #[audit(internal)]
        d: Shown,
        #[audit(internal)]
        e: Shown,
    }
    let event = Kinds {
        a: -4,
        b: 0.5,
        c: [127, 0, 0, 1].into(),
        d: Shown(|| Raw::Display(&"shown")),
        e: Shown(|| Raw::Debug(&"quoted")),
    };
    assert_eq!(target(&event), "-4 0.5 127.0.0.1 shown \"quoted\"");
}

#[test]
fn an_event_may_have_no_fields() {
    #[derive(AuditEvent, Clone, Debug, PartialEq)]
    #[audit(name = "settlement.closed", category = "security")]
    struct Closed;

    #[derive(AuditEvent)]
    #[audit(name = "settlement.opened", version = 1)]
    #[audit(category = "app")]
    struct Opened {}

    assert_eq!(seen(&Closed), [""; 0]);
    assert_eq!(target(&Closed), "");
    assert_eq!(Closed::META.version, 1);
    assert_eq!(Closed::META.outcome, Outcome::Success);
    assert_eq!(Closed.clone(), Closed);
    assert_eq!(seen(&Opened {}), [""; 0]);
    assert_eq!(Opened::META.category, Category::App);
}

/// Names of the prelude and of the generated code that a service may use for itself.
mod a_service_with_names_of_its_own {
    #![expect(
        non_camel_case_types,
        clippy::upper_case_acronyms,
        reason = "the names that generated code uses"
    )]

    use super::*;

    macro_rules! event {
        ($type:ident, $name:literal, $field:ident: $of:ty) => {
            #[audit_event(name = $name, target = "x")]
            pub(super) struct $type {
                pub(super) $field: $of,
            }
        };
    }

    pub(super) struct Some;
    pub(super) struct Ok;
    pub(super) struct META;
    pub(super) type raw = u64;
    pub(super) mod core {}
    pub(super) mod compliance_log {}

    event!(FIELDS, "test.shadow", out: raw);

    #[test]
    fn does_not_disturb_the_derive() {
        let _ = (Some, Ok, META);
        let event = FIELDS { out: 9 };
        assert_eq!(FIELDS::META.name, "test.shadow");
        assert_eq!(seen(&event), ["out=Raw::U64 9"]);
        assert_eq!(target(&event), "x");
    }
}
