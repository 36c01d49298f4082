//! A secret that stands under a name.

use data_encoding::BASE64;

use super::{Written, json, percent};

pub(super) const KEYED: &[Written] = &[
    ("key=value", |name, text| {
        format!("login refused {name}={text} attempts=3")
    }),
    ("key: value", |name, text| {
        format!("login refused, {name}: {text}")
    }),
    ("key = quoted", |name, text| format!("{name} = \"{text}\"")),
    ("json", |name, text| {
        format!(r#"{{"id":7,{}:{},"ok":true}}"#, json(name), json(text))
    }),
    ("json-spaced", |name, text| {
        format!("{{\n  {} : {}\n}}", json(name), json(text))
    }),
    ("json-in-string", |name, text| {
        let inner = format!(r#"{{"id":7,{}:{}}}"#, json(name), json(text));
        format!(r#"{{"topic":"bookings","body":{}}}"#, json(&inner))
    }),
    ("json-twice-in-string", |name, text| {
        let inner = format!("{{{}:{}}}", json(name), json(text));
        let outer = format!(r#"{{"body":{}}}"#, json(&inner));
        format!("dead letter: {{\"raw\":{}}}", json(&outer))
    }),
    ("struct-debug", |name, text| {
        let name = name.replace(['-', '.'], "_");
        format!("Settings {{ region: \"eu\", {name}: {text:?}, retries: 3 }}")
    }),
    ("struct-debug-some", |name, text| {
        let name = name.replace(['-', '.'], "_");
        format!(
            "Settings {{ region: \"eu\", {name}: {:?}, retries: 3 }}",
            Some(text)
        )
    }),
    ("struct-debug-lines", |name, text| {
        let name = name.replace(['-', '.'], "_");
        format!("Settings {{\n    {name}: Some(\n        {text:?},\n    ),\n    retries: 3,\n}}")
    }),
    ("map-debug", |name, text| {
        format!(r#"{{"region": "eu", {name:?}: {text:?}}}"#)
    }),
    ("pairs-debug", |name, text| {
        format!("[({name:?}, {text:?}), (\"region\", \"eu\")]")
    }),
    ("python-dict", |name, text| {
        format!("{{'region': 'eu', '{name}': '{text}'}}")
    }),
    ("query", |name, text| {
        format!(
            "GET /v1/seats?flight=XY123&{name}={}&page=2 HTTP/1.1",
            percent(text)
        )
    }),
    ("form", |name, text| {
        format!("{name}={}&remember=true", percent(text))
    }),
    ("header-line", |name, text| {
        format!(
            "POST /v1/seats HTTP/1.1\r\nHost: api.example.com\r\n{name}: {text}\r\nAccept: */*\r\n"
        )
    }),
    ("shell-option", |name, text| {
        let name = kebab(name);
        format!("$ deploy --region eu --{name} {text} --dry-run")
    }),
    ("shell-option=", |name, text| {
        let name = kebab(name);
        format!("running: deploy --{name}={text} --dry-run")
    }),
    ("export", |name, text| format!("export {name}='{text}'")),
    ("dot-env", |name, text| {
        format!("REGION=eu\n{name}={text}\nRETRIES=3\n")
    }),
    ("yaml", |name, text| {
        format!("partner:\n  region: eu\n  {name}: {text}\n  retries: 3\n")
    }),
    ("yaml-quoted", |name, text| {
        format!("partner:\n  {name}: \"{text}\"\n  retries: 3\n")
    }),
    ("toml", |name, text| {
        format!("[partner]\nregion = \"eu\"\n{name} = \"{text}\"\n")
    }),
    ("logfmt", |name, text| {
        format!("level=warn msg=\"partner refused\" {name}=\"{text}\" dur=3ms")
    }),
    ("xml", |name, text| {
        format!("<partner><{name}>{text}</{name}><region>eu</region></partner>")
    }),
    ("percent-encoded", |name, text| {
        format!("next=%2Flogin%3F{name}%3D{}", percent(&percent(text)))
    }),
    ("base64", |name, text| {
        let inner = format!("region=eu\n{name}={text}\n");
        format!("payload {}", BASE64.encode(inner.as_bytes()))
    }),
    ("base64-json", |name, text| {
        let inner = format!("{{{}:{}}}", json(name), json(text));
        format!("{{\"value\":\"{}\"}}", BASE64.encode(inner.as_bytes()))
    }),
];

/// `clientSecret` and `CLIENT_SECRET` as an option: `client-secret`.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    let mut before = '-';
    for letter in name.chars() {
        if before.is_lowercase() && letter.is_uppercase() {
            kebab.push('-');
        }
        kebab.push(if letter == '_' {
            '-'
        } else {
            letter.to_ascii_lowercase()
        });
        before = letter;
    }
    kebab
}
