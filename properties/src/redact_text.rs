use std::sync::LazyLock;

use compliance_log::Policy;

/// All rules that there are.
pub(crate) fn widest() -> &'static Policy {
    static WIDEST: LazyLock<Policy> = LazyLock::new(|| {
        let document =
            "version = 1\ninclude = [\"builtin\", \"phone\", \"national-id\", \"passport\"]";
        Policy::parse(document).expect("the embedded documents are valid")
    });
    &WIDEST
}

/// Redacting a text never panics, says what it did and where, does nothing to what it wrote itself, and
/// writes no more than the bound of [`Policy`].
pub fn redact_text(text: &str) {
    for policy in [&Policy::builtin(), widest()] {
        redacted(policy, text);
    }
}

/// The text without what the policy takes out, after the properties were seen to hold.
fn redacted(policy: &Policy, text: &str) {
    let Some(redacted) = policy.redact_text(text) else {
        return;
    };
    assert!(
        !redacted.findings.is_empty(),
        "something was found: {text:?}"
    );
    for finding in &redacted.findings {
        let span = finding.span.clone();
        assert!(
            span.is_none_or(|span| text.get(span).is_some()),
            "{finding:?} is no part of {text:?}"
        );
    }
    let clean = redacted.text;
    assert!(
        is_bounded(&clean, text),
        "{} bytes of {}",
        clean.len(),
        text.len()
    );
    let again = policy.redact_text(&clean);
    assert_eq!(again, None, "redacted again: {text:?}\n{clean:?}");
}

/// Whether a redacted text has as many bytes as one may have.
pub(crate) fn is_bounded(clean: &str, given: &str) -> bool {
    clean.len() <= 12 * given.len() + 64
}
