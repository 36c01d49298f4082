//! A keyring as a TOML document.

use std::{collections::BTreeSet, fmt, fmt::Write as _, num::NonZeroU32};

use serde::{
    Deserialize, Deserializer,
    de::{Unexpected, Visitor},
};
use toml::Spanned;
use zeroize::Zeroizing;

use super::keyring::Keyring;
use crate::{
    chain::Digest,
    error::{Error, ErrorKind},
};

/// A longer document is none.
pub(super) const BYTES_MAX: usize = 4 << 20;

const HEAD: &str = "\
# Keys of pseudonyms, written by `compliance-log pseudonym`. Who reads this file can tell whose they are.
version = 1
";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: Spanned<u32>,
    #[serde(default)]
    key: Vec<Spanned<KeyEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    tenant: String,
    field: String,
    epoch: NonZeroU32,
    secret: Secret,
}

struct Secret(Zeroizing<[u8; 32]>);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hex;

        impl Visitor<'_> for Hex {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 hexadecimal digits")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
                let mut secret = Zeroizing::new([0; 32]);
                let decoded = text.len() == 2 * secret.len()
                    && faster_hex::hex_decode(text.as_bytes(), &mut *secret).is_ok();
                if !decoded {
                    // Without the text itself: an error may be shown.
                    return Err(E::invalid_value(Unexpected::Other("another text"), &self));
                }
                Ok(Secret(secret))
            }
        }

        deserializer.deserialize_str(Hex)
    }
}

impl Keyring {
    /// Reads a document: `version = 1`, then for each key
    ///
    /// ```toml
    /// [[key]]
    /// tenant = "acme"
    /// field = "data.passenger"
    /// epoch = 1
    /// secret = "<64 hex digits>"
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] with the line and the reason, and never with a key.
    pub fn parse(document: &str) -> Result<Self, Error> {
        parse(document)
            .map_err(|reason| Error::new(ErrorKind::Config, format!("pseudonym keys: {reason}")))
    }

    /// The document that [`Keyring::parse`] reads.
    pub(super) fn document(&self) -> Zeroizing<String> {
        // Room for all of it at once: what is moved is not wiped.
        let bytes = self
            .kept()
            .map(|(name, _)| 192 + 2 * (name.tenant.len() + name.field.len()));
        let mut text = Zeroizing::new(String::with_capacity(HEAD.len() + bytes.sum::<usize>()));
        text.push_str(HEAD);
        for (name, secret) in self.kept() {
            text.push_str("\n[[key]]\ntenant = ");
            quoted(&mut text, name.tenant);
            text.push_str("field = ");
            quoted(&mut text, name.field);
            // Writing to a string cannot fail.
            write!(text, "epoch = {}\nsecret = \"", name.epoch).unwrap_or(());
            for byte in secret {
                write!(text, "{byte:02x}").unwrap_or(());
            }
            text.push_str("\"\n");
        }
        text
    }
}

/// A name has no control characters.
fn quoted(out: &mut String, name: &str) {
    out.push('"');
    for character in name.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push_str("\"\n");
}

fn parse(text: &str) -> Result<Keyring, String> {
    if text.len() > BYTES_MAX {
        return Err(format!("the document is longer than {BYTES_MAX} bytes"));
    }
    let at = |offset: usize, reason: &str| {
        let before = text.as_bytes().get(..offset).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        format!("line {line}: {reason}")
    };
    let document: Document = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        at(start, &harmless(error.message()))
    })?;
    if *document.version.get_ref() != 1 {
        return Err(at(
            document.version.span().start,
            "version 1 is the only one known",
        ));
    }
    let mut ring = Keyring::default();
    let mut known = BTreeSet::new();
    for entry in document.key {
        let start = entry.span().start;
        let KeyEntry {
            tenant,
            field,
            epoch,
            secret: Secret(secret),
        } = entry.into_inner();
        if !known.insert(Digest::of(&*secret)) {
            return Err(at(
                start,
                "this secret is that of an earlier key: each has its own",
            ));
        }
        ring.insert(&tenant, &field, epoch, secret)
            .map_err(|reason| at(start, &reason))?;
    }
    Ok(ring)
}

/// What is wrong, without what stands there: that may be a key in the wrong place.
fn harmless(message: &str) -> String {
    let known = message.starts_with("missing field");
    match message.rsplit_once("expected ") {
        _ if known => message.to_owned(),
        Some((_, what)) if !what.contains('`') || message.starts_with("unknown field") => {
            format!("expected {what}")
        }
        _ => "this is not TOML as it should be".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn entry(tenant: &str, epoch: &str, secret: &str) -> String {
        format!(
            "[[key]]\ntenant = \"{tenant}\"\nfield = \"user_id\"\nepoch = {epoch}\nsecret = \"{secret}\"\n"
        )
    }

    #[test]
    fn a_keyring_is_read_back_as_it_was_written() {
        let mut ring = Keyring::default();
        for (tenant, field) in [
            ("acme", "user_id"),
            ("acme", "user_id"),
            ("\"q\\", "data.ü"),
        ] {
            ring.add_key(tenant, field).unwrap();
        }
        let text = ring.document();
        let again = Keyring::parse(&text).unwrap();
        assert_eq!(
            ring.kept().collect::<Vec<_>>(),
            again.kept().collect::<Vec<_>>()
        );
        assert!(text.len() <= text.capacity());
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_and_never_shows_a_key() {
        let good = entry("acme", "1", SECRET);
        assert!(Keyring::parse(&format!("version = 1\n{good}")).is_ok());
        let short = &SECRET[2..];
        let other = SECRET.replace("00", "ff");
        for (text, expected) in [
            (good.clone(), "line 1: missing field `version`"),
            (
                format!("version = 2\n{good}"),
                "line 1: version 1 is the only one known",
            ),
            (
                format!("version = 1\n{}", entry("acme", "1", short)),
                "line 6: expected 64 hexadecimal digits",
            ),
            (
                format!(
                    "version = 1\n{}",
                    entry("acme", "1", &SECRET.replace('f', "g"))
                ),
                "line 6: expected 64 hexadecimal digits",
            ),
            (
                format!(
                    "version = 1\n{}",
                    entry("acme", &format!("\"{SECRET}\""), SECRET)
                ),
                "line 5: expected a nonzero u32",
            ),
            (
                format!("version = 1\n{}", entry("acme", "0", SECRET)),
                "line 5: expected a nonzero u32",
            ),
            (
                format!("version = 1\n{}", entry("", "1", SECRET)),
                "line 2: a tenant has 1 to 256 bytes and no control characters",
            ),
            (
                format!("version = 1\n{good}{}", entry("acme", "1", &other)),
                "line 7: epoch 1 is there twice",
            ),
            (
                format!("version = 1\n{good}{}", entry("other", "1", SECRET)),
                "line 7: this secret is that of an earlier key: each has its own",
            ),
            (format!("version = 1\n{good}{SECRET} = 1\n"), "line 7: "),
            (
                format!("version = 1\n{good}secret = \"{SECRET}\"\n"),
                "line 7: ",
            ),
            (
                format!("version = 1\n[[key]]\ntenant = {SECRET}\n"),
                "line 3: ",
            ),
            (
                format!("version = 1\n{}", &good[..good.len() - 9]),
                "line 6: ",
            ),
        ] {
            let error = Keyring::parse(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}\n{text}");
            assert!(!error.contains(&SECRET[8..20]), "{error}");
        }
    }
}
