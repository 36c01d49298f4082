//! What tries to break a line, a record or its bounds: one record stays one line that can be read.

use std::{fs, path::Path};

use compliance_log::{
    ComplianceLog, audit_event,
    context::{AuditContext, Identity},
    test_util::within_sync,
    verify::{Options, Verdict, verify},
};
use serde_json::Value;
use tracing::{Metadata, field::FieldSet, metadata::Kind, subscriber::with_default};
use tracing_core::{Callsite, Interest, callsite::Identifier};
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{only_store, segments};

#[audit_event(name = "text.stored", category = "app", target = "{text}")]
struct Stored {
    #[audit(internal)]
    text: String,
    #[audit(internal)]
    texts: Vec<String>,
    #[audit(internal)]
    error_code: String,
    #[audit(internal)]
    error_message: String,
}

/// The most bytes of a line in a file.
pub(crate) const LINE_BYTES_MAX: usize = 65_535;

/// The lines of the channel `app` after `write`, once the store is seen to be whole.
fn lines_after(write: impl FnOnce(&ComplianceLog)) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .instance("one")
        .dir(dir.path())
        .open()
        .unwrap();
    write(&log);
    log.shutdown().unwrap();
    let report = verify(dir.path(), &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
    lines(dir.path())
}

fn lines(dir: &Path) -> Vec<String> {
    let segments = segments(&only_store(dir), "app");
    let text: String = segments
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert!(text.ends_with('\n'));
    text.split_terminator('\n').map(str::to_owned).collect()
}

/// What nobody may see as it is in a line.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Each line is one record, in its bounds, with nothing in it that a terminal would obey; gives those
/// that are not the log's own.
fn parsed(lines: &[String]) -> Vec<Value> {
    let mut records = Vec::new();
    for (seq, line) in lines.iter().enumerate() {
        assert!(line.len() <= LINE_BYTES_MAX, "{} bytes", line.len());
        assert!(!line.chars().any(is_unsafe), "{line}");
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!(record["seq"], seq, "one line, one record");
        if record["event"] == "text.stored" || record["event"] == "log" {
            records.push(record);
        }
    }
    records
}

fn logged(log: &ComplianceLog, f: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    within_sync(log, || with_default(subscriber, f));
}

const NASTY: &[&str] = &[
    "a\r\nb",
    "\0\u{1b}[2J\u{7}\u{8}\u{7f}",
    "\u{80}\u{85}\u{9b}31m\u{9f}",
    "\u{202e}gpj.exe\u{202c}\u{2066}x\u{2069}\u{61c}",
    "\u{200b}\u{200f}\u{2060}\u{feff}",
    "\u{2028}\u{2029}",
    "\"}\n{\"v\":1,\"event\":\"forged\"}",
    "\\\",\"hash\":\"0\"}\n",
    "\\ud800 \\udfff\\ud800 {\"a\":\"\\ud83d\"}",
    "%0d%0a%00%1b \\u000a\\u0000 &#10;&#0;",
    "\u{fffd}\u{ffff}\u{10ffff}",
];

#[test]
fn what_breaks_lines_is_written_so_that_it_breaks_none() {
    for nasty in NASTY {
        let lines = lines_after(|log| {
            let context = AuditContext::request()
                .user_agent(*nasty)
                .service(*nasty)
                .request_id(*nasty)
                .booking_id(*nasty)
                .build();
            context
                .verified(Identity::new().tenant(*nasty).user(*nasty).client(*nasty))
                .unwrap();
            let text = (*nasty).to_owned();
            within_sync(log, || {
                context.scope_sync(|| {
                    Stored {
                        text: text.clone(),
                        texts: vec![text.clone(), text.clone()],
                        error_code: text.clone(),
                        error_message: text.clone(),
                    }
                    .emit()
                    .unwrap();
                });
            });
            logged(log, || {
                tracing::info_span!("span", text).in_scope(|| {
                    tracing::info!(target: "\n", event = text, other = %text, "{text}");
                });
            });
        });
        let records = parsed(&lines);
        assert_eq!(records.len(), 2, "{lines:#?}");
        assert_eq!(records[0]["data"]["text"], *nasty);
        assert_eq!(records[0]["data"]["texts"][1], *nasty);
        assert_eq!(records[1]["message"], *nasty);
        assert_eq!(records[1]["data"]["other"], *nasty);
    }
}

#[test]
fn a_mebibyte_makes_one_bounded_record() {
    const MEBIBYTE: usize = 1 << 20;
    // What has to be unwrapped takes longer to look at.
    const LESS: usize = 1 << 16;
    for (unit, bytes) in [
        ("x", MEBIBYTE),
        ("é", MEBIBYTE),
        ("\0", LESS),
        ("\u{202e}", LESS),
        ("%41", LESS),
        ("\\u0041", LESS),
        ("\"", LESS),
        ("a=b, ", LESS),
    ] {
        let long = unit.repeat(bytes / unit.len() + 1);
        let lines = lines_after(|log| {
            let context = AuditContext::request()
                .user_agent(long.as_str())
                .request_id(long.as_str())
                .build();
            context
                .verified(Identity::new().tenant(long.as_str()))
                .unwrap();
            within_sync(log, || {
                context.scope_sync(|| {
                    Stored {
                        text: long.clone(),
                        texts: vec![long.clone()],
                        error_code: "plain".to_owned(),
                        error_message: long.clone(),
                    }
                    .emit()
                    .unwrap();
                });
            });
            logged(log, || tracing::info!(a = long, "{long}"));
        });
        let records = parsed(&lines);
        assert_eq!(records.len(), 2);
        for record in records {
            let redactions = record["redactions"].as_array().unwrap();
            assert!(
                redactions.iter().any(|one| one["rule"] == "size"),
                "{redactions:?}"
            );
        }
    }
}

#[test]
fn text_nested_a_thousand_deep_is_one_value() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "read by its `Debug`")]
    struct Deep(Option<Box<Self>>);
    let deep = (0..1000).fold(Deep(None), |inner, _| Deep(Some(Box::new(inner))));
    let json = format!("{}1{}", "{\"password\":[".repeat(1000), "]}".repeat(1000));
    let escaped = (0..8).fold("{\"a\":1}".to_owned(), |json, _| {
        serde_json::to_string(&json).unwrap()
    });
    let lines = lines_after(|log| {
        logged(log, || {
            tracing::info!(deep = ?deep, json, escaped, "deep");
            let spans: Vec<_> = (0..1000)
                .map(|depth| tracing::info_span!("deep", depth).entered())
                .collect();
            tracing::info!("in a thousand spans");
            for span in spans.into_iter().rev() {
                drop(span);
            }
        });
    });
    let records = parsed(&lines);
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["data"]["escaped"], escaped);
    assert_eq!(records[1]["data"]["depth"], 999);
}

struct Place;

static PLACE: Place = Place;

impl Callsite for Place {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        unreachable!("nobody registers it")
    }
}

/// An event with these fields.
fn many(names: Vec<String>) {
    let names: Vec<&'static str> = names.into_iter().map(|name| &*name.leak()).collect();
    let fields = FieldSet::new(names.leak(), Identifier(&PLACE));
    let metadata = Metadata::new(
        "event many",
        "many",
        tracing::Level::INFO,
        None,
        None,
        None,
        fields,
        Kind::EVENT,
    );
    let metadata: &'static Metadata<'static> = Box::leak(Box::new(metadata));
    let value = "a value";
    let values: Vec<_> = metadata
        .fields()
        .iter()
        .map(|_| Some(&value as &dyn tracing::Value))
        .collect();
    let values = metadata.fields().value_set_all(&values);
    tracing::dispatcher::get_default(|dispatch| {
        dispatch.event(&tracing::Event::new(metadata, &values));
    });
}

#[test]
fn ten_thousand_fields_and_long_names_make_one_bounded_record() {
    let lines = lines_after(|log| {
        logged(log, || {
            many(
                (0..10_000)
                    .map(|number| format!("field_{number}"))
                    .collect(),
            );
            many(
                (0..1000)
                    .map(|number| format!("{number}{}", "\n\"n\u{202e}".repeat(256)))
                    .collect(),
            );
        });
    });
    let records = parsed(&lines);
    assert_eq!(records.len(), 2);
    for record in records {
        let redactions = record["redactions"].as_array().unwrap();
        assert!(redactions.len() <= 33, "{}", redactions.len());
        assert_eq!(redactions[redactions.len() - 1]["rule"], "more");
        let data = record["data"].as_object().unwrap();
        assert!(data.len() > 100, "{}", data.len());
        for key in data.keys() {
            assert!(key.len() <= 200, "{}", key.len());
        }
    }
}
