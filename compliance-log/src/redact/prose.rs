//! What has the shape of an assignment in a sentence, a stack trace or a source, and assigns no secret.

use std::ops::Range;

use super::{
    assignment::{Assignment, is_quote},
    name::Names,
};

/// What ends the name of a class, whose messages follow it: `JsonWebTokenError: jwt malformed`.
const CLASSES: [&str; 10] = [
    "Error",
    "Exception",
    "Warning",
    "Service",
    "ServiceImpl",
    "Controller",
    "Handler",
    "Filter",
    "Validator",
    "Interceptor",
];
/// A longer resource name is none.
const ARN_BYTES_MAX: usize = 256;

/// Whether what stands behind the name is no value of it, as the name and its sign tell. Asked before
/// the value is read, which may be long: only a value that is taken is read once.
pub(super) fn announces(text: &str, found: &Assignment<'_>) -> bool {
    let bytes = text.as_bytes();
    let says = || is_message(bytes, found) || is_program(bytes, found);
    (is_spaced(bytes, found) && says()) || is_resource(bytes, found)
}

/// Whether the value is a word of prose or of a program. None that is left has a sign in it, so none is
/// read twice.
pub(super) fn reads(
    text: &str,
    found: &Assignment<'_>,
    value: &Range<usize>,
    names: &Names,
) -> bool {
    let bytes = text.as_bytes();
    let secret = &text[value.clone()];
    let before = value.start.checked_sub(1).map(|at| bytes[at]);
    if before.is_some_and(is_quote) {
        // A list of names looks like a name and its value.
        return bytes[found.sign] == b',' && is_word(secret) && names.find(secret).is_some();
    }
    let rest = &bytes[value.end..];
    let says = || is_answer(found, secret) || is_said(secret, rest, names);
    (is_spaced(bytes, found) && says())
        || is_size(secret, rest)
        || is_call(secret, rest)
        || is_parameter(text, found, value, names)
        || is_itself(bytes, found, secret, rest)
        || is_directory(found, secret)
}

/// Whether a colon and a space stand behind the name, and no quotes.
fn is_spaced(bytes: &[u8], found: &Assignment<'_>) -> bool {
    matches!(bytes[found.sign..], [b':', b' ', next, ..] if !is_quote(next))
}

/// `jwt malformed`: a word for a secret, in a sentence about it.
fn is_said(value: &str, rest: &[u8], names: &Names) -> bool {
    let goes_on = matches!(rest, [b' ', next, ..] if next.is_ascii_lowercase() || matches!(next, b'"' | b'\''));
    let letters = value.bytes().all(|byte| byte.is_ascii_alphabetic());
    goes_on && letters && names.find(value).is_some()
}

/// `token:  1234 bytes`: how long it is, as `kubectl describe` tells.
fn is_size(value: &str, rest: &[u8]) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with(b" bytes")
}

/// Whether the name is that of a class, and no quotes are round it.
fn is_message(bytes: &[u8], found: &Assignment<'_>) -> bool {
    let joint = &bytes[found.name_at + found.name.len()..found.sign];
    let class = |ending: &&str| {
        let head = found.name.strip_suffix(ending);
        head.is_some_and(|head| head.ends_with(|last: char| last.is_ascii_alphanumeric()))
    };
    joint.iter().all(|byte| *byte == b' ') && CLASSES.iter().any(class)
}

/// `passwd[8805]: password changed`: a program and its process id.
fn is_program(bytes: &[u8], found: &Assignment<'_>) -> bool {
    let id = &bytes[found.name_at + found.name.len()..found.sign];
    matches!(id, [b'[', id @ .., b']'] if id.len() > 1 && id.iter().all(u8::is_ascii_digit))
}

/// `(using password: YES)`: whether there was one, as `MySQL` says it.
fn is_answer(found: &Assignment<'_>, value: &str) -> bool {
    found.wide == Some("using password") && matches!(value, "YES" | "NO")
}

/// `arn:aws:secretsmanager:..:secret:prod/x` names a secret.
fn is_resource(bytes: &[u8], found: &Assignment<'_>) -> bool {
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-');
    let head = &bytes[..found.name_at];
    let length = head.iter().rev().take(ARN_BYTES_MAX).take_while(part);
    let head = &head[head.len() - length.count()..];
    bytes[found.sign] == b':' && head.starts_with(b"arn:") && head.ends_with(b":")
}

/// `request.header(` and `body[`, before an argument: where a program gets it from.
fn is_call(value: &str, rest: &[u8]) -> bool {
    let called = value.strip_suffix(['(', '[']);
    let argued = matches!(rest, [b'"' | b'\'' | b'`' | b')', ..]);
    argued
        && called.is_some_and(|path| {
            let name = |part: &str| {
                part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                    && is_word(part)
            };
            path.split('.').all(name)
        })
}

/// `$password`, `:password` and `@password`: a parameter of a query.
fn is_parameter(text: &str, found: &Assignment<'_>, value: &Range<usize>, names: &Names) -> bool {
    let (bytes, secret) = (text.as_bytes(), &text[value.clone()]);
    // The colon may look like a second sign.
    let joint = &bytes[found.name_at + found.name.len()..found.sign];
    let bound = value.start == found.sign + 1 && joint.contains(&b'=');
    let name = if bound { Some(secret) } else { None };
    let name = name.or_else(|| secret.strip_prefix(['$', ':', '@']));
    name.is_some_and(|name| is_word(name) && names.find(name).is_some())
}

/// `this.password = password;` is a statement.
fn is_itself(bytes: &[u8], found: &Assignment<'_>, value: &str, rest: &[u8]) -> bool {
    let last = found.name.rsplit('.').next();
    last == Some(value) && rest.first() == Some(&b';') && bytes.get(found.sign + 1) == Some(&b' ')
}

/// `PWD=/home/deploy`: a shell's variable for where it is.
fn is_directory(found: &Assignment<'_>, value: &str) -> bool {
    found.name == "PWD" && value.starts_with('/') && !value.contains(['=', ':', ','])
}

fn is_word(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::super::Policy;

    fn found(text: &str) -> bool {
        Policy::builtin().redact_text(text).is_some()
    }

    #[test]
    fn what_a_program_says_of_a_secret_is_left() {
        for text in [
            "JsonWebTokenError: jwt malformed",
            "a.b.NoCredentialsError: Unable to locate credentials",
            "c.e.a.TokenService : issued token for client web",
            "ask-password[8805]: Password query on /dev/tty1",
            "passwd[22]: pam_unix(passwd:chauthtok): password changed for bob",
            "failed to list *v1.Secret: secrets is forbidden",
            "for user 'a'@'b' (using password: YES)",
            "arn:aws:secretsmanager:eu-central-1:000000000000:secret:prod/a-FAKEfa",
            "String password = request.getParameter(\"password\");",
            "token = body[\"token\"]",
            "let token = request.headers().get(AUTHORIZATION)?;",
            "login(user: $user, password: $password)",
            "WHERE session_id = :session_id",
            "this.password = password;",
            "PWD=/home/deploy ; USER=root",
            "token:      1234 bytes",
            "+ password             = (known after apply)",
            "~ password = (sensitive value)",
            "sasl.jaas.config = [hidden]",
            "fn parse(token: &'a str)",
            "[\"authorization_code\",\"refresh_token\"]",
        ] {
            assert!(!found(text), "{text}");
        }
    }

    #[test]
    fn what_only_resembles_it_is_found() {
        for text in [
            "passwords[0]: hunter2",
            "password: hunter2",
            "password: correct-horse",
            "password: swordfish was refused",
            "password=YES",
            "password: YES",
            "password=password",
            "password = password",
            "PWD=hunter2",
            "DB_PWD=/hunter2",
            "passwordError=hunter2",
            "{\"TokenError\": \"hunter2\"}",
            "token: $hunter2",
            "secret:prod/hunter2",
            "token = Secret(\"hunter2\")",
            "[\"password\",\"hunter2\"]",
        ] {
            assert!(found(text), "{text}");
        }
    }
}
