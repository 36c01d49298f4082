//! The example itself, as a process.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Runs until it is dropped.
pub(crate) struct Service {
    process: Child,
    address: String,
    dir: TempDir,
}

impl Service {
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_otel"))
            .arg(dir.path())
            .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
            .env_remove("OTEL_TRACES_SAMPLER")
            .env("LISTEN", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut printed = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = printed.next().unwrap().unwrap();
        let address = line.strip_prefix("listening on http://").unwrap();
        Self {
            process,
            address: address.to_owned(),
            dir,
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a request, which succeeds.
    pub(crate) fn post(&self, path: &str, headers: &str) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Stops it as whoever runs it would, and gives the records of its requests.
    pub(crate) fn records(mut self) -> Vec<Value> {
        kill_process(Pid::from_child(&self.process), Signal::INT).unwrap();
        let ended = self.process.wait().unwrap();
        assert!(ended.success(), "{ended}");
        let mut records = Vec::new();
        for store in folder(self.dir.path()) {
            for channel in ["audit", "app"] {
                for file in folder(&store.join("streams").join(channel)) {
                    if file
                        .extension()
                        .is_some_and(|extension| extension == "jsonl")
                    {
                        let text = fs::read_to_string(file).unwrap();
                        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
                        records.extend(
                            lines.filter(|record: &Value| record.get("request_id").is_some()),
                        );
                    }
                }
            }
        }
        records
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It ended by itself, where the test went well.
        self.process.kill().unwrap_or(());
        drop(self.process.wait());
    }
}

fn folder(path: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}
