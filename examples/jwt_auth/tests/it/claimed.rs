//! What a request claims without proof is told of, and never believed.

use serde_json::{Value, json};

use crate::{
    api::{ACME, Api, MISMATCH},
    issuer::{KEYCLOAK, anna},
};

/// Asks with Anna's token and these headers; gives the fields of the only mismatch.
async fn mismatch(headers: &[(&str, &str)]) -> Value {
    let api = Api::new();
    let status = api.get(ACME, &KEYCLOAK.rs256(&anna()), headers).await;
    assert_eq!(status, 200, "a claim changes nothing");
    api.only("bookings.listed").success();
    api.assert_acted("acme u-anna booking-web");
    let record = api.only(MISMATCH);
    assert_eq!(record["request_id"], api.only("http.request")["request_id"]);
    // One record is one line, and nothing in it moves the cursor of whoever reads it.
    let text = api.captured.text();
    assert!(!text.contains("FAKE\n"), "{text}");
    assert!(!text.replace('\n', "").contains(char::is_control), "{text}");
    record["data"].clone()
}

#[tokio::test]
async fn headers_are_told_of() {
    let data = mismatch(&[("x-tenant-id", "evil")]).await;
    let expected = json!({ "claimed_tenant_id": "evil", "claimed_tenant_in": "x-tenant-id" });
    assert_eq!(data, expected);
    let data = mismatch(&[("x-user-id", "admin"), ("x-tenant", "evil")]).await;
    let expected = json!({
        "claimed_tenant_id": "evil", "claimed_tenant_in": "x-tenant",
        "claimed_user_id": "admin", "claimed_user_in": "x-user-id",
    });
    assert_eq!(data, expected);
}

#[tokio::test]
async fn baggage_is_told_of() {
    let data = mismatch(&[("baggage", "offer_id=o-1,tenant_id=evil")]).await;
    let expected = json!({ "claimed_tenant_id": "evil", "claimed_tenant_in": "baggage" });
    assert_eq!(data, expected);
    let data = mismatch(&[("baggage", "user_id=admin%0d%0aFAKE")]).await;
    let expected = json!({
        "claimed_user_id": "admin%0d%0aFAKE", "claimed_user_in": "baggage",
    });
    assert_eq!(data, expected);
}

#[tokio::test]
async fn what_is_so_is_not_told_of() {
    let api = Api::new();
    let headers = [
        ("x-tenant-id", "acme"),
        ("x-user-id", "u-anna"),
        ("baggage", "tenant_id=acme,user_id=u-anna"),
    ];
    let token = KEYCLOAK.rs256(&anna());
    assert_eq!(api.get(ACME, &token, &headers).await, 200);
    assert_eq!(api.captured.named(MISMATCH).len(), 0);
    api.assert_acted("acme u-anna booking-web");
}

#[tokio::test]
async fn one_request_leaves_one_record_however_much_it_claims() {
    let api = Api::new();
    let values: Vec<String> = (0..200).map(|n| format!("evil-{n}")).collect();
    let mut headers: Vec<_> = values.iter().map(|v| ("x-tenant-id", &**v)).collect();
    headers.extend(values.iter().map(|v| ("x-user-id", &**v)));
    let long = format!("tenant_id={}", "x".repeat(7000));
    headers.push(("baggage", &long));
    // And a path that is another tenant's.
    let token = KEYCLOAK.rs256(&anna());
    let status = api.get("/tenants/globex/bookings", &token, &headers).await;
    assert_eq!(status, 403);
    let record = api.only(MISMATCH);
    assert_eq!(record["data"]["claimed_tenant_id"], "globex");
    assert_eq!(record["data"]["claimed_user_id"], "evil-0");
    assert!(record.to_string().len() < 2048, "{record:#?}");
    api.assert_acted("acme u-anna booking-web");
}

#[tokio::test]
async fn routes_without_anything_to_audit_tell_of_nothing() {
    let api = Api::new();
    let headers = [("x-tenant-id", "evil")];
    for _ in 0..3 {
        assert_eq!(api.send("GET", "/health", &headers).await.0, 200);
    }
    assert_eq!(api.captured.named(MISMATCH).len(), 0);
    assert!(!api.captured.text().contains("evil"));
}

#[tokio::test]
async fn a_request_cannot_take_the_id_of_another_one() {
    let api = Api::new();
    let token = KEYCLOAK.rs256(&anna());
    assert_eq!(api.get(ACME, &token, &[]).await, 200);
    let id = api.only("http.request")["request_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let spoofed = [("x-request-id", &*id)];
    assert_eq!(api.get("/bookings", &token, &spoofed).await, 200);
    let with_id = |event| {
        let records = api.captured.named(event);
        let same = records.iter().filter(|record| record["request_id"] == *id);
        (records.len(), same.count())
    };
    for event in ["http.request", "bookings.listed"] {
        assert_eq!(with_id(event), (2, 1), "{event}");
    }
    api.assert_acted("acme u-anna booking-web");
}
