//! What stands in place of values that name somebody.

use std::{
    fs::{self, Permissions},
    num::NonZeroU32,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use compliance_log::{
    Builder, ComplianceLog, ErrorKind, Policy, audit_event,
    context::{AuditContext, Identity},
    guard,
    pseudonym::{KeyFile, Keyring, PseudonymKey, PseudonymKeys},
    test_util::{Captured, Found, capture_with, within_sync},
};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{records, wait_until};

#[audit_event(name = "trip.booked", target = "trip/{trip}")]
struct Booked {
    trip: u64,
    #[audit(pseudonym)]
    passenger: &'static str,
    #[audit(pseudonym)]
    companions: Vec<&'static str>,
    #[audit(pseudonym)]
    phone: Option<u64>,
    #[audit(pseudonym)]
    on_behalf_of: Option<String>,
}

fn booked(passenger: &'static str) -> Booked {
    Booked {
        trip: 17,
        passenger,
        companions: Vec::new(),
        phone: None,
        on_behalf_of: None,
    }
}

/// Every secret is the one of the tenant's first letter.
#[derive(Debug)]
struct Keys;

impl PseudonymKeys for Keys {
    fn key(&self, tenant: &str, _field: &str) -> Option<PseudonymKey> {
        let secret = [tenant.bytes().next()?; 32];
        Some(PseudonymKey::new(NonZeroU32::MIN, &secret))
    }
}

fn capture(complete: impl FnOnce(Builder) -> Builder) -> (ComplianceLog, Captured) {
    capture_with(|builder| complete(builder.pseudonym_keys(Keys)))
}

fn in_tenant<R>(log: &ComplianceLog, tenant: &str, work: impl FnOnce() -> R) -> R {
    let job = AuditContext::job("import").tenant(tenant).build();
    within_sync(log, || job.scope_sync(work))
}

fn last(captured: &Captured, event: &str) -> Found {
    captured.named(event).pop().unwrap()
}

fn by(field: &str, rule: &str, action: &str) -> Value {
    json!({"field": field, "rule": rule, "action": action})
}

/// By the Python of the module's documentation, with `b"a" * 32`, `acme` and the field.
const ADA: &str = "ps_1_ea7ae937022a6f4e1adf17ff348d10c6";
const BOB: &str = "ps_1_a36a6f9c401dd1b3036cc4551773e2bf";
const CYD: &str = "ps_1_a1c0590b4fd7118942006e2838f4e42c";
const NUMBER: &str = "ps_1_9db569c871f67f8d53ba979977a2e0f0";
const BOSS: &str = "ps_1_32a3799383dd45acea8822b5f1ed1a1d";
const MAIL_OF_USER: &str = "ps_1_1bf6c10b3c52f331f5819e695d9ad1d5";
const MAIL_OF_CLIENT: &str = "ps_1_ac1911a4ed45bc405a35eefb39b7b490";
const MAIL_IN_TEXT: &str = "ps_1_9a550bbb3378d6f2aa3a9086997f14b3";
const MAIL_BY_NAME: &str = "ps_1_1473ea40a0226dbb967e89d18be6e467";

#[test]
fn typed_fields_hold_what_others_compute() {
    let (log, captured) = capture(|builder| builder);
    in_tenant(&log, "acme", || {
        let event = Booked {
            companions: vec!["Bob", "Cyd", "Bob"],
            phone: Some(491_701_234_567),
            on_behalf_of: Some("boss@example.org".to_owned()),
            ..booked("Ada")
        };
        event.emit().unwrap();
    });
    let record = last(&captured, "trip.booked").into_value();
    assert_eq!(
        record["data"],
        json!({"trip": 17, "passenger": ADA, "companions": [BOB, CYD, BOB], "phone": NUMBER})
    );
    assert_eq!(record["on_behalf_of"], BOSS);
    assert_eq!(
        record["redactions"],
        json!([
            by("on_behalf_of", "type", "pseudonym"),
            by("data.passenger", "type", "pseudonym"),
            by("data.companions", "type", "pseudonym"),
            by("data.phone", "type", "pseudonym"),
        ])
    );
}

#[test]
fn tenants_and_fields_cannot_be_compared_and_one_value_can() {
    let (log, captured) = capture(|builder| builder);
    for tenant in ["acme", "acme", "bolt"] {
        in_tenant(&log, tenant, || {
            let event = Booked {
                companions: vec!["Ada"],
                ..booked("Ada")
            };
            event.emit().unwrap();
        });
    }
    // Nobody is known yet.
    within_sync(&log, || booked("Ada").emit()).unwrap();
    let records = captured.named("trip.booked");
    let [first, second, other, nobody] = &records[..] else {
        panic!("{records:?}")
    };
    let passenger = |record: &Found| record["data"]["passenger"].as_str().unwrap().to_owned();
    assert_eq!(passenger(first), passenger(second));
    assert_ne!(passenger(first), passenger(other));
    assert_ne!(first["data"]["companions"][0], passenger(first));
    let none = Keys.key("none", "data.passenger").unwrap();
    assert_eq!(nobody["tenant_id"], "none");
    assert_eq!(
        passenger(nobody),
        none.pseudonym("none", "data.passenger", "Ada").to_string()
    );
}

#[test]
fn a_user_or_client_that_names_somebody_has_one() {
    let (log, captured) = capture(|builder| builder);
    let context = AuditContext::request().build();
    let identity = Identity::new()
        .tenant("acme")
        .user("ada@example.org")
        .client("ada@example.org");
    context.verified(identity).unwrap();
    within_sync(&log, || context.scope_sync(|| booked("Ada").emit())).unwrap();
    let record = last(&captured, "trip.booked");
    assert_eq!(record["user_id"], MAIL_OF_USER);
    assert_eq!(record["client_id"], MAIL_OF_CLIENT);
    assert_eq!(
        record["redactions"],
        json!([
            by("user_id", "direct-identifier", "pseudonym"),
            by("client_id", "direct-identifier", "pseudonym"),
            by("data.passenger", "type", "pseudonym"),
        ])
    );
    assert!(!captured.text().contains("example.org"));
}

const POLICY: &str = r#"
version = 1

[[name]]
id = "person"
description = "who somebody is"
action = "pseudonym"
names = ["email"]
match = ["email"]
pass = ["mail"]

[[value]]
id = "mail"
description = "mail addresses"
action = "pseudonym"
pattern = '[a-z0-9.-]+@[a-z0-9.-]+\.[a-z]+'
triggers = ["at"]
match = ["a@b.org"]
pass = ["a at b.org"]

[[value]]
id = "hex"
description = "32 hex digits"
action = "pseudonym"
pattern = '[0-9a-f]{32}'
literals = ["id "]
match = ["id 00112233445566778899aabbccddeeff"]
pass = ["id 1"]

[[value]]
id = "pan"
description = "card numbers"
action = "mask"
find = "card-number"
match = ["4111111111111111"]
pass = ["4111111111111112"]
"#;

#[audit_event(name = "mail.sent", target = "mail")]
struct Mail {
    #[audit(internal)]
    email: &'static str,
    #[audit(internal)]
    text: String,
}

fn mail(captured: &Captured, log: &ComplianceLog, email: &'static str, text: &str) -> Value {
    let text = text.to_owned();
    in_tenant(log, "acme", || Mail { email, text }.emit()).unwrap();
    last(captured, "mail.sent").into_value()
}

#[test]
fn rules_of_the_policy_pseudonymise_by_name_and_within_texts() {
    let (log, captured) = capture(|builder| builder.policy(Policy::parse(POLICY).unwrap()));
    let record = mail(
        &captured,
        &log,
        "ada@example.org",
        "to ada@example.org, twice: ada@example.org",
    );
    assert_eq!(record["data"]["email"], MAIL_BY_NAME);
    assert_eq!(
        record["data"]["text"],
        format!("to {MAIL_IN_TEXT}, twice: {MAIL_IN_TEXT}")
    );
    assert_eq!(
        record["redactions"],
        json!([
            by("data.email", "person", "pseudonym"),
            by("data.text", "mail", "pseudonym")
        ])
    );
    // Again, and beside something that another rule looks for.
    for text in [format!("to {MAIL_IN_TEXT}"), format!("id {MAIL_IN_TEXT} @")] {
        let record = mail(&captured, &log, "a", &text);
        assert_eq!(record["data"]["text"], text);
        assert_eq!(
            record["redactions"],
            json!([by("data.email", "person", "pseudonym")])
        );
    }
}

#[test]
fn what_only_looks_like_a_pseudonym_is_none() {
    let (log, captured) = capture(|builder| builder.policy(Policy::parse(POLICY).unwrap()));
    // In a field of ours it is a value like any other.
    in_tenant(&log, "acme", || booked(ADA).emit()).unwrap();
    let record = last(&captured, "trip.booked");
    assert!(
        record["data"]["passenger"]
            .as_str()
            .unwrap()
            .starts_with("ps_1_")
    );
    assert_ne!(record["data"]["passenger"], ADA);
    // In a text it stays, but no redaction says that it was made here.
    let record = mail(&captured, &log, "a", ADA);
    assert_eq!(record["data"]["text"], ADA);
    assert_eq!(
        record["redactions"],
        json!([by("data.email", "person", "pseudonym")])
    );
    // Nor does it hide anything from other rules.
    let record = mail(&captured, &log, "a", "ps_1_ 4111111111111111");
    assert_eq!(record["data"]["text"], "ps_1_ ****1111");
}

#[test]
fn spans_and_guarded_layers_have_them_too() {
    #[derive(Clone, Default)]
    struct Out(Arc<std::sync::Mutex<Vec<u8>>>);

    impl std::io::Write for Out {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let (log, captured) = capture(|builder| builder.policy(Policy::parse(POLICY).unwrap()));
    let out = Out::default();
    let writer = out.clone();
    let fmt = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry()
        .with(log.tracing_layer())
        .with(guard(fmt));
    tracing::subscriber::with_default(subscriber, || {
        in_tenant(&log, "acme", || {
            let span = tracing::info_span!("sending", email = "ada@example.org");
            let _in = span.enter();
            tracing::info!(email = "ada@example.org", "to ada@example.org");
            tracing::info!("4111111111111111@example.org");
        });
    });
    let records = captured.named("log");
    assert_eq!(records[0]["message"], format!("to {MAIL_IN_TEXT}"));
    assert_eq!(records[0]["data"]["email"], MAIL_BY_NAME);
    assert_eq!(
        records[1]["data"]["email"], MAIL_BY_NAME,
        "that of the span"
    );
    assert_eq!(records[1]["message"], "[redacted:mail]");
    assert_eq!(
        records[1]["redactions"],
        json!([
            by("message", "mail", "drop"),
            by("data.email", "person", "pseudonym")
        ])
    );
    let shown = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    assert!(
        shown.contains(MAIL_BY_NAME) && shown.contains(MAIL_IN_TEXT),
        "{shown}"
    );
    assert!(!shown.contains("ada@example.org"), "{shown}");
}

/// A card number that is cut to four digits here and hashed there can be found by trying.
#[test]
fn a_card_number_is_never_hashed() {
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .dir(dir.path())
        .policy(Policy::parse(POLICY).unwrap())
        .pseudonym_keys(Keys)
        .open()
        .unwrap();
    let pans = [
        "4111111111111111",
        " 4111 1111 1111 1111 ",
        "card 4111-1111-1111-1111 of Ada",
        "a4111111111111111",
        "4111111111111111@example.org",
        // As a reader sees it, and as a form writes it.
        "４１１１１１１１１１１１１１１１",
        "４１１１１１１１１１１１１１１１@example.org",
        "4111%201111%201111%201111",
    ];
    for pan in pans {
        let context = AuditContext::request().build();
        let user = Identity::new()
            .tenant("acme")
            .user("4111111111111111@example.org");
        context.verified(user).unwrap();
        within_sync(&log, || {
            context.scope_sync(|| {
                let event = Booked {
                    companions: vec![pan, "Bob"],
                    phone: Some(4_111_111_111_111_111),
                    on_behalf_of: Some(pan.to_owned()),
                    ..booked(pan)
                };
                event.emit().unwrap();
                // With a letter before it, it is a hex id to the net by value.
                let plain = pan.trim_start_matches('a');
                let text = format!("by {plain}, id 4111111111111111");
                Mail { email: pan, text }.emit().unwrap();
            });
        });
    }
    log.shutdown().unwrap();
    let all = records(dir.path(), "audit");
    for record in all.iter().filter(|record| record["event"] == "trip.booked") {
        assert_eq!(record["data"], json!({"trip": 17, "companions": [BOB]}));
        assert_eq!(record["user_id"], "[redacted:pan]");
        assert_eq!(
            record["redactions"],
            json!([
                by("user_id", "pan", "drop"),
                by("on_behalf_of", "pan", "drop"),
                by("data.passenger", "pan", "drop"),
                by("data.companions", "pan", "drop"),
                by("data.companions", "type", "pseudonym"),
                by("data.phone", "pan", "drop"),
            ])
        );
    }
    for record in all.iter().filter(|record| record["event"] == "mail.sent") {
        assert!(record["data"].get("email").is_none(), "{record}");
    }
    // No pseudonym of any of them, under any name that a key could be asked for by.
    let bytes: String = crate::support::segments(&crate::support::only_store(dir.path()), "audit")
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let key = Keys.key("acme", "").unwrap();
    let fields = [
        "data.passenger",
        "data.companions",
        "data.phone",
        "on_behalf_of",
        "user_id",
        "data.email",
        "mail",
        "hex",
    ];
    let digits = ["4111111111111111", "4111111111111111@example.org"];
    for field in fields {
        for value in pans.iter().chain(&digits) {
            let hashed = key.pseudonym("acme", field, value).to_string();
            assert!(!bytes.contains(&hashed), "{field} {value}");
        }
    }
    assert!(
        bytes.contains(BOB) && !bytes.contains("41111111"),
        "{bytes}"
    );
}

fn key_file(path: &Path, names: &[(&str, &str)]) {
    Keyring::edit(path, |keys| {
        for (tenant, field) in names {
            keys.add_key(tenant, field)?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_tenant_without_a_key_has_its_values_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.toml");
    key_file(&file, &[("acme", "data.passenger")]);
    let (log, captured) = capture_with(|builder| builder.pseudonym_keys(KeyFile::new(&file)));
    assert!(log.warnings().is_empty(), "{:?}", log.warnings());
    for (tenant, written) in [("acme", true), ("bolt", false)] {
        let event = Booked {
            companions: vec!["Bob"],
            ..booked("Ada")
        };
        in_tenant(&log, tenant, || event.emit()).unwrap();
        let record = last(&captured, "trip.booked");
        let data = record["data"].as_object().unwrap();
        assert_eq!(data.contains_key("passenger"), written);
        assert!(!data.contains_key("companions"), "{record:?}");
        assert_eq!(
            record["redactions"][1],
            by("data.companions", "no-key", "drop")
        );
    }
}

fn passenger(log: &ComplianceLog, captured: &Captured) -> Option<String> {
    in_tenant(log, "acme", || booked("Ada").emit()).unwrap();
    let record = last(captured, "trip.booked");
    Some(record["data"]["passenger"].as_str()?.to_owned())
}

#[test]
fn a_key_file_is_read_again_and_a_broken_one_leaves_the_last_good_keys() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.toml");
    let config = dir.path().join("log.toml");
    fs::write(
        &config,
        format!(
            "[pseudonym]\nkeys = {:?}\nkey = 1\n",
            file.to_str().unwrap()
        ),
    )
    .unwrap();
    let (log, captured) = capture_with(|builder| builder.config_file(&config));

    // Not there yet.
    assert_eq!(passenger(&log, &captured), None);
    let warnings = log.warnings().join("\n");
    assert!(
        warnings.contains("`key` of `pseudonym`") && warnings.contains("keys.toml"),
        "{warnings}"
    );

    key_file(&file, &[("acme", "data.passenger")]);
    wait_until("the file is read", || passenger(&log, &captured).is_some());
    let first = passenger(&log, &captured).unwrap();
    assert!(first.starts_with("ps_1_"), "{first}");
    captured.assert_one_named("key.available");

    key_file(&file, &[("acme", "data.passenger")]);
    wait_until("the next epoch", || {
        passenger(&log, &captured).unwrap().starts_with("ps_2_")
    });

    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, &good[..good.len() - 20]).unwrap();
    let secret = good.lines().last().unwrap();
    wait_until("it is told of", || {
        !captured.named("key.unavailable").is_empty()
    });
    let told = captured.assert_one_named("key.unavailable");
    let why = told["data"]["why"].as_str().unwrap();
    assert!(
        why.contains("keys.toml") && why.contains("line 14"),
        "{why}"
    );
    assert!(!captured.text().contains(&secret[10..40]));
    assert!(passenger(&log, &captured).unwrap().starts_with("ps_2_"));

    fs::write(&file, &good).unwrap();
    wait_until("it is whole again", || {
        captured.named("key.available").len() == 2
    });
    Keyring::edit(&file, |keys| Ok(keys.forget("acme", None))).unwrap();
    wait_until("the tenant is forgotten", || {
        passenger(&log, &captured).is_none()
    });
    log.shutdown().unwrap();
}

#[test]
fn a_key_file_that_others_may_read_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.toml");
    key_file(&file, &[("acme", "data.passenger")]);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let error = Keyring::read(&file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(
            error.to_string().contains(&format!("mode {mode:04o}")),
            "{error}"
        );
    }
    let (log, captured) = capture_with(|builder| builder.pseudonym_keys(KeyFile::new(&file)));
    assert_eq!(passenger(&log, &captured), None);
    assert!(
        log.warnings()[0].contains("use 0600"),
        "{:?}",
        log.warnings()
    );
    fs::set_permissions(&file, Permissions::from_mode(0o400)).unwrap();
    wait_until("it is the owner's alone", || {
        passenger(&log, &captured).is_some()
    });
}

#[test]
fn a_change_is_whole_or_none_and_one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.toml");
    let beside = dir.path().join("keys.toml.new");
    key_file(&file, &[("acme", "user_id")]);
    let before = fs::read(&file).unwrap();

    fs::write(&beside, "half").unwrap();
    let error = Keyring::edit(&file, |keys| keys.add_key("acme", "user_id")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert_eq!(fs::read(&beside).unwrap(), b"half");
    fs::remove_file(&beside).unwrap();

    let refused = Keyring::edit(&file, |keys| {
        keys.forget("acme", None);
        keys.add_key("", "user_id")
    });
    assert!(refused.is_err());
    let link = dir.path().join("link.toml");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert!(Keyring::edit(&link, |keys| keys.add_key("acme", "user_id")).is_err());
    let foreign = dir.path().join("Cargo.toml");
    fs::write(&foreign, "[package]\nname = \"a\"\n").unwrap();
    fs::set_permissions(&foreign, Permissions::from_mode(0o600)).unwrap();
    assert!(Keyring::edit(&foreign, |keys| keys.add_key("acme", "user_id")).is_err());
    assert_eq!(fs::read(&foreign).unwrap(), b"[package]\nname = \"a\"\n");
    assert_eq!(fs::read(&file).unwrap(), before);
    let left = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, 3, "nothing is left beside the files");
}

#[test]
fn whoever_writes_while_keys_change_has_one_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("keys.toml");
    key_file(&file, &[("acme", "data.passenger")]);
    let keys = Arc::new(KeyFile::new(&file));
    keys.refresh().unwrap();
    let done = AtomicBool::new(false);
    let seen: Vec<Vec<String>> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = Vec::new();
                    while !done.load(Ordering::Relaxed) {
                        let key = keys.key("acme", "data.passenger").unwrap();
                        let name = key.pseudonym("acme", "data.passenger", "Ada").to_string();
                        if seen.last() != Some(&name) {
                            seen.push(name);
                        }
                    }
                    seen
                })
            })
            .collect();
        for _ in 0..20 {
            key_file(&file, &[("acme", "data.passenger")]);
            keys.refresh().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .collect()
    });
    let all = Keyring::read(&file)
        .unwrap()
        .pseudonyms("acme", "data.passenger", "Ada");
    let all: Vec<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(all.len(), 21);
    for seen in seen {
        let places = seen
            .iter()
            .map(|name| all.iter().position(|known| known == name).unwrap());
        assert!(places.is_sorted(), "{seen:?}");
    }
}

#[test]
fn keys_that_panic_drop_the_value_and_the_log_goes_on() {
    #[derive(Debug)]
    struct Broken;

    impl PseudonymKeys for Broken {
        fn key(&self, _tenant: &str, _field: &str) -> Option<PseudonymKey> {
            panic!("in a service's own code");
        }

        fn refresh(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            panic!("there too");
        }
    }

    let (log, captured) = capture_with(|builder| builder.pseudonym_keys(Broken));
    assert_eq!(passenger(&log, &captured), None);
    assert!(
        log.warnings()[0].contains("panicked"),
        "{:?}",
        log.warnings()
    );
    log.shutdown().unwrap();
}

#[test]
fn a_log_that_has_ended_lets_go_of_its_keys() {
    let keys = Arc::new(Keys);
    let (log, _captured) = capture_with(|builder| builder.pseudonym_keys(Arc::clone(&keys)));
    let handle = log.handle();
    log.shutdown().unwrap();
    assert_eq!(Arc::strong_count(&keys), 1);
    drop(handle);
}

#[test]
fn a_policy_that_would_hash_card_numbers_is_refused() {
    let document = POLICY.replace("action = \"mask\"", "action = \"pseudonym\"");
    let error = Policy::parse(&document).unwrap_err().to_string();
    assert!(
        error.contains("a card number is never pseudonymised"),
        "{error}"
    );
}
