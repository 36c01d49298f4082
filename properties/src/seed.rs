use std::{fs, path::Path};

use crate::{draw::Draw, positives::positives};

/// Every so many-th text of the corpus of secrets is a seed.
const TEXT_STRIDE: usize = 12;
/// So many inputs of random bytes, for targets that build something of them.
const RANDOM: usize = 24;

/// Small inputs for each target of the fuzzer to begin with: target, and input.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = Vec::new();
    for positive in positives().iter().step_by(TEXT_STRIDE) {
        let text = &positive.text;
        seeds.push(("redact_text", text.clone().into_bytes()));
        let line = serde_json::json!({ "a": [text, 1], "password": 7, "n": { "x": text } });
        seeds.push(("redact_json", line.to_string().into_bytes()));
    }
    let mut draw = Draw::named("seeds");
    for _ in 0..RANDOM {
        for target in ["record", "verify"] {
            let count = usize::try_from(draw.number(40, 600)).expect("a small number");
            seeds.push((target, draw.bytes(count)));
        }
    }
    for document in ["builtin", "phone", "national-id", "passport"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compliance-log/src/redact");
        let document = fs::read(root.join(document).with_extension("toml"));
        seeds.push(("policy_file", document.expect("the documents lie there")));
    }
    for (target, line) in LINES {
        seeds.push((target, line.as_bytes().to_vec()));
    }
    seeds
}

const LINES: &[(&str, &str)] = &[
    (
        "policy_file",
        "version = 1\ninclude = [\"phone\"]\nwithout = [\"phone\"]\n[[name]]\nid = \"n\"\ndescription = \"d\"\naction = \"mask\"\nnames = [\"a card\"]\nallowed = [\"no card\"]\nmatch = []\npass = []\n",
    ),
    (
        "policy_file",
        "version = 1\n[[value]]\nid = \"v\"\ndescription = \"d\"\naction = \"drop\"\nprefixes = [\"zz_\"]\nliterals = [\"dead\"]\npattern = 'zz_([0-9a-f]{16})'\nmatch = []\npass = [\"x\"]\n",
    ),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    (
        "traceparent",
        " cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-what\t",
    ),
    ("tracestate", "a=1, b@c=2\nd/e*f=x y z,,\t"),
    (
        "tracestate",
        "k0=1,k1=22,k2=333,k3=~!#$%&'()*+-./:;<>?@[]^_`{|}",
    ),
    (
        "baggage",
        "offer_id=o-17;p=1, booking_id = M%C3%BCnchen%20Ost ,x=1\nx=2;q",
    ),
    ("baggage", "x=%e2%80%ae1,offer_id=a=b==,offer_id=second"),
    (
        "forwarded",
        "192.0.2.1, [2001:db8::1]:4711\nunknown,fe80::1%eth0",
    ),
    (
        "forwarded",
        "for=\"[2001:db8:cafe::17]:4711\";proto=http;by=203.0.113.43, FOR=192.0.2.60\nfor=\"_h\\\"x\"",
    ),
];
