//! Checksums and decoders: what turns a look-alike into a finding, or out of one.

use serde::{Deserialize, Serialize};

use super::{national, placeholder};

/// What a pattern's match must also satisfy.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Check {
    /// A JSON Web Token whose header decodes to a JSON object.
    Jwt,
    /// Base64 of `user:password`.
    UserPassword,
    /// What stands before the host of a URL, unless placeholders stand for it: `app:****`.
    Userinfo,
    /// Not a word of prose: it has a digit, or capitals where a word has none.
    Opaque,
    /// Small letters, capitals and digits, as nothing but chance writes them.
    Mixed,
    /// A GitHub token whose checksum fits, or that looks like no placeholder.
    Github,
    /// A Discord token, whose first part is a user's number in Base64.
    Discord,
    /// The card number in the data of a magnetic stripe.
    Track,
    /// A telephone number with a country code: 8 to 15 digits.
    Phone,
    /// A United States social security number.
    Ssn,
    /// A United Kingdom national insurance number.
    Nino,
    /// A German tax id.
    SteuerId,
    /// A French social security number.
    Nir,
    /// A Spanish DNI or NIE.
    Dni,
    /// An Italian codice fiscale.
    CodiceFiscale,
    /// A Dutch BSN.
    Bsn,
    /// An Indian Aadhaar number.
    Aadhaar,
    /// A line of a machine readable zone.
    Mrz,
}

impl Check {
    pub(super) fn holds(self, secret: &str) -> bool {
        match self {
            Self::Jwt => jwt(secret),
            Self::UserPassword => user_password(secret),
            Self::Userinfo => !is_blank(secret),
            Self::Opaque => opaque(secret),
            Self::Mixed => mixed(secret),
            Self::Github => github(secret),
            Self::Discord => discord(secret),
            Self::Track => track(secret),
            Self::Phone => phone(secret),
            Self::Ssn => national::ssn(&joined(secret)),
            Self::Nino => national::nino(&joined(secret)),
            Self::SteuerId => national::steuer_id(&joined(secret)),
            Self::Nir => national::nir(&joined(secret)),
            Self::Dni => national::dni(&joined(secret)),
            Self::CodiceFiscale => national::codice_fiscale(&joined(secret)),
            Self::Bsn => national::bsn(&joined(secret)),
            Self::Aadhaar => national::aadhaar(&joined(secret)),
            Self::Mrz => national::mrz(secret.as_bytes()),
        }
    }
}

/// Letters, as capitals, and digits, without what stands between them.
fn joined(text: &str) -> Vec<u8> {
    let bytes = text.bytes().filter(u8::is_ascii_alphanumeric);
    bytes.map(|byte| byte.to_ascii_uppercase()).collect()
}

/// The check digit of ISO/IEC 7812-1, over digits as numbers from 0 to 9.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(|(&digit, double)| match (u32::from(digit), double) {
            (digit, false) => digit,
            (digit, true) if digit > 4 => 2 * digit - 9,
            (digit, true) => 2 * digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// First digits of the card brands, as ranges of four-digit prefixes, with their lengths.
const ISSUERS: &[(u16, u16, std::ops::RangeInclusive<usize>)] = &[
    (2200, 2204, 16..=19), // Mir
    (2221, 2720, 16..=16), // Mastercard
    (3000, 3059, 14..=19), // Diners Club
    (3095, 3095, 14..=19), // Diners Club
    (3400, 3499, 15..=15), // American Express
    (3528, 3589, 16..=19), // JCB
    (3600, 3699, 14..=19), // Diners Club
    (3700, 3799, 15..=15), // American Express
    (3800, 3999, 14..=19), // Diners Club
    (4000, 4999, 13..=13), // Visa
    (4000, 4999, 16..=16),
    (4000, 4999, 18..=19),
    (5018, 5018, 13..=19), // Maestro
    (5020, 5020, 13..=19),
    (5038, 5038, 13..=19),
    (5060, 5061, 16..=19), // Verve
    (5080, 5089, 16..=16), // RuPay
    (5100, 5599, 16..=16), // Mastercard
    (5610, 5610, 16..=16), // Bankcard
    (5893, 5893, 13..=19), // Maestro
    (6000, 6099, 16..=19), // Discover, RuPay
    (6200, 6299, 16..=19), // UnionPay
    (6304, 6304, 13..=19), // Maestro
    (6440, 6599, 16..=19), // Discover, RuPay
    (6759, 6763, 13..=19), // Maestro
    (8100, 8299, 16..=19), // UnionPay, RuPay
    (9792, 9792, 16..=16), // Troy
];

/// A primary account number: a brand's first digits and length, and the check digit.
pub(super) fn card_number(digits: &[u8]) -> bool {
    let Some(first) = digits.get(..4) else {
        return false;
    };
    let first = first.iter().fold(0, |n, &d| n * 10 + u16::from(d));
    ISSUERS.iter().any(|(from, to, lengths)| {
        (*from..=*to).contains(&first) && lengths.contains(&digits.len())
    }) && luhn(digits)
}

/// Country codes and lengths of the ISO 13616 registry.
const IBAN_LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// No IBAN is shorter than Norway's.
pub(super) const IBAN_BYTES_MIN: usize = 15;

/// How many letters and digits an IBAN of this country has; the code may be in either case.
pub(super) fn iban_length(country: [u8; 2]) -> Option<usize> {
    let country = country.map(|byte| byte.to_ascii_uppercase());
    let at = IBAN_LENGTHS.binary_search_by(|(code, _)| (*code).cmp(&country));
    at.ok().map(|at| IBAN_LENGTHS[at].1)
}

/// The check of ISO 7064 mod 97-10, over letters and digits without spaces.
pub(super) fn mod_97(iban: &[u8]) -> bool {
    let Some((head, rest)) = iban.split_at_checked(4) else {
        return false;
    };
    let remainder = rest.iter().chain(head).try_fold(0_u32, |n, &byte| {
        let value = char::from(byte).to_digit(36)?;
        Some((n * if value < 10 { 10 } else { 100 } + value) % 97)
    });
    remainder == Some(1)
}

/// Decodes as much Base64 as there is, of either alphabet, at most `max` bytes; text that follows
/// without a space makes the end meaningless, never the beginning.
fn base64(text: &str, max: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(max.min(text.len()));
    let (mut bits, mut held) = (0_u32, 0_u8);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            let [.., byte] = (bits >> held).to_be_bytes();
            bytes.push(byte);
        }
        if bytes.len() >= max {
            break;
        }
    }
    bytes
}

/// How far into a token its header may begin, when text stands before it without a space.
const JWT_STARTS_MAX: usize = 8;

fn jwt(token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    header
        .match_indices("eyJ")
        .take(JWT_STARTS_MAX)
        .any(|(at, _)| {
            let json = base64(&header[at..], 4096);
            json.starts_with(b"{\"") && memchr::memmem::find(&json, b"\":").is_some()
        })
}

fn user_password(encoded: &str) -> bool {
    let plain = base64(encoded, 128);
    let user = plain.split(|&byte| byte == b':').next().unwrap_or_default();
    user.len() < plain.len()
        && std::str::from_utf8(user).is_ok_and(|user| !user.chars().any(char::is_control))
}

/// Whether a word or a placeholder is the user, and a placeholder the password.
fn is_blank(userinfo: &str) -> bool {
    let word = |user: &str| user.bytes().all(|byte| byte.is_ascii_lowercase());
    userinfo.split_once(':').is_some_and(|(user, password)| {
        (word(user) || placeholder::is_one(user))
            && !password.is_empty()
            && placeholder::is_one(password)
    })
}

fn opaque(token: &str) -> bool {
    let capital = |text: &str| text.bytes().any(|byte| byte.is_ascii_uppercase());
    let small = token.bytes().any(|byte| byte.is_ascii_lowercase());
    token.bytes().any(|byte| byte.is_ascii_digit())
        || token.get(1..).is_some_and(|rest| small && capital(rest))
}

fn mixed(token: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| token.as_bytes().iter().any(kind);
    has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)
}

/// A placeholder is made of fewer different characters: `ghp_xxxxxxxx`.
const DISTINCT_MIN: usize = 8;

/// The last six characters are the CRC-32 of those before them, in base 62. A token that was cut, or
/// that comes from a server which counts otherwise, is as secret, so a wrong checksum alone clears none.
fn github(token: &str) -> bool {
    let body = token.rsplit_once('_').map_or(token, |(_, body)| body);
    let sealed = body
        .len()
        .checked_sub(6)
        .and_then(|at| body.split_at_checked(at));
    sealed.is_some_and(|(random, check)| base_62(check) == Some(crc_32(random.as_bytes())))
        || distinct(body) >= DISTINCT_MIN
}

fn distinct(token: &str) -> usize {
    let mut seen = [false; 256];
    let mut new = |byte| !std::mem::replace(&mut seen[usize::from(byte)], true);
    token.bytes().filter(|&byte| new(byte)).count()
}

/// CRC-32 of ISO 3309, bit by bit: a token is short.
pub(super) fn crc_32(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    !crc
}

fn base_62(digits: &str) -> Option<u32> {
    digits.bytes().try_fold(0_u32, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return None,
        };
        value.checked_mul(62)?.checked_add(digit.into())
    })
}

fn discord(token: &str) -> bool {
    let (user, secret) = token.split_once('.').unwrap_or((token, ""));
    let number = base64(user, 32);
    let digits = number
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    // Of a user that was cut or spoiled the rest is as secret.
    number.len() >= 17 && (digits == number.len() || (digits > 1 && mixed(secret)))
}

fn track(data: &str) -> bool {
    let digits = data.bytes().skip_while(|byte| !byte.is_ascii_digit());
    let digits = digits.take_while(u8::is_ascii_digit);
    card_number(&digits.map(|byte| byte - b'0').collect::<Vec<_>>())
}

fn phone(number: &str) -> bool {
    let number = number.replace("(0)", "");
    let digits = number.trim_start_matches("00").bytes();
    let digits: Vec<_> = digits.filter(u8::is_ascii_digit).collect();
    (8..=15).contains(&digits.len()) && digits[0] != b'0'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_sorted_so_that_it_can_be_searched() {
        assert!(IBAN_LENGTHS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn published_examples_pass_and_their_neighbours_fail() {
        let digits = |text: &str| text.bytes().map(|byte| byte - b'0').collect::<Vec<_>>();
        for pan in [
            "4111111111111111",
            "5555555555554444",
            "378282246310005",
            "6011111111111117",
            "3530111333300000",
            "30569309025904",
            "2223003122003222",
        ] {
            assert!(card_number(&digits(pan)), "{pan}");
            let mut wrong = digits(pan);
            wrong[9] = (wrong[9] + 1) % 10;
            assert!(!card_number(&wrong), "{pan}");
        }
        assert!(
            !card_number(&digits("1111111111111117")),
            "no brand begins with 1"
        );
        assert!(mod_97(b"GB82WEST12345698765432") && !mod_97(b"GB82WEST12345698765423"));
        assert_eq!(iban_length(*b"nl"), Some(18));
    }

    #[test]
    fn base64_stops_at_the_first_foreign_byte() {
        assert_eq!(base64("dXNlcjpwYXNz", 99), b"user:pass");
        assert_eq!(base64("dXNlcg==.x", 99), b"user");
        assert_eq!(base64("dXNlcjpwYXNz", 4), b"user");
    }
}
