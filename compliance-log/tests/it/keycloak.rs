//! The claims of Keycloak's tokens, in every shape, and in shapes that they never should have.

use compliance_log::{
    audit_event,
    context::{AuditContext, ClientId, Identity, TenantId, UserId},
    event::Failure as _,
    keycloak::{ClaimsErrorKind, Tenancy, VerifiedClaims},
    test_util,
};
use proptest::{collection, prelude::*, sample};
use serde_json::{Map, Value, json};

fn read(claims: &Value) -> VerifiedClaims {
    VerifiedClaims::from_json(claims).unwrap()
}

/// A person's token with one more claim.
fn token(claim: &str, value: Value) -> Value {
    let mut token = json!({ "sub": "u-1", "azp": "web" });
    token[claim] = value;
    token
}

/// `tenant user client for`; `-` for what is not known.
fn identity(identity: &Identity) -> String {
    let Identity {
        tenant,
        user,
        client,
        on_behalf_of,
        ..
    } = identity;
    let ids = [
        tenant.as_ref().map(TenantId::as_str),
        user.as_ref().map(UserId::as_str),
        client.as_ref().map(ClientId::as_str),
        on_behalf_of.as_ref().map(UserId::as_str),
    ];
    ids.map(|id| id.unwrap_or("-")).join(" ")
}

/// What a token of Keycloak 26 is like.
fn whole() -> Value {
    json!({
        "exp": 1_764_000_300, "iat": 1_764_000_000, "jti": "trrtcc:0d6e", "typ": "Bearer",
        "iss": "https://sso.example.org/realms/travel", "aud": ["booking-api", "account"],
        "sub": "7b1c3f8e-4d2a-4c0e-9f51-0a6d2f9e8c47", "azp": "booking-web",
        "sid": "f1a0", "acr": "1", "allowed-origins": ["https://app.example.org"],
        "realm_access": { "roles": ["offline_access", "clerk"] },
        "resource_access": {
            "booking-api": { "roles": ["refund"] },
            "account": { "roles": ["view-profile"] },
        },
        "scope": "openid organization", "email_verified": true,
        "organization": { "acme": { "id": "42c3e46f-2477-44d7-a85b-d3b43f6b31fa", "tier": ["gold"] } },
        "preferred_username": "anna", "email": "anna@example.org",
    })
}

#[test]
fn a_whole_token_is_read() {
    let claims = read(&whole());
    let sub = "7b1c3f8e-4d2a-4c0e-9f51-0a6d2f9e8c47";
    assert_eq!(
        identity(&Identity::from(&claims)),
        format!("acme {sub} booking-web -")
    );
    assert!(!claims.is_service_account());
    assert_eq!(claims.realm_roles(), ["offline_access", "clerk"]);
    assert_eq!(claims.client_roles("booking-api"), ["refund"]);
    assert_eq!(claims.client_roles("other"), [""; 0]);
    let [acme] = claims.organizations() else {
        panic!("{claims:?}");
    };
    assert_eq!(acme.id(), Some("42c3e46f-2477-44d7-a85b-d3b43f6b31fa"));
}

#[test]
fn the_crate_that_verifies_gives_the_claims_at_once() {
    let text = whole().to_string();
    let claims: VerifiedClaims = serde_json::from_str(&text).unwrap();
    assert_eq!(claims, read(&whole()));
    let error = serde_json::from_str::<VerifiedClaims>(r#"{"azp":"web"}"#).unwrap_err();
    assert!(error.to_string().contains("`sub` is missing"), "{error}");
}

#[test]
fn every_shape_of_the_organization_is_read() {
    for (organization, tenant) in [
        (json!(["acme"]), "acme"),
        (json!(["acme", "acme"]), "acme"),
        (json!("acme"), "acme"),
        (json!({ "acme": {} }), "acme"),
        (json!({ "acme": null }), "acme"),
        (
            json!({ "acme": { "id": "42c3", "region": ["eu"] } }),
            "acme",
        ),
        (json!(["acme", "globex"]), "-"),
        (json!({ "acme": {}, "globex": { "id": "1" } }), "-"),
        (json!([]), "-"),
        (json!({}), "-"),
        (Value::Null, "-"),
    ] {
        let claims = read(&token("organization", organization));
        assert_eq!(
            identity(&Identity::from(&claims)),
            format!("{tenant} u-1 web -"),
            "{claims:?}"
        );
    }
    assert_eq!(read(&json!({ "sub": "u-1" })).tenancy(), Tenancy::None);
}

#[test]
fn of_several_organizations_the_service_chooses_one_that_the_token_names() {
    let claims = read(&token("organization", json!({ "acme": {}, "globex": {} })));
    assert_eq!(claims.tenancy(), Tenancy::Several);
    for (chosen, tenant) in [
        ("acme", "acme"),
        ("globex", "globex"),
        ("evil", "-"),
        ("", "-"),
    ] {
        let member = identity(&claims.as_member_of(chosen));
        assert_eq!(member, format!("{tenant} u-1 web -"), "{chosen}");
    }
    // One that the token does not name changes nothing where there is no choice either.
    let claims = read(&token("organization", json!(["acme"])));
    assert_eq!(identity(&claims.as_member_of("evil")), "acme u-1 web -");
}

#[test]
fn a_service_account_is_a_program_and_nobody_else_can_look_like_one() {
    let account = json!({
        "sub": "9f0e", "azp": "Billing", "client_id": "Billing",
        "preferred_username": "service-account-billing", "organization": ["acme"],
    });
    let claims = read(&account);
    assert!(claims.is_service_account());
    assert_eq!(identity(&Identity::from(&claims)), "acme - Billing -");
    assert_eq!(claims.subject().as_str(), "9f0e");

    for (claim, value) in [
        // A person who took the name: `client_id` is only in tokens that a client got for itself.
        ("client_id", Value::Null),
        ("client_id", json!("other")),
        ("preferred_username", json!("service-account-other")),
        ("preferred_username", json!("billing")),
        ("preferred_username", Value::Null),
        ("azp", json!("other")),
    ] {
        let mut person = account.clone();
        person[claim] = value;
        let claims = read(&person);
        assert!(!claims.is_service_account(), "{person}");
        let user = Identity::from(&claims).user.unwrap();
        assert_eq!(user.as_str(), "9f0e", "{person}");
    }
}

#[test]
fn the_client_is_azp_or_else_client_id() {
    for (claims, client) in [
        (
            json!({ "sub": "u-1", "azp": "web", "client_id": "other" }),
            "web",
        ),
        (json!({ "sub": "u-1", "client_id": "web" }), "web"),
        (json!({ "sub": "u-1", "clientId": "web" }), "web"),
        (json!({ "sub": "u-1" }), "-"),
    ] {
        let identity = identity(&Identity::from(&read(&claims)));
        assert_eq!(identity, format!("- u-1 {client} -"), "{claims}");
    }
}

#[test]
fn who_acts_for_another_is_the_user() {
    for (act, expected) in [
        (json!({ "sub": "support-7" }), "- support-7 web u-1"),
        (
            json!({ "sub": "support-7", "act": { "sub": "desk" } }),
            "- support-7 web u-1",
        ),
        // The program itself is the client already.
        (json!({ "sub": "web" }), "- u-1 web -"),
    ] {
        let claims = read(&token("act", act));
        assert_eq!(identity(&Identity::from(&claims)), expected);
    }
}

#[test]
fn what_is_not_of_its_shape_is_an_error_that_names_the_claim() {
    use ClaimsErrorKind::{Empty, Missing, Reserved, TooLong, TooMany, Unprintable, WrongType};
    let long = "x".repeat(256);
    let numbered = |count: usize| (0..count).map(|n| format!("r{n}")).collect::<Vec<_>>();
    let clients = |count| -> Map<String, Value> {
        let clients = numbered(count).into_iter();
        clients.map(|id| (id, json!({ "roles": [] }))).collect()
    };
    for (claim, value, kind) in [
        ("sub", Value::Null, Missing),
        ("sub", json!(7), WrongType),
        ("sub", json!(["u-1"]), WrongType),
        ("sub", json!(""), Empty),
        ("sub", json!(" \t"), Empty),
        ("sub", json!(long), TooLong),
        ("sub", json!("u-1\r\nFAKE"), Unprintable),
        ("sub", json!("u-1\u{0}"), Unprintable),
        ("sub", json!("u-1\u{85}"), Unprintable),
        ("sub", json!("\u{202e}1-u"), Unprintable),
        ("sub", json!("u\u{200b}-1"), Unprintable),
        ("sub", json!("u-1\u{e0041}"), Unprintable),
        ("sub", json!("anonymous"), Reserved),
        ("azp", json!(false), WrongType),
        ("azp", json!(""), Empty),
        ("client_id", json!({}), WrongType),
        ("preferred_username", json!(["anna"]), WrongType),
        ("organization", json!(true), WrongType),
        ("organization", json!([["acme"]]), WrongType),
        ("organization", json!(["acme", 7]), WrongType),
        ("organization", json!(["acme", null]), WrongType),
        ("organization", json!({ "acme": "id" }), WrongType),
        ("organization", json!({ "acme": { "id": 7 } }), WrongType),
        ("organization", json!([""]), Empty),
        ("organization", json!({ "": {} }), Empty),
        ("organization", json!(["none"]), Reserved),
        ("organization", json!({ "ac\u{202e}me": {} }), Unprintable),
        ("organization", json!(numbered(257)), TooMany),
        ("organization", json!(clients(257)), TooMany),
        ("act", json!("support"), WrongType),
        ("act", json!({}), Missing),
        ("act", json!({ "sub": 7 }), WrongType),
        ("realm_access", json!([]), WrongType),
        ("realm_access", json!({ "roles": "clerk" }), WrongType),
        ("realm_access", json!({ "roles": ["clerk", 7] }), WrongType),
        (
            "realm_access",
            json!({ "roles": ["\u{1b}[31m"] }),
            Unprintable,
        ),
        (
            "realm_access",
            json!({ "roles": numbered(10_000) }),
            TooMany,
        ),
        ("resource_access", json!({ "web": ["clerk"] }), WrongType),
        (
            "resource_access",
            json!({ "web": { "roles": numbered(1025) } }),
            TooMany,
        ),
        ("resource_access", json!(clients(1025)), TooMany),
    ] {
        let error = VerifiedClaims::from_json(&token(claim, value.clone())).unwrap_err();
        assert_eq!((error.claim(), error.kind()), (claim, kind), "{value}");
        assert_eq!((error.error_code(), error.status()), ("BAD_CLAIMS", 401));
        // An error goes to logs and answers, so it says nothing of the value.
        assert!(error.to_string().len() < 80, "{error}");
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }
    for value in [Value::Null, json!([]), json!("u-1"), json!(7)] {
        let error = VerifiedClaims::from_json(&value).unwrap_err();
        assert_eq!((error.claim(), error.kind()), ("sub", Missing));
    }
}

#[test]
fn records_say_who_acts_for_whom() {
    let (log, captured) = test_util::capture();
    let request = AuditContext::request().request_id("r-1").build();
    let claims = read(&token("act", json!({ "sub": "support-7" })));
    request.verified(&claims).unwrap();
    test_util::within_sync(&log, || {
        request.scope_sync(|| {
            Looked { page: 1 }.emit().unwrap();
            let on_behalf_of = "u-9";
            Ordered {
                page: 1,
                on_behalf_of,
            }
            .emit()
            .unwrap();
        });
    });
    captured.assert_one::<Looked>().success().user("support-7");
    let record = &captured.all::<Looked>()[0];
    assert_eq!(record["on_behalf_of"], "u-1", "{record:#}");
    assert_eq!(record["client_id"], "web", "{record:#}");
    assert_eq!(record["tenant_id"], "none", "{record:#}");
    // What an event says of itself stands in the place of that, once.
    let line = captured.text().lines().last().unwrap().to_owned();
    assert_eq!(line.matches("on_behalf_of").count(), 1, "{line}");
    captured
        .assert_one::<Ordered>()
        .field("on_behalf_of", "u-9");
    captured.assert_complete();
}

#[audit_event(name = "page.looked", target = "page/{page}")]
struct Looked {
    page: u32,
}

#[audit_event(name = "page.ordered", target = "page/{page}")]
struct Ordered {
    page: u32,
    #[audit(public, max_len = 64)]
    on_behalf_of: &'static str,
}

/// Any JSON, with the names and values that mean something more often than chance has them.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        sample::select(vec![
            "acme",
            "u-1",
            "service-account-web",
            "web",
            "none",
            "\u{202e}"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let key = prop_oneof![
            sample::select(vec!["sub", "roles", "id", "act", "web"]).prop_map(str::to_owned),
            any::<String>(),
        ];
        prop_oneof![
            collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            collection::btree_map(key, inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_claims() -> impl Strategy<Value = Value> {
    let claim = sample::select(vec![
        "sub",
        "azp",
        "client_id",
        "preferred_username",
        "organization",
        "act",
        "realm_access",
        "resource_access",
    ]);
    collection::btree_map(claim.prop_map(str::to_owned), any_json(), 0..8).prop_map(|map| {
        let mut token = json!({ "sub": "u-1" });
        for (claim, value) in map {
            token[claim] = value;
        }
        token
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(claims in prop_oneof![any_json(), any_claims()]) {
        let Ok(read) = VerifiedClaims::from_json(&claims) else {
            return Ok(());
        };
        let names = [
            Some(read.subject().as_str()),
            read.client().map(ClientId::as_str),
            read.actor().map(UserId::as_str),
        ];
        let aliases = read.organizations().iter().map(|one| one.alias().as_str());
        for name in names.into_iter().flatten().chain(aliases) {
            prop_assert!((1..=255).contains(&name.len()));
            prop_assert!(!name.contains(char::is_control), "{:?}", name);
            prop_assert!(name != "none" && name != "anonymous");
        }
        prop_assert!(read.organizations().len() <= 256);
        prop_assert!(read.realm_roles().len() <= 1024);
        // A tenant is one that the token names, whatever the service asks for.
        for asked in ["acme", "evil", ""] {
            if let Some(tenant) = read.as_member_of(asked).tenant {
                prop_assert!(read.organizations().iter().any(|one| *one.alias() == tenant));
            }
        }
    }
}
