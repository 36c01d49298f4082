//! Whose ids a record has, where the service has a tracer.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
    sync::OnceLock,
    thread,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue},
    middleware::{Next, from_fn},
    routing::get,
};
use compliance_log::{
    ComplianceLog, Handle, audit_event, carry_fn,
    context::{AuditContext, SpanId, TraceFlags, TraceId, TraceIds},
    http::{AuditCtx, AuditError, AuditLayer, AuditResult, AuditRouter, Trust, audited, propagate},
    test_util::{Captured, Found, capture_with, within, within_sync},
    wire::TraceParent,
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::guard::Counted;

#[audit_event(name = "step.done", target = "step/{number}", pre_auth)]
struct Step {
    number: u64,
}

thread_local! {
    static SPAN: Cell<Option<TraceIds>> = const { Cell::new(None) };
}

/// A span of a trace, both named by a digit; sampled.
fn span(trace: u8, span: u8) -> TraceIds {
    TraceIds {
        trace_id: TraceId::from_bytes([trace; 16]).unwrap(),
        span_id: SpanId::from_bytes([span; 8]).unwrap(),
        flags: TraceFlags::from_byte(1),
    }
}

/// Runs `f` in a span, as a tracer does.
fn in_span<R>(span: TraceIds, f: impl FnOnce() -> R) -> R {
    let before = SPAN.replace(Some(span));
    let result = f();
    SPAN.set(before);
    result
}

async fn polled_in_span<F: Future>(span: TraceIds, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| in_span(span, || future.as_mut().poll(cx))).await
}

fn traced() -> (ComplianceLog, Captured) {
    capture_with(|builder| builder.trace_ids(|| SPAN.get()))
}

fn step(number: u64) {
    Step { number }.emit().unwrap();
}

/// Trace, span and flags of a record.
fn ids(record: &Value) -> [&str; 3] {
    ["trace_id", "span_id", "trace_flags"].map(|key| record[key].as_str().unwrap())
}

/// What was recorded, in order.
fn values(captured: &Captured) -> Vec<Value> {
    let records = captured.records().into_iter();
    let values = records.map(Found::into_value);
    let event = |value: &Value| value["event"].as_str().unwrap().to_owned();
    let own = ["chain.", "log.", "segment.", "policy.", "service."];
    values
        .filter(|value| !own.iter().any(|own| event(value).starts_with(own)))
        .collect()
}

fn assert_in(record: &Value, span: TraceIds, flags: &str) {
    let TraceIds {
        trace_id, span_id, ..
    } = span;
    let expected = [&*trace_id.to_string(), &*span_id.to_string(), flags];
    assert_eq!(ids(record), expected, "{record}");
}

#[test]
fn a_record_is_in_the_span_that_its_code_runs_in() {
    let (log, captured) = traced();
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    tracing::subscriber::with_default(subscriber, || {
        let job = AuditContext::job("import").build();
        within_sync(&log, || {
            job.scope_sync(|| {
                in_span(span(1, 1), || step(1));
                in_span(span(1, 2), || tracing::info!("two"));
                step(3);
                thread::spawn(carry_fn(|| step(4))).join().unwrap();
            });
            in_span(span(2, 1), || step(5));
            step(6);
        });
    });
    let all = captured.all::<Step>();
    let all: Vec<Value> = all.into_iter().map(Found::into_value).collect();
    assert_in(&all[0], span(1, 1), "01");
    assert_in(
        &captured.named("log")[0].clone().into_value(),
        span(1, 2),
        "01",
    );
    assert_in(&all[1], span(1, 1), "01");
    assert_in(&all[2], span(1, 1), "01");
    // Without a context, too.
    assert_in(&all[3], span(2, 1), "01");
    assert!(all[3].get("request_id").is_none());
    assert!(all[4].get("trace_id").is_none(), "{}", all[4]);
}

#[test]
fn one_context_is_one_trace() {
    let (log, captured) = traced();
    let parent = TraceId::from_bytes([7; 16]).unwrap();
    let message = AuditContext::request().trace(parent, TraceFlags::from_byte(3));
    let message = message.request_id("m-1").build();
    let told = AuditContext::job("import").build();
    let before = told.trace_id();
    let counted = Counted::default();
    metrics::with_local_recorder(&counted, || {
        within_sync(&log, || {
            // The consumer's own span, then one that continues the message's trace.
            message.scope_sync(|| {
                in_span(span(1, 1), || step(1));
                in_span(span(7, 2), || step(2));
            });
            told.scope_sync(|| in_span(span(1, 1), || step(3)));
        });
    });
    assert_eq!(counted.of("compliance_log_trace_mismatches"), 2);
    let records = values(&captured);
    assert_eq!(ids(&records[0])[0], parent.to_string());
    assert_eq!(ids(&records[0])[1], message.span_id().to_string());
    assert_in(&records[1], span(7, 2), "03");
    let own = [
        before.to_string(),
        told.span_id().to_string(),
        "02".to_owned(),
    ];
    assert_eq!(ids(&records[2]).map(str::to_owned), own);
}

#[test]
fn a_hook_that_logs_or_panics_costs_no_record() {
    static HANDLE: OnceLock<Handle> = OnceLock::new();
    let (log, captured) = capture_with(|builder| {
        builder.trace_ids(|| {
            // Were a lock of the log held, this would wait for it.
            HANDLE.get().unwrap().scope_sync(|| step(2));
            panic!("no tracer");
        })
    });
    HANDLE.set(log.handle()).unwrap();
    let job = AuditContext::job("import").build();
    let counted = Counted::default();
    metrics::with_local_recorder(&counted, || {
        within_sync(&log, || job.scope_sync(|| step(1)));
    });
    assert_eq!(counted.of("compliance_log_trace_hook_panics"), 1);
    let records = values(&captured);
    let numbers: Vec<&Value> = records.iter().map(|r| &r["data"]["number"]).collect();
    assert_eq!(numbers, [2, 1]);
    assert!(records[0].get("trace_id").is_none());
    assert_eq!(ids(&records[1])[0], job.trace_id().to_string());
}

/// Sends a request to `app` and reads its answer, the body in no span.
async fn send(app: Router, headers: &[(&str, &str)]) {
    let mut request = Request::builder().uri("/steps");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = app.oneshot(request.body(Body::empty()).unwrap()).await;
    answer.unwrap().into_body().collect().await.unwrap();
}

/// A tracer's layer.
async fn server_span(request: Request, next: Next) -> axum::response::Response {
    polled_in_span(span(1, 1), next.run(request)).await
}

async fn step_in_span(ctx: AuditCtx<Step>) -> AuditResult<&'static str> {
    polled_in_span(span(1, 2), async { ctx.success(Step { number: 1 }).await })
        .await?
        .respond("done")
}

async fn fail_in_span(_: AuditCtx<Step>) -> AuditResult<&'static str> {
    polled_in_span(span(1, 2), async {
        Err(AuditError::new("NO_STEP", "as it should"))
    })
    .await
}

#[tokio::test]
async fn what_the_layer_records_is_in_the_server_s_span() {
    let (log, captured) = traced();
    let inside = |handler| {
        AuditRouter::new(&log)
            .route("/steps", handler)
            .layer(from_fn(server_span))
    };
    let outside = |handler| {
        Router::from(AuditRouter::new(&log).route("/steps", handler)).layer(from_fn(server_span))
    };
    let plain = || {
        let app = Router::new().route("/steps", get(|| async { "done" }));
        app.layer(AuditLayer::new(&log)).layer(from_fn(server_span))
    };
    send(outside(audited::get(step_in_span)), &[]).await;
    send(outside(audited::get(fail_in_span)), &[]).await;
    send(inside(audited::get(step_in_span)).into(), &[]).await;
    send(plain(), &[]).await;
    let records = values(&captured);
    let of: Vec<(&str, [&str; 3])> = records
        .iter()
        .map(|record| (record["event"].as_str().unwrap(), ids(record)))
        .collect();
    let (server, handler) = (span(1, 1), span(1, 2));
    let expected = [
        ("step.done", handler),
        ("http.request", server),
        // Written by the layer, once the handler had returned its error.
        ("step.done", server),
        ("http.request", server),
        ("step.done", handler),
        ("http.request", server),
        ("http.request", server),
    ];
    let texts =
        expected.map(|(event, ids)| (event, ids.trace_id.to_string(), ids.span_id.to_string()));
    let expected: Vec<(&str, [&str; 3])> = texts
        .iter()
        .map(|(event, trace, span)| (*event, [&**trace, &**span, "01"]))
        .collect();
    assert_eq!(of, expected);
}

#[tokio::test]
async fn a_trace_that_is_not_believed_is_not_the_tracer_s_either() {
    let theirs = span(1, 9).trace_id;
    // All but the first are none to the log, but may be to a tracer.
    for (name, header) in [
        ("traceparent", format!("00-{theirs}-00f067aa0ba902b7-01")),
        ("traceparent", format!("00-{theirs}-7-1")),
        ("b3", format!("{theirs}-00f067aa0ba902b7-1")),
        ("x-b3-traceid", theirs.to_string()),
        ("uber-trace-id", format!("{theirs}:00f067aa0ba902b7:0:1")),
        ("x-cloud-trace-context", format!("{theirs}/7;o=1")),
    ] {
        let (log, captured) = traced();
        let app = |trust| {
            let app = Router::new().route("/steps", get(|| async { "done" }));
            let layer = AuditLayer::new(&log).trust(trust);
            app.layer(layer).layer(from_fn(server_span))
        };
        let headers = [(name, &*header)];
        send(app(Trust::edge()), &headers).await;
        send(app(Trust::edge()), &[]).await;
        send(app(Trust::default()), &headers).await;
        let records = values(&captured);
        assert_ne!(ids(&records[0])[0], theirs.to_string(), "{header}");
        assert_eq!(ids(&records[0])[2], "02");
        assert_in(&records[1], span(1, 1), "01");
        assert_in(&records[2], span(1, 1), "01");
    }
}

#[tokio::test]
async fn a_call_carries_the_span_that_it_is_made_in() {
    let (log, captured) = traced();
    let sent = || {
        let mut headers = HeaderMap::new();
        propagate(&mut headers).unwrap();
        let lines = headers.get_all("traceparent").iter();
        TraceParent::from_lines(lines.map(HeaderValue::as_bytes)).unwrap()
    };
    let job = AuditContext::job("import").build();
    let calls = within(
        &log,
        job.scope(async {
            let first = polled_in_span(span(1, 1), async { sent() }).await;
            let outside = [sent(), sent()];
            let elsewhere = in_span(span(2, 2), sent);
            step(1);
            (first, outside, elsewhere)
        }),
    );
    let (first, outside, elsewhere) = calls.await;
    let parent = |of: TraceIds| TraceParent {
        trace_id: of.trace_id,
        parent_id: of.span_id,
        flags: of.flags,
    };
    assert_eq!(first, parent(span(1, 1)));
    let [a, b] = outside;
    assert_ne!(a.parent_id, b.parent_id, "each call has an id of its own");
    for call in [a, b, elsewhere] {
        assert_eq!(call.trace_id, span(1, 1).trace_id);
        assert!(call.parent_id != span(1, 1).span_id && call.parent_id != span(2, 2).span_id);
    }
    assert_in(&values(&captured)[0], span(1, 1), "01");
}
