//! Drawn texts that are no secret: ids, times, addresses, numbers.

use data_encoding::BASE64;

use crate::{
    checksum::luhn,
    draw::{self, Draw},
};

/// What a directive of a pattern stands for.
pub(crate) fn noise(kind: &str, argument: &str, draw: &mut Draw) -> String {
    match kind {
        "uuid" => draw.uuid(argument.parse().unwrap_or(4)),
        "ulid" => format!("01J{}", draw.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 23)),
        "number" => {
            let (least, most) = argument.split_once('-').expect("two bounds");
            let bound = |text: &str| text.parse().expect("a bound is a number");
            draw.number(bound(least), bound(most)).to_string()
        }
        // A number of these digits, the first of them given, that is no card number.
        "not-luhn" => {
            let (begin, length) = argument.split_once('/').expect("first digits and a length");
            let length: usize = length.parse().expect("a length is a number");
            let digits = format!(
                "{begin}{}",
                draw.text(draw::DIGITS, length - 1 - begin.len())
            );
            let right = luhn(&digits).to_digit(10).expect("one digit");
            let wrong = u64::from(right) + draw.number(1, 9);
            format!("{digits}{}", wrong % 10)
        }
        // A number of these digits that passes the check of cards, but has no issuer of cards.
        "luhn" => {
            let (begin, length) = argument.split_once('/').expect("first digits and a length");
            let length: usize = length.parse().expect("a length is a number");
            let mut digits = format!(
                "{begin}{}",
                draw.text(draw::DIGITS, length - 1 - begin.len())
            );
            digits.push(luhn(&digits));
            digits
        }
        "ip" => {
            let mut byte = || draw.number(1, 254);
            format!("{}.{}.{}.{}", byte(), byte(), byte(), byte())
        }
        "ip6" => {
            let mut group = || draw.text(draw::HEX, 4);
            format!("2001:db8:{}:{}::{}:{}", group(), group(), group(), group())
        }
        "mac" => {
            let bytes: Vec<String> = (0..6).map(|_| draw.text(draw::HEX, 2)).collect();
            bytes.join(if argument.is_empty() { ":" } else { argument })
        }
        "version" => {
            format!(
                "{}.{}.{}",
                draw.number(0, 9),
                draw.number(0, 40),
                draw.number(0, 30)
            )
        }
        // The base64 of so many bytes that begin as the file type does.
        "png" | "jpeg" | "gif" | "der" | "raw" => {
            let magic: &[u8] = match kind {
                "png" => b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
                "jpeg" => b"\xff\xd8\xff\xe0\0\x10JFIF\0",
                "gif" => b"GIF89a",
                "der" => b"\x30\x82\x03\x42\x30\x82\x02\x2a",
                _ => b"",
            };
            let count = argument.parse().expect("a count of bytes");
            BASE64.encode(&[magic, &draw.bytes(count)].concat())
        }
        "time" => time(argument, draw),
        _ => unreachable!("no directive is called {kind}"),
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

fn time(form: &str, draw: &mut Draw) -> String {
    let (month, day) = (draw.number(1, 12), draw.number(1, 28));
    let (hour, minute, second) = (draw.number(0, 23), draw.number(0, 59), draw.number(0, 59));
    let millis = draw.number(0, 999);
    let name = MONTHS[usize::try_from(month).expect("twelve months") - 1];
    match form {
        "clf" => format!("{day:02}/{name}/2026:{hour:02}:{minute:02}:{second:02} +0100"),
        "syslog" => format!("{name} {day:2} {hour:02}:{minute:02}:{second:02}"),
        "mail" => format!("{day} {name} 2026 {hour:02}:{minute:02}:{second:02} +0000"),
        "comma" => {
            format!("2026-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02},{millis:03}")
        }
        "space" => {
            format!("2026-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}")
        }
        "slash" => format!("2026/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02}"),
        "compact" => format!("2026{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z"),
        "date" => format!("2026-{month:02}-{day:02}"),
        "clock" => format!("{hour:02}:{minute:02}:{second:02}.{millis:03}"),
        "unix" => draw.number(1_700_000_000, 1_790_000_000).to_string(),
        "millis" => draw
            .number(1_700_000_000_000, 1_790_000_000_000)
            .to_string(),
        "micros" => draw
            .number(1_700_000_000_000_000, 1_790_000_000_000_000)
            .to_string(),
        "nanos" => draw
            .number(1_700_000_000_000_000_000, 1_790_000_000_000_000_000)
            .to_string(),
        _ => format!("2026-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"),
    }
}
