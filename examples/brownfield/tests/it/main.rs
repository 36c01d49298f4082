//! The same requests to the service after each commit: what is there from then on.

#![expect(
    clippy::unwrap_used,
    reason = "the functions around a test fail it as the test itself does"
)]

mod lines;

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use brownfield::{
    before,
    enforced::{self, OrdersListed},
    guarded::{self, OrderPlaced},
    observed,
    orders::Orders,
};
use compliance_log::{
    Builder, ComplianceLog, Health,
    test_util::{Captured, Fault, Faults, Found, capture_with},
};
use tower::ServiceExt as _;
use tracing::{Subscriber, subscriber::set_default};

use lines::Lines;

const CARD: &str = "4111 1111 1111 1111";
const TOKEN: &str = "demo-token-of-olga";

async fn ask(app: &Router, method: &str, path: &str, token: Option<&str>) -> StatusCode {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = format!(r#"{{"item":"i-1","card":"{CARD}"}}"#);
    let request = request.header("content-type", "application/json");
    let request = request.body(Body::from(body)).unwrap();
    app.clone().oneshot(request).await.unwrap().status()
}

/// An order, an order without a token, a list, a look at the health.
async fn requests(app: &Router, subscriber: impl Subscriber + Send + Sync) {
    let _installed = set_default(subscriber);
    let answers = [
        ask(app, "POST", "/orders", Some(TOKEN)).await,
        ask(app, "POST", "/orders", None).await,
        ask(app, "GET", "/orders", Some(TOKEN)).await,
        ask(app, "GET", "/health", None).await,
    ];
    let expected = [200, 401, 200, 200];
    assert_eq!(answers.map(|status| status.as_u16()), expected);
}

/// The routes of the access records of which this holds.
fn routes(captured: &Captured, holds: impl Fn(&Found) -> bool) -> Vec<String> {
    let mut records = captured.named("http.request");
    records.retain(holds);
    let target = |record: &Found| record["target_resource"].as_str().unwrap().to_owned();
    records.iter().map(target).collect()
}

fn is_gap(record: &Found) -> bool {
    record.get("audit_gap").is_some()
}

#[tokio::test]
async fn before_the_lines_of_the_service_hold_a_card_number_and_a_token() {
    let lines = Lines::default();
    let app = before::router(Orders::default());
    requests(&app, before::subscriber(lines.out())).await;
    let text = lines.text();
    assert!(text.contains("order placed"), "{text}");
    assert!(text.contains(CARD) && text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn observed_leaves_every_line_and_answer_and_records_them_redacted() {
    let lines = Lines::default();
    let (log, captured) = capture_with(observed::configure);
    let app = observed::router(&log, Orders::default());
    requests(&app, observed::subscriber(&log, lines.out())).await;
    let text = lines.text();
    assert!(text.contains(CARD), "the lines are what they were: {text}");

    assert_eq!(captured.named("http.request").len(), 4);
    let gaps = ["POST /orders", "GET /orders", "GET /health"];
    assert_eq!(routes(&captured, is_gap), gaps, "what is left to do");
    let logged = captured.named("log");
    assert_eq!(logged.len(), 3, "each `tracing` event");
    logged[0]
        .field("message", "order received")
        .redacted("data.new")
        .redacted("data.authorization")
        .in_trace_of(&captured.named("http.request")[0]);
    captured.assert_no_secrets([CARD, TOKEN]);
    captured.assert_chain_valid();
}

#[tokio::test]
async fn guarded_keeps_secrets_from_the_old_lines_too_and_says_what_enforcing_would_refuse() {
    let lines = Lines::default();
    let (log, captured) = capture_with(guarded::configure);
    let app = guarded::router(&log, Orders::default());
    requests(&app, guarded::subscriber(&log, lines.out())).await;
    let text = lines.text();
    assert!(text.contains("order received"), "{text}");
    assert!(!text.contains(CARD) && !text.contains(TOKEN), "{text}");

    captured
        .assert_one::<OrderPlaced>()
        .success()
        .target("order/1")
        .field("card", "****1111");
    let gaps = ["GET /orders", "GET /health"];
    assert_eq!(routes(&captured, is_gap), gaps, "what is left to do");
    let refused = |record: &Found| record["data"]["would_refuse"] == "NO_TENANT";
    assert_eq!(routes(&captured, refused), ["POST /orders"]);
    captured.assert_no_secrets([CARD, TOKEN]);
    captured.assert_chain_valid();
}

#[tokio::test]
async fn enforced_nothing_is_missing_and_everybody_is_named() {
    // The mode is the last line to change.
    for configure in [observed::configure, enforced::configure] {
        let lines = Lines::default();
        let (log, captured) = capture_with(configure);
        let app = enforced::router(&log, Orders::default());
        requests(&app, enforced::subscriber(&log, lines.out())).await;

        captured
            .assert_one::<OrderPlaced>()
            .success()
            .tenant("shop-1")
            .user("u-olga");
        captured.assert_one::<OrdersListed>().user("u-olga");
        let refused = |record: &Found| record["data"].get("would_refuse").is_some();
        assert_eq!(routes(&captured, refused), [""; 0], "nothing is left to do");
        captured.assert_complete();
        captured.assert_no_secrets([CARD, TOKEN]);
        captured.assert_chain_valid();
    }
}

fn wait_until_degraded(log: &ComplianceLog) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while log.health() != Health::Degraded {
        assert!(Instant::now() < deadline, "the disk is full and works");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_is_done_until_it_is_enforced() {
    type Step = (fn(Builder) -> Builder, fn(&ComplianceLog, Orders) -> Router);
    let steps: [(Step, u16, usize); 3] = [
        ((observed::configure, observed::router), 200, 1),
        ((guarded::configure, guarded::router), 200, 1),
        ((enforced::configure, enforced::router), 503, 0),
    ];
    for ((configure, router), status, done) in steps {
        let (faults, dir) = (Faults::new(), tempfile::tempdir().unwrap());
        let (log, _captured) =
            capture_with(|builder| faults.under(configure(builder.dir(dir.path()))));
        let orders = Orders::default();
        let app = router(&log, orders.clone());
        faults.set(Fault::NoSpace);
        // Its access record finds that the disk is full.
        assert_eq!(ask(&app, "GET", "/health", None).await, 200);
        wait_until_degraded(&log);
        assert_eq!(ask(&app, "POST", "/orders", Some(TOKEN)).await, status);
        assert_eq!(orders.all().len(), done);
    }
}
