use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use compliance_log::{
    clock::{Clock as _, SystemClock},
    seal::Submission,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

use super::registry::{Refusal, Registry};
use crate::printer::{clean, remark};

/// Clients at once; the next waits.
const CONNECTIONS_MAX: usize = 256;
/// A client that takes longer to say what it wants is not waited for.
const HEADERS: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(20);
/// After a connection could not be taken, mostly for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// For requests that run when it is told to end.
const ENDING: Duration = Duration::from_secs(5);

/// The HTTP side of a witness.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    registry: Arc<Registry>,
}

impl Server {
    /// Listens, and answers nothing yet.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(crate) async fn bind(address: SocketAddr, registry: Registry) -> std::io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            registry: Arc::new(registry),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `end` does. What is cosigned is durable before it is answered, so that nothing has to
    /// be tidied up.
    pub(crate) async fn run(self, end: impl Future<Output = ()>) {
        let router = router(self.registry);
        let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        let mut end = pin!(end);
        loop {
            let accepted = async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                (self.listener.accept().await, permit)
            };
            let (Ok((stream, _)), permit) = (tokio::select! {
                () = &mut end => break,
                accepted = accepted => accepted,
            }) else {
                sleep(PAUSE).await;
                continue;
            };
            let service = TowerToHyperService::new(router.clone());
            connections.spawn(async move {
                let served = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADERS)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
                // A client that went away, or spoke something else.
                drop((served, permit));
            });
            while connections.try_join_next().is_some() {}
        }
        drop(self.listener);
        connections.abort_all();
        let ended = async { while connections.join_next().await.is_some() {} };
        timeout(ENDING, ended).await.unwrap_or(());
    }
}

fn router(registry: Arc<Registry>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/add-log", post(add_log))
        .route("/origins", get(origins))
        .route("/{origin}/checkpoint", get(checkpoint))
        .layer(DefaultBodyLimit::max(Submission::BYTES_MAX))
        .layer(from_fn(in_time))
        .with_state(registry)
}

async fn in_time(request: Request, next: Next) -> Response {
    let answer = timeout(REQUEST, next.run(request)).await;
    answer.unwrap_or_else(|_elapsed| StatusCode::REQUEST_TIMEOUT.into_response())
}

async fn add_checkpoint(State(registry): State<Arc<Registry>>, body: Bytes) -> Response {
    let asked = body.clone();
    let cosigned = on_thread(move || {
        let now = SystemClock::new().now().as_micros() / 1_000_000;
        registry.add_checkpoint(&body, u64::try_from(now).unwrap_or(0))
    });
    match cosigned.await {
        Ok(signature) => format!("{signature}\n").into_response(),
        Err(refusal) => refuse("add-checkpoint", &asked, &refusal),
    }
}

async fn add_log(State(registry): State<Arc<Registry>>, body: Bytes) -> Response {
    let asked = body.clone();
    match on_thread(move || registry.add_log(&body)).await {
        Ok(origin) => {
            remark(format_args!("{origin} is witnessed"));
            format!("{origin}\n").into_response()
        }
        Err(refusal) => refuse("add-log", &asked, &refusal),
    }
}

async fn origins(State(registry): State<Arc<Registry>>) -> Response {
    let lines = on_thread(move || {
        let sizes = registry.sizes().into_iter();
        let lines = sizes.map(|(origin, size)| format!("{origin} {size}\n"));
        Ok(lines.collect::<Vec<String>>().concat())
    });
    match lines.await {
        Ok(lines) => lines.into_response(),
        Err(refusal) => refuse("origins", &[], &refusal),
    }
}

async fn checkpoint(State(registry): State<Arc<Registry>>, Path(origin): Path<String>) -> Response {
    let Ok(origin) = origin.parse() else {
        return (StatusCode::NOT_FOUND, "that is no SHA-256 in hex\n").into_response();
    };
    let newest = on_thread(move || registry.newest(origin).ok_or(Refusal::Unknown));
    match newest.await {
        Ok(note) => note.into_response(),
        Err(refusal) => refuse("checkpoint", &[], &refusal),
    }
}

/// The registry waits for the disk, and for others that ask about the same store.
async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Refusal::Storage(error.to_string())))
}

fn refuse(call: &str, asked: &[u8], refusal: &Refusal) -> Response {
    const STORAGE: &str = "the state could not be stored";
    const INCONSISTENT: &str = "the checkpoint does not continue the newest one";
    const TAKEN: &str = "the store has a certificate of another log key";
    // What may be a second history, or keeps the witness from its work, is said where it runs.
    let say = |what: &str, more: &str| remark(format_args!("{call}: {what}: {}", clean(more)));
    let asked = String::from_utf8_lossy(asked);
    let (status, text) = match refusal {
        Refusal::Malformed(reason) => (StatusCode::BAD_REQUEST, &**reason),
        Refusal::Unknown => (StatusCode::NOT_FOUND, "that store is not known here"),
        Refusal::Untrusted(reason) => (StatusCode::FORBIDDEN, &**reason),
        Refusal::Conflict(size) => return conflict(*size),
        Refusal::Fork(size) => {
            say(INCONSISTENT, &asked);
            return conflict(*size);
        }
        Refusal::Inconsistent => {
            say(INCONSISTENT, &asked);
            (StatusCode::UNPROCESSABLE_ENTITY, INCONSISTENT)
        }
        Refusal::Taken => {
            say(TAKEN, &asked);
            (StatusCode::CONFLICT, TAKEN)
        }
        Refusal::Storage(reason) => {
            say(STORAGE, reason);
            (StatusCode::INTERNAL_SERVER_ERROR, STORAGE)
        }
    };
    (status, format!("{text}\n")).into_response()
}

fn conflict(size: u64) -> Response {
    let header = [(CONTENT_TYPE, "text/x.tlog.size")];
    (StatusCode::CONFLICT, header, format!("{size}\n")).into_response()
}
