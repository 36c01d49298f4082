//! Tokens that are true, and those that are not.

use jwt_auth::Verifier;
use serde_json::{Value, json};

use crate::{
    api::{ACME, Api},
    issuer::{AUDIENCE, ISSUER, Issuer, KEYCLOAK, anna, anna_with, hs256, seconds, token},
};

#[tokio::test]
async fn true_tokens_say_who_acts() {
    for token in [KEYCLOAK.rs256(&anna()), KEYCLOAK.es256(&anna())] {
        let api = Api::new();
        let bearer = format!("Bearer {token}");
        let (status, body) = api.send("GET", ACME, &[("authorization", &bearer)]).await;
        assert_eq!((status.as_u16(), &*body), (200, "the bookings of acme\n"));
        api.only("bookings.listed").success();
        api.assert_acted("acme u-anna booking-web");
        // The token itself, and names that people can change, are in no record.
        api.captured.assert_no_secrets([&*token]);
        assert!(!api.captured.text().contains("\"anna\""));
    }
}

#[tokio::test]
async fn without_a_token_nobody_acts() {
    let api = Api::new();
    assert_eq!(api.send("GET", ACME, &[]).await.0, 401);
    api.only("bookings.listed").fail("NO_TENANT");
    api.only("http.request").fail("HTTP_401");
    assert_eq!(api.captured.named("token.refused").len(), 0);
    api.assert_acted("none anonymous -");
}

/// Sends one token that must be refused.
async fn refused(name: &str, forged: &str, code: &str) {
    let api = Api::new();
    let status = api.get(ACME, forged, &[("x-tenant-id", "acme")]).await;
    assert_eq!(status, 401, "{name}");
    let record = api.only("token.refused");
    assert_eq!(record["error_code"], code, "{name}: {record:#?}");
    assert_eq!(record["outcome"], "fail", "{name}: {record:#?}");
    api.only("bookings.listed").fail("NO_TENANT");
    // Nothing of it is believed, and what the headers claim beside it is told of.
    api.assert_acted("none anonymous -");
    let claimed = api.only("security.context_mismatch");
    assert_eq!(claimed["data"]["claimed_tenant_id"], "acme", "{name}");
    // What is shorter may stand in a record by chance.
    if forged.len() > 16 {
        api.captured.assert_no_secrets([forged]);
    }
}

#[tokio::test]
async fn tokens_that_are_over_or_for_others_are_refused() {
    for (claim, value, code) in [
        ("exp", json!(seconds(-3600)), "TOKEN_EXPIRED"),
        ("exp", Value::Null, "TOKEN_CLAIMS"),
        ("exp", json!("tomorrow"), "TOKEN_CLAIMS"),
        ("nbf", json!(seconds(3600)), "TOKEN_NOT_YET"),
        ("aud", json!("other-api"), "TOKEN_AUDIENCE"),
        ("aud", json!(["account"]), "TOKEN_AUDIENCE"),
        ("aud", Value::Null, "TOKEN_CLAIMS"),
        (
            "iss",
            json!("https://sso.example.org/realms/other"),
            "TOKEN_ISSUER",
        ),
        ("iss", json!(format!("{ISSUER}/")), "TOKEN_ISSUER"),
        ("iss", Value::Null, "TOKEN_CLAIMS"),
        ("sub", Value::Null, "TOKEN_CLAIMS"),
        ("sub", json!(""), "TOKEN_CLAIMS"),
        ("sub", json!("admin\r\n{\"fake\":1}"), "TOKEN_CLAIMS"),
        ("organization", json!(7), "TOKEN_CLAIMS"),
        ("typ", json!("ID"), "TOKEN_KIND"),
        ("typ", Value::Null, "TOKEN_KIND"),
        ("cnf", json!({ "jkt": "0ZcOCORZNYy" }), "TOKEN_BOUND"),
    ] {
        let name = format!("{claim} {value}");
        let claims = anna_with(claim, value);
        refused(&name, &KEYCLOAK.rs256(&claims), code).await;
    }
}

#[tokio::test]
async fn the_algorithm_is_that_of_the_key_and_not_of_the_token() {
    let unsigned = |alg| {
        let header = json!({ "alg": alg, "typ": "JWT", "kid": "k-rsa" });
        token(&header, &anna(), |_| Vec::new())
    };
    for alg in ["none", "None", "NONE"] {
        refused(alg, &unsigned(alg), "TOKEN_MALFORMED").await;
    }
    refused("no signature", &unsigned("RS256"), "TOKEN_SIGNATURE").await;

    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": "k-rsa" });
    for public in KEYCLOAK.rsa_public() {
        let forged = hs256(&public, &header, &anna());
        refused("HS256", &forged, "TOKEN_ALGORITHM").await;
    }
    for alg in ["RS384", "PS256", "ES256"] {
        let header = json!({ "alg": alg, "typ": "JWT", "kid": "k-rsa" });
        let forged = KEYCLOAK.sign_rsa(&header, &anna());
        refused(alg, &forged, "TOKEN_ALGORITHM").await;
    }
}

#[tokio::test]
async fn only_the_key_that_a_token_names_is_tried() {
    let header = |id: Value| json!({ "alg": "RS256", "typ": "JWT", "kid": id });
    let signed = |id| KEYCLOAK.sign_rsa(&header(id), &anna());
    refused("other", &signed(json!("k-other")), "TOKEN_UNKNOWN_KEY").await;
    refused("no kid", &signed(Value::Null), "TOKEN_MALFORMED").await;
    // The key with which others encrypt does not sign.
    refused("enc", &signed(json!("k-enc")), "TOKEN_UNKNOWN_KEY").await;
    let crossed = json!({ "alg": "RS256", "typ": "JWT", "kid": "k-rsa" });
    let crossed = KEYCLOAK.sign_ec(&crossed, &anna());
    refused("crossed", &crossed, "TOKEN_SIGNATURE").await;
    let mut critical = header(json!("k-rsa"));
    critical["crit"] = json!(["b64"]);
    let critical = KEYCLOAK.sign_rsa(&critical, &anna());
    refused("critical", &critical, "TOKEN_MALFORMED").await;
    // Somebody else's key under the same name, and in the token itself.
    let other = Issuer::new();
    refused("foreign", &other.rs256(&anna()), "TOKEN_SIGNATURE").await;
    let mut header = header(json!("k-rsa"));
    header["jwk"] = other.rsa_key("sig", "RS256", "k-rsa");
    let brought = other.sign_rsa(&header, &anna());
    refused("brought along", &brought, "TOKEN_SIGNATURE").await;
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let valid = KEYCLOAK.rs256(&anna());
    let (text, signature) = valid.rsplit_once('.').unwrap();
    for forged in ["", "x", "a.b.c", "....", text] {
        refused(forged, forged, "TOKEN_MALFORMED").await;
    }
    let (header, _) = text.split_once('.').unwrap();
    let evil = KEYCLOAK.rs256(&anna_with("organization", json!(["evil"])));
    let payload = evil.split('.').nth(1).unwrap();
    let edited = format!("{header}.{payload}.{signature}");
    refused("edited", &edited, "TOKEN_SIGNATURE").await;
}

#[tokio::test]
async fn two_tokens_contradict_each_other() {
    let api = Api::new();
    let other = KEYCLOAK.rs256(&anna_with("sub", json!("u-other")));
    let second = format!("Bearer {other}");
    let anna = KEYCLOAK.rs256(&anna());
    let status = api.get(ACME, &anna, &[("authorization", &second)]).await;
    assert_eq!(status, 401);
    let record = api.only("token.refused");
    assert_eq!(record["error_code"], "TOKEN_MALFORMED");
    api.assert_acted("none anonymous -");
}

#[test]
fn an_issuer_without_a_key_that_signs_is_an_error() {
    let secret = json!({ "kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "k-oct" });
    for keys in [
        json!([]),
        json!([secret]),
        json!([KEYCLOAK.rsa_key("enc", "RSA-OAEP", "k-enc")]),
        json!([KEYCLOAK.rsa_key("sig", "RS512", "k-512")]),
    ] {
        let set = serde_json::from_value(json!({ "keys": keys })).unwrap();
        assert!(Verifier::new(&set, ISSUER, AUDIENCE).is_err(), "{keys}");
    }
}
