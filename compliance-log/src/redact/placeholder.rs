//! What stands where a secret would: variables, templates, blanks, digests under a key, the mark of a cut.

/// A longer placeholder is none.
const BYTES_MAX: usize = 128;
/// What Vault writes in the place of a token: a digest under a key that the log has not.
const DIGEST: &str = "hmac-sha256:";
const DIGEST_BYTES: usize = 64;
/// Commands that hold what they write.
const SAYING: [&[u8]; 2] = [b"echo", b"printf"];

/// Whether all of `value` stands for something else.
pub(super) fn is_one(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.iter().all(|byte| *byte == b'*')
        || is_variable(bytes)
        || is_digest(value)
        || is_redacted(value)
        || begins(bytes) == Some(value.len())
}

/// The bytes of the template that `text` begins with: `${NAME}`, `$(command)` or `{{ name }}`; or of the
/// mark where a record's value was cut: `…[5000 bytes, sha256:<64 digits>]`.
pub(super) fn begins(text: &[u8]) -> Option<usize> {
    cut(text).or_else(|| template(text))
}

fn cut(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix("…[".as_bytes())?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest[digits..].strip_prefix(b" bytes, sha256:")?;
    let (digest, rest) = rest.split_at_checked(DIGEST_BYTES)?;
    let whole = rest.first() == Some(&b']') && digest.iter().all(u8::is_ascii_hexdigit);
    whole.then(|| text.len() - rest.len() + 1)
}

fn template(text: &[u8]) -> Option<usize> {
    let (open, close, of): (&[u8], &[u8], &[u8]) = match text {
        [b'$', b'{', b'{', ..] => (b"${{", b"}}", b" ._$|-"),
        [b'{', b'{', ..] => (b"{{", b"}}", b" ._$|-"),
        [b'$', b'{', ..] => (b"${", b"}", b"._"),
        [b'$', b'(', ..] => (b"$(", b")", b" ._$|-/:"),
        _ => return None,
    };
    let rest = &text[open.len()..];
    let inside = rest.iter().take(BYTES_MAX);
    let inside = inside.take_while(|byte| byte.is_ascii_alphanumeric() || of.contains(byte));
    let inside = &rest[..inside.count()];
    let says = |command: &[u8]| inside.trim_ascii_start().starts_with(command);
    let holds = open == b"$(" && SAYING.into_iter().any(says);
    (!inside.is_empty() && !holds && rest[inside.len()..].starts_with(close))
        .then_some(open.len() + inside.len() + close.len())
}

/// `$NAME`.
pub(super) fn is_variable(value: &[u8]) -> bool {
    let upper = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    matches!(value, [b'$', name @ ..] if name.iter().all(upper))
}

fn is_digest(value: &str) -> bool {
    value.strip_prefix(DIGEST).is_some_and(|digest| {
        digest.len() == DIGEST_BYTES && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// `[REDACTED alloc::string::String]`, as types that hide their value write it.
fn is_redacted(value: &str) -> bool {
    let inside = value
        .strip_prefix('[')
        .map(|inside| inside.trim_end_matches(']'));
    inside.is_some_and(|inside| {
        let mut words = inside.split(' ');
        let redacted = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("redacted"));
        let path = |word: &str| word.contains("::");
        redacted && words.next().is_none_or(path) && words.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_a_secret_is_told_from_one() {
        let digest = format!("hmac-sha256:{}", "00fa4e00".repeat(8));
        let mark = format!("…[5000 bytes, sha256:{}]", "00fa4e00".repeat(8));
        assert!(is_one(&mark) && !is_one(&format!("h{mark}")) && !is_one(&mark[..20]));
        assert_eq!(begins(format!("{mark}x").as_bytes()), Some(mark.len()));
        for text in [
            "****",
            "$TOKEN",
            "${ACCESS_TOKEN}",
            "${spring.datasource.password}",
            "${{ secrets.DB_PASSWORD }}",
            "{{ .Values.db.password }}",
            "$(cat /run/secrets/token)",
            "$(pass show bookings/db)",
            "[REDACTED alloc::string::String]",
            &digest,
        ] {
            assert!(is_one(text), "{text}");
        }
        for text in [
            "$ecret",
            "${PREFIX}hunter2",
            "${DB_PASSWORD:-hunter2}",
            "$(echo hunter2)",
            "{{hunter2",
            "${hunter2",
            "[REDACTED hunter2]",
            "hmac-sha256:hunter2",
            "hunter2",
        ] {
            assert!(!is_one(text), "{text}");
        }
    }
}
