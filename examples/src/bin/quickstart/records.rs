//! Reading back what the service wrote.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::Failure;

/// Every record of the audit stream and of the app stream; the catalog only says what was sealed.
pub(crate) fn read(store: &Path) -> Result<Vec<Value>, Failure> {
    let mut records = Vec::new();
    for path in files(store)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "jsonl"))
        .filter(|path| {
            !path
                .parent()
                .is_some_and(|folder| folder.ends_with("catalog"))
        })
    {
        for line in fs::read_to_string(path)?.lines() {
            records.push(serde_json::from_str(line)?);
        }
    }
    records.sort_by_key(|record: &Value| record["timestamp"].as_str().map(str::to_owned));
    Ok(records)
}

fn files(store: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![store.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// One record in one line, for people.
pub(crate) fn line(record: &Value) -> String {
    let text = |key: &str| record[key].as_str().unwrap_or("-");
    let status = record["status_code"]
        .as_u64()
        .map_or_else(String::new, |status| status.to_string());
    let how = match record["outcome_detail"].as_str() {
        Some(detail) => format!("{}/{detail}", text("outcome")),
        None => text("outcome").to_owned(),
    };
    let what = record["target_resource"]
        .as_str()
        .or(record["message"].as_str())
        .unwrap_or_default();
    format!(
        "{} {:<8} {:<16} {:<14} {:>3} {:<5} {}",
        &text("timestamp")[11..23],
        text("category"),
        text("event"),
        how,
        status,
        text("tenant_id"),
        what.lines().next().unwrap_or_default(),
    )
}

/// What must stand in the records of this run.
pub(crate) fn expected(written: &[Value]) -> Vec<(&'static str, bool)> {
    let any = |fits: &dyn Fn(&Value) -> bool| written.iter().any(fits);
    let access = |status: u64, detail: &str, code: &str| {
        any(&|record| {
            record["event"] == "http.request"
                && record["status_code"] == status
                && record["outcome_detail"].as_str().unwrap_or_default() == detail
                && record["error_code"].as_str().unwrap_or_default() == code
        })
    };
    let owed = |event: &str, outcome: &str, code: &str| {
        any(&|record| {
            record["event"] == event
                && record["outcome"] == outcome
                && record["error_code"].as_str().unwrap_or_default() == code
        })
    };
    let booking = written
        .iter()
        .find(|record| record["event"] == "booking.created");
    let of_booking = |row: &str, value: &str| booking.is_some_and(|record| record[row] == value);
    let request = booking.and_then(|record| record["request_id"].as_str());
    vec![
        (
            "the booking has the caller's trace id",
            of_booking("trace_id", "0af7651916cd43dd8448eb211c80319c"),
        ),
        (
            "the booking has the verified tenant and user",
            of_booking("tenant_id", "acme") && of_booking("user_id", "u-1001"),
        ),
        (
            "the booking and its access record share a request id",
            any(&|record| {
                record["event"] == "http.request" && record["request_id"].as_str() == request
            }),
        ),
        (
            "the refusal is recorded as 409, and why",
            access(409, "", "HTTP_409") && owed("seats.changed", "fail", "SOLD_OUT"),
        ),
        (
            "the unknown route is recorded as 404",
            access(404, "", "HTTP_404"),
        ),
        (
            "the panic is recorded as 500, and as a booking that failed",
            access(500, "", "PANIC") && owed("booking.created", "fail", "PANIC"),
        ),
        (
            "the client that left is recorded as 499, and as a booking that nobody saw end",
            access(499, "aborted", "CLIENT_GONE") && owed("booking.created", "fail", "ABANDONED"),
        ),
    ]
}

/// The stored line of the booking.
pub(crate) fn one(store: &Path, written: &[Value]) -> Result<String, Failure> {
    let booking = written
        .iter()
        .find(|record| record["event"] == "booking.created");
    let hash = booking
        .and_then(|record| record["hash"].as_str())
        .ok_or("no booking was recorded")?;
    for path in files(store)? {
        if let Some(line) = fs::read_to_string(path)
            .unwrap_or_default()
            .lines()
            .find(|line| line.contains(hash))
        {
            return Ok(line.to_owned());
        }
    }
    Err("the booking's record is in no file".into())
}

/// For each secret, the files that hold it.
pub(crate) fn secrets(store: &Path, secrets: &[&str]) -> Result<Vec<Vec<PathBuf>>, Failure> {
    let mut found = vec![Vec::new(); secrets.len()];
    for path in files(store)? {
        let bytes = fs::read(&path)?;
        for (secret, places) in secrets.iter().zip(&mut found) {
            if bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
            {
                places.push(path.clone());
            }
        }
    }
    Ok(found)
}
