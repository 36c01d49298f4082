//! What a handler owes is recorded once, however it ends, before its answer.

use std::{collections::BTreeSet, fmt, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Request},
    http::StatusCode,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use compliance_log::{
    ComplianceLog, Health, audit_event,
    context::{Identity, TenantId},
    event::Failure,
    http::{
        AuditCtx, AuditError, AuditLayer, AuditResult, AuditRouter, OrFail as _, RequestAudit,
        audited, unaudited,
    },
    test_util::capture,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};

use super::served::{Served, access, header, named, request, serve, verdict};

#[audit_event(name = "booking.created", target = "booking/{booking_id}")]
pub(super) struct BookingCreated {
    pub(super) booking_id: u64,
}

#[audit_event(name = "booking.updated", target = "booking/{booking_id}")]
pub(super) struct BookingUpdated {
    pub(super) booking_id: u64,
}

#[audit_event(name = "session.opened", category = "security", pre_auth)]
struct SessionOpened {}

/// An error of the service's own.
#[derive(Debug)]
pub(super) struct SoldOut;

impl fmt::Display for SoldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no seats left for 4111 1111 1111 1111")
    }
}

impl Failure for SoldOut {
    fn error_code(&self) -> &'static str {
        "SOLD_OUT"
    }

    fn status(&self) -> u16 {
        409
    }
}

/// A second one, which is a response of its own.
#[derive(Debug)]
struct Teapot(&'static str);

impl fmt::Display for Teapot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Failure for Teapot {
    fn error_code(&self) -> &'static str {
        "TEAPOT"
    }

    fn is_denied(&self) -> bool {
        true
    }
}

impl IntoResponse for Teapot {
    fn into_response(self) -> Response {
        (StatusCode::IM_A_TEAPOT, "short and stout").into_response()
    }
}

impl From<compliance_log::CommitError> for Teapot {
    fn from(_: compliance_log::CommitError) -> Self {
        Self("no log")
    }
}

/// Stands in for an authentication: believes a header, as only a test may.
pub(super) async fn authenticate(request: Request, next: Next) -> Response {
    let tenant = request.headers().get("x-test-tenant").cloned();
    if let (Some(tenant), Some(audit)) = (tenant, request.extensions().get::<RequestAudit>()) {
        let tenant = tenant.to_str().unwrap();
        audit
            .verified(Identity::new().tenant(tenant).user("u-1"))
            .unwrap();
    }
    next.run(request).await
}

async fn create(
    ctx: AuditCtx<BookingCreated>,
    Path(how): Path<String>,
    body: Option<Json<u64>>,
) -> AuditResult<Json<u64>> {
    let booking_id = body.map_or(17, |Json(id)| id);
    match how.as_str() {
        "own" => Err(SoldOut)?,
        "foreign" => drop("many".parse::<u32>().or_fail("BAD_RATE")?),
        "chosen" => {
            Err(AuditError::new("NO_SUCH_OFFER", "offer 3").with_status(StatusCode::NOT_FOUND))?;
        }
        "forbidden" => {
            Err(AuditError::new("NOT_YOURS", "of another").with_status(StatusCode::FORBIDDEN))?;
        }
        "panic" => panic!("in the handler"),
        "slow" => std::future::pending().await,
        "other" => {
            let updated = BookingUpdated { booking_id };
            return ctx.success_as(updated).await?.respond(Json(booking_id));
        }
        "refused" => return ctx.fail(SoldOut).await?.respond(Json(0)),
        "begun" => {
            let intent = ctx.begin(format!("booking/{booking_id}")).await?;
            assert_eq!(intent.tenant().as_str(), "acme");
            let created = BookingCreated { booking_id };
            return intent.success(created).await?.respond(Json(booking_id));
        }
        "begun-given-up" => {
            drop(ctx.begin(format!("booking/{booking_id}")));
            return Err(SoldOut.into());
        }
        "begun-lost" => {
            let _intent = ctx.begin(format!("booking/{booking_id}")).await?;
            return Err(SoldOut.into());
        }
        _ => (),
    }
    let settled = ctx.success(BookingCreated { booking_id }).await?;
    assert!(settled.receipt().is_some());
    settled.respond(Json(booking_id))
}

async fn own_error(ctx: AuditCtx<BookingCreated>) -> AuditResult<(), Teapot> {
    drop(ctx);
    Err(Teapot("no coffee"))
}

async fn forgotten(_ctx: AuditCtx<BookingCreated>) -> &'static str {
    "all is well"
}

async fn open_session(ctx: AuditCtx<SessionOpened>) -> AuditResult<Json<bool>> {
    let tenant: &Option<TenantId> = ctx.tenant();
    let known = tenant.is_some();
    ctx.success(SessionOpened {}).await?.respond(Json(known))
}

fn app(log: &ComplianceLog) -> Router {
    let audited: AuditRouter = AuditRouter::new(log)
        .route("/create/{how}", audited::post(create))
        .route(
            "/teapot",
            audited::get(own_error).and(unaudited::delete(|| async { "gone" }, "does nothing")),
        )
        .route("/sessions", audited::post(open_session))
        .route(
            "/health",
            unaudited::get(|| async { "ok" }, "liveness probe"),
        )
        .layer(from_fn(authenticate));
    let plain = Router::new()
        .route("/forgotten", axum::routing::get(forgotten))
        .route("/plain", axum::routing::get(|| async { "no word" }))
        .route("/timed/{how}", audited::post(create).into())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            Duration::from_millis(20),
        ))
        .route("/caught/{how}", audited::post(create).into())
        .layer(CatchPanicLayer::new())
        .layer(from_fn(authenticate))
        .layer(AuditLayer::new(log));
    Router::from(audited).merge(plain)
}

const TENANT: &str = "x-test-tenant: acme\r\n";

async fn post(server: &Served, path: &str) -> String {
    server.send(&request("POST", path, TENANT)).await
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("-")
}

/// The owed records of a server that answered one request, as one line each.
fn owed(records: &[Value]) -> Vec<String> {
    records
        .iter()
        .filter(|record| {
            let event = record["event"].as_str().unwrap();
            event.starts_with("booking.") || event.starts_with("session.")
        })
        .map(|record| {
            format!(
                "{} | {}",
                record["event"].as_str().unwrap(),
                verdict(record)
            )
        })
        .collect()
}

#[tokio::test]
async fn each_way_to_end_leaves_one_record_of_the_owed_event() {
    for (path, answered, expected) in [
        (
            "/create/well",
            "200",
            "booking.created | booking/17 | - | success | - | -",
        ),
        (
            "/create/other",
            "200",
            "booking.updated | booking/17 | - | success | - | -",
        ),
        (
            "/create/begun",
            "200",
            "booking.created | booking/17 | - | success | - | -",
        ),
        (
            "/create/own",
            "409",
            "booking.created | POST /create/{how} | - | fail | - | SOLD_OUT",
        ),
        (
            "/create/refused",
            "200",
            "booking.created | POST /create/{how} | - | fail | - | SOLD_OUT",
        ),
        (
            "/create/begun-lost",
            "409",
            "booking.created | booking/17 | - | fail | - | SOLD_OUT",
        ),
        (
            "/create/begun-given-up",
            "409",
            "booking.created | booking/17 | - | fail | - | SOLD_OUT",
        ),
        (
            "/create/foreign",
            "500",
            "booking.created | POST /create/{how} | - | fail | - | BAD_RATE",
        ),
        (
            "/create/chosen",
            "404",
            "booking.created | POST /create/{how} | - | fail | - | NO_SUCH_OFFER",
        ),
        (
            "/create/forbidden",
            "403",
            "booking.created | POST /create/{how} | - | fail | denied | NOT_YOURS",
        ),
        (
            "/create/panic",
            "-",
            "booking.created | POST /create/{how} | - | fail | abandoned | PANIC",
        ),
        (
            "/caught/panic",
            "500",
            "booking.created | POST /caught/{how} | - | fail | abandoned | PANIC",
        ),
        (
            "/timed/slow",
            "408",
            "booking.created | POST /timed/{how} | - | fail | - | HTTP_408",
        ),
        (
            "/sessions",
            "200",
            "session.opened | - | - | success | - | -",
        ),
    ] {
        let server = serve(app).await;
        let answer = post(&server, path).await;
        assert_eq!(status(&answer), answered, "{path}: {answer}");
        let records = server.records(1).await;
        assert_eq!(owed(&records), [expected], "{path}");
    }
}

#[tokio::test]
async fn an_error_of_the_services_own_keeps_its_answer() {
    let server = serve(app).await;
    let answer = server.send(&request("GET", "/teapot", TENANT)).await;
    assert_eq!(status(&answer), "418");
    assert!(answer.ends_with("short and stout"), "{answer}");
    let records = server.records(1).await;
    assert_eq!(
        owed(&records),
        ["booking.created | GET /teapot | - | fail | denied | TEAPOT"]
    );
    assert_eq!(
        named(&records, "booking.created")[0]["error_message"],
        "no coffee"
    );
}

#[tokio::test]
async fn errors_are_problem_documents_and_say_more_in_the_log_than_to_the_client() {
    let server = serve(app).await;
    let answer = post(&server, "/create/own").await;
    assert_eq!(
        header(&answer, "content-type"),
        Some("application/problem+json")
    );
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(body).unwrap(),
        json!({"type": "about:blank", "title": "Conflict", "status": 409, "code": "SOLD_OUT"})
    );
    let record = named(&server.records(1).await, "booking.created").remove(0);
    assert_eq!(record["error_message"], "no seats left for ****1111");
    assert_eq!(record["tenant_id"], "acme");
}

#[tokio::test]
async fn a_rejected_extractor_is_a_failure_of_the_owed_event() {
    let server = serve(app).await;
    let json = format!("{TENANT}content-type: application/json\r\ncontent-length: 5\r\n");
    let answer = server
        .send(&(request("POST", "/create/well", &json) + "maybe"))
        .await;
    assert_eq!(status(&answer), "400", "{answer}");
    assert_eq!(
        owed(&server.records(1).await),
        ["booking.created | POST /create/{how} | - | fail | - | HTTP_400"]
    );
}

#[tokio::test]
async fn without_a_tenant_only_what_happens_before_authentication_is_let_in() {
    let server = serve(app).await;
    let answer = server.send(&request("POST", "/create/well", "")).await;
    assert_eq!(status(&answer), "401");
    let answer = server.send(&request("POST", "/sessions", "")).await;
    assert!(answer.ends_with("false"), "{answer}");
    assert_eq!(
        owed(&server.records(2).await),
        [
            "booking.created | POST /create/{how} | - | fail | denied | NO_TENANT",
            "session.opened | - | - | success | - | -",
        ]
    );
}

#[tokio::test]
async fn who_takes_the_context_and_says_nothing_has_abandoned_the_action() {
    let server = serve(app).await;
    let answer = server.send(&request("GET", "/forgotten", TENANT)).await;
    assert!(
        answer.ends_with("all is well"),
        "the answer stands: {answer}"
    );
    assert_eq!(
        owed(&server.records(1).await),
        ["booking.created | GET /forgotten | - | fail | abandoned | ABANDONED"]
    );
}

#[tokio::test]
async fn an_announcement_is_stored_first_and_the_end_refers_to_it() {
    for (path, outcome) in [("/create/begun", "success"), ("/create/begun-lost", "fail")] {
        let server = serve(app).await;
        post(&server, path).await;
        let records = server.records(1).await;
        let intent = &named(&records, "audit.intent")[0];
        assert_eq!(intent["intent_of"], "booking.created");
        assert_eq!(intent["target_resource"], "booking/17");
        assert_eq!(intent["category"], "audit");
        assert_eq!(intent.get("outcome"), None);
        let end = &named(&records, "booking.created")[0];
        let stream = intent["stream"].as_str().unwrap();
        assert_eq!(end["intent_ref"], format!("{stream}/{}", intent["seq"]));
        assert_eq!(end["outcome"], outcome);
        assert!(end["seq"].as_u64() > intent["seq"].as_u64());
        assert_eq!(end["trace_id"], intent["trace_id"]);
    }
}

#[tokio::test]
async fn a_route_that_audited_nothing_is_marked_unless_it_says_why() {
    let server = serve(app).await;
    for (method, path) in [
        ("GET", "/plain"),
        ("GET", "/health"),
        ("DELETE", "/teapot"),
        ("POST", "/create/well"),
        ("GET", "/nowhere"),
        ("PUT", "/plain"),
    ] {
        server.send(&request(method, path, TENANT)).await;
    }
    let records = server.records(6).await;
    let mut gaps: Vec<_> = access(&records)
        .iter()
        .filter(|record| record.get("audit_gap") == Some(&Value::Bool(true)))
        .map(|record| format!("{} {}", record["level"], record["target_resource"]))
        .collect();
    gaps.sort();
    assert_eq!(gaps, ["\"INFO\" \"GET /plain\""]);
}

#[tokio::test]
async fn where_no_customer_is_a_gap_is_an_error() {
    let (log, captured) = capture();
    let app = Router::new()
        .route("/plain", axum::routing::get(|| async { "no word" }))
        .layer(AuditLayer::new(&log));
    let asked = Request::get("/plain").body(axum::body::Body::empty());
    let answer = app.oneshot(asked.unwrap()).await.unwrap();
    assert_eq!(
        answer.status(),
        StatusCode::OK,
        "the answer is never changed"
    );
    drop(answer);
    captured
        .assert_one_named("http.request")
        .field("level", "ERROR")
        .field("audit_gap", true);
}

#[tokio::test]
async fn the_routes_are_listed_once_with_what_they_owe_or_why_nothing() {
    let server = serve(|log| {
        let inner = AuditRouter::new(log)
            .route("/", audited::get(own_error))
            .route("/{id}", audited::post(own_error));
        AuditRouter::new(log)
            .nest("/api", inner)
            .merge(AuditRouter::new(log).route(
                "/health",
                unaudited::get(|| async { "ok" }, "liveness probe"),
            ))
            .fallback(|| async { (StatusCode::NOT_FOUND, "nothing here") })
            .into()
    })
    .await;
    assert_eq!(status(&server.get("/api").await), "401");
    let answer = server.get("/nowhere").await;
    assert!(answer.ends_with("nothing here"), "{answer}");
    let routes = named(&server.records(2).await, "service.routes").remove(0);
    assert_eq!(
        routes["data"],
        json!({"part": 1, "parts": 1, "routes": [
            {"method": "GET", "path": "/api", "event": "booking.created"},
            {"method": "POST", "path": "/api/{id}", "event": "booking.created"},
            {"method": "GET", "path": "/health", "unaudited": "liveness probe"},
        ]})
    );
    assert_eq!(routes["category"], "security");
    assert_eq!(routes["client_id"], "booking-api");
}

#[tokio::test]
async fn routes_are_listed_once_there_is_a_store_to_list_them_in() {
    let dir = tempfile::tempdir().unwrap();
    let stores = dir.path().join("stores");
    std::fs::write(&stores, "in the way").unwrap();
    let builder = ComplianceLog::builder("booking-api").env("test");
    let log = builder.dir(&stores).open().unwrap();
    let probe = unaudited::get(|| async { "ok" }, "liveness probe");
    let app: Router = AuditRouter::new(&log).route("/health", probe).into();
    std::fs::remove_file(&stores).unwrap();
    crate::support::wait_until("the store opens", || log.health() == Health::Ready);
    drop(app);
    log.shutdown().unwrap();
    let records = crate::support::records(&stores, "audit");
    assert_eq!(named(&records, "service.routes").len(), 1);
    assert_eq!(named(&records, "log.gap").len(), 0);
}

#[tokio::test]
async fn a_route_is_listed_as_its_requests_name_it() {
    for prefix in ["/api", "/api/", "/{tenant}", "/{tenant}/"] {
        let server = serve(|log| {
            let probe = || unaudited::get(|| async { "ok" }, "liveness probe");
            let inner = AuditRouter::new(log)
                .route("/", probe())
                .route("/health", probe())
                .nest("/deep/", AuditRouter::new(log).route("/", probe()));
            AuditRouter::new(log).nest(prefix, inner).into()
        })
        .await;
        let root = if prefix.ends_with('/') {
            "/api/"
        } else {
            "/api"
        };
        for path in [root, "/api/health", "/api/deep/"] {
            assert_eq!(status(&server.get(path).await), "200", "{prefix}: {path}");
        }
        let records = server.records(3).await;
        let listed = named(&records, "service.routes").remove(0);
        let listed = listed["data"]["routes"].as_array().unwrap().iter();
        let listed: BTreeSet<_> = listed
            .map(|route| format!("GET {}", route["path"].as_str().unwrap()))
            .collect();
        let asked = access(&records);
        let asked: BTreeSet<_> = asked
            .iter()
            .map(|record| record["target_resource"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(asked, listed);
    }
}

/// An error whose text cannot be had.
struct Mute(Muteness);

enum Muteness {
    Refuses,
    Panics,
}

impl fmt::Display for Mute {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Muteness::Refuses => Err(fmt::Error),
            Muteness::Panics => panic!("in Display"),
        }
    }
}

impl Failure for Mute {
    fn error_code(&self) -> &'static str {
        "MUTE"
    }

    fn status(&self) -> u16 {
        409
    }
}

#[tokio::test]
async fn an_error_without_a_text_keeps_its_answer_and_its_code() {
    async fn returned(_: AuditCtx<BookingCreated>) -> AuditResult<()> {
        Err(Mute(Muteness::Refuses))?
    }
    async fn told(ctx: AuditCtx<BookingCreated>) -> AuditResult<()> {
        let begun = ctx.begin(Mute(Muteness::Refuses)).await?;
        begun.fail(Mute(Muteness::Panics)).await?.respond(())
    }
    async fn named_here(_: AuditCtx<BookingCreated>) -> AuditResult<()> {
        Err(Mute(Muteness::Panics)).or_fail("MUTE")
    }
    let server = serve(|log| {
        AuditRouter::new(log)
            .route("/returned", audited::post(returned))
            .route("/told", audited::post(told))
            .route("/named", audited::post(named_here))
            .layer(from_fn(authenticate))
            .into()
    })
    .await;
    for (path, expected) in [("/returned", "409"), ("/told", "200"), ("/named", "500")] {
        let answer = post(&server, path).await;
        assert_eq!(status(&answer), expected, "{path}: {answer}");
    }
    for record in named(&server.records(3).await, "booking.created") {
        assert_eq!(record["error_code"], "MUTE");
        assert_eq!(record["error_message"], "[could not be formatted]");
    }
}
