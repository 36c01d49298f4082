//! Who acts: said once by the authentication, seen by every record of the request.

use axum::{
    Router,
    extract::{Path, Request},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use compliance_log::{
    audit_event,
    context::Identity,
    http::{AuditCtx, AuditLayer, AuditResult, AuditRouter, Claim, RequestAudit, Trust, audited},
};

use serde_json::{Value, json};

use super::served::{header, named, request, serve, verdict};

#[audit_event(name = "booking.read", target = "booking/{booking_id}")]
struct BookingRead {
    booking_id: u64,
}

/// Believes the header, as no service should.
async fn authenticate(audit: RequestAudit, request: Request, next: Next) -> Response {
    let tokens = request.headers().get_all("authorization");
    let subs: Vec<String> = tokens
        .iter()
        .map(|sub| sub.to_str().unwrap().to_owned())
        .collect();
    for sub in subs {
        let identity = Identity::new()
            .tenant(format!("{sub}-tenant"))
            .user(sub)
            .client("app");
        if audit.verified(identity).is_err() {
            return StatusCode::FORBIDDEN.into_response();
        }
    }
    next.run(request).await
}

async fn read_booking(audit: RequestAudit) -> String {
    BookingRead { booking_id: 17 }.emit().unwrap();
    format!("{:?}", audit.context().identity())
}

fn app() -> Router {
    Router::new()
        .route("/bookings/{id}", get(read_booking))
        .layer(middleware::from_fn(authenticate))
}

#[tokio::test]
async fn an_identity_set_inside_is_seen_by_every_record() {
    let server = serve(|log| app().layer(AuditLayer::new(log))).await;
    let answer = server
        .send(&request("GET", "/bookings/17", "authorization: u-1\r\n"))
        .await;
    assert!(answer.contains("u-1"), "{answer}");
    let records = server.records(1).await;
    for event in ["http.request", "booking.read"] {
        let record = &named(&records, event)[0];
        assert_eq!(record["tenant_id"], "u-1-tenant", "{record:#}");
        assert_eq!(record["user_id"], "u-1", "{record:#}");
        assert_eq!(record["client_id"], "app", "{record:#}");
    }
}

#[tokio::test]
async fn nobody_is_recorded_as_nobody() {
    let server = serve(|log| app().layer(AuditLayer::new(log))).await;
    let evil = "x-tenant-id: evil\r\nx-user-id: admin\r\nbaggage: tenant_id=evil,user_id=admin\r\n";
    server.send(&request("GET", "/bookings/17", evil)).await;
    let records = server.records(1).await;
    for record in of_requests(&records) {
        assert_eq!(
            (&record["tenant_id"], &record["user_id"]),
            (&"none".into(), &"anonymous".into())
        );
        let told = record["event"] == "security.context_mismatch";
        assert_eq!(record.to_string().contains("evil"), told, "{record:#}");
    }
    let mismatches = named(&records, "security.context_mismatch");
    let [mismatch] = &*mismatches else {
        panic!("{mismatches:#?}");
    };
    let claimed = json!({
        "claimed_tenant_id": "evil", "claimed_tenant_in": "x-tenant-id",
        "claimed_user_id": "admin", "claimed_user_in": "x-user-id",
    });
    assert_eq!(mismatch["data"], claimed);
}

/// The records that were written within a request.
fn of_requests(records: &[Value]) -> impl Iterator<Item = &Value> {
    records
        .iter()
        .filter(|record| record["request_id"].is_string())
}

#[tokio::test]
async fn a_second_identity_is_refused_and_recorded() {
    let server = serve(|log| app().layer(AuditLayer::new(log))).await;
    let same = "authorization: u-1\r\nauthorization: u-1\r\n";
    let two = "authorization: u-1\r\nauthorization: u-2\r\n";
    let answer = server.send(&request("GET", "/bookings/17", same)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = server.send(&request("GET", "/bookings/17", two)).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");

    let records = server.records(2).await;
    let access = &named(&records, "http.request")[1];
    assert_eq!(access["user_id"], "u-1", "{access:#}");
    let mismatches = named(&records, "security.context_mismatch");
    let [mismatch] = &*mismatches else {
        panic!("{mismatches:#?}");
    };
    for (key, value) in [
        ("category", "security"),
        ("level", "WARN"),
        ("outcome", "fail"),
        ("outcome_detail", "denied"),
        ("error_code", "CONTEXT_MISMATCH"),
        ("target_resource", "GET /bookings/{id}"),
        ("user_id", "u-1"),
        ("tenant_id", "u-1-tenant"),
    ] {
        assert_eq!(mismatch[key], value, "{mismatch:#}");
    }
    assert_eq!(mismatch["request_id"], access["request_id"]);
    assert_eq!(mismatch["data"]["refused_user_id"], "u-2", "{mismatch:#}");
    assert_eq!(
        mismatch["data"]["refused_tenant_id"], "u-2-tenant",
        "{mismatch:#}"
    );
}

#[tokio::test]
async fn without_the_layer_the_extractor_refuses() {
    let server = serve(|_| app()).await;
    let answer = server.get("/bookings/17").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    server.records(0).await;
}

#[tokio::test]
async fn two_layers_write_one_record() {
    let server = serve(|log| {
        let inner = app().layer(AuditLayer::new(log));
        Router::new()
            .fallback_service(inner)
            .layer(AuditLayer::new(log))
    })
    .await;
    server
        .send(&request("GET", "/bookings/17", "authorization: u-1\r\n"))
        .await;
    let record = server.access().await;
    assert_eq!(
        verdict(&record),
        "GET /bookings/{id} | 200 | success | - | -"
    );
    assert_eq!(record["user_id"], "u-1");
}

#[tokio::test]
async fn a_refused_identity_and_a_claimed_one_share_a_record() {
    let server = serve(|log| app().layer(AuditLayer::new(log))).await;
    let two = "x-tenant-id: evil\r\nauthorization: u-1\r\nauthorization: u-2\r\n";
    server.send(&request("GET", "/bookings/17", two)).await;
    let records = server.records(1).await;
    let mismatches = named(&records, "security.context_mismatch");
    let [mismatch] = &*mismatches else {
        panic!("{mismatches:#?}");
    };
    assert_eq!(mismatch["tenant_id"], "u-1-tenant");
    assert_eq!(mismatch["data"]["refused_user_id"], "u-2");
    assert_eq!(mismatch["data"]["claimed_tenant_id"], "evil");
}

#[tokio::test]
async fn a_claim_that_a_service_ignores_is_not_compared() {
    let server = serve(|log| app().layer(AuditLayer::new(log).ignore_claim(Claim::User))).await;
    let own = "authorization: u-1\r\nx-user-id: anna\r\n";
    server.send(&request("GET", "/bookings/17", own)).await;
    let evil = "authorization: u-1\r\nx-user-id: anna\r\nx-tenant-id: evil\r\n";
    server.send(&request("GET", "/bookings/17", evil)).await;
    let records = server.records(2).await;
    let mismatches = named(&records, "security.context_mismatch");
    let [mismatch] = &*mismatches else {
        panic!("{mismatches:#?}");
    };
    let claimed = json!({ "claimed_tenant_id": "evil", "claimed_tenant_in": "x-tenant-id" });
    assert_eq!(mismatch["data"], claimed);
}

/// A handler whose path names a tenant.
async fn list(ctx: AuditCtx<Listed>, audit: RequestAudit, path: Path<String>) -> AuditResult<()> {
    audit.check_tenant(&path)?;
    ctx.success(Listed {}).await?.respond(())
}

#[audit_event(name = "bookings.listed", target = "bookings")]
struct Listed {}

#[tokio::test]
async fn a_handler_refuses_a_path_that_is_another_tenants() {
    let server = serve(|log| {
        let app = AuditRouter::new(log).route("/tenants/{tenant}/bookings", audited::get(list));
        app.layer(middleware::from_fn(authenticate)).into()
    })
    .await;
    let token = "authorization: u-1\r\n";
    for (tenant, status) in [("u-1-tenant", "200"), ("evil%0d%0aFAKE", "403")] {
        let path = format!("/tenants/{tenant}/bookings");
        let answer = server.send(&request("GET", &path, token)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    let records = server.records(2).await;
    let listed = named(&records, "bookings.listed");
    assert_eq!(listed[0]["outcome"], "success");
    assert_eq!(listed[1]["error_code"], "CONTEXT_MISMATCH");
    assert_eq!(listed[1]["outcome_detail"], "denied");
    let mismatch = &named(&records, "security.context_mismatch")[0];
    assert_eq!(mismatch["data"]["claimed_tenant_id"], "evil\r\nFAKE");
    for record in of_requests(&records) {
        assert_eq!(record["tenant_id"], "u-1-tenant", "{record:#}");
    }
}

#[tokio::test]
async fn at_an_edge_no_request_takes_the_id_of_another() {
    let server = serve(|log| app().layer(AuditLayer::new(log).trust(Trust::edge()))).await;
    let answer = server.get("/bookings/17").await;
    let id = header(&answer, "x-request-id").unwrap().to_owned();
    let spoofed = format!("x-request-id: {id}\r\n");
    let answer = server.send(&request("GET", "/bookings/18", &spoofed)).await;
    assert_ne!(header(&answer, "x-request-id"), Some(&*id));
    let records = server.records(2).await;
    let with_id = of_requests(&records).filter(|record| record["request_id"] == *id);
    let paths: Vec<_> = with_id
        .filter_map(|record| record["data"]["path"].as_str())
        .collect();
    assert_eq!(paths, ["/bookings/17"]);
}
