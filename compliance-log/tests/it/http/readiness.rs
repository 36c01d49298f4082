//! The contract of `poll_ready`: the layer is ready when the service inside is, calls the instance
//! that said so, and passes on what that one refuses.

use std::{convert::Infallible, sync::Arc};

use ::http::{Request, Response, StatusCode};
use axum::{Router, error_handling::HandleErrorLayer, routing::get};
use bytes::Bytes;
use compliance_log::http::{AuditLayer, RequestAudit};
use http_body_util::{Empty, Full};
use tokio::{sync::Semaphore, task::spawn};
use tokio_test::{assert_pending, assert_ready_err, assert_ready_ok};
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt,
    limit::GlobalConcurrencyLimitLayer,
    load_shed::{LoadShedLayer, error::Overloaded},
};
use tower_test::mock;

use super::{
    client::{Sent, VERSIONS},
    served::{access, open, read, serve, verdict},
};

type Sends = Request<Empty<Bytes>>;
type Answers = Response<Full<Bytes>>;

fn asked(path: &str) -> Sends {
    Request::get(path).body(Empty::new()).unwrap()
}

fn ok() -> Answers {
    Response::new(Full::new(Bytes::new()))
}

#[tokio::test]
async fn the_layer_is_ready_when_the_service_inside_is() {
    let (log, dir) = open();
    let (mut service, mut inside) = mock::spawn_layer::<Sends, Answers, _>(AuditLayer::new(&log));
    inside.allow(0);
    assert_pending!(service.poll_ready::<Sends>());
    inside.allow(1);
    assert!(service.is_woken());
    assert_ready_ok!(service.poll_ready::<Sends>());
    let answer = spawn(service.call(asked("/one")));
    // The room for one is taken.
    assert_pending!(service.poll_ready::<Sends>());
    let (request, reply) = inside.next_request().await.unwrap();
    assert!(request.extensions().get::<RequestAudit>().is_some());
    reply.send_response(ok());
    assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);

    inside.allow(1);
    assert_ready_ok!(service.poll_ready::<Sends>());
    let answer = spawn(service.call(asked("/two")));
    let (_, reply) = inside.next_request().await.unwrap();
    reply.send_error("down");
    assert_eq!(answer.await.unwrap().unwrap_err().to_string(), "down");

    // A service that is broken refuses before there is a request.
    inside.send_error("closed");
    assert_eq!(
        assert_ready_err!(service.poll_ready::<Sends>()).to_string(),
        "closed"
    );
    drop(service);
    log.shutdown().unwrap();
    let verdicts: Vec<_> = access(&read(dir.path())).iter().map(verdict).collect();
    assert_eq!(
        verdicts,
        [
            "GET unmatched | 200 | success | - | -",
            "GET unmatched | 500 | fail | - | SERVICE_ERROR",
        ]
    );
}

/// A buffer and a limit panic where an instance is called that did not say it was ready.
#[tokio::test]
async fn behind_a_buffer_or_a_limit_the_instance_that_is_ready_is_called() {
    const CLIENTS: usize = 20;
    let (log, dir) = open();
    let answer = |_: Sends| async {
        tokio::task::yield_now().await;
        Ok::<_, Infallible>(ok())
    };
    let buffered = ServiceBuilder::new()
        .layer(AuditLayer::new(&log))
        .buffer(2)
        .concurrency_limit(2)
        .service_fn(answer);
    let limited = ServiceBuilder::new()
        .layer(AuditLayer::new(&log))
        .concurrency_limit(2)
        .service_fn(answer);
    let clients = (0..CLIENTS).map(|_| {
        let (mut buffered, mut limited) = (buffered.clone(), limited.clone());
        spawn(async move {
            for _ in 0..2 {
                let ready = buffered.ready().await.unwrap();
                assert_eq!(
                    ready.call(asked("/")).await.unwrap().status(),
                    StatusCode::OK
                );
                let ready = limited.ready().await.unwrap();
                assert_eq!(
                    ready.call(asked("/")).await.unwrap().status(),
                    StatusCode::OK
                );
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    drop((buffered, limited));
    log.shutdown().unwrap();
    let records = access(&read(dir.path()));
    assert_eq!(records.len(), 4 * CLIENTS);
    for record in &records {
        assert_eq!(verdict(record), "GET unmatched | 200 | success | - | -");
    }
}

#[tokio::test]
async fn each_clone_of_layer_and_service_records_its_own_requests_once() {
    let (log, dir) = open();
    let layer = AuditLayer::new(&log);
    let service = |name: &'static str| {
        tower::service_fn(move |_: Sends| async move {
            let body = Full::new(Bytes::from_static(name.as_bytes()));
            Ok::<_, Infallible>(Response::new(body))
        })
    };
    let (one, two) = (
        layer.layer(service("one")),
        layer.clone().layer(service("two")),
    );
    let twice = layer.layer(layer.clone().layer(service("twice")));
    let clients = (0..30).map(|number| {
        let (one, two, twice) = (one.clone(), two.clone(), twice.clone());
        spawn(async move {
            match number % 3 {
                0 => drop(one.oneshot(asked("/one")).await.unwrap()),
                1 => drop(two.oneshot(asked("/two")).await.unwrap()),
                _ => drop(twice.oneshot(asked("/twice")).await.unwrap()),
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    log.shutdown().unwrap();
    let records = access(&read(dir.path()));
    let of = |path: &str| {
        let of = records
            .iter()
            .filter(|record| record["data"]["path"] == path);
        of.count()
    };
    assert_eq!(["/one", "/two", "/twice"].map(of), [10; 3]);
    let mut ids: Vec<_> = records
        .iter()
        .map(|record| record["request_id"].as_str())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 30);
}

#[tokio::test]
async fn what_is_shed_inside_is_an_error_and_what_is_shed_outside_never_came() {
    let (log, dir) = open();
    let (never_ready, mut handle) = mock::pair::<Sends, Answers>();
    handle.allow(0);
    let inside = ServiceBuilder::new()
        .layer(AuditLayer::new(&log))
        .layer(LoadShedLayer::new())
        .service(never_ready.clone());
    let outside = ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(AuditLayer::new(&log))
        .service(never_ready);
    let error = inside.oneshot(asked("/inside")).await.unwrap_err();
    assert!(error.is::<Overloaded>(), "{error}");
    let error = outside.oneshot(asked("/outside")).await.unwrap_err();
    assert!(error.is::<Overloaded>(), "{error}");
    log.shutdown().unwrap();
    let records = access(&read(dir.path()));
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["data"]["path"], "/inside");
    let expected = "GET unmatched | 500 | fail | - | SERVICE_ERROR";
    assert_eq!(verdict(&records[0]), expected);
}

#[tokio::test]
async fn a_server_that_sheds_load_says_so_in_the_record() {
    for version in VERSIONS {
        let (entered, leave) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let (inside, may_leave) = (Arc::clone(&entered), Arc::clone(&leave));
        let handler = move || async move {
            inside.add_permits(1);
            may_leave.acquire().await.unwrap().forget();
            "ok"
        };
        let overloaded = |_: BoxError| async { StatusCode::SERVICE_UNAVAILABLE };
        let app = Router::new().route("/", get(handler)).layer(
            ServiceBuilder::new()
                .layer(HandleErrorLayer::new(overloaded))
                .load_shed()
                .layer(GlobalConcurrencyLimitLayer::new(1)),
        );
        let server = serve(|log| app.layer(AuditLayer::new(log))).await;
        let addr = server.addr;
        let first = spawn(async move { Sent::get("/").over(version, addr).await });
        entered.acquire().await.unwrap().forget();
        let shed = Sent::get("/").over(version, addr).await.unwrap();
        assert_eq!(shed.status, 503);
        leave.add_permits(1);
        assert_eq!(first.await.unwrap().unwrap().status, 200);
        let records = access(&server.records(2).await);
        let verdicts: Vec<_> = records.iter().map(verdict).collect();
        assert_eq!(
            verdicts,
            [
                "GET / | 503 | fail | - | HTTP_503",
                "GET / | 200 | success | - | -",
            ]
        );
    }
}
