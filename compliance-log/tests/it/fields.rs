//! What becomes of the types that a service puts into its events.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    net::{Ipv6Addr, SocketAddr},
    num::NonZeroU64,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use compliance_log::{
    AuditEvent, audit_event,
    clock::Timestamp,
    context::{SpanId, TenantId, TraceId},
    event::{Action, AuditField, Class, Classified, Kind, Presence, Raw},
    test_util::{capture, within_sync},
};
use serde_json::{Value, json};

/// The record of an event; `emit` queues it.
fn record(name: &str, emit: impl FnOnce()) -> Value {
    let (log, captured) = capture();
    within_sync(&log, emit);
    captured.named(name).remove(0).into_value()
}

#[derive(AuditField)]
#[audit(internal)]
struct BookingId(String);

#[derive(AuditField)]
#[audit(personal)]
struct Traveller<'a> {
    name: &'a str,
}

#[derive(AuditField)]
#[audit(cardholder)]
struct Card(String);

#[derive(AuditField)]
#[audit(public, max_len = 8)]
struct Remark(String);

#[derive(AuditField, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[audit(public)]
enum Payment {
    Paid,
    PaidInPart,
    #[audit(rename = "sepa")]
    SEPATransfer,
}

/// Is no element of a list, since it may be a byte of anything.
#[derive(AuditField)]
#[audit(internal)]
struct Deck(u8);

#[test]
fn numbers_and_instants_keep_their_precision() {
    #[audit_event(name = "test.numbers", target = "test")]
    struct Numbers {
        small: usize,
        large: u128,
        beyond: u128,
        below: i128,
        nonzero: NonZeroU64,
        took: Duration,
        at: SystemTime,
        before: SystemTime,
        stamp: Timestamp,
        far: SystemTime,
    }
    let record = record("test.numbers", || {
        let event = Numbers {
            small: 7,
            large: 1 << 52,
            beyond: u128::MAX,
            below: i128::MIN,
            nonzero: NonZeroU64::MAX,
            took: Duration::from_nanos(1_500_300_999),
            at: UNIX_EPOCH + Duration::from_micros(1_785_000_000_123_456),
            before: UNIX_EPOCH - Duration::from_secs(1),
            stamp: Timestamp::from_micros(0),
            far: UNIX_EPOCH + Duration::from_secs(1 << 40),
        };
        event.emit().unwrap();
    });
    assert_eq!(
        record["data"],
        json!({
            "small": 7,
            "large": 4_503_599_627_370_496_u64,
            "beyond": "340282366920938463463374607431768211455",
            "below": "-170141183460469231731687303715884105728",
            "nonzero": "18446744073709551615",
            "took": 1500.3,
            "at": "2026-07-25T17:20:00.123456Z",
            "before": "1969-12-31T23:59:59.000000Z",
            "stamp": "1970-01-01T00:00:00.000000Z",
            "far": "9999-12-30T22:00:00.999999Z",
        })
    );
}

#[test]
fn ids_addresses_and_pointers_are_what_they_hold() {
    #[audit_event(name = "test.ids", target = "{tenant}/{seat}")]
    struct Ids {
        seat: char,
        v6: Ipv6Addr,
        socket: SocketAddr,
        tenant: TenantId,
        trace: TraceId,
        span: SpanId,
        boxed: Box<u64>,
        shared: Arc<u64>,
        #[audit(internal)]
        lent: Cow<'static, str>,
        absent: Option<Box<u64>>,
    }
    let (trace, span) = (TraceId::random(), SpanId::random());
    let record = record("test.ids", || {
        let event = Ids {
            seat: 'ä',
            v6: Ipv6Addr::LOCALHOST,
            socket: ([192, 0, 2, 7], 443).into(),
            tenant: "acme".into(),
            trace,
            span,
            boxed: Box::new(1),
            shared: Arc::new(2),
            lent: Cow::Borrowed("text"),
            absent: None,
        };
        event.emit().unwrap();
    });
    assert_eq!(record["target_resource"], "acme/ä");
    assert_eq!(
        record["data"],
        json!({
            "seat": "ä",
            "v6": "::1",
            "socket": "192.0.2.7:443",
            "tenant": "acme",
            "trace": trace.to_string(),
            "span": span.to_string(),
            "boxed": 1,
            "shared": 2,
            "lent": "text",
        })
    );
    let absent = Ids::META.fields[9];
    assert_eq!(
        (absent.kind, absent.presence),
        (Kind::Integer, Presence::Optional)
    );
}

#[test]
fn a_newtype_says_its_class_and_an_enum_its_word() {
    #[audit_event(name = "test.types", target = "booking/{id}/{payment}")]
    struct Types {
        id: BookingId,
        payment: Payment,
        history: Vec<Payment>,
        #[audit(mask = "pan")]
        card: Card,
        remark: Remark,
        deck: Deck,
    }
    let fields: Vec<_> = Types::META
        .fields
        .iter()
        .map(|f| (f.class, f.action, f.kind, f.bytes_max))
        .collect();
    assert_eq!(
        fields,
        [
            (Class::Internal, Action::Keep, Kind::Text, None),
            (Class::Public, Action::Keep, Kind::Id, None),
            (Class::Public, Action::Keep, Kind::List(&Kind::Id), None),
            (Class::Cardholder, Action::MaskPan, Kind::Text, None),
            (Class::Public, Action::Keep, Kind::Text, Some(8)),
            (Class::Internal, Action::Keep, Kind::Integer, None),
        ]
    );
    assert_eq!(Traveller::CLASS, Class::Personal);
    assert!(matches!(
        Traveller { name: "Ada" }.raw(),
        Some(Raw::Str("Ada"))
    ));

    let record = record("test.types", || {
        let event = Types {
            id: BookingId("b-17".to_owned()),
            payment: Payment::PaidInPart,
            history: vec![Payment::Paid, Payment::SEPATransfer],
            card: Card("4111 1111 1111 1111".to_owned()),
            remark: Remark("window seat".to_owned()),
            deck: Deck(2),
        };
        event.emit().unwrap();
    });
    assert_eq!(record["target_resource"], "booking/b-17/paid_in_part");
    let data = &record["data"];
    assert_eq!(data["payment"], "paid_in_part");
    assert_eq!(data["history"], json!(["paid", "sepa"]));
    assert_eq!(data["card"], "****1111");
    let remark = data["remark"].as_str().unwrap();
    assert!(
        remark.starts_with("window s…[11 bytes, sha256:"),
        "{remark}"
    );
}

#[test]
fn max_len_bounds_what_is_written_of_a_text() {
    #[audit_event(name = "test.bounds", target = "test")]
    struct Bounds {
        #[audit(public, max_len = 6)]
        short: &'static str,
        #[audit(public, max_len = 5)]
        long: &'static str,
        #[audit(internal, max_len = 3)]
        each: Vec<&'static str>,
    }
    let record = record("test.bounds", || {
        let event = Bounds {
            short: "aisle!",
            long: "aisle!",
            each: vec!["abc", "abcd"],
        };
        event.emit().unwrap();
    });
    let data = &record["data"];
    assert_eq!(data["short"], "aisle!");
    let marked = |text: &Value, beginning: &str| {
        let text = text.as_str().unwrap();
        assert!(text.starts_with(beginning) && text.ends_with(']'), "{text}");
    };
    marked(&data["long"], "aisle…[6 bytes, sha256:");
    assert_eq!(data["each"][0], "abc");
    marked(&data["each"][1], "abc…[4 bytes, sha256:");
    assert_eq!(
        record["redactions"],
        json!([
            {"field": "data.long", "rule": "size", "action": "cut"},
            {"field": "data.each", "rule": "size", "action": "cut"},
        ])
    );
}

#[test]
fn each_element_of_a_list_goes_through_the_nets() {
    #[audit_event(name = "test.lists", target = "{seats}")]
    struct Lists {
        seats: [u16; 3],
        tags: BTreeSet<char>,
        none: Vec<u64>,
        #[audit(internal)]
        notes: Vec<String>,
        #[audit(mask = "pan")]
        cards: Vec<&'static str>,
        #[audit(pseudonym)]
        people: Box<[String]>,
        #[audit(drop)]
        drafts: &'static [&'static str],
        shared: Option<Arc<[u64]>>,
    }
    let record = record("test.lists", || {
        let event = Lists {
            seats: [11, 12, 13],
            tags: ['b', 'a'].into(),
            none: Vec::new(),
            notes: vec![
                "two \"seats\"".to_owned(),
                "key AKIAFAKEFAKEFAKEFAKE".to_owned(),
            ],
            cards: vec!["4111 1111 1111 1111", "no card", "5500 0000 0000 0004"],
            people: Box::new(["Ada".to_owned()]),
            drafts: &["never"],
            shared: Some(Arc::new([u64::MAX])),
        };
        event.emit().unwrap();
    });
    assert_eq!(record["target_resource"], "11, 12, 13");
    assert_eq!(
        record["data"],
        json!({
            "seats": [11, 12, 13],
            "tags": ["a", "b"],
            "none": [],
            "notes": ["two \"seats\"", "key [redacted:aws-access-key]"],
            "cards": ["****1111", "****0004"],
            "shared": ["18446744073709551615"],
        })
    );
    assert_eq!(
        record["redactions"],
        json!([
            {"field": "data.notes", "rule": "aws-access-key", "action": "drop"},
            {"field": "data.cards", "rule": "pan", "action": "mask"},
            {"field": "data.cards", "rule": "pan", "action": "drop"},
            {"field": "data.people", "rule": "no-key", "action": "drop"},
            {"field": "data.drafts", "rule": "type", "action": "drop"},
        ])
    );
    let meta = Lists::META.fields[7];
    assert_eq!(
        (meta.kind, meta.presence),
        (Kind::List(&Kind::Integer), Presence::Optional)
    );
}

#[test]
fn a_long_list_says_how_long_it_was() {
    #[audit_event(name = "test.long", target = "{numbers}")]
    struct Long {
        numbers: Vec<u64>,
        #[audit(internal)]
        texts: Vec<String>,
        after: u64,
    }
    let record = record("test.long", || {
        let event = Long {
            numbers: (0..1000).collect(),
            texts: vec!["\u{7f}".repeat(300); 50],
            after: 1,
        };
        event.emit().unwrap();
    });
    let list = |key: &str| record["data"][key].as_array().unwrap();
    let numbers = list("numbers");
    assert_eq!(numbers.len(), 65);
    assert_eq!(
        (&numbers[63], &numbers[64]),
        (&json!(63), &json!("…[1000 elements]"))
    );
    let texts = list("texts");
    assert_eq!(texts.last().unwrap(), "…[50 elements]");
    let bytes = texts
        .iter()
        .map(|text| text.to_string().replace('\u{7f}', "\\u007f").len() + 1);
    let bytes: usize = bytes.sum();
    assert!(bytes <= 4096 + 2, "{bytes} bytes");
    assert_eq!(record["data"]["after"], 1);
    let target = record["target_resource"].as_str().unwrap();
    assert!(target.ends_with(", 63, …[1000 elements]"), "{target}");
    assert_eq!(
        record["redactions"],
        json!([
            {"field": "data.numbers", "rule": "size", "action": "cut"},
            {"field": "data.texts", "rule": "size", "action": "cut"},
        ])
    );
}

/// A list of lists cannot be derived; by hand it becomes text, through the same nets.
#[test]
fn a_list_in_a_list_is_text() {
    struct Rows(Vec<Vec<u64>>);
    impl AuditField for Rows {
        fn raw(&self) -> Option<Raw<'_>> {
            Some(Raw::List(self))
        }
    }
    impl compliance_log::event::Elements for Rows {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn each(
            &self,
            out: &mut dyn FnMut(Raw<'_>) -> std::ops::ControlFlow<()>,
        ) -> std::ops::ControlFlow<()> {
            self.0.iter().try_for_each(|row| out(Raw::List(row)))
        }
    }
    #[audit_event(name = "test.rows", target = "test")]
    struct Event {
        #[audit(internal)]
        rows: Rows,
    }
    let record = record("test.rows", || {
        let rows = Rows(vec![vec![1, 2], vec![], vec![3]]);
        Event { rows }.emit().unwrap();
    });
    assert_eq!(record["data"]["rows"], json!(["1, 2", "", "3"]));
}
