//! Secrets that are encoded, escaped or disguised. None stands here as it would be found by others.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{cpu_time, looks, redact};

/// Base64 with one of its alphabets, with or without padding.
fn base64(bytes: &[u8], last: [u8; 2], padded: bool) -> String {
    let mut digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".to_vec();
    digits.extend_from_slice(&last);
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(group);
        for place in 0..=chunk.len() {
            out.push(digits[(bits >> (18 - 6 * place) & 0x3f) as usize].into());
        }
        if padded {
            out.extend(std::iter::repeat_n('=', 3 - chunk.len()));
        }
    }
    out
}

fn standard(text: &str) -> String {
    base64(text.as_bytes(), *b"+/", true)
}

fn percent_all(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "%{byte:02X}").unwrap();
        out
    })
}

/// Percent-encoded as a browser does it.
fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte.into());
            }
            byte => write!(out, "%{byte:02x}").unwrap(),
        }
        out
    })
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn escaped(text: &str) -> String {
    text.encode_utf16().fold(String::new(), |mut out, unit| {
        write!(out, "\\u{unit:04x}").unwrap();
        out
    })
}

fn escaped_x(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "\\x{byte:02x}").unwrap();
        out
    })
}

fn entities(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "&#{byte};").unwrap();
        out
    })
}

fn fullwidth(text: &str) -> String {
    let wide = |c: char| match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap(),
        c => c,
    };
    text.chars().map(wide).collect()
}

fn split_by(text: &str, hidden: char) -> String {
    text.chars().flat_map(|c| [c, hidden]).collect()
}

fn broken(text: &str, at: usize, sign: &str) -> String {
    let run = standard(text);
    let lines: Vec<_> = run
        .as_bytes()
        .chunks(at)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join(sign)
}

fn utf_16(text: &str) -> String {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    base64(&bytes, *b"+/", true)
}

type Wrap = fn(&str) -> String;

/// Each way to wrap a text.
const WRAPS: &[(&str, Wrap)] = &[
    ("percent", percent_all),
    ("percent as browsers do", percent),
    ("percent twice", |text| percent(&percent_all(text))),
    ("percent three times", |text| {
        percent(&percent(&percent_all(text)))
    }),
    ("base64", standard),
    ("base64 for URLs", |text| {
        base64(text.as_bytes(), *b"-_", false)
    }),
    ("base64 in lines of 76", |text| {
        broken(&format!("{text}\n{text}"), 76, "\r\n")
    }),
    ("base64 in lines of 64", |text| {
        broken(&format!("{text}\n{text}"), 64, "\n")
    }),
    ("base64 in lines of 32, escaped", |text| {
        broken(text, 32, "\\n")
    }),
    ("base64 twice", |text| standard(&standard(text))),
    ("base64 of UTF-16", utf_16),
    ("base64 in percent", |text| percent_all(&standard(text))),
    ("base64 in percent as browsers do", |text| {
        percent(&standard(text))
    }),
    ("percent in base64", |text| standard(&percent_all(text))),
    ("json in base64", |text| {
        standard(&format!("{{\"n\":1,\"s\":{}}}", json(text)))
    }),
    ("base64 in json", |text| {
        json(&format!("{{\"n\":{}}}", json(&standard(text))))
    }),
    ("\\u", escaped),
    ("\\x", escaped_x),
    ("\\u twice", |text| json(&escaped(text))),
    ("json in json in json", |text| {
        json(&json(&json(&escaped(text))))
    }),
    ("entities", entities),
    ("entities in percent", |text| percent(&entities(text))),
    ("fullwidth", fullwidth),
    ("fullwidth in percent", |text| percent_all(&fullwidth(text))),
    ("zero width spaces", |text| split_by(text, '\u{200b}')),
    ("byte order marks", |text| split_by(text, '\u{feff}')),
    ("soft hyphens", |text| split_by(text, '\u{ad}')),
    ("marks of direction", |text| split_by(text, '\u{202e}')),
    ("isolates", |text| split_by(text, '\u{2066}')),
    ("word joiners", |text| split_by(text, '\u{2060}')),
    ("zeros", |text| split_by(text, '\0')),
    ("accents", |text| split_by(text, '\u{301}')),
];

/// Secrets, whole, with the part of them that must be gone.
const SECRETS: &[(&str, &str)] = &[
    ("key AKIAFAKEFAKEFAKEFAKE", "AKIAFAKEFAKEFAKEFAKE"),
    ("password=Hunter2-and-more", "Hunter2-and-more"),
    ("{\"db_password\":\"Hunter2-and-more\"}", "Hunter2-and-more"),
    ("db.password: Hunter2-and-more", "Hunter2-and-more"),
    (
        "ghp_FAKEfakeFAKEfakeFAKEfakeFAKEfake0000",
        "FAKEfakeFAKEfake",
    ),
    (
        "postgres://app:Hunter2-and-more@db.internal/x",
        "Hunter2-and-more",
    ),
    ("card 4111 1111 1111 1111", "4111 1111"),
    (
        "-----BEGIN PRIVATE KEY-----\nZmFrZSBmYWtlIGZha2U",
        "ZmFrZSBmYWtl",
    ),
];

/// Whether anything of a secret is left, in this wrapping or any other.
fn left(clean: &str, secret: &str) -> bool {
    WRAPS.iter().any(|(_, wrap)| clean.contains(&wrap(secret))) || clean.contains(secret)
}

#[test]
fn a_wrapped_secret_is_found_and_goes_with_its_wrapping() {
    for (text, secret) in SECRETS {
        for (how, wrap) in WRAPS {
            for (before, after) in [("", ""), ("got ", " today"), ("x=", "&y=1"), ("\"", "\"")] {
                let whole = format!("{before}{}{after}", wrap(text));
                assert!(looks(&whole), "{how}: {text:?}: {whole:?}");
                let (clean, rules) = redact(&whole);
                assert!(!rules.is_empty(), "{how}: {text:?}: {whole:?}");
                assert!(!left(&clean, secret), "{how}: {text:?}: {clean:?}");
                assert_eq!(redact(&clean), (clean.clone(), vec![]), "{how}: {text:?}");
            }
        }
    }
}

/// What a `Debug` of many lines, a header or a configuration file becomes inside a string of JSON or of
/// another `Debug`.
#[test]
fn a_value_of_many_lines_is_found_when_they_are_escaped() {
    for text in [
        "Settings {\n    user_password: Some(\n        \"tr0ub4dor\",\n    ),\n}",
        "(\n    \"password\",\n    \"tr0ub4dor\",\n)",
        "REGION=eu\nPASSCODE=tr0ub4dor\nRETRIES=3\n",
        "Host: a.example.com\r\ncredential: tr0ub4dor\r\nAccept: */*\r\n",
        "[partner]\npasscode = \"tr0ub4dor\"\n",
    ] {
        for text in [format!("{text:?}"), json(text), json(&json(text))] {
            let (clean, _) = redact(&text);
            assert!(!clean.contains("tr0ub4dor") && looks(&text), "{clean}");
            assert_eq!(redact(&clean), (clean.clone(), vec![]));
        }
    }
}

#[test]
fn what_is_written_in_the_place_of_a_wrapped_secret() {
    let run = standard("login with password=hunter2 at noon");
    for (text, clean) in [
        (
            "GET /a?q=%41KIAFAKEFAKEFAKEFAKE&page=2".to_owned(),
            "GET /a?q=[redacted:aws-access-key]&page=2".to_owned(),
        ),
        (
            "a=1&password%3Dhunter2%26b=2".to_owned(),
            "a=1&password%3D[redacted:url-secret-query]%26b=2".to_owned(),
        ),
        (
            "%2570assword=hun%20ter2 b".to_owned(),
            "%2570assword=[redacted:key-value] b".to_owned(),
        ),
        (
            format!("body {run} end"),
            "body [redacted:key-value] end".to_owned(),
        ),
        (
            r#"{"a":"{\"p\u0061ssword\":\"hunter2\",\"b\":1}"}"#.to_owned(),
            r#"{"a":"{\"p\u0061ssword\":\"[redacted:key-value]\",\"b\":1}"}"#.to_owned(),
        ),
        (
            "p\u{ad}ass\u{200b}word=hunter2 ok".to_owned(),
            "p\u{ad}ass\u{200b}word=[redacted:key-value] ok".to_owned(),
        ),
        (
            "key AK\u{200b}IAFAKEFAKEFAKEFAKE ok".to_owned(),
            "key [redacted:aws-access-key] ok".to_owned(),
        ),
        (
            "pay ４１１１ 1111 1111 1111 now".to_owned(),
            "pay [redacted:pan] now".to_owned(),
        ),
    ] {
        assert_eq!(redact(&text).0, clean);
    }
}

#[test]
fn what_holds_no_secret_is_left_as_it_is() {
    for text in [
        "100%25 of the Gr%C3%BC%C3%9Fe",
        "GET /search?q=caf%C3%A9%20%26%20bar&page=2",
        r"C:\Users\bob\new\table",
        r#"Some("a \"b\" \u{e9}")"#,
        "R&amp;D &#64; home",
        "Привет, мир: всё хорошо",
        "日本語のテキスト、問題なし",
        "a\u{200b}b and 👩\u{200d}💻",
        "aGVsbG8gd29ybGQsIGhvdyBhcmUgeW91IHRvZGF5Pw==",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "/api/v1/bookings/17/passengers/3/documents",
        "window-seat-and-quiet-coach-if-there-is-one",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "eyJpZCI6MTcsImNyZWF0ZWRfYXQiOiIyMDI2LTAxLTAxIn0",
    ] {
        assert_eq!(redact(text), (text.to_owned(), vec![]));
    }
}

#[test]
fn a_harmless_wrapping_needs_no_closer_look() {
    for text in [
        "GET /search?q=caf%C3%A9%20%26%20bar&page=2",
        r"C:\Users\bob\new\table",
        "Привет, мир",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    ] {
        assert!(!looks(text), "{text}");
    }
}

#[test]
fn a_hostile_text_takes_time_in_proportion_to_its_length() {
    let unit = standard("%2541 {\"a\":\"\\u0041\"} ");
    let seeds = [
        "%25".repeat(64),
        "\\".repeat(64),
        "&amp;".repeat(64),
        "\u{200b}а".repeat(64),
        "A".repeat(64),
        format!("{unit}%41"),
        standard(&standard(&unit)),
        format!("{}\n", "QUFB".repeat(19)),
        "\\u0041%u0041&#65;".repeat(8),
    ];
    for seed in seeds {
        let time = |bytes: usize| {
            let text = seed.repeat(bytes / seed.len());
            let once = || {
                let started = cpu_time();
                redact(&text);
                cpu_time().saturating_sub(started).as_secs_f64()
            };
            (0..2).map(|_| once()).fold(f64::MAX, f64::min)
        };
        // Sixteen times as long takes sixteen times as long, and not its square.
        let (short, long) = (time(1 << 11), time(1 << 15));
        assert!(long < 100.0 * short.max(0.001), "{seed:?}: {short} {long}");
    }
}

fn prose() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-z]{1,9}",
        "\\PC{0,6}",
        Just("%".to_owned()),
        Just("\\".to_owned()),
        Just("\\u00".to_owned()),
        Just("%4".to_owned()),
        Just("&#".to_owned()),
        Just("password".to_owned()),
        Just("\u{200b}".to_owned()),
        Just("QUtJQUZBS0VGQUtFRkFLRUZBS0U=".to_owned()),
        Just("[redacted:".to_owned()),
    ];
    prop::collection::vec(word, 0..10).prop_map(|words| words.concat())
}

fn wrap() -> impl Strategy<Value = (&'static str, Wrap)> {
    prop::sample::select(WRAPS)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_wrapped_secret_at_any_place_is_gone(
        before in prose(), key in "AKIA[A-Z2-7]{16}", (how, wrap) in wrap(), after in prose(),
    ) {
        let whole = format!("{before} {} {after}", wrap(&format!("the key {key}, too")));
        prop_assert!(looks(&whole), "{how}: {whole:?}");
        let (clean, rules) = redact(&whole);
        prop_assert!(!rules.is_empty(), "{how}: {whole:?}");
        prop_assert!(!left(&clean, &key), "{how}: {whole:?}\n{clean:?}");
        prop_assert!(clean.len() <= 12 * whole.len() + 64);
    }

    #[test]
    fn redacting_wrapped_text_twice_is_redacting_once(parts in prop::collection::vec((prose(), wrap()), 0..4)) {
        let text: String = parts.iter().map(|(text, (_, wrap))| wrap(text)).collect();
        let (clean, _) = redact(&text);
        prop_assert_eq!(redact(&clean), (clean, vec![]));
    }

    #[test]
    fn a_redacted_json_text_stays_one(
        key in "[a-mа-я]{1,8}", key_of_secret in "AKIA[A-Z2-7]{16}", (_, wrap) in wrap(), depth in 0..2,
    ) {
        let mut text = wrap(&format!("the key {key_of_secret}"));
        for _ in 0..depth {
            text = serde_json::json!({ key.clone(): text, "n": 1 }).to_string();
        }
        let (clean, rules) = redact(&text);
        prop_assert!(!rules.is_empty());
        if depth > 0 {
            let parsed = serde_json::from_str::<serde_json::Value>(&clean);
            prop_assert!(parsed.is_ok(), "{text}\n{clean}");
        }
    }

    #[test]
    fn any_bytes_are_redacted_without_a_panic(text in any::<String>(), tail in "[%\\\\&;#ux{}0-9a-fA-Z=+/_\n-]{0,80}") {
        let whole = format!("{text}{tail}");
        let (clean, rules) = redact(&whole);
        prop_assert!(rules.is_empty() || looks(&whole), "{whole:?}");
        prop_assert!(clean.len() <= 12 * whole.len() + 64);
    }
}
