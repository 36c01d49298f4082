//! What other layers are shown through `guard`.

use std::{
    error::Error as StdError,
    fmt,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use compliance_log::{
    Guard, Policy, guard,
    test_util::{capture_with, within_sync},
};
use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Recorder, SharedString, Unit};
use serde_json::{Value, json};
use tracing::{Metadata, Subscriber, field::Empty, span::Attributes, subscriber::with_default};
use tracing_subscriber::{
    Layer, Registry,
    field::RecordFields,
    filter::{LevelFilter, filter_fn},
    fmt::{
        FormatFields, MakeWriter,
        format::{DefaultFields, FmtSpan, Writer},
    },
    layer::{Context, SubscriberExt},
};

const AWS: &str = "AKIAIOSFODNN7EXAMPLE";
const JWT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
const PAN: &str = "4111 1111 1111 1111";
const PASSWORD: &str = "hunter2-horse";

/// Where a stock layer writes.
#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Out {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Out {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn json_layer<S>(out: &Out) -> impl Layer<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .json()
        .without_time()
        .with_writer(out.clone())
}

fn text_layer<S>(out: &Out) -> impl Layer<S>
where
    S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .without_time()
        .with_ansi(false)
        .with_writer(out.clone())
}

#[derive(Debug)]
struct Login {
    #[expect(dead_code, reason = "shown by Debug")]
    password: &'static str,
}

#[derive(Debug)]
struct Refused(&'static str, Option<Box<Self>>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Refused {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

/// Secrets in every place that an event or a span has for one.
fn leak() {
    let span = tracing::info_span!(
        "request",
        route = "/pay",
        auth = JWT,
        later = Empty,
        attempt = 3
    );
    span.record("later", format!("key {AWS}"));
    let _entered = span.enter();
    tracing::info!(card = PAN, "paid");
    tracing::info!(password = PASSWORD, pin = 4711, user = "u-1", "by name");
    tracing::info!("signed in with password={PASSWORD}");
    tracing::info!(login = ?Login { password: PASSWORD }, shown = %format_args!("Bearer {JWT}"), "formatted");
    let cause = Refused("key AKIAIOSFODNN7EXAMPLE is refused", None);
    let error = Refused("cannot upload", Some(Box::new(cause)));
    tracing::error!(error = &error as &(dyn StdError + 'static), "failed");
    tracing::info!(bytes = AWS.as_bytes(), "bytes");
}

fn assert_no_secret(text: &str) {
    for secret in [AWS, JWT, PAN, PASSWORD, "4711", "AKIA"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // `fmt` shows bytes in hexadecimal.
    assert!(!text.contains("41 4b 49 41"), "{text}");
}

#[test]
fn no_secret_reaches_a_json_layer() {
    let out = Out::default();
    with_default(Registry::default().with(guard(json_layer(&out))), leak);
    assert_no_secret(&out.text());
    let lines = out.lines();
    assert_eq!(lines.len(), 6);
    let span = &lines[0]["span"];
    assert_eq!(span["route"], "/pay");
    assert_eq!(span["attempt"], 3);
    assert_eq!(span["auth"], "[redacted:jwt]");
    assert!(
        span["later"]
            .as_str()
            .unwrap()
            .starts_with("key [redacted:"),
        "{span}"
    );
    assert_eq!(
        lines[0]["fields"],
        json!({"message": "paid", "card": "****1111"})
    );
    assert_eq!(
        lines[1]["fields"],
        json!({"message": "by name", "user": "u-1"})
    );
    let error = lines[4]["fields"]["error"].as_str().unwrap();
    assert!(error.contains("cannot upload"), "{error}");
}

#[test]
fn no_secret_reaches_a_text_layer_or_its_span_events() {
    let out = Out::default();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_span_events(FmtSpan::FULL)
        .with_writer(out.clone());
    with_default(Registry::default().with(guard(layer)), leak);
    let text = out.text();
    assert_no_secret(&text);
    assert!(text.contains("route=\"/pay\""), "{text}");
    assert!(
        text.contains("close"),
        "spans are entered and closed: {text}"
    );
    assert!(
        text.contains("cannot upload") && text.contains("is refused"),
        "an error keeps its causes: {text}"
    );
}

/// Fields as `fmt` writes them, under a type of their own.
#[derive(Default)]
struct OwnFields(DefaultFields);

impl<'w> FormatFields<'w> for OwnFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        self.0.format_fields(writer, fields)
    }
}

#[test]
fn two_layers_of_one_kind_are_both_guarded_or_keep_their_fields_apart() {
    let (one, two) = (Out::default(), Out::default());
    let both = Registry::default()
        .with(guard(text_layer(&one)))
        .with(guard(text_layer(&two)));
    with_default(both, leak);
    assert_no_secret(&(one.text() + &two.text()));

    let (bare, guarded) = (Out::default(), Out::default());
    let apart = tracing_subscriber::fmt::layer()
        .fmt_fields(OwnFields::default())
        .with_writer(guarded.clone());
    let subscriber = Registry::default()
        .with(text_layer(&bare))
        .with(guard(apart));
    with_default(subscriber, leak);
    assert!(bare.text().contains(AWS));
    assert!(guarded.text().contains("request"), "{}", guarded.text());
    assert_no_secret(&guarded.text());
}

#[test]
fn what_is_harmless_is_shown_unchanged() {
    fn harmless() {
        let outer = tracing::info_span!("outer", a = 1_u64, b = -2_i64, c = 1.5, late = Empty);
        outer.record("late", "x y");
        let inner =
            tracing::debug_span!(parent: &outer, "inner", big = u128::MAX, small = i128::MIN);
        inner.follows_from(&outer);
        inner.in_scope(|| {
            tracing::info!(yes = true, text = "a \"b\" c", bytes = &b"\x00\xff"[..], list = ?[1, 2], "done {}", 7);
            tracing::warn!(parent: None, "at the root");
            tracing::warn!(parent: &outer, token_count = 3, client_id = "web", "elsewhere");
            let error = Refused("plain", Some(Box::new(Refused("cause", None))));
            tracing::error!(error = &error as &(dyn StdError + 'static));
        });
    }
    let (bare, guarded) = (Out::default(), Out::default());
    let both = Registry::default()
        .with(json_layer(&bare))
        .with(guard(json_layer(&guarded)));
    with_default(both, harmless);
    assert!(bare.lines().len() == 4, "{}", bare.text());
    assert_eq!(bare.text(), guarded.text());

    let (bare, guarded) = (Out::default(), Out::default());
    with_default(Registry::default().with(text_layer(&bare)), harmless);
    with_default(
        Registry::default().with(guard(text_layer(&guarded))),
        harmless,
    );
    assert_eq!(bare.text(), guarded.text());
}

/// Remembers the parents that it was shown: which is named, and whether the current span is meant.
#[derive(Clone, Default)]
struct Parents(Arc<Mutex<Vec<Shown>>>);

type Shown = (Option<tracing::Id>, bool);

impl<S: Subscriber> Layer<S> for Parents {
    fn on_new_span(&self, span: &Attributes<'_>, _id: &tracing::Id, _context: Context<'_, S>) {
        let parent = (span.parent().cloned(), span.is_contextual());
        self.0.lock().unwrap().push(parent);
    }

    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        let parent = (event.parent().cloned(), event.is_contextual());
        self.0.lock().unwrap().push(parent);
    }
}

#[test]
fn what_is_redacted_keeps_its_parent() {
    let parents = Parents::default();
    with_default(Registry::default().with(guard(parents.clone())), || {
        let outer = tracing::info_span!("outer", key = AWS);
        let _inner = tracing::info_span!(parent: &outer, "inner", key = AWS);
        let _root = tracing::info_span!(parent: None, "root", key = AWS);
        tracing::info!(parent: &outer, key = AWS, "one");
        tracing::info!(parent: None, key = AWS, "two");
        tracing::info!(key = AWS, "three");
        let (outer, parents) = (outer.id(), parents.0.lock().unwrap());
        let expected = [
            (None, true),
            (outer.clone(), false),
            (None, false),
            (outer, false),
            (None, false),
            (None, true),
        ];
        assert_eq!(parents[..], expected);
    });
}

#[test]
fn what_is_redacted_keeps_the_kinds_of_its_other_values() {
    let out = Out::default();
    with_default(Registry::default().with(guard(json_layer(&out))), || {
        tracing::info!(
            key = AWS, a = 1_u64, b = -2_i64, c = 1.5, d = true, big = u128::MAX, small = i128::MIN,
            list = ?[1, 2], bytes = &b"\x00\xff"[..], "one"
        );
    });
    assert_eq!(
        out.lines()[0]["fields"],
        json!({
            "message": "one", "key": "[redacted:aws-access-key]", "a": 1, "b": -2, "c": 1.5,
            "d": true, "big": u128::MAX.to_string(), "small": i128::MIN.to_string(),
            "list": "[1, 2]", "bytes": "[00 ff]",
        })
    );
}

#[test]
fn the_policy_is_that_of_the_current_log() {
    let policy = Policy::parse(
        "version = 1\n[[name]]\nid = \"colour\"\ndescription = \"x\"\naction = \"drop\"\n\
         names = [\"colour\"]\nmatch = [\"colour\"]\npass = [\"hue\"]\n",
    )
    .unwrap();
    let (log, _captured) = capture_with(|builder| builder.policy(policy));
    let out = Out::default();
    let emit = || tracing::info!(colour = "red", password = PASSWORD, "seen");
    with_default(Registry::default().with(guard(json_layer(&out))), || {
        within_sync(&log, emit);
        emit();
    });
    let lines = out.lines();
    assert_eq!(
        lines[0]["fields"],
        json!({"message": "seen", "password": PASSWORD})
    );
    assert_eq!(
        lines[1]["fields"],
        json!({"message": "seen", "colour": "red"})
    );
}

#[test]
fn filters_inside_and_outside_of_a_guard_work() {
    let (inside, outside) = (Out::default(), Out::default());
    let warnings = json_layer(&inside).with_filter(LevelFilter::WARN);
    let mine = guard(json_layer(&outside)).with_filter(filter_fn(|metadata| {
        metadata.target() == "mine" || metadata.is_span()
    }));
    with_default(Registry::default().with(guard(warnings)).with(mine), || {
        let _span = tracing::info_span!("span", key = AWS).entered();
        tracing::info!(target: "mine", key = AWS, "one");
        tracing::warn!(key = AWS, "two");
    });
    let messages = |out: &Out| -> Vec<Value> {
        out.lines()
            .iter()
            .map(|line| line["fields"]["message"].clone())
            .collect()
    };
    assert_eq!(messages(&inside), ["two"]);
    assert_eq!(messages(&outside), ["one"]);
    assert_eq!(
        inside.lines()[0].get("span"),
        None,
        "its filter has no such span"
    );
    assert_no_secret(&(inside.text() + &outside.text()));
}

#[test]
fn a_value_that_cannot_be_formatted_takes_nothing_down() {
    struct Broken;
    impl fmt::Debug for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    let out = Out::default();
    with_default(Registry::default().with(guard(json_layer(&out))), || {
        tracing::info!(broken = ?Broken, rest = 1, "still");
    });
    assert_eq!(
        out.lines()[0]["fields"],
        json!({"message": "still", "broken": "[could not be formatted]", "rest": 1})
    );
}

/// Remembers what its `event_enabled` was shown.
struct Asked(Out);

impl<S: Subscriber> Layer<S> for Asked {
    fn event_enabled(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) -> bool {
        writeln!(self.0.clone(), "{event:?}").unwrap();
        !event.metadata().target().contains("refused")
    }
}

#[test]
fn a_layer_that_judges_events_is_shown_redacted_ones() {
    let (asked, out) = (Out::default(), Out::default());
    let subscriber = Registry::default()
        .with(json_layer(&out))
        .with(guard(Asked(asked.clone())));
    with_default(subscriber, || {
        tracing::info!(key = AWS, "one");
        tracing::info!(target: "refused", key = AWS, "two");
    });
    assert_no_secret(&asked.text());
    assert_eq!(out.lines().len(), 1, "its answer counts");
}

/// Remembers what kinds of events and spans there are.
#[derive(Clone, Default)]
struct Kinds(Arc<Mutex<Vec<&'static Metadata<'static>>>>);

impl<S: Subscriber> Layer<S> for Kinds {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        self.0.lock().unwrap().push(event.metadata());
    }
}

#[test]
fn values_that_do_not_belong_to_their_event_are_dropped_there_and_counted() {
    let (bare, guarded, kinds) = (Out::default(), Out::default(), Kinds::default());
    let subscriber = Registry::default()
        .with(kinds.clone())
        .with(json_layer(&bare))
        .with(guard(json_layer(&guarded)));
    let counted = Counted::default();
    metrics::with_local_recorder(&counted, || {
        with_default(subscriber, || {
            tracing::info!(a = 1);
            tracing::info!(b = 2);
            let kinds = kinds.0.lock().unwrap().clone();
            let value = AWS;
            let values = [Some(&value as &dyn tracing::Value)];
            let values = kinds[1].fields().value_set_all(&values);
            let foreign = tracing::Event::new(kinds[0], &values);
            tracing::dispatcher::get_default(|dispatch| dispatch.event(&foreign));
        });
    });
    assert_eq!(bare.lines().len(), 3);
    assert_eq!(guarded.lines().len(), 2);
    assert_no_secret(&guarded.text());
    assert_eq!(counted.of("compliance_log_guard_dropped"), 1);
}

/// Remembers the names of counters that were raised.
#[derive(Default)]
pub(crate) struct Counted(Arc<Mutex<Vec<String>>>);

impl Counted {
    pub(crate) fn of(&self, name: &str) -> usize {
        let raised = self.0.lock().unwrap();
        raised.iter().filter(|raised| *raised == name).count()
    }
}

struct Raise(String, Arc<Mutex<Vec<String>>>);

impl CounterFn for Raise {
    fn increment(&self, _by: u64) {
        self.1.lock().unwrap().push(self.0.clone());
    }

    fn absolute(&self, _value: u64) {}
}

impl Recorder for Counted {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &metrics::Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Raise(key.name().to_owned(), Arc::clone(&self.0))))
    }

    fn register_gauge(&self, _: &Key, _: &metrics::Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &metrics::Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn the_layer_inside_is_found_by_its_type() {
    let out = Out::default();
    let subscriber = Registry::default().with(guard(Asked(out)));
    let subscriber: &dyn Subscriber = &subscriber;
    assert!(subscriber.is::<Asked>());
    assert!(subscriber.is::<Guard<Asked>>());
    assert!(!subscriber.is::<Out>());
}
