//! Numbers and tokens that prove themselves: each gets the check that it should have.

use crate::draw::{BASE62, DIGITS, Draw, UPPER};

/// The CRC32 of `bytes` in six digits of base 62, as tokens of GitHub and npm end.
pub(crate) fn crc32_base62(bytes: &[u8]) -> String {
    let mut crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    crc = !crc;
    let mut text = [0; 6];
    for place in text.iter_mut().rev() {
        *place = BASE62.as_bytes()[crc as usize % 62];
        crc /= 62;
    }
    text.map(char::from).iter().collect()
}

/// The digit that makes `digits` pass the check of Luhn.
pub(crate) fn luhn(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte - b'0') << (1 - place % 2);
            digit / 10 + digit % 10
        })
        .sum();
    char::from(b'0' + u8::try_from((10 - sum % 10) % 10).expect("one digit"))
}

/// A card number of `brand`, in the layout `brand/spaced`, `brand/dashed` or plain, and its digits.
pub(crate) fn pan(argument: &str, draw: &mut Draw) -> (String, String) {
    let (brand, layout) = argument.split_once('/').unwrap_or((argument, "plain"));
    let (issuers, length): (&[&str], usize) = match brand {
        "visa" => (&["4"], 16),
        "visa-19" => (&["4"], 19),
        "mastercard" => (
            &["51", "52", "53", "54", "55", "2221", "2300", "2600", "2720"],
            16,
        ),
        "amex" => (&["34", "37"], 15),
        "discover" => (&["6011", "644", "649", "65"], 16),
        "diners" => (&["300", "305", "36", "38", "39"], 14),
        "jcb" => (&["3528", "3550", "3589"], 16),
        "unionpay" => (&["6221", "6250", "6288"], 16),
        "maestro" => (&["5018", "5020", "6304", "6759"], 16),
        _ => unreachable!("no brand is called {brand}"),
    };
    let issuer = draw.pick(issuers);
    let mut digits = format!("{issuer}{}", draw.text(DIGITS, length - 1 - issuer.len()));
    digits.push(luhn(&digits));
    let separator = match layout {
        "spaced" => " ",
        "dashed" => "-",
        _ => return (digits.clone(), digits),
    };
    let groups: &[usize] = match length {
        15 => &[4, 6, 5],
        14 => &[4, 6, 4],
        _ => &[4, 4, 4, 4, 3],
    };
    let mut rest = digits.as_str();
    let mut text = Vec::new();
    for group in groups {
        let (begin, after) = rest.split_at(rest.len().min(*group));
        text.extend((!begin.is_empty()).then_some(begin));
        rest = after;
    }
    (text.join(separator), digits)
}

/// An IBAN of a country, plain or `DE/spaced`, and its account number.
pub(crate) fn iban(argument: &str, draw: &mut Draw) -> (String, String) {
    let (country, layout) = argument.split_once('/').unwrap_or((argument, "plain"));
    let (letters, digits) = match country {
        "DE" => (0, 18),
        "FR" => (0, 23),
        "GB" => (4, 14),
        "NL" => (4, 10),
        "ES" | "SE" => (0, 20),
        "CH" => (0, 17),
        "AT" => (0, 16),
        "PL" => (0, 24),
        "NO" => (0, 11),
        "BE" => (0, 12),
        _ => unreachable!("no country is called {country}"),
    };
    let account = draw.text(UPPER, letters) + &draw.text(DIGITS, digits);
    let check = 98 - mod_97(&format!("{account}{country}00"));
    let text = format!("{country}{check:02}{account}");
    if layout == "plain" {
        return (text, account);
    }
    let mut spaced = String::new();
    for (place, letter) in text.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            spaced.push(' ');
        }
        spaced.push(letter);
    }
    (spaced, account)
}

/// The remainder of ISO 7064, in which a letter counts as two digits.
pub(crate) fn mod_97(text: &str) -> u32 {
    text.chars().fold(0, |rest, letter| {
        let value = letter.to_digit(36).expect("letters and digits");
        (rest * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

/// The machine readable zone of a passport (`TD3`) or an identity card (`TD1`), and the numbers in it
/// that are secret.
pub(crate) fn mrz(kind: &str, draw: &mut Draw) -> (String, Vec<String>) {
    let number = draw.text(UPPER, 2) + &draw.text(DIGITS, 7);
    let birth = format!(
        "{:02}{:02}{:02}",
        draw.number(50, 99),
        draw.number(1, 12),
        draw.number(1, 28)
    );
    let expiry = format!(
        "{:02}{:02}{:02}",
        draw.number(27, 35),
        draw.number(1, 12),
        draw.number(1, 28)
    );
    let family = draw.pick(&["LINDQVIST", "MOREAU", "OKAFOR", "TANAKA"]);
    let given = draw.pick(&["INGRID<ELSA", "MATEO", "CHIARA", "YUKI"]);
    let checked = |text: &str| format!("{text}{}", mrz_check(text));
    let (number_checked, birth_checked, expiry_checked) =
        (checked(&number), checked(&birth), checked(&expiry));
    let text = if kind == "TD3" {
        let optional = checked("<<<<<<<<<<<<<<");
        let all = mrz_check(&format!(
            "{number_checked}{birth_checked}{expiry_checked}{optional}"
        ));
        format!(
            "{:<<44}\n{number_checked}D<<{birth_checked}F{expiry_checked}{optional}{all}",
            format!("P<D<<{family}<<{given}")
        )
    } else {
        let filler = "<".repeat(15);
        let second = "<".repeat(11);
        let all = mrz_check(&format!(
            "{number_checked}{filler}{birth_checked}{expiry_checked}{second}"
        ));
        format!(
            "IDD<<{number_checked}{filler}\n{birth_checked}F{expiry_checked}D<<{second}{all}\n{:<<30}",
            format!("{family}<<{given}")
        )
    };
    let dates = format!("{birth_checked}F{expiry_checked}");
    (text, vec![number, dates])
}

/// The check digit of ICAO 9303: weights 7, 3, 1.
fn mrz_check(text: &str) -> u32 {
    let values = text.chars().map(|letter| letter.to_digit(36).unwrap_or(0));
    values
        .zip([7, 3, 1].into_iter().cycle())
        .map(|(value, weight)| value * weight)
        .sum::<u32>()
        % 10
}

#[test]
fn checks_are_those_of_their_standards() {
    // Of ISO 7812, ECBS, ICAO 9303 and the catalogue of CRCs.
    assert_eq!(luhn("7992739871"), '3');
    assert_eq!(mod_97("WEST12345698765432GB82"), 1);
    assert_eq!(mrz_check("L898902C3"), 6);
    assert_eq!(mrz_check("L898902C3674081221204159ZE184226B<<<<<1"), 0);
    let crc = crc32_base62(b"123456789").chars().fold(0, |sum, letter| {
        sum * 62 + BASE62.find(letter).expect("a digit of base 62")
    });
    assert_eq!(crc, 0xcbf4_3926);
}
