//! Secrets on every way into a store: no byte of it holds them, in any spelling.

use std::{collections::BTreeMap, error::Error, fmt, fs, panic::catch_unwind, path::Path};

use ::http::{HeaderMap, HeaderValue, Request, Response};
use bytes::Bytes;
use compliance_log::{
    ComplianceLog, Policy, audit_event,
    context::{AuditContext, Identity, TraceFlags, TraceId},
    event::{AuditField, Element, Raw},
    http::{AuditLayer, Trust},
    test_util::within_sync,
    verify::{Options, Verdict, verify},
};
use http_body_util::{Empty, Full};
use tower::{Layer, ServiceExt, service_fn};
use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::records;

/// Whole secrets that need no name beside them, and what may stand in a header or an id.
const TOKENS: [&str; 6] = [
    "AKIAQFAKEFAKEFAKEFA7",
    "ghp_fakeFAKEfakeFAKEfakeFAKEfakeFAKE1111",
    "glpat-fakeFAKEfakeFAKEfake",
    "xoxb-1111111111-fakeFAKEfake",
    "hvs.fakeFAKEfakeFAKEfakeFAKE",
    "eyJhbGciOiJIUzI1NiJ9.eyJmYWtlIjpmYWxzZX0.bm90IGEgcmVhbCBvbmU",
];

/// The value of a prohibited name, with nothing else to tell it by.
const VALUE: &str = "tr0ub4dor-and-3";

#[audit_event(name = "text.stored", category = "app", target = "{place}/x")]
struct Stored {
    #[audit(internal)]
    place: String,
    #[audit(internal)]
    text: String,
    #[audit(internal)]
    texts: Vec<String>,
    #[audit(internal)]
    shown: Vec<Shown>,
    #[audit(internal)]
    perhaps: Option<String>,
    #[audit(internal)]
    formatted: Shown,
    #[audit(internal)]
    error_code: String,
    #[audit(internal)]
    error_message: String,
    #[audit(internal)]
    provider: String,
    #[audit(internal)]
    booking_id: String,
    #[audit(internal)]
    offer_id: String,
    #[audit(internal)]
    privileged_command: String,
    #[audit(internal)]
    on_behalf_of: String,
}

struct Shown(String);

impl Element for Shown {}

impl AuditField for Shown {
    fn raw(&self) -> Option<Raw<'_>> {
        Some(Raw::Display(&self.0))
    }
}

#[derive(Debug)]
struct Fails(String, Option<Box<Self>>);

impl fmt::Display for Fails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Fails {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|inner| inner as _)
    }
}

#[derive(Debug)]
#[expect(dead_code, reason = "read by its `Debug`")]
struct Login {
    user: &'static str,
    password: Option<String>,
    inner: (u8, String),
}

fn open(dir: &Path) -> ComplianceLog {
    ComplianceLog::builder("booking-api")
        .env("test")
        .instance("one")
        .dir(dir)
        .open()
        .unwrap()
}

type Route = (&'static str, fn(&ComplianceLog, &str));

fn logged(log: &ComplianceLog, f: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(log.tracing_layer());
    within_sync(log, || with_default(subscriber, f));
}

fn typed(log: &ComplianceLog, text: &str, set: impl FnOnce(&mut Stored, String)) {
    let mut event = plain();
    set(&mut event, text.to_owned());
    within_sync(log, || event.emit()).unwrap();
}

fn plain() -> Stored {
    let plain = || "plain".to_owned();
    Stored {
        place: plain(),
        text: plain(),
        texts: vec![plain()],
        shown: vec![Shown(plain())],
        perhaps: None,
        formatted: Shown(plain()),
        error_code: plain(),
        error_message: plain(),
        provider: plain(),
        booking_id: plain(),
        offer_id: plain(),
        privileged_command: plain(),
        on_behalf_of: plain(),
    }
}

fn in_context(log: &ComplianceLog, context: &AuditContext) {
    within_sync(log, || context.scope_sync(|| plain().emit())).unwrap();
}

fn identified(log: &ComplianceLog, identity: Identity) {
    let context = AuditContext::request().build();
    context.verified(identity).unwrap();
    in_context(log, &context);
}

fn served(log: &ComplianceLog, request: Request<Empty<Bytes>>) {
    let service = AuditLayer::new(log)
        .trust(Trust::internal())
        .layer(service_fn(|_: Request<Empty<Bytes>>| async {
            Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from_static(b"ok"))))
        }));
    let response = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async {
            let response = service.oneshot(request).await.unwrap();
            http_body_util::BodyExt::collect(response.into_body()).await
        });
    response.unwrap();
}

fn header(log: &ComplianceLog, name: &'static str, text: &str) {
    let request = Request::get("/bookings/17").header(name, text);
    served(log, request.body(Empty::new()).unwrap());
}

/// Every way for a text into a record.
const ROUTES: &[Route] = &[
    ("target", |log, s| typed(log, s, |e, s| e.place = s)),
    ("text", |log, s| typed(log, s, |e, s| e.text = s)),
    ("list", |log, s| {
        typed(log, s, |e, s| e.texts = vec!["a".into(), s]);
    }),
    ("list of what is shown", |log, s| {
        typed(log, s, |e, s| e.shown = vec![Shown(s)]);
    }),
    ("option", |log, s| typed(log, s, |e, s| e.perhaps = Some(s))),
    ("display", |log, s| {
        typed(log, s, |e, s| e.formatted = Shown(s));
    }),
    ("error code", |log, s| {
        typed(log, s, |e, s| e.error_code = s);
    }),
    ("error message", |log, s| {
        typed(log, s, |e, s| e.error_message = s);
    }),
    ("provider", |log, s| typed(log, s, |e, s| e.provider = s)),
    ("booking", |log, s| typed(log, s, |e, s| e.booking_id = s)),
    ("offer", |log, s| typed(log, s, |e, s| e.offer_id = s)),
    ("command", |log, s| {
        typed(log, s, |e, s| e.privileged_command = s);
    }),
    ("on behalf of", |log, s| {
        typed(log, s, |e, s| e.on_behalf_of = s);
    }),
    ("message", |log, s| {
        logged(log, || tracing::info!("got {s} there"));
    }),
    ("message of many lines", |log, s| {
        logged(log, || tracing::info!("first\nsecond {s}\r\nthird"));
    }),
    ("plain field", |log, s| {
        logged(log, || tracing::info!(note = s, "x"));
    }),
    ("display field", |log, s| {
        logged(log, || tracing::info!(note = %s, "x"));
    }),
    ("debug field", |log, s| {
        logged(log, || tracing::info!(note = ?Some(s), "x"));
    }),
    ("dotted field", |log, s| {
        logged(log, || tracing::info!(a.b = ?[s], "x"));
    }),
    ("event name", |log, s| {
        logged(log, || tracing::info!(event = s, "x"));
    }),
    ("event of a dependency", |log, s| {
        logged(
            log,
            || tracing::warn!(target: "hyper::client", body = s, "sent {s}"),
        );
    }),
    ("error with causes", |log, s| {
        let inner = Fails(format!("inner {s}"), None);
        let error = Fails("outer".to_owned(), Some(Box::new(inner)));
        let error: &(dyn Error + 'static) = &error;
        logged(log, || tracing::error!(error, "failed"));
    }),
    ("span", |log, s| {
        logged(log, || {
            tracing::info_span!("span", note = s, other = ?Some(s))
                .in_scope(|| tracing::info!("x"));
        });
    }),
    ("span, later", |log, s| {
        logged(log, || {
            let span = tracing::info_span!("span", note = tracing::field::Empty);
            span.record("note", s);
            span.in_scope(|| tracing::info!("x"));
        });
    }),
    ("panic", |log, s| {
        let text = s.to_owned();
        let panic = catch_unwind(move || std::panic::resume_unwind(Box::new(text))).unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        logged(log, || tracing::error!(panic = %text, "panicked: {text:?}"));
    }),
    ("tenant", |log, s| {
        identified(log, Identity::new().tenant(s).user("u-1"));
    }),
    ("user", |log, s| {
        identified(log, Identity::new().tenant("t-1").user(s));
    }),
    ("client", |log, s| {
        identified(log, Identity::new().tenant("t-1").client(s));
    }),
    ("tenant of a job", |log, s| {
        in_context(
            log,
            &AuditContext::job("nightly").tenant(s).actor("u-1").build(),
        );
    }),
    ("request id", |log, s| {
        in_context(log, &AuditContext::request().request_id(s).build());
    }),
    ("user agent", |log, s| {
        in_context(log, &AuditContext::request().user_agent(s).build());
    }),
    ("calling service", |log, s| {
        in_context(log, &AuditContext::request().service(s).build());
    }),
    ("booking and offer of a context", |log, s| {
        in_context(
            log,
            &AuditContext::request().booking_id(s).offer_id(s).build(),
        );
    }),
    ("x-request-id", |log, s| header(log, "x-request-id", s)),
    ("traceparent", |log, s| header(log, "traceparent", s)),
    ("tracestate", |log, s| header(log, "tracestate", s)),
    ("user-agent", |log, s| header(log, "user-agent", s)),
    ("authorization", |log, s| header(log, "authorization", s)),
];

/// Ways into a record that also have a path.
const PATHS: &[Route] = &[
    ("path", |log, s| {
        served(
            log,
            Request::get(format!("/keys/{s}/x"))
                .body(Empty::new())
                .unwrap(),
        );
    }),
    ("query", |log, s| {
        served(
            log,
            Request::get(format!("/a?q={s}&b=1"))
                .body(Empty::new())
                .unwrap(),
        );
    }),
    ("path as the route", |log, s| {
        let request: Request<Empty<Bytes>> = Request::get(format!("/keys/{s}?k={s}"))
            .body(Empty::new())
            .unwrap();
        let service = AuditLayer::new(log)
            .route_of(|parts| Some(parts.uri.path_and_query()?.as_str()))
            .layer(service_fn(|_: Request<Empty<Bytes>>| async {
                Err::<Response<Full<Bytes>>, _>(std::io::Error::other("down"))
            }));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(service.oneshot(request)).unwrap_err();
    }),
];

/// Ways to write a name and its value.
#[expect(
    clippy::disallowed_types,
    reason = "services log them, whatever their order"
)]
const PAIRS: &[Route] = &[
    ("assignment", |log, v| {
        logged(log, || tracing::info!("password={v}"));
    }),
    ("header", |log, v| {
        logged(log, || tracing::info!("X-Api-Key: {v}"));
    }),
    ("tuple", |log, v| {
        logged(log, || tracing::info!(pair = ?("password", v), "x"));
    }),
    ("tuple, bare", |log, v| {
        logged(log, || tracing::info!("got (password, {v})"));
    }),
    ("tuples", |log, v| {
        logged(
            log,
            || tracing::info!(pairs = ?[("user", "bob"), ("password", v)], "{:?}", [("password", v)]),
        );
    }),
    ("tuple, pretty", |log, v| {
        logged(log, || tracing::info!("{:#?}", ("password", v, 1)));
    }),
    ("two texts", |log, v| {
        logged(log, || tracing::info!("{:?}", ["password", v]));
    }),
    ("struct", |log, v| {
        let login = Login {
            user: "bob",
            password: Some(v.to_owned()),
            inner: (1, "plain".to_owned()),
        };
        logged(log, || tracing::info!(login = ?login, "{login:#?}"));
    }),
    ("hash map", |log, v| {
        let map: std::collections::HashMap<_, _> = [("user", "bob"), ("password", v)].into();
        logged(log, || tracing::info!(?map, "{map:#?}"));
    }),
    ("map of options", |log, v| {
        let map: BTreeMap<_, _> = [("access_token", Some(v)), ("b", None)].into();
        logged(log, || tracing::info!(?map));
    }),
    ("headers", |log, v| {
        let mut map = HeaderMap::new();
        map.insert(
            "authorization",
            HeaderValue::from_str(&format!("Basic {v}")).unwrap(),
        );
        map.insert("x-api-key", HeaderValue::from_str(v).unwrap());
        logged(
            log,
            || tracing::info!(headers = ?map, "{:?}", map.iter().collect::<Vec<_>>()),
        );
    }),
    ("json", |log, v| {
        let json = serde_json::json!({ "user": "bob", "db": { "password": v } });
        logged(log, || tracing::info!(%json, "{json:#}"));
    }),
    ("json in json in json", |log, v| {
        let mut json = serde_json::json!({ "user": "bob", "userPassword": v }).to_string();
        for _ in 0..2 {
            json = serde_json::json!({ "body": json }).to_string();
        }
        logged(log, || tracing::info!(body = json, ?json));
    }),
    ("escaped key", |log, v| {
        logged(log, || tracing::info!(r#"{{"p\u0061ssw\u006frd": "{v}"}}"#));
    }),
    ("dotted", |log, v| {
        logged(log, || {
            tracing::info!("user.password={v} spring.password.old={v}");
        });
    }),
    ("bracketed", |log, v| {
        logged(log, || {
            tracing::info!("user[password]={v}&passwords[0]={v}&a%5Bpassword%5D={v}");
        });
    }),
    ("kebab, upper case, camel", |log, v| {
        logged(log, || {
            tracing::info!("client-secret={v} DB_PASSWORD={v} refreshToken: {v}");
        });
    }),
    ("look-alikes", |log, v| {
        logged(log, || {
            tracing::info!("раsswоrd={v} ｐａｓｓｗｏｒｄ＝{v} pass\u{200b}word: {v}");
        });
    }),
    ("field names", |log, v| {
        logged(log, || {
            tracing::info!(
                password = v,
                user.password = v,
                dbPassword = v,
                "x-api-key" = v
            );
        });
    }),
    ("percent", |log, v| {
        logged(log, || {
            tracing::info!(
                q = format!("password%3D{v}%26a=1"),
                "%70assword={v} %2570assword={v}"
            );
        });
    }),
    ("after a tab", |log, v| {
        logged(log, || tracing::info!("password\t=\t{v}"));
    }),
];

fn base64_cores(plain: &[u8]) -> Vec<String> {
    let alphabets = [*b"+/", *b"-_"];
    let all = alphabets.iter().flat_map(|last| {
        let mut digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".to_vec();
        digits.extend_from_slice(last);
        (0..3).map(move |before| {
            let bit = |at: usize| usize::from(plain[at / 8 - before] >> (7 - at % 8) & 1);
            let (first, end) = ((before * 8).div_ceil(6), (before + plain.len()) * 8 / 6);
            let digit = |at: usize| (0..6).fold(0, |bits, place| bits << 1 | bit(at * 6 + place));
            (first..end)
                .map(|at| char::from(digits[digit(at)]))
                .collect()
        })
    });
    all.collect()
}

/// Each ASCII character as `f` writes its number.
fn spelled(text: &str, f: impl Fn(u8) -> String) -> String {
    text.bytes().map(f).collect::<Vec<_>>().concat()
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes
            .get(at + 1..at + 3)
            .and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(|_| bytes[at] == b'%') {
            Some(byte) => (out.push(byte), at += 3).1,
            None => (out.push(bytes[at]), at += 1).1,
        }
    }
    out
}

/// How a secret is spelled in the bytes of a file, or in a text in one of its records, if it is.
fn spelling(bytes: &[u8], secret: &str) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let hex = spelled(secret, |c| format!("{c:02x}"));
    let once = percent_decoded(bytes);
    let twice = percent_decoded(&once);
    let visible = |text: &str| -> String {
        let hidden = |c: &char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\0');
        text.chars().filter(|c| !hidden(c)).collect()
    };
    if visible(&text).contains(secret) {
        Some("as it is")
    } else if text.to_ascii_lowercase().contains(&hex) {
        Some("in hex")
    } else if base64_cores(secret.as_bytes())
        .iter()
        .any(|core| text.contains(core))
    {
        Some("in base64")
    } else if [once, twice]
        .iter()
        .any(|bytes| String::from_utf8_lossy(bytes).contains(secret))
    {
        Some("percent-encoded")
    } else {
        None
    }
}

fn strings<'v>(value: &'v serde_json::Value, all: &mut Vec<&'v str>) {
    match value {
        serde_json::Value::String(text) => all.push(text),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, all)),
        serde_json::Value::Object(rows) => rows.iter().for_each(|(key, value)| {
            all.push(key);
            strings(value, all);
        }),
        _ => (),
    }
}

/// Fails if any file or folder under `dir` holds the secret, or if the store is no longer whole.
fn assert_gone(dir: &Path, secret: &str) {
    let mut dirs = vec![dir.to_path_buf()];
    let mut files = 0;
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            assert!(
                !path.display().to_string().contains(secret),
                "{}",
                path.display()
            );
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            files += 1;
            let bytes = fs::read(&path).unwrap();
            assert_eq!(spelling(&bytes, secret), None, "{}", path.display());
            for line in bytes.split(|byte| *byte == b'\n') {
                let record = serde_json::from_slice(line).unwrap_or_default();
                let mut texts = Vec::new();
                strings(&record, &mut texts);
                for text in texts {
                    assert_eq!(spelling(text.as_bytes(), secret), None, "{record:#}");
                }
            }
        }
    }
    assert!(files > 0);
    let report = verify(dir, &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok);
}

#[test]
fn a_secret_reaches_the_store_on_no_way() {
    for secret in TOKENS {
        let dir = tempfile::tempdir().unwrap();
        let log = open(dir.path());
        for (_, route) in ROUTES.iter().chain(PATHS) {
            route(&log, secret);
        }
        log.shutdown().unwrap();
        assert_gone(dir.path(), secret);
        let records = [records(dir.path(), "app"), records(dir.path(), "audit")].concat();
        let redacted = records
            .iter()
            .filter(|record| record.get("redactions").is_some());
        // `traceparent`, `tracestate` and `authorization` are not recorded at all.
        assert!(redacted.count() >= ROUTES.len() - 3, "{records:#?}");
    }
}

#[test]
fn the_value_of_a_name_reaches_the_store_on_no_way() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    for (_, route) in PAIRS {
        route(&log, VALUE);
    }
    log.shutdown().unwrap();
    let mut records = records(dir.path(), "app");
    records.retain(|record| record["event"] == "log");
    for (record, (what, _)) in records.iter().zip(PAIRS) {
        assert!(record.get("redactions").is_some(), "{what}: {record:#}");
    }
    assert_eq!(records.len(), PAIRS.len());
    assert_gone(dir.path(), VALUE);
}

#[test]
fn a_wrapped_secret_reaches_the_store_on_no_way() {
    let plain = format!("key {} and more of it", TOKENS[0]);
    let percent = |text: &str| spelled(text, |c| format!("%{c:02X}"));
    let base64 = base64_cores(format!("{plain}.").as_bytes()).swap_remove(0);
    let wrapped = [
        percent(&plain),
        percent(&percent(&plain)),
        percent(&base64),
        base64,
        spelled(&plain, |c| format!("\\u{c:04x}")),
        spelled(&plain, |c| format!("\\x{c:02x}")),
        spelled(&plain, |c| format!("&#{c};")),
        plain.chars().flat_map(|c| [c, '\u{200b}']).collect(),
        plain.chars().flat_map(|c| ['\u{ad}', c]).collect(),
    ];
    for text in wrapped {
        let dir = tempfile::tempdir().unwrap();
        let log = open(dir.path());
        for (_, route) in ROUTES {
            route(&log, &text);
        }
        log.shutdown().unwrap();
        assert_gone(dir.path(), TOKENS[0]);
        for channel in ["app", "audit"] {
            for record in records(dir.path(), channel) {
                let written = record.to_string();
                assert!(!written.contains(&text), "{text}: {record:#}");
            }
        }
    }
}

#[test]
fn a_field_name_that_holds_a_secret_does_not_reach_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    logged(&log, || {
        tracing::info!(
            "AKIAQFAKEFAKEFAKEFA7" = 1,
            "user_password=tr0ub4dor-and-3" = 2,
            "note%3D%41KIAQFAKEFAKEFAKEFA7" = 3,
            harmless = 4,
            "x"
        );
        tracing::info_span!("span", "AKIAQFAKEFAKEFAKEFA7" = 5).in_scope(|| tracing::info!("y"));
    });
    log.shutdown().unwrap();
    assert_gone(dir.path(), TOKENS[0]);
    assert_gone(dir.path(), VALUE);
    let records = records(dir.path(), "app");
    let data = &records[records.len() - 2]["data"];
    assert_eq!(data["[redacted:aws-access-key]"], 1);
    assert_eq!(data["harmless"], 4);
}

#[test]
fn a_configuration_that_holds_a_secret_does_not_reach_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder(TOKENS[0])
        .env(TOKENS[0])
        .instance(TOKENS[0])
        .cluster(TOKENS[0])
        .region(format!("password={VALUE}"))
        .service_version(TOKENS[0])
        .dir(dir.path())
        .open()
        .unwrap();
    log.shutdown().unwrap();
    assert_gone(dir.path(), TOKENS[0]);
    assert_gone(dir.path(), VALUE);
}

/// A policy whose rule finds any of these digits.
fn of_hex_digits() -> Policy {
    Policy::parse(
        r#"
        version = 1
        [[value]]
        id = "hex"
        description = "any id"
        action = "drop"
        literals = ["dead"]
        pattern = '[0-9a-f-]*dead[0-9a-f-]*'
        match = ["deadbeef"]
        pass = []
        "#,
    )
    .unwrap()
}

struct Id(&'static str);

impl AuditField for Id {
    fn raw(&self) -> Option<Raw<'_>> {
        Some(Raw::Id(&self.0))
    }
}

impl Element for Id {}

#[audit_event(name = "ids.stored", category = "app")]
struct Ids {
    #[audit(internal)]
    id: Id,
    trace: TraceId,
    number: u64,
    #[audit(internal)]
    text: String,
}

#[test]
fn typed_ids_and_ids_of_hex_digits_are_not_looked_into() {
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("booking-api")
        .env("test")
        .instance("one")
        .dir(dir.path())
        .policy(of_hex_digits())
        .open()
        .unwrap();
    let trace =
        TraceId::from_bytes([0xde, 0xad, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]).unwrap();
    let context = AuditContext::request()
        .trace(trace, TraceFlags::default())
        .request_id("0192f0c1-dead-7000-8000-000000000001")
        .build();
    context
        .verified(
            Identity::new()
                .tenant("dead4242")
                .user("dead-beef")
                .client("0dead0"),
        )
        .unwrap();
    within_sync(&log, || {
        context.scope_sync(|| {
            Ids {
                id: Id("dead-1"),
                trace,
                number: 0xdead,
                text: "dead-2".to_owned(),
            }
            .emit()
            .unwrap();
        });
    });
    log.shutdown().unwrap();
    let record = records(dir.path(), "app").pop().unwrap();
    assert_eq!(
        record["redactions"],
        serde_json::json!([{ "field": "data.text", "rule": "hex", "action": "drop" }])
    );
    assert_eq!(record["trace_id"], trace.to_string());
    assert_eq!(record["tenant_id"], "dead4242");
    assert_eq!(record["user_id"], "dead-beef");
    assert_eq!(record["client_id"], "0dead0");
    assert_eq!(record["request_id"], "0192f0c1-dead-7000-8000-000000000001");
    assert_eq!(record["data"]["id"], "dead-1");
    assert_eq!(record["data"]["number"], 0xdead);
}
