//! A secret that stands in a text without a name.

use super::{Written, percent};

pub(super) const PLAIN: &[Written] = &[
    ("bare", |_, text| text.to_owned()),
    ("prose", |_, text| {
        format!("The partner was called with {text} and did not answer, so the seat was released")
    }),
    ("sentence-end", |_, text| {
        format!("Gave up after 3 attempts. Last input: {text}.")
    }),
    ("quoted", |_, text| {
        format!("cannot parse '{text}' at line 4, column 17")
    }),
    ("backticks", |_, text| {
        format!("unexpected `{text}`, expected a flight number")
    }),
    ("brackets", |_, text| {
        format!("[worker-3] retry [{text}] (2 of 5)")
    }),
    ("some", |_, text| format!("{:?}", Some(text))),
    ("error-debug", |_, text| {
        format!("request failed: Api(Rejected {{ status: 401, input: {text:?} }})")
    }),
    ("list-debug", |_, text| {
        format!("args = {:?}", ["serve", text, "eu-central-1"])
    }),
    ("url-path", |_, text| {
        format!(
            "GET https://api.example.com/v1/items/{}/details 404 in 12 ms",
            percent(text)
        )
    }),
    ("rust-panic", |_, text| {
        format!(
            "thread 'tokio-runtime-worker' panicked at src/partner.rs:41:9:\n\
             called `Result::unwrap()` on an `Err` value: Refused({text:?})\n\
             note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace"
        )
    }),
    ("java-trace", |_, text| {
        format!(
            "java.lang.IllegalStateException: cannot use {text}\n\
             \tat com.example.partner.Client.call(Client.java:118)\n\
             \tat com.example.partner.Job.run(Job.java:52)\n\
             Caused by: java.io.IOException: refused"
        )
    }),
    ("python-trace", |_, text| {
        format!(
            "Traceback (most recent call last):\n  File \"/app/partner.py\", line 88, in call\n    \
             raise Refused(\"{text}\")\npartner.Refused: {text}"
        )
    }),
    ("csv", |_, text| format!("7,2026-11-24,{text},eu,ok")),
    ("sql", |_, text| {
        format!("INSERT INTO inbox (id, body) VALUES (7, '{text}')")
    }),
    ("multi-line", |_, text| {
        format!("inputs of the job:\n  region eu-central-1\n  {text}\n  retries 3\n")
    }),
    ("tabs", |_, text| format!("7\t{text}\tok")),
];

/// Only for tokens: nobody writes a card number there.
pub(super) const IN_URL: &[Written] = &[
    ("url-userinfo", |_, text| {
        format!(
            "fetching https://{}@git.example.com/bookings.git",
            percent(text)
        )
    }),
    ("shell", |_, text| {
        format!("$ curl -sS -u {text}: https://api.example.com/v1/seats")
    }),
];
