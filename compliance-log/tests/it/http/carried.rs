//! Work that a request leaves to other tasks and threads stays part of it.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use axum::{Router, extract::Path, routing::get};
use compliance_log::{
    audit_event, carry, carry_fn,
    context::Identity,
    http::{AuditLayer, RequestAudit},
};
use tokio::{
    sync::Barrier,
    task::{spawn, spawn_blocking},
};

use super::{
    client::{Http2, Sent, VERSIONS},
    served::{named, serve},
};

#[audit_event(name = "test.worked", target = "{place}")]
struct Worked {
    #[audit(internal)]
    place: &'static str,
}

impl Worked {
    fn at(place: &'static str) {
        Self { place }.emit().unwrap();
    }
}

#[audit_event(name = "test.numbered", target = "{number}")]
struct Numbered {
    number: u64,
}

/// Works in every place that a service has.
async fn work(audit: RequestAudit) {
    audit
        .verified(Identity::new().tenant("acme").user("u-1"))
        .unwrap();
    spawn(carry(async {
        tokio::task::yield_now().await;
        Worked::at("task");
    }))
    .await
    .unwrap();
    spawn_blocking(carry_fn(|| Worked::at("blocking")))
        .await
        .unwrap();
    thread::scope(|scope| {
        scope.spawn(carry_fn(|| Worked::at("thread")));
    });
    let (done, wait) = mpsc::channel();
    rayon::spawn(carry_fn(move || {
        Worked::at("rayon");
        done.send(()).unwrap();
    }));
    wait.recv().unwrap();
    rayon::join(
        carry_fn(|| Worked::at("rayon's left")),
        carry_fn(|| Worked::at("rayon's right")),
    );
    spawn(carry(async {
        spawn(carry(async { Worked::at("task of a task") }))
            .await
            .unwrap();
    }))
    .await
    .unwrap();
    // What is not carried knows of no request.
    let elsewhere = spawn(async { Worked { place: "elsewhere" }.emit() });
    drop(elsewhere.await.unwrap());
}

#[tokio::test]
async fn what_is_carried_has_the_trace_and_the_identity_of_its_request() {
    for version in VERSIONS {
        let app = Router::new().route("/", get(work));
        let server = serve(|log| app.layer(AuditLayer::new(log))).await;
        for _ in 0..2 {
            let answer = Sent::get("/").over(version, server.addr).await.unwrap();
            assert_eq!(answer.status, 200);
        }
        let records = server.records(2).await;
        let worked = named(&records, "test.worked");
        for access in named(&records, "http.request") {
            let mut places = Vec::new();
            for record in &worked {
                if record["request_id"] != access["request_id"] {
                    continue;
                }
                for key in ["trace_id", "span_id", "tenant_id", "user_id"] {
                    assert_eq!(record[key], access[key], "{key}");
                }
                assert_eq!(record["tenant_id"], "acme");
                places.push(record["data"]["place"].as_str().unwrap());
            }
            places.sort_unstable();
            let all = [
                "blocking",
                "rayon",
                "rayon's left",
                "rayon's right",
                "task",
                "task of a task",
                "thread",
            ];
            assert_eq!(places, all);
        }
    }
}

#[tokio::test]
async fn streams_that_run_at_once_keep_their_contexts_apart() {
    const STREAMS: usize = 50;
    // Nobody goes on before all have come.
    let barrier = Arc::new(Barrier::new(STREAMS));
    let handler = move |Path(number): Path<u64>, audit: RequestAudit| async move {
        Numbered { number }.emit().unwrap();
        barrier.wait().await;
        let tenant = Identity::new().tenant(format!("tenant-{number}"));
        audit.verified(tenant).unwrap();
        tokio::task::yield_now().await;
        Numbered { number }.emit().unwrap();
    };
    let app = Router::new().route("/{number}", get(handler));
    let server = serve(|log| app.layer(AuditLayer::new(log))).await;
    let mut connection = Http2::connect(server.addr).await;
    let mut streams = Vec::new();
    for number in 0..STREAMS {
        let sent = Sent::get(format!("/{number}"));
        streams.push(sent.begin(&mut connection).await);
    }
    for (answer, _stream) in streams {
        assert_eq!(answer.await.unwrap().status(), 200);
    }
    connection.close().await;
    let records = server.records(STREAMS).await;
    for access in named(&records, "http.request") {
        let path = access["data"]["path"].as_str().unwrap();
        assert_eq!(access["tenant_id"], format!("tenant-{}", &path[1..]));
        let mut numbered = named(&records, "test.numbered");
        numbered.retain(|record| record["request_id"] == access["request_id"]);
        let tenants = ["none", access["tenant_id"].as_str().unwrap()];
        assert_eq!(numbered.len(), tenants.len());
        for (record, tenant) in numbered.iter().zip(tenants) {
            assert_eq!(record["target_resource"], path[1..]);
            assert_eq!(record["span_id"], access["span_id"]);
            assert_eq!(record["tenant_id"], tenant);
        }
    }
}
