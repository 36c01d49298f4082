//! For whom a token speaks: one organization, several, none, or a program of its own.

use serde_json::{Value, json};

use crate::{
    api::{ACME, Api, MISMATCH},
    issuer::{KEYCLOAK, anna, anna_with},
};

fn of(organization: Value) -> String {
    KEYCLOAK.rs256(&anna_with("organization", organization))
}

#[tokio::test]
async fn one_organization_is_the_tenant_in_every_shape() {
    for shape in [
        json!(["acme"]),
        json!("acme"),
        json!({ "acme": {} }),
        json!({ "acme": { "id": "42c3e46f-2477-44d7-a85b-d3b43f6b31fa", "tier": ["gold"] } }),
    ] {
        for path in ["/bookings", ACME] {
            let api = Api::new();
            assert_eq!(api.get(path, &of(shape.clone()), &[]).await, 200, "{shape}");
            api.assert_acted("acme u-anna booking-web");
        }
    }
}

#[tokio::test]
async fn of_several_organizations_the_path_chooses_and_nobody_guesses() {
    for shape in [
        json!(["globex", "acme"]),
        json!({ "globex": { "id": "1" }, "acme": {} }),
    ] {
        let api = Api::new();
        assert_eq!(api.get(ACME, &of(shape.clone()), &[]).await, 200);
        api.assert_acted("acme u-anna booking-web");

        let api = Api::new();
        assert_eq!(api.get("/bookings", &of(shape.clone()), &[]).await, 401);
        api.only("bookings.listed").fail("NO_TENANT");
        api.assert_acted("none u-anna booking-web");

        let api = Api::new();
        let evil = "/tenants/evil/bookings";
        assert_eq!(api.get(evil, &of(shape), &[]).await, 403);
        let record = api.only(MISMATCH);
        assert_eq!(record["data"]["claimed_tenant_id"], "evil", "{record:#?}");
        api.assert_acted("none u-anna booking-web");
    }
}

#[tokio::test]
async fn without_an_organization_there_is_no_tenant() {
    for shape in [Value::Null, json!([]), json!({})] {
        let api = Api::new();
        assert_eq!(api.get("/bookings", &of(shape.clone()), &[]).await, 401);
        api.only("bookings.listed").fail("NO_TENANT");
        api.assert_acted("none u-anna booking-web");

        let api = Api::new();
        assert_eq!(api.get(ACME, &of(shape), &[]).await, 403);
        let record = api.only(MISMATCH);
        assert_eq!(record["data"]["claimed_tenant_id"], "acme", "{record:#?}");
        api.assert_acted("none u-anna booking-web");
    }
}

#[tokio::test]
async fn another_tenant_in_the_path_is_refused_and_told_of() {
    let api = Api::new();
    let path = "/tenants/globex/bookings";
    let token = KEYCLOAK.rs256(&anna());
    let answer = api.get(path, &token, &[]).await;
    assert_eq!(answer, 403);
    let record = api.only(MISMATCH);
    for (key, value) in [
        ("category", "security"),
        ("level", "WARN"),
        ("outcome", "fail"),
        ("outcome_detail", "denied"),
        ("error_code", "CONTEXT_MISMATCH"),
        ("target_resource", "GET /tenants/{tenant}/bookings"),
    ] {
        assert_eq!(record[key], value, "{record:#?}");
    }
    assert_eq!(record["data"]["claimed_tenant_id"], "globex");
    assert_eq!(record["data"]["claimed_tenant_in"], "request");
    api.only("http.request").fail("HTTP_403");
    assert_eq!(api.captured.named("bookings.listed").len(), 0);
    api.assert_acted("acme u-anna booking-web");
}

#[tokio::test]
async fn a_path_that_cannot_be_read_is_no_way_around_its_tenant() {
    let api = Api::new();
    let token = KEYCLOAK.rs256(&anna());
    let answer = api.get("/tenants/%ff/bookings", &token, &[]).await;
    assert_eq!(answer, 400);
    assert_eq!(api.captured.named("bookings.listed").len(), 0);
    api.only("http.request").fail("HTTP_400");
}

#[tokio::test]
async fn a_service_account_acts_as_a_program() {
    let mut account = anna_with("sub", json!("9f0e"));
    account["azp"] = json!("settlement");
    account["client_id"] = json!("settlement");
    account["preferred_username"] = json!("service-account-settlement");
    let api = Api::new();
    // Whom it claims to act for is not proven by its token.
    let headers = [("x-user-id", "u-anna")];
    let status = api.get(ACME, &KEYCLOAK.es256(&account), &headers).await;
    assert_eq!(status, 200);
    let record = api.only(MISMATCH);
    assert_eq!(record["data"]["claimed_user_id"], "u-anna", "{record:#?}");
    api.assert_acted("acme - settlement");
}

#[tokio::test]
async fn who_acts_for_another_is_recorded_with_whom() {
    let claims = anna_with("act", json!({ "sub": "u-support" }));
    let api = Api::new();
    assert_eq!(api.get(ACME, &KEYCLOAK.rs256(&claims), &[]).await, 200);
    let record = api.only("bookings.listed");
    assert_eq!(record["on_behalf_of"], "u-anna", "{record:#?}");
    api.assert_acted("acme u-support booking-web");
}

#[tokio::test]
async fn roles_decide_and_are_not_recorded() {
    let refund = "/tenants/acme/bookings/17/refund";
    for (roles, status) in [(json!(["refund"]), 200), (json!(["other"]), 403)] {
        let access = json!({ "booking-api": { "roles": roles } });
        let token = KEYCLOAK.rs256(&anna_with("resource_access", access));
        let api = Api::new();
        let bearer = format!("Bearer {token}");
        let answer = api
            .send("POST", refund, &[("authorization", &bearer)])
            .await;
        assert_eq!(answer.0.as_u16(), status, "{answer:?}");
        let record = api.only("booking.refunded");
        if status == 200 {
            record.success().target("booking/17");
        } else {
            record.fail("NO_ROLE");
        }
        api.assert_acted("acme u-anna booking-web");
        assert!(!api.captured.text().contains("clerk"));
    }
}
