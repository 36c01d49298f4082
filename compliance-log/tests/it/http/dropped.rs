//! Requests whose end nobody sees: the disk answers nothing, or the runtime is gone.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Waker},
};

use ::http::{Request, Response};
use axum::{Router, routing::get};
use bytes::Bytes;
use compliance_log::{Mode, http::AuditLayer, test_util::Faults};
use futures_util::{FutureExt, StreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, StreamBody};
use tokio::{runtime::Runtime, sync::Semaphore};
use tower::{Layer, Service};

use super::{
    client::{Sent, VERSIONS},
    refused::{fill, open, stored_and_lost},
    served::{access, read, serve, verdict},
};

fn asked(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path).body(Empty::new()).unwrap()
}

/// Dropping would never return here if it waited for room or for the disk.
#[test]
fn a_request_that_is_dropped_while_the_queue_is_full_is_recorded_without_waiting() {
    let faults = Faults::new();
    let (log, dir) = open(&faults, Mode::Enforce);
    let frame = || Ok::<_, io::Error>(Frame::data(Bytes::from_static(b"abc")));
    let mut service = AuditLayer::new(&log).layer(tower::service_fn(
        move |request: Request<Empty<Bytes>>| async move {
            if request.uri().path() != "/body" {
                std::future::pending::<()>().await;
            }
            let never_ends = stream::iter([frame()]).chain(stream::pending());
            Ok::<_, io::Error>(Response::new(StreamBody::new(never_ends)))
        },
    ));
    let mut cx = Context::from_waker(Waker::noop());
    let mut waits = Box::pin(service.call(asked("/waits")));
    assert!(waits.as_mut().poll(&mut cx).is_pending());
    let mut unwinds = Box::pin(service.call(asked("/unwinds")));
    assert!(unwinds.as_mut().poll(&mut cx).is_pending());
    let answer = service.call(asked("/body")).now_or_never().unwrap();
    let mut body = answer.unwrap().into_body();
    body.frame().now_or_never().unwrap().unwrap().unwrap();

    fill(&log, &faults);
    drop(waits);
    drop(body);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _unwinds = unwinds;
        panic!("while a request is under way");
    }));
    panicked.unwrap_err();
    faults.clear();
    log.shutdown().unwrap();
    let records = read(dir.path());
    assert_eq!(stored_and_lost(&records, "http.request"), 3);
    let verdicts: Vec<_> = access(&records).iter().map(verdict).collect();
    assert_eq!(
        verdicts,
        [
            "GET unmatched | 499 | fail | aborted | CLIENT_GONE",
            "GET unmatched | 200 | fail | partial | CLIENT_GONE",
            "GET unmatched | 500 | fail | - | PANIC",
        ],
        "those that were let in have their room"
    );
}

#[test]
fn requests_under_way_when_their_runtime_ends_are_recorded() {
    const REQUESTS: u32 = 10;
    for version in VERSIONS {
        let (entered, clients) = (Arc::new(Semaphore::new(0)), Runtime::new().unwrap());
        let inside = Arc::clone(&entered);
        let handler = move || {
            inside.add_permits(1);
            std::future::pending::<&str>()
        };
        let app = Router::new().route("/", get(handler));
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(serve(|log| app.layer(AuditLayer::new(log))));
        let addr = server.addr;
        let asked = (0..REQUESTS).map(|_| async move { Sent::get("/").over(version, addr).await });
        let asked: Vec<_> = asked.map(|asked| clients.spawn(asked)).collect();
        clients
            .block_on(entered.acquire_many(REQUESTS))
            .unwrap()
            .forget();
        drop(runtime);
        clients.block_on(async {
            for asked in asked {
                assert!(asked.await.unwrap().is_none(), "nobody was answered");
            }
            let records = access(&server.records(10).await);
            for record in &records {
                let expected = "GET / | 499 | fail | aborted | CLIENT_GONE";
                assert_eq!(verdict(record), expected, "{version:?}");
            }
        });
    }
}
