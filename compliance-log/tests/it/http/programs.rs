//! Whatever a handler does and whatever befalls it: one access record and one record of the event
//! that it owed, on the disk before any answer.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{Arc, Mutex, OnceLock},
    time::Instant,
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{Request, StatusCode},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::MethodRouter,
};
use compliance_log::{
    ComplianceLog,
    http::{AuditCtx, AuditLayer, AuditResult, OrFail as _, Settled, audited},
};
use futures_util::{StreamExt as _, stream};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
};

use super::{
    owed::{BookingCreated, BookingUpdated, SoldOut, authenticate},
    served::{DEADLINE, Served, named, read, serve},
};

#[derive(Clone, Debug)]
struct Program {
    wire: Wire,
    sent: Sent,
    handler: Handler,
}

#[derive(Clone, Copy, Debug)]
enum Wire {
    Http1,
    Http2,
}

/// What the client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Well,
    WithoutTenant,
    WithBadJson,
}

/// What the handler does.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Handler {
    begins: bool,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum End {
    Success(Rest),
    SuccessAs(Rest),
    Refusal,
    OwnError,
    ForeignError,
    Panic,
    /// The client leaves while the handler works.
    Left,
    TimeoutInside,
    TimeoutOutside,
}

/// What becomes of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Rest {
    Sent,
    Left,
    Panic,
    Error,
}

fn rest() -> impl Strategy<Value = Rest> {
    prop_oneof![
        3 => Just(Rest::Sent),
        1 => Just(Rest::Left),
        1 => Just(Rest::Panic),
        1 => Just(Rest::Error),
    ]
}

fn program() -> impl Strategy<Value = Program> {
    let wire = prop_oneof![Just(Wire::Http1), Just(Wire::Http2)];
    let sent = prop_oneof![
        8 => Just(Sent::Well),
        1 => Just(Sent::WithoutTenant),
        1 => Just(Sent::WithBadJson),
    ];
    let end = prop_oneof![
        3 => rest().prop_map(End::Success),
        1 => rest().prop_map(End::SuccessAs),
        1 => Just(End::Refusal),
        1 => Just(End::OwnError),
        1 => Just(End::ForeignError),
        1 => Just(End::Panic),
        1 => Just(End::Left),
        1 => Just(End::TimeoutInside),
        1 => Just(End::TimeoutOutside),
    ];
    (wire, sent, any::<bool>(), end).prop_map(|(wire, sent, begins, end)| Program {
        wire,
        sent,
        handler: Handler { begins, end },
    })
}

/// What must be on the disk: event, outcome, error code.
fn owed(program: &Program) -> (&'static str, &'static str, Option<&'static str>) {
    let failed = |code| ("booking.created", "fail", Some(code));
    match (program.sent, program.handler.end) {
        (Sent::WithoutTenant, _) => failed("NO_TENANT"),
        (Sent::WithBadJson, _) => failed("HTTP_400"),
        (_, End::Success(_)) => ("booking.created", "success", None),
        (_, End::SuccessAs(_)) => ("booking.updated", "success", None),
        (_, End::Refusal | End::OwnError) => failed("SOLD_OUT"),
        (_, End::ForeignError) => failed("BAD_RATE"),
        (_, End::Panic) => failed("PANIC"),
        (_, End::TimeoutInside) => failed("HTTP_408"),
        (_, End::Left | End::TimeoutOutside) => failed("ABANDONED"),
    }
}

/// Handlers say here that they have come to where the client leaves, by the id of the request.
type Reached = Arc<Mutex<BTreeMap<String, oneshot::Sender<()>>>>;

async fn run(
    ctx: AuditCtx<BookingCreated>,
    State(reached): State<Reached>,
    Json(handler): Json<Handler>,
) -> AuditResult<Response> {
    let id = ctx.context().user_agent().unwrap().to_owned();
    let booking_id = 17;
    let created = BookingCreated { booking_id };
    let updated = BookingUpdated { booking_id };
    if handler.begins {
        let intent = ctx.begin("booking/17").await?;
        return match handler.end {
            End::Success(rest) => answer(intent.success(created).await?, rest),
            End::SuccessAs(rest) => answer(intent.success_as(updated).await?, rest),
            End::Refusal => answer(intent.fail(SoldOut).await?, Rest::Sent),
            end => other(end, &reached, &id, intent).await,
        };
    }
    match handler.end {
        End::Success(rest) => answer(ctx.success(created).await?, rest),
        End::SuccessAs(rest) => answer(ctx.success_as(updated).await?, rest),
        End::Refusal => answer(ctx.fail(SoldOut).await?, Rest::Sent),
        end => other(end, &reached, &id, ctx).await,
    }
}

/// The ends that settle nothing; `held` is the duty.
async fn other<T>(end: End, reached: &Reached, id: &str, held: T) -> AuditResult<Response> {
    match end {
        End::OwnError => Err(SoldOut)?,
        End::ForeignError => drop("many".parse::<u32>().or_fail("BAD_RATE")?),
        End::Panic => panic!("in the handler"),
        _ => (),
    }
    if let Some(reached) = reached.lock().unwrap().remove(id) {
        reached.send(()).unwrap();
    }
    std::future::pending::<()>().await;
    drop(held);
    unreachable!("nobody waits that long")
}

fn answer(settled: Settled, rest: Rest) -> AuditResult<Response> {
    let first = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"first"))]);
    let body = match rest {
        Rest::Sent => Body::from("first"),
        Rest::Left => Body::from_stream(first.chain(stream::pending())),
        Rest::Error => {
            Body::from_stream(first.chain(stream::iter([Err(io::Error::other("of the body"))])))
        }
        Rest::Panic => Body::from_stream(first.chain(stream::poll_fn(|_| panic!("in the body")))),
    };
    settled.respond(Response::new(body))
}

fn app(log: &ComplianceLog, reached: &Reached) -> Router {
    let route = || MethodRouter::from(audited::post(run));
    let timeout = || from_fn_with_state(Arc::clone(reached), give_up);
    let inside = Router::new()
        .route("/inside", route())
        .layer(timeout())
        .route("/run", route())
        .layer(from_fn(authenticate))
        .layer(AuditLayer::new(log));
    Router::new()
        .route("/outside", route())
        .layer(from_fn(authenticate))
        .layer(AuditLayer::new(log))
        .layer(timeout())
        .merge(inside)
        .with_state(Arc::clone(reached))
}

/// A timeout that strikes as soon as the handler hangs.
async fn give_up(
    State(reached): State<Reached>,
    request: axum::extract::Request,
    next: Next,
) -> Response {
    let id = request.headers()["user-agent"].to_str().unwrap().to_owned();
    let (tell, told) = oneshot::channel();
    reached.lock().unwrap().insert(id, tell);
    tokio::select! {
        response = next.run(request) => response,
        Ok(()) = told => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}

fn request(program: &Program, id: &str) -> (Request<()>, String) {
    let path = match program.handler.end {
        End::TimeoutInside => "/inside",
        End::TimeoutOutside => "/outside",
        _ => "/run",
    };
    let mut request = Request::post(format!("http://test{path}"))
        .header("content-type", "application/json")
        .header("user-agent", id);
    if program.sent != Sent::WithoutTenant {
        request = request.header("x-test-tenant", "acme");
    }
    let body = match program.sent {
        Sent::WithBadJson => "{".to_owned(),
        _ => serde_json::to_string(&program.handler).unwrap(),
    };
    (request.body(()).unwrap(), body)
}

/// What the client saw: the status, when the head of an answer came.
async fn ask_http1(
    server: &Served,
    program: &Program,
    id: &str,
    reached: oneshot::Receiver<()>,
    at_head: impl FnOnce(u16),
) {
    let (request, body) = request(program, id);
    let mut head = format!(
        "POST {} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n",
        request.uri().path(),
        body.len()
    );
    for (name, value) in request.headers() {
        head.extend([name.as_str(), ": ", value.to_str().unwrap(), "\r\n"]);
    }
    let mut socket = TcpStream::connect(server.addr).await.unwrap();
    let text = format!("{head}\r\n{body}");
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    let read_head = async {
        while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
            match socket.read(&mut chunk).await {
                Ok(0) | Err(_) => return None,
                Ok(read) => answer.extend_from_slice(&chunk[..read]),
            }
        }
        let text = String::from_utf8_lossy(&answer);
        text.split(' ').nth(1)?.parse().ok()
    };
    tokio::select! {
        status = read_head => if let Some(status) = status { at_head(status) },
        Ok(()) = reached, if program.handler.end == End::Left => return,
    }
    if !leaves_in_body(program) {
        // Ends with an error where the server resets the connection.
        socket.read_to_end(&mut answer).await.unwrap_or_default();
    }
}

async fn ask_http2(
    server: &Served,
    program: &Program,
    id: &str,
    reached: oneshot::Receiver<()>,
    at_head: impl FnOnce(u16),
) {
    let (request, body) = request(program, id);
    let socket = TcpStream::connect(server.addr).await.unwrap();
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let (answer, mut stream) = client.send_request(request, false).unwrap();
    // A request that is refused by its head may be answered and closed by now.
    stream.send_data(body.into(), true).unwrap_or(());
    tokio::select! {
        answer = answer => if let Ok(answer) = answer {
            at_head(answer.status().as_u16());
            let mut body = answer.into_body();
            if !leaves_in_body(program) {
                while let Some(Ok(_)) = body.data().await {}
            }
        },
        Ok(()) = reached, if program.handler.end == End::Left => (),
    }
    stream.send_reset(h2::Reason::CANCEL);
    drop((client, stream));
    // Ends with the connection, of which this was the only stream.
    drop(tokio::time::timeout(DEADLINE, connection).await.unwrap());
}

fn leaves_in_body(program: &Program) -> bool {
    matches!(
        program.handler.end,
        End::Success(Rest::Left) | End::SuccessAs(Rest::Left)
    )
}

fn of_request(dir: &Path, id: &str) -> Vec<Value> {
    let mut records = read(dir);
    records.retain(|record| record["user_agent"] == id);
    records
}

fn owed_of(records: &[Value]) -> Vec<Value> {
    let mut records = records.to_vec();
    records.retain(|record| record["event"].as_str().unwrap().starts_with("booking."));
    records
}

async fn check(server: &Served, reached: &Reached, program: &Program, id: &str) {
    let (tell, told) = oneshot::channel();
    if program.handler.end == End::Left {
        reached.lock().unwrap().insert(id.to_owned(), tell);
    }
    let expected = owed(program);
    let head = OnceLock::new();
    let at_head = |status: u16| {
        let stored = owed_of(&of_request(server.dir(), id));
        // The timeout outside answers while nobody knows yet how the handler ended.
        if program.handler.end != End::TimeoutOutside {
            assert_eq!(
                stored.len(),
                1,
                "not on the disk before the answer: {program:?}"
            );
        }
        head.set(status).unwrap();
    };
    match program.wire {
        Wire::Http1 => ask_http1(server, program, id, told, at_head).await,
        Wire::Http2 => ask_http2(server, program, id, told, at_head).await,
    }
    let start = Instant::now();
    while named(&of_request(server.dir(), id), "http.request").is_empty() {
        assert!(start.elapsed() < DEADLINE, "no access record: {program:?}");
        tokio::task::yield_now().await;
    }
    let records = of_request(server.dir(), id);
    let stored = owed_of(&records);
    assert_eq!(named(&records, "http.request").len(), 1, "{program:?}");
    assert_eq!(stored.len(), 1, "{program:?}: {records:#?}");
    let record = &stored[0];
    assert_eq!(
        (
            record["event"].as_str().unwrap(),
            record["outcome"].as_str().unwrap(),
            record["error_code"].as_str(),
        ),
        expected,
        "{program:?}"
    );
    if let Some(status) = head.get()
        && (200..300).contains(status)
        && program.handler.end != End::Refusal
    {
        assert_eq!(expected.1, "success", "{program:?} was answered {status}");
    }
    let ran = program.sent == Sent::Well;
    let intents = named(&records, "audit.intent");
    assert_eq!(intents.len(), usize::from(ran && program.handler.begins));
    let reference = intents
        .first()
        .map(|intent| format!("{}/{}", intent["stream"].as_str().unwrap(), intent["seq"]));
    assert_eq!(
        record["intent_ref"].as_str(),
        reference.as_deref(),
        "{program:?}"
    );
}

#[test]
fn one_access_record_and_one_owed_record_whatever_happens() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let reached = Reached::default();
    let server = runtime.block_on(serve(|log| app(log, &reached)));
    let requests = Mutex::new(0);
    let mut runner = TestRunner::new(Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&program(), |program| {
            let id = {
                let mut requests = requests.lock().unwrap();
                *requests += 1;
                format!("request-{requests}")
            };
            runtime.block_on(check(&server, &reached, &program, &id));
            Ok(())
        })
        .unwrap();
    let requests = *requests.lock().unwrap();
    assert!(requests >= 200);
    runtime.block_on(server.records(requests));
}
