use std::fs;

use compliance_log::Policy;

use crate::redact_text::is_bounded;

/// What an accepted policy is tried on.
const TEXTS: [&str; 4] = [
    "",
    "paid with 4111 1111 1111 1111, password=hunter2-and-more, mail a@example.com",
    "{\"apiKey\":\"0123456789abcdef0123456789abcdef\",\"n\":1}",
    "\u{202e}%41%4b\\u0041 &#65; <a>b</a> --token x",
];

/// A policy document is refused with a reason that fits on a line of a log, or is a policy: the same when
/// it is read back from what a store keeps of it, and one that holds the bounds of redaction.
pub fn policy_file(document: &[u8]) {
    let Ok(text) = std::str::from_utf8(document) else {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("policy.toml");
        fs::write(&path, document).unwrap();
        assert!(Policy::from_file(&path).is_err(), "no text is no policy");
        return;
    };
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let stored = Policy::parse(policy.document()).expect("what is stored can be read");
    assert_eq!(stored.digest(), policy.digest());
    let rules = |policy: &Policy| -> Vec<_> {
        let rules = policy.rules();
        rules.map(|(id, digest)| (id.to_owned(), digest)).collect()
    };
    assert_eq!(rules(&stored), rules(&policy));
    for text in TEXTS {
        for redacted in [
            policy.redact_text(text),
            policy.redact_field("userPassword", text),
        ]
        .into_iter()
        .flatten()
        {
            assert!(is_bounded(&redacted.text, text), "{redacted:?}");
        }
    }
}
