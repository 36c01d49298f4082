//! The rules of W3C Trace Context, level 2, as another service sees them: what is sent to a service
//! and what the calls carry that it makes, over either version of HTTP.

use std::{collections::BTreeSet, net::SocketAddr};

use ::http::{HeaderMap, HeaderValue, Request};
use axum::{Json, Router, extract::State, routing::get};
use compliance_log::http::{AuditLayer, PropagateLayer};
use serde_json::Value;
use tower::{Service, ServiceBuilder, ServiceExt};

use super::{
    client::{Http2, Sent, VERSIONS, Version},
    served::{access, serve},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4737";
const PARENT: &str = "00f067aa0ba902b7";

/// What the calls carry.
#[derive(Clone, Debug)]
enum Then {
    /// The trace that was sent, with these flags and this state.
    GoesOn(u8, Option<String>),
    /// A new one, with a random id and no state.
    Begins,
}

type Lines = Vec<(&'static str, Vec<u8>)>;

/// What is sent, and what becomes of it.
struct Row(Lines, Then);

/// Sent beside a valid state, which means nothing where the trace does not go on.
fn begins(values: &[&[u8]]) -> Row {
    let mut lines: Lines = values
        .iter()
        .map(|value| ("traceparent", value.to_vec()))
        .collect();
    lines.push(("tracestate", b"a=1".to_vec()));
    Row(lines, Then::Begins)
}

fn goes_on(value: impl Into<Vec<u8>>, flags: u8) -> Row {
    Row(
        vec![("traceparent", value.into())],
        Then::GoesOn(flags, None),
    )
}

/// These lines of state beside a valid trace, and the one that is sent on.
fn state(lines: &[&[u8]], sent_on: Option<&str>) -> Row {
    let parent = format!("00-{TRACE}-{PARENT}-00").into_bytes();
    let mut sent: Lines = vec![("traceparent", parent)];
    sent.extend(lines.iter().map(|line| ("tracestate", line.to_vec())));
    Row(sent, Then::GoesOn(0, sent_on.map(str::to_owned)))
}

fn kept(lines: &[&str]) -> Row {
    let bytes: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
    state(&bytes, Some(&lines.join(",")))
}

fn parents() -> Vec<Row> {
    let both = format!("{TRACE}-{PARENT}");
    let valid = format!("00-{both}-01");
    let zeros = "0".repeat(32);
    let mut rows = vec![
        Row(Vec::new(), Then::Begins),
        begins(&[]),
        // One line, under its own name.
        begins(&[valid.as_bytes(), valid.as_bytes()]),
        begins(&[
            valid.as_bytes(),
            format!("00-{OTHER_TRACE}-{PARENT}-01").as_bytes(),
        ]),
        begins(&[valid.as_bytes(), b""]),
        Row(
            vec![("trace-parent", valid.clone().into_bytes())],
            Then::Begins,
        ),
        Row(
            vec![("trace.parent", valid.clone().into_bytes())],
            Then::Begins,
        ),
        // 55 characters, or 55 bytes, that end in a space which is none.
        begins(&[format!("00-{both}-0\u{a0}").as_bytes()]),
        begins(&[[format!("00-{both}-0").as_bytes(), b"\xa0"]
            .concat()
            .as_slice()]),
        begins(&[format!("{valid}\u{a0}").as_bytes()]),
        begins(&["0".repeat(8 * 1024).as_bytes()]),
        begins(&[format!("{valid}-{}", "a".repeat(8 * 1024)).as_bytes()]),
    ];
    for wrong in [
        String::new(),
        "-".to_owned(),
        format!("{valid},{valid}"),
        // Version.
        format!("ff-{both}-01"),
        format!("0-{both}-01"),
        format!("000-{both}-01"),
        format!("0000-{both}-01"),
        format!(".0-{both}-01"),
        format!("0.-{both}-01"),
        format!("CC-{both}-01"),
        format!("cc-{both}-01.x"),
        format!("01-{both}-01x"),
        format!("01-{both}-0"),
        // Version 00 is 55 characters long.
        format!("{valid}-"),
        format!("{valid}."),
        format!("{valid}-x"),
        format!("00-{both}"),
        format!("00_{both}-01"),
        // Trace id.
        format!("00-{zeros}-{PARENT}-01"),
        format!("00-.{}-{PARENT}-01", &TRACE[1..]),
        format!("00-{}.-{PARENT}-01", &TRACE[1..]),
        format!("00-{TRACE}0-{PARENT}-01"),
        format!("00-{}-{PARENT}-01", &TRACE[1..]),
        format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
        // Parent id.
        format!("00-{TRACE}-{}-01", &zeros[16..]),
        format!("00-{TRACE}-.{}-01", &PARENT[1..]),
        format!("00-{TRACE}-{}.-01", &PARENT[1..]),
        format!("00-{TRACE}-{PARENT}0-01"),
        format!("00-{TRACE}-{}-01", &PARENT[1..]),
        format!("00-{TRACE}-{}-01", PARENT.to_uppercase()),
        // Flags.
        format!("00-{both}-.0"),
        format!("00-{both}-0."),
        format!("00-{both}-001"),
        format!("00-{both}-1"),
        format!("00-{both}-+1"),
        format!("00-{both}-0A"),
    ] {
        rows.push(begins(&[wrong.as_bytes()]));
    }
    // Sampled and random are kept, set or not; what else is set is not known.
    for (sent, flags) in [
        ("00", 0),
        ("01", 1),
        ("02", 2),
        ("03", 3),
        ("ff", 3),
        ("fc", 0),
    ] {
        rows.push(goes_on(format!("00-{both}-{sent}"), flags));
    }
    for version in ["01", "cc", "fe"] {
        for rest in ["", "-", "-what-comes-next", &"-x".repeat(4 * 1024)] {
            rows.push(goes_on(format!("{version}-{both}-01{rest}"), 1));
        }
    }
    for space in [" ", "\t", "\t ", "  "] {
        rows.push(goes_on(format!("{space}{valid}"), 1));
        rows.push(goes_on(format!("{valid}{space}"), 1));
        rows.push(goes_on(format!("{space}{valid}{space}"), 1));
    }
    for name in ["TraceParent", "tRaCePaReNt", "TRACEPARENT"] {
        let lines = vec![(name, valid.clone().into_bytes())];
        rows.push(Row(lines, Then::GoesOn(1, None)));
    }
    rows
}

fn states() -> Vec<Row> {
    let members = |count| {
        let members: Vec<String> = (0..count).map(|n| format!("k{n}={n}")).collect();
        members.join(",")
    };
    let long_key = format!("{}=1", "k".repeat(256));
    let characters = {
        let keys = "abcdefghijklmnopqrstuvwxyz0123456789_-*/@";
        let values: String = (' '..='~').filter(|c| !matches!(c, ',' | '=')).collect();
        format!("{keys}={values}")
    };
    // Four members and their commas are 512 characters.
    let longest = ["a", "b", "c", "d"].map(|name| format!("{name}={}", "v".repeat(125)));
    let fits = format!("{}v", longest.join(","));
    let mut rows = vec![
        kept(&["a=1"]),
        kept(&["a=1,b=2"]),
        kept(&["a=1,b=2", "c=3,d=4", "e=5"]),
        kept(&["a=1,a=1"]),
        kept(&["a=1,a=2"]),
        kept(&["a=1", "a=1"]),
        kept(&["a=1", "a=2"]),
        kept(&["foo@=1,bar=2"]),
        kept(&["foo@@bar=1,bar=2"]),
        kept(&["foo@bar@baz=1,bar=2"]),
        kept(&["0=1"]),
        kept(&[&characters]),
        kept(&["a=1", &long_key]),
        kept(&["a=1", &format!("{}@v=1", "t".repeat(242))]),
        kept(&["a=1", &format!("t@{}=1", "v".repeat(15))]),
        kept(&[&format!("a={}", "v".repeat(256))]),
        kept(&[&members(32)]),
        kept(&[&fits]),
        // Nothing in it.
        state(&[], None),
        state(&[b""], None),
        state(&[b" ,\t, "], None),
        state(&[b"a=1", b""], Some("a=1")),
        state(&[b"", b"a=1"], Some("a=1")),
        // Spaces around members.
        state(&[b"a=1 \t , \t b=2, \t c=3"], Some("a=1,b=2,c=3")),
        state(&[b"a=1\t \t,\t \tb=2,\t \tc=3"], Some("a=1,b=2,c=3")),
        state(&[b" a=1"], Some("a=1")),
        state(&[b"\ta=1"], Some("a=1")),
        state(&[b"a=1 "], Some("a=1")),
        state(&[b"a=1\t"], Some("a=1")),
        state(&[b"\t a=1 \t"], Some("a=1")),
        // One character more than has to be sent on: a whole member goes, the last one.
        state(
            &[format!("{fits}v").as_bytes()],
            Some(&longest[..3].join(",")),
        ),
        state(
            &[
                members(20).as_bytes(),
                b"x=1,x=2,x=3,x=4,x=5,x=6,x=7,x=8,x=9,y=1,y=2,y=3,y=4",
            ],
            None,
        ),
        state(&[members(33).as_bytes()], None),
    ];
    for wrong in [
        &b"@foo=1"[..],
        b"_foo=1",
        b"foo =1",
        b"FOO=1",
        b"foo.bar=1",
        b"foo",
        b"=1",
        b"foo=",
        b"foo=bar=baz",
        b"foo=\xc3\xa4",
        b"foo=\xff",
        format!("{}=1", "k".repeat(257)).as_bytes(),
        format!("k={}", "v".repeat(257)).as_bytes(),
    ] {
        rows.push(state(&[b"a=1", wrong], None));
        rows.push(state(&[&[wrong, b",b=2"].concat()], None));
    }
    let parent = format!("00-{TRACE}-{PARENT}-01").into_bytes();
    for (name, sent_on) in [
        ("TraceState", Some("a=1")),
        ("tRaCeStAtE", Some("a=1")),
        ("TRACESTATE", Some("a=1")),
        ("trace-state", None),
        ("trace.state", None),
    ] {
        rows.push(Row(
            vec![("traceparent", parent.clone()), (name, b"a=1".to_vec())],
            Then::GoesOn(1, sent_on.map(str::to_owned)),
        ));
    }
    rows
}

/// Calls the other service three times, and answers with what it saw.
async fn call(State(other): State<SocketAddr>) -> Json<Vec<Value>> {
    let mut seen = Vec::new();
    for _ in 0..3 {
        let send = move |request: Request<()>| async move {
            let mut sent = Sent::get("/");
            for (name, value) in request.headers() {
                sent = sent.header(name.as_str(), value);
            }
            let mut connection = Http2::connect(other).await;
            let answer = sent.on(&mut connection).await;
            connection.close().await;
            Ok::<_, std::convert::Infallible>(answer.unwrap().body)
        };
        let mut client = ServiceBuilder::new()
            .layer(PropagateLayer::new())
            .service_fn(send);
        let request = Request::new(());
        let answer = client.ready().await.unwrap().call(request).await.unwrap();
        seen.push(serde_json::from_slice(&answer).unwrap());
    }
    Json(seen)
}

/// The lines of the two headers, as they came.
async fn look(headers: HeaderMap) -> Json<[Vec<String>; 2]> {
    Json(["traceparent", "tracestate"].map(|name| {
        let lines = headers.get_all(name).iter().map(HeaderValue::to_str);
        lines.map(|line| line.unwrap().to_owned()).collect()
    }))
}

/// The trace that the three calls of a request carry.
fn judge(row: &Row, calls: &Value, version: Version) -> String {
    let Row(lines, then) = row;
    let of = || format!("{version:?} {lines:?}: {calls}");
    let mut ids = BTreeSet::from([PARENT]);
    let mut traces = BTreeSet::new();
    for call in calls.as_array().unwrap() {
        let [parents, states] = [&call[0], &call[1]].map(|lines| lines.as_array().unwrap());
        assert_eq!(parents.len(), 1, "{}", of());
        let parent = parents[0].as_str().unwrap();
        let [version, trace, id, flags] = *parent.split('-').collect::<Vec<_>>() else {
            panic!("{}", of())
        };
        assert_eq!(
            (version, trace.len(), id.len(), parent.len()),
            ("00", 32, 16, 55),
            "{}",
            of()
        );
        let digits = trace.bytes().chain(id.bytes());
        assert!(
            digits
                .clone()
                .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')),
            "{}",
            of()
        );
        assert!(ids.insert(id), "each call has an id of its own: {}", of());
        traces.insert(trace);
        match then {
            Then::GoesOn(expected, state) => {
                assert_eq!(trace, TRACE, "{}", of());
                assert_eq!(flags, format!("{expected:02x}"), "{}", of());
                let states: Vec<_> = states.iter().map(|state| state.as_str().unwrap()).collect();
                assert_eq!(states, Vec::from_iter(state.as_deref()), "{}", of());
            }
            Then::Begins => {
                assert!(![TRACE, OTHER_TRACE].contains(&trace), "{}", of());
                assert_eq!(flags, "02", "not sampled, and random: {}", of());
                assert!(states.is_empty(), "{}", of());
            }
        }
    }
    assert_eq!((ids.len(), traces.len()), (4, 1), "{}", of());
    traces.pop_first().unwrap().to_owned()
}

async fn check(rows: Vec<Row>) {
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = other.local_addr().unwrap();
    let other = axum::serve(other, Router::new().route("/", get(look)));
    let other = tokio::spawn(other.into_future());
    let app = Router::new().route("/", get(call)).with_state(address);
    let server = serve(|log| app.layer(AuditLayer::new(log))).await;
    let mut traces = Vec::new();
    for row in &rows {
        let mut sent = Sent::get("/");
        for (name, value) in &row.0 {
            sent = sent.header(name, value);
        }
        for version in VERSIONS {
            let answer = sent.over(version, server.addr).await;
            let answer = answer.unwrap_or_else(|| panic!("{version:?} {:?}", row.0));
            assert_eq!(answer.status, 200, "{version:?} {:?}", row.0);
            let calls = serde_json::from_slice(&answer.body).unwrap();
            traces.push(judge(row, &calls, version));
        }
    }
    other.abort();
    // Sampled or not, each request is recorded, under the trace that its calls carry.
    let records = access(&server.records(traces.len()).await);
    for (record, trace) in records.iter().zip(&traces) {
        assert_eq!(record["trace_id"], **trace);
        assert_ne!(record["span_id"], PARENT);
    }
    let begun = BTreeSet::from_iter(&traces);
    let continued = usize::from(begun.iter().any(|trace| *trace == TRACE));
    let new = traces.iter().filter(|trace| *trace != TRACE).count();
    assert_eq!(begun.len(), new + continued, "each begins one of its own");
}

#[tokio::test]
async fn a_trace_goes_on_where_it_is_valid_and_else_another_begins() {
    check(parents()).await;
}

#[tokio::test]
async fn the_state_of_a_trace_is_sent_on_whole_or_by_whole_members() {
    check(states()).await;
}
