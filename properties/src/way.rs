use std::{
    convert::Infallible,
    error::Error,
    pin::pin,
    task::{Context, Waker},
};

use compliance_log::{
    ComplianceLog,
    chain::SUFFIX_BYTES,
    context::AuditContext,
    http::AuditLayer,
    test_util::{self, within_sync},
};
use http::{Request, Response};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt;

use crate::{
    draw::Draw,
    failed::Failed,
    formats::formats,
    positives::{Positive, positive},
    redact_text::widest,
    sought::Views,
    typed::{Items, Made, Value as Field},
    wraps::wraps,
};

/// A way for a text into a record.
type Way = (&'static str, fn(&ComplianceLog, &str));

const WAYS: &[Way] = &[
    ("text", |log, s| {
        typed(log, Made::of(Field::Text(s.to_owned())));
    }),
    ("display", |log, s| {
        typed(log, Made::of(Field::Display(s.to_owned())));
    }),
    ("debug", |log, s| {
        typed(log, Made::of(Field::Debug(s.to_owned())));
    }),
    ("list", |log, s| {
        let items = ["a", s, "b"].map(|item| Field::Text(item.to_owned()));
        typed(log, Made::of(Field::List(Items(items.into()))));
    }),
    ("message", |log, s| logged(log, || tracing::info!("{s}"))),
    ("field", |log, s| {
        logged(log, || tracing::info!(note = s, "x"));
    }),
    ("debug field", |log, s| {
        logged(log, || tracing::info!(note = ?[s], "x"));
    }),
    ("struct", |log, s| {
        logged(log, || tracing::info!("{:#?}", Failed(s.to_owned(), None)));
    }),
    ("span", |log, s| {
        logged(log, || {
            tracing::info_span!("span", note = s).in_scope(|| tracing::info!("x"));
        });
    }),
    ("span, later", |log, s| {
        logged(log, || {
            let span = tracing::info_span!("span", note = tracing::field::Empty);
            span.record("note", tracing::field::display(s));
            span.in_scope(|| tracing::info!("x"));
        });
    }),
    ("error with causes", |log, s| {
        let inner = Failed(s.to_owned(), None);
        let error = Failed("outer".to_owned(), Some(Box::new(inner)));
        let error: &(dyn Error + 'static) = &error;
        logged(log, || tracing::error!(error, "failed"));
    }),
    ("JSON in a text", |log, s| {
        let json = json!({ "user": "bob", "inner": [s] }).to_string();
        logged(log, || tracing::info!(json, "got {json}"));
    }),
    ("JSON in JSON", |log, s| {
        let json = json!({ "body": json!({ "inner": s }).to_string() });
        logged(log, || tracing::info!(%json, "x"));
    }),
    ("user agent", |log, s| {
        let context = AuditContext::request().user_agent(s).build();
        within_sync(log, || {
            context.scope_sync(|| Made::of(Field::Bool(true)).emit(0));
        });
    }),
    ("query", |log, s| {
        let query: String = s
            .bytes()
            .fold(String::new(), |query, byte| query + &format!("%{byte:02X}"));
        let layer =
            AuditLayer::new(log).route_of(|parts| Some(parts.uri.path_and_query()?.as_str()));
        let service = layer.layer(service_fn(|_: Request<String>| async {
            Ok::<_, Infallible>(Response::new(String::new()))
        }));
        let Ok(request) = Request::get(format!("/a?q={query}&n=1")).body(String::new()) else {
            return;
        };
        let mut answer = pin!(service.oneshot(request));
        assert!(
            answer
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready()
        );
    }),
];

/// No part of any secret of the corpus, in any of its wraps and between any words, is left in a record on
/// any way there. `place` says which format and which wrap, and `salt` which secret of that format.
pub fn secret_on_every_way(place: usize, salt: u64, before: &str, after: &str) {
    let Some(positive) = drawn(place, salt) else {
        return;
    };
    let text = format!("{before}{}{after}", positive.text);
    let (log, captured) = test_util::capture_with(|builder| builder.policy(widest().clone()));
    let mut read = captured.text().len();
    for (name, way) in WAYS {
        way(&log, &text);
        let all = captured.text();
        for line in all[read..].lines() {
            let Positive { format, wrap, .. } = positive;
            let left = is_left(&positive, line);
            assert!(!left, "{format} / {wrap} / {salt} by {name}: {line}");
        }
        read = all.len();
    }
}

/// The secret of a format in a wrap.
fn drawn(place: usize, salt: u64) -> Option<Positive> {
    let formats = formats();
    let format = &formats[place % formats.len()];
    let wraps = wraps(format.kind);
    let turn = place / formats.len() % wraps.len();
    let draw = Draw::named(&format!("{}/{}/{salt}", format.name, wraps[turn].0));
    positive(format, wraps[turn], turn, draw)
}

/// Whether something is left of the secret. Long parts are looked for everywhere; short ones, such as
/// three digits, where the text was written.
fn is_left(positive: &Positive, line: &str) -> bool {
    let record: Value = serde_json::from_str(line).unwrap();
    let mut texts = Vec::new();
    for key in ["message", "data", "user_agent", "target_resource"] {
        strings(&record[key], &mut texts);
    }
    let body = Views::of(&line[..line.len() - SUFFIX_BYTES]);
    let long = positive.parts.iter().filter(|part| part.window >= 8);
    Views::of(&texts.join("\n")).show(&positive.parts) || body.show(long)
}

fn strings<'v>(value: &'v Value, all: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => all.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, all)),
        Value::Object(rows) => rows.values().for_each(|value| strings(value, all)),
        _ => (),
    }
}

fn typed(log: &ComplianceLog, event: Made) {
    within_sync(log, || event.emit(4));
}

fn logged(log: &ComplianceLog, f: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    within_sync(log, || with_default(subscriber, f));
}
