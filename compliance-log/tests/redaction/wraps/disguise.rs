//! Characters that nobody sees, and encoded ones, in the middle of what a secret is known by.

use super::{Named, Wrap};

/// In the prefix of a token.
pub(super) const PREFIX: &[Wrap] = &[
    ("prefix-zero-width", |named| in_prefix(named, "\u{200b}")),
    ("prefix-joiner", |named| in_prefix(named, "\u{200d}")),
    ("prefix-soft-hyphen", |named| in_prefix(named, "\u{ad}")),
    ("prefix-percent", |named| {
        let (text, middle) = (&named.secret.text, prefix_middle(named)?);
        let byte = text.as_bytes()[middle];
        Some(format!(
            "/v1/items?next={}%{byte:02x}{}",
            &text[..middle],
            &text[middle + 1..]
        ))
    }),
];

/// In the name under which a secret stands.
pub(super) const NAME: &[Wrap] = &[
    ("name-zero-width", |named| Some(in_name(named, "\u{200b}"))),
    ("name-soft-hyphen", |named| Some(in_name(named, "\u{ad}"))),
];

fn in_prefix(named: &Named<'_>, inserted: &str) -> Option<String> {
    let (begin, end) = named.secret.text.split_at(prefix_middle(named)?);
    Some(format!(
        "the partner was called with {begin}{inserted}{end} again"
    ))
}

/// The middle of the first four bytes, where the secret has as many that are not random.
fn prefix_middle(named: &Named<'_>) -> Option<usize> {
    (named.secret.prefix >= 3).then_some(named.secret.prefix.min(4) / 2)
}

fn in_name(named: &Named<'_>, inserted: &str) -> String {
    let (begin, end) = named.name.split_at(named.name.len() / 2);
    format!(
        "login refused {begin}{inserted}{end}: {} (3 attempts)",
        named.secret.text
    )
}
