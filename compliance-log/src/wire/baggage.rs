#[cfg(feature = "http")]
use std::{borrow::Cow, fmt::Write as _};

use super::trim;

/// Lines with more bytes together are not read.
const BYTES_MAX: usize = 8192;
/// More members are not read.
const MEMBERS_MAX: usize = 64;
/// A longer value is passed over.
const VALUE_BYTES_MAX: usize = 128;

/// The value of `key` in the `baggage` header's lines, percent-decoded; of several the first.
///
/// A value is taken only if it is 1 to 128 bytes of printable text: what hides or breaks lines once it
/// is decoded (`%0d%0a`, an escape, a bidi mark) counts as not sent. So does everything where the lines
/// together have more than 8,192 bytes or more than 64 members, or where one member is not valid.
///
/// Anybody can send it, and it is forwarded to anybody: it may name what a request is about, never who
/// acts.
pub fn baggage<'a>(lines: impl IntoIterator<Item = &'a [u8]>, key: &str) -> Option<String> {
    let (mut bytes, mut members, mut found) = (0, 0, None);
    for line in lines {
        bytes += line.len();
        if bytes > BYTES_MAX {
            return None;
        }
        for member in line.split(|byte| *byte == b',').map(trim) {
            if member.is_empty() {
                continue;
            }
            members += 1;
            let (name, value) = pair(member)?;
            if members > MEMBERS_MAX {
                return None;
            }
            if name == key.as_bytes() && found.is_none() {
                found = Some(value);
            }
        }
    }
    text(found?)
}

/// Keys and values of the members of these lines, as far as the header's bounds allow, for who wants to
/// know what was sent and not to believe it: those that are not valid are passed over, and a value that
/// cannot be decoded to printable text is given as it was sent.
#[cfg(feature = "http")]
pub(crate) fn members<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
    let mut left = BYTES_MAX;
    let lines = lines.into_iter().map_while(move |line| {
        left = left.checked_sub(line.len())?;
        Some(line)
    });
    let members = lines.flat_map(|line| line.split(|byte| *byte == b','));
    members.take(MEMBERS_MAX).filter_map(|member| {
        let (key, value) = pair(member)?;
        let value = match text(value) {
            Some(text) => Cow::Owned(text),
            None => String::from_utf8_lossy(value),
        };
        Some((std::str::from_utf8(key).ok()?, value))
    })
}

/// The members of these lines but for those of `ours`, and `ours`, percent-encoded, as the one value to
/// send on; `None` if nothing is in it. Members that do not fit the header's bounds, or are not valid, are
/// left out.
#[cfg(feature = "http")]
pub(crate) fn replace<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    ours: &[(&str, Option<&str>)],
) -> Option<String> {
    let own: Vec<String> = ours
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", encoded((*value)?))))
        .collect();
    let mut left = BYTES_MAX.saturating_sub(own.iter().map(|member| member.len() + 1).sum());
    let members = lines
        .into_iter()
        .flat_map(|line| line.split(|byte| *byte == b',').map(trim));
    let is_other = |member: &&[u8]| {
        pair(member).is_some_and(|(key, _)| ours.iter().all(|(our, _)| our.as_bytes() != key))
    };
    let mut sent: Vec<String> = Vec::new();
    for member in members.filter(is_other).take(MEMBERS_MAX - own.len()) {
        let Ok(member) = std::str::from_utf8(member) else {
            continue;
        };
        if let Some(rest) = left.checked_sub(member.len() + 1) {
            left = rest;
            sent.push(member.to_owned());
        }
    }
    sent.extend(own);
    (!sent.is_empty()).then(|| sent.join(","))
}

#[cfg(feature = "http")]
fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes().take(VALUE_BYTES_MAX) {
        if byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            write!(out, "%{byte:02X}").unwrap_or(());
        }
    }
    out
}

/// Key and value of a member, without its properties.
fn pair(member: &[u8]) -> Option<(&[u8], &[u8])> {
    let member = member.split(|byte| *byte == b';').next()?;
    let equals = member.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (trim(&member[..equals]), trim(&member[equals + 1..]));
    let token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let octet =
        |byte: &u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
    let valid = !key.is_empty() && key.iter().all(token) && value.iter().all(octet);
    valid.then_some((key, value))
}

fn text(value: &[u8]) -> Option<String> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = rest.split_first_chunk::<2>()?;
            let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
            decoded.push(u8::try_from(high? * 16 + low?).ok()?);
            rest = after;
        } else {
            decoded.push(byte);
        }
    }
    let text = String::from_utf8(decoded).ok()?;
    let shown = |c: char| c.is_alphanumeric() || c.is_ascii_graphic() || c == ' ';
    ((1..=VALUE_BYTES_MAX).contains(&text.len()) && text.chars().all(shown)).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(lines: &[&str]) -> Option<String> {
        baggage(lines.iter().map(|line| line.as_bytes()), "offer_id")
    }

    #[test]
    fn a_member_is_found_in_any_line() {
        for (lines, value) in [
            (&["offer_id=o-17"][..], "o-17"),
            (&["a=1,offer_id=o-17;p=1;q"], "o-17"),
            (&["a=1", " offer_id = o-17 ,b=2"], "o-17"),
            (&["offer_id=a=b=="], "a=b=="),
            (&["offer_id=M%C3%BCnchen%20Ost"], "München Ost"),
            (&["offer_id=first,offer_id=second"], "first"),
        ] {
            assert_eq!(read(lines).as_deref(), Some(value), "{lines:?}");
        }
    }

    #[test]
    fn what_is_not_valid_or_hides_something_counts_as_not_sent() {
        let long = format!("offer_id={}", "x".repeat(VALUE_BYTES_MAX + 1));
        let many = format!("offer_id=1{}", ",a=1".repeat(MEMBERS_MAX));
        let endless = format!("offer_id=1,a={}", "x".repeat(BYTES_MAX));
        for line in [
            "",
            "offer_id",
            "offer_id=",
            "Offer_Id=1",
            "xoffer_id=1",
            "offer_id=1,bad",
            "offer_id=1,b d=2",
            "offer_id=a b",
            "offer_id=\"a\"",
            "offer_id=%0d%0aX:1",
            "offer_id=%1b[31m",
            "offer_id=%00",
            "offer_id=%e2%80%ae1",
            "offer_id=%e2%80%8b",
            "offer_id=%ff",
            "offer_id=%4",
            "offer_id=%zz",
            "offer_id=%e2%80%a8",
            &long,
            &many,
            &endless,
        ] {
            assert_eq!(read(&[line]), None, "{line:?}");
        }
        assert_eq!(baggage([&b"offer_id=\xff"[..]], "offer_id"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(lines: Vec<Vec<u8>>) {
            baggage(lines.iter().map(Vec::as_slice), "offer_id");
        }

        #[test]
        fn what_is_found_is_bounded_and_printable(value in "[ -~%]{0,200}") {
            if let Some(found) = read(&[&format!("offer_id={value}")]) {
                prop_assert!(found.len() <= VALUE_BYTES_MAX);
                prop_assert!(!found.chars().any(char::is_control), "{:?}", found);
            }
        }
    }
}
