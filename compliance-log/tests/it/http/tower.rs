//! `AuditLayer` around services that are no axum routers, without sockets.

use std::{
    cell::RefCell,
    convert::Infallible,
    future::{Future, Ready, ready},
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use ::http::{HeaderMap, Request, Response, StatusCode};
use axum::{Router, routing::get};
use bytes::Bytes;
use compliance_log::{
    ComplianceLog,
    clock::{Clock, ManualClock, Timestamp},
    http::{AuditLayer, RequestAudit},
};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full};
use proptest::{prelude::*, test_runner::TestRunner};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

use super::served::{access, open, read, verdict};

fn get_of(path: impl AsRef<str>) -> Request<Empty<Bytes>> {
    Request::get(path.as_ref()).body(Empty::new()).unwrap()
}

#[tokio::test]
async fn an_error_of_the_service_passes_unchanged() {
    let (log, dir) = open();
    let service = ServiceBuilder::new()
        .layer(AuditLayer::new(&log).route_of(|parts| Some(parts.uri.path())))
        .service_fn(|_: Request<Empty<Bytes>>| async {
            Err::<Response<Full<Bytes>>, _>(io::Error::other("down"))
        });
    let error = service
        .oneshot(get_of("/pkg.Service/Method"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "down");
    log.shutdown().unwrap();
    let records = access(&read(dir.path()));
    assert_eq!(records.len(), 1);
    let expected = "GET /pkg.Service/Method | 500 | fail | - | SERVICE_ERROR";
    assert_eq!(verdict(&records[0]), expected);
}

#[tokio::test]
async fn around_a_whole_app_no_route_is_known() {
    let (log, dir) = open();
    let app = Router::new().route("/bookings/{id}", get(|| async { "booked" }));
    let app = ServiceBuilder::new()
        .layer(AuditLayer::new(&log))
        .service(app);
    let request = Request::get("/bookings/17")
        .body(axum::body::Body::empty())
        .unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "booked"
    );
    log.shutdown().unwrap();
    let records = access(&read(dir.path()));
    assert_eq!(
        verdict(&records[0]),
        "GET unmatched | 200 | success | - | -"
    );
    assert_eq!(records.len(), 1);
}

#[tokio::test]
async fn trailers_and_lengths_pass_through() {
    let (log, dir) = open();
    let service = ServiceBuilder::new()
        .layer(AuditLayer::new(&log))
        .service_fn(|request: Request<Empty<Bytes>>| {
            let trailers = HeaderMap::from_iter([(
                ::http::HeaderName::from_static("grpc-status"),
                ::http::HeaderValue::from_static("0"),
            )]);
            let full = Full::new(Bytes::from_static(b"12345"));
            ready(Ok::<_, Infallible>(Response::new(
                match request.uri().path() {
                    "/full" => full.boxed(),
                    _ => full.with_trailers(ready(Some(Ok(trailers)))).boxed(),
                },
            )))
        });
    let response = service.clone().oneshot(get_of("/full")).await.unwrap();
    assert_eq!(response.body().size_hint().exact(), Some(5));
    assert!(!response.body().is_end_stream());
    drop(response);
    let response = service.clone().oneshot(get_of("/trailers")).await.unwrap();
    let collected = response.into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
    // The log waits for a request that is about to end, but not for ever: what it gives up is told.
    let late = service.oneshot(get_of("/late")).await.unwrap();
    assert_eq!(log.shutdown().unwrap_err().lost, 1);
    drop(late);
    let gap = read(dir.path())
        .into_iter()
        .find(|record| record["event"] == "log.gap");
    let lost = &gap.unwrap()["data"]["lost"];
    assert_eq!(
        *lost,
        serde_json::json!([{"event": "http.request", "reason": "unfinished", "count": 1}])
    );
    let records = access(&read(dir.path()));
    let verdicts: Vec<_> = records.iter().map(verdict).collect();
    assert_eq!(
        verdicts,
        [
            "GET unmatched | 200 | fail | partial | CLIENT_GONE",
            "GET unmatched | 200 | success | - | -",
        ]
    );
}

#[tokio::test]
async fn latency_lasts_until_the_body_ends() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .dir(dir.path())
        .clock(Arc::clone(&clock) as Arc<dyn Clock>)
        .open()
        .unwrap();
    let slow = Arc::clone(&clock);
    let service = ServiceBuilder::new()
        .layer(AuditLayer::new(&log))
        .service_fn(move |_: Request<Empty<Bytes>>| {
            slow.advance(Duration::from_micros(1500));
            ready(Ok::<_, Infallible>(Response::new(Full::new(
                Bytes::from_static(b"ok"),
            ))))
        });
    let response = service.oneshot(get_of("/")).await.unwrap();
    clock.advance(Duration::from_millis(2));
    let mut body = response.into_body();
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "ok");
    // There is no more; how long the server keeps the body says nothing.
    clock.advance(Duration::from_secs(1));
    drop(body);
    log.shutdown().unwrap();
    let records = access(&read(dir.path()));
    assert_eq!(records[0]["latency_ms"], 3.5);
    assert_eq!(records[0]["timestamp"], "1970-01-01T00:00:00.003500Z");
}

#[tokio::test]
async fn a_log_that_cannot_store_refuses_no_plain_request() {
    let dir = tempfile::tempdir().unwrap();
    let file = tempfile::NamedTempFile::new_in(dir.path()).unwrap();
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .dir(file.path())
        .open()
        .unwrap();
    let service = ServiceBuilder::new()
        .layer(AuditLayer::new(&log))
        .service_fn(|_: Request<Empty<Bytes>>| {
            ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))))
        });
    let response = service.oneshot(get_of("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(log.shutdown().unwrap_err().lost, 1);
}

/// Ready once, and only the very instance that said so; as a concurrency limit is.
struct Permit {
    ready: bool,
}

impl Clone for Permit {
    fn clone(&self) -> Self {
        Self { ready: false }
    }
}

impl Service<Request<Empty<Bytes>>> for Permit {
    type Response = Response<Empty<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if !std::mem::replace(&mut self.ready, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Empty<Bytes>>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called without being ready"
        );
        assert!(request.extensions().get::<RequestAudit>().is_some());
        ready(Ok(Response::new(Empty::new())))
    }
}

#[tokio::test]
async fn the_instance_that_is_ready_is_called() {
    let (log, dir) = open();
    let mut service = AuditLayer::new(&log).layer(Permit { ready: false });
    for _ in 0..3 {
        let response = service
            .ready()
            .await
            .unwrap()
            .call(get_of("/"))
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
    let limited = ServiceBuilder::new()
        .layer(AuditLayer::new(&log))
        .concurrency_limit(1)
        .service(Permit { ready: false });
    for _ in 0..3 {
        limited.clone().oneshot(get_of("/")).await.unwrap();
    }
    log.shutdown().unwrap();
    assert_eq!(access(&read(dir.path())).len(), 6);
}

/// What a service does, poll by poll, and after how many polls its caller leaves.
#[derive(Clone, Debug)]
struct Script {
    waits: usize,
    fails: bool,
    frames: Vec<Step>,
    /// Whether the body knows after its last frame that there is no more.
    knows_its_end: bool,
    polls: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Wait,
    Data(u8),
    Fail,
}

struct Frames {
    steps: std::vec::IntoIter<Step>,
    knows_its_end: bool,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.steps.next() {
            None => Poll::Ready(None),
            Some(Step::Wait) => Poll::Pending,
            Some(Step::Fail) => Poll::Ready(Some(Err(io::Error::other("body")))),
            Some(Step::Data(bytes)) => {
                Poll::Ready(Some(Ok(Frame::data(vec![b'x'; bytes.into()].into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.steps.len() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

impl Script {
    /// Runs the request and says what its record must be.
    fn run(&self, log_layer: &AuditLayer, path: &str) -> &'static str {
        let script = self.clone();
        let mut service = log_layer.layer(tower::service_fn(move |_: Request<Empty<Bytes>>| {
            let Self {
                mut waits,
                fails,
                frames,
                knows_its_end,
                ..
            } = script.clone();
            std::future::poll_fn(move |_| {
                if waits > 0 {
                    waits -= 1;
                    return Poll::Pending;
                }
                let steps = frames.clone().into_iter();
                Poll::Ready(if fails {
                    Err(io::Error::other("service"))
                } else {
                    Ok(Response::new(Frames {
                        steps,
                        knows_its_end,
                    }))
                })
            })
        }));
        let mut cx = Context::from_waker(Waker::noop());
        let mut polls = self.polls;
        let mut future = pin!(service.call(get_of(path)));
        let body = loop {
            if polls == 0 {
                return "GET unmatched | 499 | fail | aborted | CLIENT_GONE";
            }
            polls -= 1;
            match future.as_mut().poll(&mut cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(response)) => break response.into_body(),
                Poll::Ready(Err(_)) => return "GET unmatched | 500 | fail | - | SERVICE_ERROR",
            }
        };
        let mut body = pin!(body);
        while !body.is_end_stream() {
            if polls == 0 {
                return "GET unmatched | 200 | fail | partial | CLIENT_GONE";
            }
            polls -= 1;
            match body.as_mut().poll_frame(&mut cx) {
                Poll::Ready(None) => break,
                Poll::Ready(Some(Err(_))) => {
                    return "GET unmatched | 200 | fail | partial | BODY_ERROR";
                }
                Poll::Pending | Poll::Ready(Some(Ok(_))) => {}
            }
        }
        "GET unmatched | 200 | success | - | -"
    }
}

#[test]
fn one_record_wherever_the_caller_leaves() {
    let (log, dir) = open();
    let layer = AuditLayer::new(&log);
    let step = prop_oneof![
        2 => Just(Step::Wait),
        4 => any::<u8>().prop_map(Step::Data),
        1 => Just(Step::Fail),
    ];
    let script = (
        0..4_usize,
        prop::bool::weighted(0.1),
        prop::collection::vec(step, 0..6),
        any::<bool>(),
        0..12_usize,
    )
        .prop_map(|(waits, fails, frames, knows_its_end, polls)| Script {
            waits,
            fails,
            frames,
            knows_its_end,
            polls,
        });
    let expected = RefCell::new(Vec::new());
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1000)
    };
    TestRunner::new(config)
        .run(&script, |script| {
            let path = format!("/{}", expected.borrow().len());
            let verdict = script.run(&layer, &path);
            expected.borrow_mut().push(verdict);
            Ok(())
        })
        .unwrap();
    log.shutdown().unwrap();
    let records = access(&read(dir.path()));
    let expected = expected.into_inner();
    assert_eq!(records.len(), expected.len());
    for (number, (record, expected)) in records.iter().zip(expected).enumerate() {
        assert_eq!(record["data"]["path"], format!("/{number}"));
        assert_eq!(verdict(record), expected, "{record:#}");
    }
}
