//! An OTLP receiver that is not ours: the sink of `oteltest`, from the Python Package Index.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::{BufRead as _, BufReader, Lines, Write as _, stderr},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;

const PACKAGE: &str = "oteltest==0.49.0";

/// Runs until it is dropped.
pub(crate) struct Receiver {
    process: Child,
    printed: Lines<BufReader<ChildStdout>>,
    address: String,
}

/// A span as it was received.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) trace_id: String,
    pub(crate) parent: Option<String>,
}

impl Receiver {
    /// `None`, and a word on standard error, where it cannot be installed; in CI that is a failure.
    pub(crate) fn start() -> Option<Self> {
        let python = installed()?;
        let mut process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/receiver.py"))
            // Its end is the receiver's, also where the test is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = printed.next().unwrap().unwrap();
        Some(Self {
            process,
            printed,
            address: format!("http://127.0.0.1:{port}"),
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Stops it, and gives all that it received, by span id. An exporter was answered only after what it
    /// sent was printed.
    pub(crate) fn spans(mut self) -> BTreeMap<String, Span> {
        drop(self.process.stdin.take());
        let lines = self.printed.by_ref();
        let requests = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let mut spans = BTreeMap::new();
        for request in requests {
            for resource in list(&request, "resourceSpans") {
                for scope in list(resource, "scopeSpans") {
                    for span in list(scope, "spans") {
                        spans.insert(hex(span, "spanId").unwrap(), read(span));
                    }
                }
            }
        }
        spans
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.process.kill().unwrap_or(());
        drop(self.process.wait());
    }
}

fn read(span: &Value) -> Span {
    Span {
        name: span["name"].as_str().unwrap().to_owned(),
        trace_id: hex(span, "traceId").unwrap(),
        parent: hex(span, "parentSpanId"),
    }
}

fn list<'v>(of: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    of[name].as_array().into_iter().flatten()
}

fn hex(span: &Value, name: &str) -> Option<String> {
    let bytes = BASE64.decode(span.get(name)?.as_str()?.as_bytes());
    Some(HEXLOWER.encode(&bytes.unwrap()))
}

/// The Python that has the package, installed once for all tests.
fn installed() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oteltest");
    fs::create_dir_all(&folder).unwrap();
    // A folder can be locked as well as a file.
    let lock = File::open(&folder).unwrap();
    lock.lock().unwrap();
    let python = folder.join("venv/bin/python");
    let works = |python: &Path| {
        let mut import = Command::new(python);
        import.args(["-c", "import oteltest.sink"]);
        import.stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    };
    if works(&python) {
        return Some(python);
    }
    let venv = folder.join("venv");
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(venv));
    let pip = ["-m", "pip", "install", "--quiet", PACKAGE];
    if made && run(Command::new(&python).args(pip)) && works(&python) {
        return Some(python);
    }
    let skipped = format!("{PACKAGE} cannot be installed, so nothing was sent to a receiver");
    assert!(env::var_os("CI").is_none(), "{skipped}");
    // Past what keeps the output of tests that pass to itself.
    let mut out = stderr();
    writeln!(out, "SKIPPED: {skipped}").unwrap();
    None
}

fn run(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}
