use std::fs;

use axum::{Router, body::Body, http::Request, routing::put};
use compliance_log::{
    ComplianceLog, Mode, audit_event,
    http::{AuditCtx, AuditLayer, AuditResult, AuditRouter, audited, unaudited},
};
use tempfile::{TempDir, tempdir};
use tower::ServiceExt as _;

use crate::{
    command::{Said, run},
    store::Stream,
};

/// The end of a request, as the layer writes it; `more` are its last rows.
fn request(stream: &mut Stream, route: &str, more: &str) {
    let seq = stream.next_seq();
    stream.add(&format!(
        r#""timestamp":"2026-11-24T03:20:{seq:02}.000000Z","category":"access","level":"INFO","event":"http.request","event_version":1,"outcome":"success","service_name":"booking-api","env":"prod","tenant_id":"none","user_id":"anonymous","target_resource":"{route}","status_code":200,"latency_ms":1.250,{more}"policy":"5e1c0d7a""#
    ));
}

const NO_TENANT: &str = r#""data":{"path":"/b","would_refuse":"NO_TENANT"},"#;
const UNAVAILABLE: &str = r#""data":{"path":"/b","would_refuse":"AUDIT_UNAVAILABLE"},"#;

fn report(dir: &TempDir, more: &[&str]) -> Said {
    let arguments = ["observe-report", dir.path().to_str().unwrap()];
    run(dir.path(), arguments.iter().chain(more))
}

fn observed() -> TempDir {
    let dir = tempdir().unwrap();
    let mut audit = Stream::create(dir.path(), "audit").bookings(2);
    request(&mut audit, "POST /bookings", NO_TENANT);
    request(&mut audit, "POST /bookings", UNAVAILABLE);
    request(
        &mut audit,
        "GET /bookings/{id}",
        r#""data":{"path":"/b/1"},"#,
    );
    let mut audit = audit.rotate();
    request(&mut audit, "POST /bookings", UNAVAILABLE);
    request(&mut audit, "PUT /rates", r#""audit_gap":true,"#);
    request(&mut audit, "PUT /\\u001b[2J", r#""audit_gap":true,"#);
    let seq = audit.next_seq();
    audit.add(&format!(
        r#""timestamp":"2026-11-24T03:20:{seq:02}.000000Z","category":"admin","level":"INFO","event":"role.granted","outcome":"success","service_name":"booking-api","env":"prod","tenant_id":"none","schema_violations":["target_resource","user_id"],"policy":"5e1c0d7a""#
    ));
    // Whoever can log can write this too, so that it says nothing.
    Stream::create(dir.path(), "app").add(
        r#""timestamp":"2026-11-24T03:20:00.500000Z","category":"app","level":"INFO","event":"http.request","service_name":"booking-api","env":"prod","data":{"would_refuse":"NO_TENANT"},"policy":"5e1c0d7a""#,
    );
    dir
}

#[test]
fn findings_are_one_table_and_exit_1() {
    let said = report(&observed(), &[]);
    assert_eq!(
        said.out,
        "\
count  finding           where           what
    2  would_refuse      POST /bookings  AUDIT_UNAVAILABLE
    1  would_refuse      POST /bookings  NO_TENANT
    1  audit_gap         PUT /\\u001b[2J
    1  audit_gap         PUT /rates
    1  schema_violation  role.granted    target_resource
    1  schema_violation  role.granted    user_id
6 findings in 9 records, 6 of them the end of a request
"
    );
    assert_eq!((said.code, said.err.as_str()), (1, ""));
}

#[test]
fn json_and_filters_give_the_same_counts() {
    let dir = observed();
    let said = report(&dir, &["--json", "--event", "http.request", "--seq", "..4"]);
    assert_eq!(said.code, 1);
    assert_eq!(
        said.out,
        "{\"exit\":1,\"records\":2,\"requests\":2,\"unreadable\":0,\"findings\":[\
         {\"finding\":\"would_refuse\",\"route\":\"POST /bookings\",\"reason\":\"AUDIT_UNAVAILABLE\",\"count\":1},\
         {\"finding\":\"would_refuse\",\"route\":\"POST /bookings\",\"reason\":\"NO_TENANT\",\"count\":1}]}\n"
    );
    let said = report(&dir, &["--where", "target_resource=PUT /rates", "--json"]);
    assert!(
        said.out
            .contains("{\"finding\":\"audit_gap\",\"route\":\"PUT /rates\",\"count\":1}"),
        "{}",
        said.out
    );
}

#[test]
fn nothing_found_exits_0_and_nothing_read_2() {
    let dir = tempdir().unwrap();
    let stream = Stream::create(dir.path(), "audit");
    let said = report(&dir, &[]);
    assert_eq!(said.code, 2, "a genesis tells nothing of a service");
    assert_eq!(
        said.out,
        "nothing was found in 0 records, 0 of them the end of a request\n"
    );
    assert!(
        said.err.starts_with("hint: no record tells of anything"),
        "{}",
        said.err
    );

    let stream = stream.bookings(1);
    let said = report(&dir, &[]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_eq!(
        said.out,
        "nothing was found in 1 record, 0 of them the end of a request\n"
    );
    assert_eq!(report(&dir, &["--tenant", "other"]).code, 2);

    let mut bytes = fs::read(&stream.file).unwrap();
    bytes.extend_from_slice(b"{\"v\":1,");
    crate::store::rewrite(&stream.file, &bytes);
    assert_eq!(report(&dir, &[]).code, 0, "a record is being written");
    bytes.push(b'\n');
    crate::store::rewrite(&stream.file, &bytes);
    let said = report(&dir, &[]);
    assert_eq!(said.code, 2, "what it would say is not known");
    assert!(
        said.err
            .starts_with("note: 1 line cannot be read as a record"),
        "{}",
        said.err
    );

    let empty = tempdir().unwrap();
    let said = report(&empty, &[]);
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    assert!(
        said.err.starts_with("error: [DIR] holds no store"),
        "{}",
        said.err
    );
}

#[audit_event(name = "booking.created")]
#[derive(Default)]
struct BookingCreated {
    #[audit(internal)]
    target_resource: Option<&'static str>,
}

/// Owes its event, which lacks a target.
async fn create(ctx: AuditCtx<BookingCreated>) -> AuditResult<&'static str> {
    ctx.success(BookingCreated::default())
        .await?
        .respond("booked")
}

#[tokio::test]
async fn records_of_a_service_that_observes_are_read() {
    let dir = tempdir().unwrap();
    let log = ComplianceLog::builder("booking-api")
        .env("prod")
        .dir(dir.path())
        .mode(Mode::Observe);
    let log = log.open().unwrap();
    let app = AuditRouter::new(&log)
        .route("/bookings", audited::post(create))
        .route("/health", unaudited::get(async || "ok", "liveness probe"));
    let app = Router::from(app);
    for (method, path) in [
        ("POST", "/bookings"),
        ("POST", "/bookings"),
        ("GET", "/health"),
    ] {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        assert!(answer.status().is_success());
        axum::body::to_bytes(answer.into_body(), 64).await.unwrap();
    }
    let plain = Router::new().route("/rates", put(async || "changed"));
    let plain = plain.layer(AuditLayer::new(&log));
    let request = Request::put("/rates").body(Body::empty()).unwrap();
    drop(plain.oneshot(request).await.unwrap());
    log.shutdown().unwrap();

    let said = report(&dir, &[]);
    assert_eq!(
        said.out,
        "\
count  finding           where            what
    2  would_refuse      POST /bookings   NO_TENANT
    1  audit_gap         PUT /rates
    2  schema_violation  booking.created  target_resource
3 findings in 6 records, 4 of them the end of a request
"
    );
    assert_eq!(said.code, 1);
}
