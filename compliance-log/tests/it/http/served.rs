//! A server on a real socket with a log of its own, and the records that it left.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use axum::Router;
use compliance_log::{
    ComplianceLog,
    verify::{Options, Verdict, verify},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{
    injection::{LINE_BYTES_MAX, is_unsafe},
    support::{only_store, segments},
};

/// Longer than anything takes.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

pub(super) struct Served {
    pub(super) addr: SocketAddr,
    log: ComplianceLog,
    dir: TempDir,
    server: JoinHandle<()>,
}

pub(super) fn open() -> (ComplianceLog, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let log = ComplianceLog::builder("booking-api")
        .env("prod")
        .instance("i")
        .dir(dir.path())
        .open()
        .unwrap();
    (log, dir)
}

pub(super) async fn serve(app: impl FnOnce(&ComplianceLog) -> Router) -> Served {
    serve_by(app, async |listener, app| {
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await.unwrap();
    })
    .await
}

/// Serves as `server` does.
pub(super) async fn serve_by<F>(
    app: impl FnOnce(&ComplianceLog) -> Router,
    server: impl FnOnce(TcpListener, Router) -> F,
) -> Served
where
    F: Future<Output = ()> + Send + 'static,
{
    let (log, dir) = open();
    let app = app(&log);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(server(listener, app));
    Served {
        addr,
        log,
        dir,
        server,
    }
}

impl Served {
    pub(super) async fn connect(&self, request: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.addr).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        socket
    }

    pub(super) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Sends a request and reads until the server closes.
    pub(super) async fn send(&self, request: &str) -> String {
        let mut socket = self.connect(request).await;
        let mut answer = Vec::new();
        // After a panic the connection is reset.
        socket.read_to_end(&mut answer).await.unwrap_or_default();
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(super) async fn get(&self, path: &str) -> String {
        self.send(&request("GET", path, "")).await
    }

    /// Ends the server and the log, once there are `requests` access records.
    pub(super) async fn records(self, requests: usize) -> Vec<Value> {
        let start = Instant::now();
        while access(&read(self.dir.path())).len() < requests {
            assert!(start.elapsed() < DEADLINE, "{:#?}", read(self.dir.path()));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.server.abort();
        self.log.shutdown().unwrap();
        let records = read(self.dir.path());
        assert_eq!(access(&records).len(), requests, "{records:#?}");
        for record in &records {
            assert_eq!(record.get("schema_violations"), None, "{record:#}");
        }
        assert_whole(self.dir.path());
        records
    }

    /// The only access record.
    pub(super) async fn access(self) -> Value {
        access(&self.records(1).await).remove(0)
    }
}

/// The chain is whole, and each line is one record in its bounds, with nothing in it that a terminal
/// would obey.
fn assert_whole(dir: &Path) {
    let report = verify(dir, &Options::default()).unwrap();
    assert_eq!(report.verdict, Verdict::Ok, "{report:#?}");
    let store = only_store(dir);
    for channel in ["audit", "app"] {
        let mut next = 0;
        for segment in segments(&store, channel) {
            let text = fs::read_to_string(segment).unwrap();
            assert!(text.is_empty() || text.ends_with('\n'), "half a line");
            for line in text.split_terminator('\n') {
                assert!(line.len() <= LINE_BYTES_MAX, "{} bytes", line.len());
                assert!(!line.chars().any(is_unsafe), "{line}");
                let record: Value = serde_json::from_str(line).unwrap();
                assert_eq!(record["seq"], next, "one line, one record");
                next += 1;
            }
        }
    }
}

/// A request after which the server closes the connection.
pub(super) fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n")
}

pub(super) fn read(dir: &Path) -> Vec<Value> {
    let mut records = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if let Ok(text) = fs::read_to_string(path) {
                records.extend(text.lines().filter_map(|line| {
                    let record: Value = serde_json::from_str(line).ok()?;
                    record.get("event").is_some().then_some(record)
                }));
            }
        }
    }
    records
}

pub(super) fn access(records: &[Value]) -> Vec<Value> {
    named(records, "http.request")
}

pub(super) fn named(records: &[Value], name: &str) -> Vec<Value> {
    records
        .iter()
        .filter(|record| record["event"] == name)
        .cloned()
        .collect()
}

/// `[target, status, outcome, detail, code]`, as one line; `-` for what is not there.
pub(super) fn verdict(record: &Value) -> String {
    [
        "target_resource",
        "status_code",
        "outcome",
        "outcome_detail",
        "error_code",
    ]
    .map(|key| match &record[key] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
    .join(" | ")
}

/// The value of a header in the text of a response.
pub(super) fn header<'a>(response: &'a str, name: &str) -> Option<&'a str> {
    response
        .lines()
        .take_while(|line| !line.is_empty())
        .find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
}
