//! A secret that is a text of its own, of one line or more.

use data_encoding::BASE64;

use super::{Wrap, Written, json, percent};

pub(super) const TEXT: &[Written] = &[
    ("bare", |_, text| text.to_owned()),
    ("prose", |_, text| {
        format!("The job stopped since {text} was refused by the peer")
    }),
    ("colon", |_, text| format!("connection failed: {text}")),
    ("sentence-end", |_, text| {
        format!("cannot connect to {text}.")
    }),
    ("between-lines", |_, text| {
        format!("settings of the job\n{text}\nend of settings\n")
    }),
    ("quoted", |_, text| {
        format!("invalid input '{text}' (line 4)")
    }),
    ("string-debug", |_, text| format!("input = {text:?}")),
    ("some", |_, text| format!("{:?}", Some(text))),
    ("struct-debug", |_, text| {
        format!("Settings {{ name: \"partner\", input: {text:?}, retries: 3 }}")
    }),
    ("map-debug", |_, text| {
        format!(r#"{{"region": "eu", "input": {text:?}}}"#)
    }),
    ("rust-panic", |_, text| {
        format!(
            "thread 'main' panicked at src/main.rs:12:5:\ncannot start: Invalid({text:?})\n\
             note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace"
        )
    }),
    ("java-trace", |_, text| {
        format!("java.sql.SQLException: refused: {text}\n\tat com.example.Db.open(Db.java:31)")
    }),
    ("json", |_, text| {
        format!(r#"{{"id":7,"input":{},"ok":false}}"#, json(text))
    }),
    ("json-in-string", |_, text| {
        let inner = format!(r#"{{"input":{}}}"#, json(text));
        format!(r#"{{"topic":"bookings","body":{}}}"#, json(&inner))
    }),
    ("yaml-block", |_, text| {
        format!("input: |\n  {}\nretries: 3\n", text.replace('\n', "\n  "))
    }),
    ("query", |_, text| {
        format!("GET /check?input={}&page=2 HTTP/1.1", percent(text))
    }),
    ("base64", |_, text| {
        format!("payload {}", BASE64.encode(text.as_bytes()))
    }),
];

/// Only for keys: what else loses its end is no longer known by its checksum.
pub(super) const CUT: &[Wrap] = &[("cut", |named| {
    // A limit of some other log cut the text, and with it its end.
    let text = &named.secret.text;
    let known = text.starts_with("-----");
    known.then(|| format!("input was {}", &text[..text.len() * 9 / 10]))
})];
