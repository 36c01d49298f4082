//! A header of a request or response, in the forms in which it is logged.

use data_encoding::BASE64;

use super::{Written, json};

pub(super) const HEADER: &[Written] = &[
    ("line", |name, text| format!("{name}: {text}")),
    ("lower-case", |name, text| {
        format!("{}: {text}", name.to_lowercase())
    }),
    ("upper-case", |name, text| {
        format!("{}: {text}", name.to_uppercase())
    }),
    ("request", |name, text| {
        format!(
            "GET /v1/seats HTTP/1.1\r\nHost: api.example.com\r\n{name}: {text}\r\nAccept: */*\r\n\r\n"
        )
    }),
    ("curl", |name, text| {
        format!("$ curl -sS -H '{name}: {text}' https://api.example.com/v1/seats")
    }),
    ("curl-trace", |name, text| {
        format!(
            "> GET /v1/seats HTTP/2\n> Host: api.example.com\n> {name}: {text}\n> Accept: */*\n< HTTP/2 401"
        )
    }),
    ("map-debug", |name, text| {
        format!(
            "headers: {{\"host\": \"api.example.com\", {:?}: {text:?}}}",
            name.to_lowercase()
        )
    }),
    ("tuple-debug", |name, text| {
        format!(
            "[(\"host\", \"api.example.com\"), ({:?}, {text:?})]",
            name.to_lowercase()
        )
    }),
    ("struct-debug", |name, text| {
        let name = name.to_lowercase().replace('-', "_");
        format!("Parts {{ method: GET, {name}: Some({text:?}), version: HTTP/1.1 }}")
    }),
    ("json", |name, text| {
        format!(
            r#"{{"headers":{{{}:{},"accept":"*/*"}}}}"#,
            json(name),
            json(text)
        )
    }),
    ("json-list", |name, text| {
        format!(
            r#"{{"headers":{{{}:[{}],"accept":["*/*"]}}}}"#,
            json(name),
            json(text)
        )
    }),
    ("json-in-string", |name, text| {
        let inner = format!("{{{}:{}}}", json(&name.to_lowercase()), json(text));
        format!(r#"{{"level":"debug","request":{}}}"#, json(&inner))
    }),
    ("js-object", |name, text| {
        format!("headers: {{ {}: '{text}', accept: '*/*' }}", json(name))
    }),
    ("python-dict", |name, text| {
        format!("{{'Host': 'api.example.com', '{name}': '{text}'}}")
    }),
    ("prose", |name, text| {
        format!("the gateway answered 401 to {name}: {text}")
    }),
    ("logfmt", |name, text| {
        let name = name.to_lowercase().replace('-', "_");
        format!("level=debug msg=\"request refused\" {name}={text:?} status=401")
    }),
    ("base64", |name, text| {
        let inner = format!("GET / HTTP/1.1\r\n{name}: {text}\r\n");
        format!("raw {}", BASE64.encode(inner.as_bytes()))
    }),
];
