//! A secret, made of a pattern, and what of it must not be left.

use data_encoding::{BASE64, BASE64URL_NOPAD};

use crate::{
    checksum::{crc32_base62, iban, mrz, pan},
    draw::{self, Draw},
    noise::noise,
};

/// A part of a secret of which no slice of `window` bytes may be left.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) window: usize,
}

impl Part {
    /// The usual bound: a slice of eight bytes is too much, and of a shorter part all of it.
    fn of(text: String) -> Self {
        let window = text.len().min(8);
        Self { text, window }
    }

    /// The slices that must not be left.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &str> {
        let last = self.text.len() - self.window;
        (0..=last).map(|at| &self.text[at..at + self.window])
    }
}

/// A secret as it is written somewhere.
#[derive(Debug, Default)]
pub(crate) struct Secret {
    pub(crate) text: String,
    pub(crate) parts: Vec<Part>,
    /// Bytes of `text` before its first random one.
    pub(crate) prefix: usize,
}

impl Secret {
    /// A secret by a pattern: literal text, in which `«kind:argument»` is drawn and secret, and
    /// `‹kind:argument›` is drawn and may be left. See `drawn` for the kinds.
    pub(crate) fn draw(pattern: &str, draw: &mut Draw) -> Self {
        let mut secret = Self {
            prefix: pattern.find(['«', '‹']).unwrap_or(pattern.len()),
            ..Self::default()
        };
        let mut rest = pattern;
        while let Some(at) = rest.find(['«', '‹']) {
            secret.text.push_str(&rest[..at]);
            let hidden = rest[at..].starts_with('«');
            let (directive, after) = rest[at..]
                .split_once(['»', '›'])
                .expect("each directive of a pattern is closed");
            let directive = directive.trim_start_matches(['«', '‹']);
            let (kind, argument) = directive.split_once(':').unwrap_or((directive, ""));
            let (text, parts) = drawn(kind, argument, draw, &secret);
            secret.text.push_str(&text);
            if hidden {
                secret.parts.extend(parts);
            }
            rest = after;
        }
        secret.text.push_str(rest);
        secret
    }
}

/// What a directive stands for, and the parts of it that are secret.
fn drawn(kind: &str, argument: &str, draw: &mut Draw, before: &Secret) -> (String, Vec<Part>) {
    let alphabet = match kind {
        "digits" => draw::DIGITS,
        "hex" => draw::HEX,
        "HEX" => "0123456789ABCDEF",
        "upper" => draw::UPPER,
        "lower" => draw::LOWER,
        "base32" => draw::BASE32,
        "base36" => "0123456789abcdefghijklmnopqrstuvwxyz",
        "BASE36" => "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "base58" => "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
        "base62" => draw::BASE62,
        "letters" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "base64" => draw::BASE64,
        "base64url" => draw::BASE64_URL,
        "bech32" => "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        "azure" => "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_~.-",
        _ => return composed(kind, argument, draw, before),
    };
    let text = draw.text(alphabet, argument.parse().expect("an alphabet has a count"));
    (text.clone(), vec![Part::of(text)])
}

/// Directives that are more than characters of an alphabet.
fn composed(kind: &str, argument: &str, draw: &mut Draw, before: &Secret) -> (String, Vec<Part>) {
    let whole = |text: String| (text.clone(), vec![Part::of(text)]);
    match kind {
        // The checksum that ends tokens of GitHub and npm; without the part before it, it tells nothing.
        "crc" => {
            let random = &before.parts.last().expect("a checksum follows a part").text;
            (crc32_base62(random.as_bytes()), Vec::new())
        }
        "password" => whole(password(argument, draw)),
        "basic" => basic(draw),
        "jwt" => jwt(argument, draw),
        "lines" => {
            let count = argument.parse().expect("lines have a count");
            let lines: Vec<String> = (0..count).map(|_| draw.text(draw::BASE64, 64)).collect();
            let text = lines.join("\n");
            (text, lines.into_iter().map(Part::of).collect())
        }
        "email" => {
            let (text, local) = email(draw);
            (text, vec![Part::of(local)])
        }
        "cvv" => whole(draw.text(draw::DIGITS, argument.parse().expect("a CVV has a length"))),
        "pan" => {
            let (text, digits) = pan(argument, draw);
            let part = Part {
                text: digits,
                window: 5,
            };
            (text, vec![part])
        }
        "iban" => {
            let (text, account) = iban(argument, draw);
            (text, vec![Part::of(account)])
        }
        "mrz" => {
            let (text, numbers) = mrz(argument, draw);
            (text, numbers.into_iter().map(Part::of).collect())
        }
        _ => whole(noise(kind, argument, draw)),
    }
}

/// Passwords as people and as programs choose them.
fn password(shape: &str, draw: &mut Draw) -> String {
    const WORDS: [&str; 12] = [
        "Harbour", "lantern", "Copper", "meadow", "Falcon", "biscuit", "Granite", "velvet",
        "Orchid", "thunder", "Saddle", "pepper",
    ];
    let word = draw.pick(&WORDS);
    let other = draw.pick(&WORDS);
    match shape {
        "word" => format!("{word}{}!", draw.text(draw::DIGITS, 4)),
        "phrase" => format!("{word} {other} {}", draw.pick(&WORDS)),
        "letters" => draw.text(draw::LOWER, 14),
        "signs" => {
            let begin = draw.text(draw::BASE62, 6);
            let sign = draw.pick(&["$", "!", "*", "#", "+", "^"]);
            format!("{begin}{sign}{}", draw.text(draw::BASE62, 8))
        }
        _ => draw.text(draw::BASE62, shape.parse().expect("a password has a shape")),
    }
}

/// User and password of basic authentication: neither the base64 nor the password may be left.
fn basic(draw: &mut Draw) -> (String, Vec<Part>) {
    let password = draw.text(draw::BASE62, 18);
    let text = BASE64.encode(format!("svc-booking:{password}").as_bytes());
    let parts = vec![Part::of(text.clone()), Part::of(password)];
    (text, parts)
}

/// A JWT or JWE of this algorithm. Its header may be left.
fn jwt(algorithm: &str, draw: &mut Draw) -> (String, Vec<Part>) {
    let encode = |text: String| BASE64URL_NOPAD.encode(text.as_bytes());
    if algorithm == "JWE" {
        let header = encode(r#"{"alg":"RSA-OAEP-256","enc":"A256GCM"}"#.to_owned());
        let sizes = [342, 16, 180, 22];
        let parts = sizes.map(|count| draw.text(draw::BASE64_URL, count));
        let text = format!("{header}.{}", parts.join("."));
        return (text, parts.map(Part::of).into());
    }
    let header = match algorithm {
        "RS256" => format!(
            r#"{{"alg":"RS256","typ":"JWT","kid":"{}"}}"#,
            draw.text(draw::HEX, 8)
        ),
        other => format!(r#"{{"alg":"{other}","typ":"JWT"}}"#),
    };
    let payload = encode(format!(
        r#"{{"sub":"{}","iat":{},"scope":"bookings"}}"#,
        draw.uuid(4),
        draw.number(1_700_000_000, 1_800_000_000)
    ));
    let signature = match algorithm {
        "none" => String::new(),
        "RS256" => draw.text(draw::BASE64_URL, 342),
        "ES256" => draw.text(draw::BASE64_URL, 86),
        _ => draw.text(draw::BASE64_URL, 43),
    };
    let text = format!("{}.{payload}.{signature}", encode(header));
    let parts = [payload, signature]
        .into_iter()
        .filter(|part| !part.is_empty());
    (text, parts.map(Part::of).collect())
}

/// An address, and the part of it that is a person's.
fn email(draw: &mut Draw) -> (String, String) {
    let given = draw.pick(&[
        "ingrid",
        "mateo",
        "chiara",
        "oluwaseun",
        "yuki",
        "margarethe",
    ]);
    let family = draw.pick(&[
        "lindqvist",
        "moreau",
        "okafor",
        "tanaka",
        "kowalski",
        "brandt",
    ]);
    let dot = draw.pick(&[".", "_", "-", "+", ""]);
    let domain = draw.pick(&[
        "example.com",
        "mail.example.org",
        "example.co.uk",
        "example.travel",
    ]);
    let local = format!("{given}{dot}{family}{}", draw.number(1, 99));
    (format!("{local}@{domain}"), local)
}
