//! What is owed by handlers that go on after their request, or after the log.

use std::{future::pending, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
};
use compliance_log::{
    ComplianceLog, audit_event,
    event::{AuditField, Class, Classified, Raw},
    http::{AuditCtx, AuditResult, AuditRouter, audited},
};
use serde_json::Value;
use tokio::{
    sync::Notify,
    task::{spawn, spawn_blocking},
};
use tower::ServiceExt as _;

use super::{
    owed::{BookingCreated, SoldOut, authenticate},
    served::{named, open, read},
};

/// A route whose handler runs in a task of its own, as services do so that a client that leaves does
/// not stop it half way.
struct Detached {
    log: ComplianceLog,
    dir: tempfile::TempDir,
    app: Router,
    begun: Arc<Notify>,
    /// Lets the task begin, before the handler asks for its context.
    enter: Arc<Notify>,
    /// Lets the handler end.
    leave: Arc<Notify>,
    ended: Arc<Notify>,
}

impl Detached {
    fn new(ends: fn(AuditCtx<BookingCreated>) -> End) -> Self {
        let (log, dir) = open();
        let [begun, enter, leave, ended] = [(); 4].map(|()| Arc::new(Notify::new()));
        let (started, may_leave) = (Arc::clone(&begun), Arc::clone(&leave));
        let handler = async move |ctx: AuditCtx<BookingCreated>| -> AuditResult<()> {
            started.notify_one();
            may_leave.notified().await;
            ends(ctx).await
        };
        let (may_enter, over) = (Arc::clone(&enter), Arc::clone(&ended));
        let detach = from_fn(move |request: Request, next: Next| {
            let (may_enter, over) = (Arc::clone(&may_enter), Arc::clone(&over));
            async move {
                let answer = spawn(async move {
                    may_enter.notified().await;
                    let answer = next.run(request).await;
                    over.notify_one();
                    answer
                });
                answer.await.unwrap()
            }
        });
        let app = AuditRouter::new(&log)
            .route("/bookings", audited::post(handler))
            .layer(from_fn(authenticate))
            .layer(detach)
            .into();
        Self {
            log,
            dir,
            app,
            begun,
            enter,
            leave,
            ended,
        }
    }

    /// How the event is told of when the client leaves once `until` has come.
    async fn told(self, client_leaves: Leaves) -> Vec<String> {
        let asked = spawn(self.app.clone().oneshot(asked()));
        match client_leaves {
            Leaves::BeforeTheHandler => tokio::task::yield_now().await,
            Leaves::WithinTheHandler => {
                self.enter.notify_one();
                self.begun.notified().await;
            }
        }
        asked.abort();
        asked.await.unwrap_err();
        self.enter.notify_one();
        self.leave.notify_one();
        self.ended.notified().await;
        self.log.shutdown().unwrap();
        let records = named(&read(self.dir.path()), "booking.created");
        records
            .iter()
            .map(|record| format!("{} {}", record["outcome"], record["error_code"]))
            .collect()
    }
}

#[derive(Clone, Copy)]
enum Leaves {
    BeforeTheHandler,
    WithinTheHandler,
}

type End = std::pin::Pin<Box<dyn Future<Output = AuditResult<()>> + Send>>;

fn asked() -> Request {
    Request::post("/bookings")
        .header("x-test-tenant", "acme")
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn a_handler_that_goes_on_without_its_client_leaves_its_record() {
    for leaves in [Leaves::BeforeTheHandler, Leaves::WithinTheHandler] {
        let succeeds = Detached::new(|ctx| {
            Box::pin(async move {
                let created = BookingCreated { booking_id: 17 };
                ctx.success(created).await?.respond(())
            })
        });
        assert_eq!(succeeds.told(leaves).await, ["\"success\" null"]);
        let fails = Detached::new(|_ctx| Box::pin(async { Err(SoldOut)? }));
        assert_eq!(fails.told(leaves).await, ["\"fail\" \"ABANDONED\""]);
    }
}

/// Records of an event that a gap counts.
fn lost(records: &[Value], event: &str) -> u64 {
    let gaps = named(records, "log.gap");
    gaps.iter()
        .flat_map(|gap| gap["data"]["lost"].as_array().unwrap())
        .filter(|lost| lost["event"] == event)
        .map(|lost| lost["count"].as_u64().unwrap())
        .sum()
}

#[tokio::test]
async fn a_log_that_ends_first_counts_all_that_a_request_owes() {
    let (log, dir) = open();
    let begun = Arc::new(Notify::new());
    let started = Arc::clone(&begun);
    let handler = async move |_ctx: AuditCtx<BookingCreated>| -> AuditResult<()> {
        started.notify_one();
        pending().await
    };
    let app: Router = AuditRouter::new(&log)
        .route("/bookings", audited::post(handler))
        .layer(from_fn(authenticate))
        .into();
    let under_way = spawn(app.oneshot(asked()));
    begun.notified().await;
    let error = spawn_blocking(|| log.shutdown())
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(error.lost, 2, "{error}");
    under_way.abort();
    under_way.await.unwrap_err();
    let records = read(dir.path());
    assert_eq!(lost(&records, "http.request"), 1);
    assert_eq!(lost(&records, "booking.created"), 1);
}

/// A value that cannot be asked for.
struct Explosive;

impl AuditField for Explosive {
    fn raw(&self) -> Option<Raw<'_>> {
        panic!("in `raw`")
    }
}

impl Classified for Explosive {
    const CLASS: Class = Class::Internal;
}

#[audit_event(name = "mine.blown", target = "mine")]
struct MineBlown {
    what: Explosive,
}

#[tokio::test]
async fn an_event_that_panics_while_it_is_recorded_is_owed_still() {
    async fn blow(ctx: AuditCtx<MineBlown>) -> AuditResult<()> {
        let blown = MineBlown { what: Explosive };
        ctx.success(blown).await?.respond(())
    }
    let (log, dir) = open();
    let app: Router = AuditRouter::new(&log)
        .route("/bookings", audited::post(blow))
        .layer(from_fn(authenticate))
        .into();
    let panicked = spawn(app.oneshot(asked())).await.unwrap_err();
    assert!(panicked.is_panic());
    log.shutdown().unwrap();
    let records = named(&read(dir.path()), "mine.blown");
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!(records[0]["error_code"], "PANIC");
}
