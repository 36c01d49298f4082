//! Check digits of national identity numbers and travel documents.
//!
//! Each takes letters and digits alone, without what stood between them.

/// A social security number of the United States: area, group and serial that are given out.
pub(super) fn ssn(id: &[u8]) -> bool {
    let Some((area, rest)) = id.split_at_checked(3) else {
        return false;
    };
    let Some((group, serial)) = rest.split_at_checked(2) else {
        return false;
    };
    serial.len() == 4
        && area[0] < b'9'
        && area != b"000"
        && area != b"666"
        && group != b"00"
        && serial != b"0000"
}

/// A national insurance number of the United Kingdom: prefixes that are given out.
pub(super) fn nino(id: &[u8]) -> bool {
    const UNUSED: [&[u8; 2]; 7] = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
    id.first_chunk::<2>()
        .is_some_and(|prefix| !UNUSED.contains(&prefix))
}

/// A German tax id: ISO 7064 mod 11,10, and of its first ten digits one stands there two or three times.
pub(super) fn steuer_id(id: &[u8]) -> bool {
    let (Some(digits), true) = (digits::<11>(id), id.first() != Some(&b'0')) else {
        return false;
    };
    let mut times = [0_u8; 10];
    let mut product = 10;
    for &digit in &digits[..10] {
        times[usize::from(digit)] += 1;
        let sum = match (digit + product) % 10 {
            0 => 10,
            sum => sum,
        };
        product = 2 * sum % 11;
    }
    let repeated = times.iter().filter(|&&times| times > 1).count();
    repeated == 1 && times.iter().all(|&times| times <= 3) && (11 - product) % 10 == digits[10]
}

/// A French NIR: its key is 97 less the remainder of the rest; Corsica's `2A` and `2B` count as 19 and 18.
pub(super) fn nir(id: &[u8]) -> bool {
    let Some((number, key)) = id.split_last_chunk::<2>() else {
        return false;
    };
    let mut number = number.to_vec();
    match number.get(5..7) {
        Some(b"2A") => number[5..7].copy_from_slice(b"19"),
        Some(b"2B") => number[5..7].copy_from_slice(b"18"),
        _ => (),
    }
    let (Some(number), Some(key)) = (decimal(&number), decimal(key)) else {
        return false;
    };
    key == 97 - number % 97
}

/// A Spanish DNI or NIE: the letter is the number's remainder by 23.
pub(super) fn dni(id: &[u8]) -> bool {
    let Ok([number @ .., letter]) = <&[u8; 9]>::try_from(id) else {
        return false;
    };
    let mut number = number.to_vec();
    if let Some(first @ b'X'..=b'Z') = number.first_mut() {
        *first = *first - b'X' + b'0';
    }
    let Some(number) = decimal(&number) else {
        return false;
    };
    let letters = b"TRWAGMYFPDXBNJZSQVHLCKE".iter();
    letters
        .zip(0..)
        .any(|(l, remainder)| remainder == number % 23 && l == letter)
}

/// An Italian codice fiscale, its check letter over values that differ by place.
pub(super) fn codice_fiscale(id: &[u8]) -> bool {
    /// Of 0 to 9, which A to J share, and of K to Z, at odd places.
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let Some((check, rest)) = id.split_last() else {
        return false;
    };
    let sum = rest.iter().enumerate().try_fold(0, |sum, (at, byte)| {
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A',
            _ => return None,
        };
        let odd = at % 2 == 0;
        Some(
            sum + if odd {
                ODD[usize::from(value)]
            } else {
                value.into()
            },
        )
    });
    id.len() == 16 && sum.is_some_and(|sum| sum % 26 == u32::from(check.wrapping_sub(b'A')))
}

/// A Dutch BSN: weights 9 to 2 and −1 over its nine digits, divisible by 11.
pub(super) fn bsn(id: &[u8]) -> bool {
    let Some([first @ .., last]) = digits::<9>(id) else {
        return false;
    };
    let sum: u32 = first
        .iter()
        .zip((2..=9).rev())
        .map(|(&digit, weight)| weight * u32::from(digit))
        .sum();
    sum > 0 && sum % 11 == u32::from(last)
}

/// An Indian Aadhaar number: twelve digits with the check of Verhoeff.
pub(super) fn aadhaar(id: &[u8]) -> bool {
    /// What each place does to a digit, from the last one on.
    const PERMUTED: [[u8; 10]; 8] = {
        let mut rows = [
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
            [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
            [0; 10],
            [0; 10],
            [0; 10],
            [0; 10],
            [0; 10],
            [0; 10],
        ];
        let mut row = 2;
        while row < 8 {
            let mut at = 0;
            while at < 10 {
                rows[row][at] = rows[1][rows[row - 1][at] as usize];
                at += 1;
            }
            row += 1;
        }
        rows
    };
    let Some(digits) = digits::<12>(id) else {
        return false;
    };
    let rows = PERMUTED.iter().cycle();
    let sum = digits.iter().rev().zip(rows).fold(0, |sum, (&digit, row)| {
        dihedral(sum, row[usize::from(digit)])
    });
    sum == 0
}

/// The product of two moves of a pentagon: 0 to 4 turn it, 5 to 9 mirror it first.
fn dihedral(a: u8, b: u8) -> u8 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// The second line of a passport, or a line of an identity card (ICAO 9303): each check digit fits.
pub(super) fn mrz(line: &[u8]) -> bool {
    match (line.len(), line.first()) {
        (44, _) => {
            let all = [&line[..10], &line[13..20], &line[21..43]].concat();
            let parts = [(0..9, 9), (13..19, 19), (21..27, 27), (28..42, 42)];
            parts
                .into_iter()
                .all(|(field, check)| icao(&line[field], line[check]))
                && icao(&all, line[43])
        }
        (30, Some(b'0'..=b'9')) => icao(&line[..6], line[6]) && icao(&line[8..14], line[14]),
        // A long number goes on behind its filler, and its check digit with it.
        (30, _) => line[14] == b'<' || icao(&line[5..14], line[14]),
        _ => false,
    }
}

/// Weights 7, 3 and 1 over digits, letters from 10 on, and `<` as nothing.
fn icao(field: &[u8], check: u8) -> bool {
    let weights = [7, 3, 1].into_iter().cycle();
    let values = field
        .iter()
        .map(|&byte| char::from(byte).to_digit(36).unwrap_or(0));
    let sum: u32 = values
        .zip(weights)
        .map(|(value, weight)| value * weight)
        .sum();
    match check {
        // What is not filled in has no check digit.
        b'<' => sum == 0,
        digit => u32::from(digit.wrapping_sub(b'0')) == sum % 10,
    }
}

fn digits<const N: usize>(id: &[u8]) -> Option<[u8; N]> {
    let digits: [u8; N] = id.try_into().ok()?;
    digits
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| digits.map(|byte| byte - b'0'))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that authorities publish as examples, or that are made by their rule.
    #[test]
    fn published_examples_pass_and_their_neighbours_fail() {
        type Rule = fn(&[u8]) -> bool;
        let cases: [(Rule, &[u8]); 9] = [
            (steuer_id, b"86095742719"),
            (nir, b"255081416802538"),
            (dni, b"12345678Z"),
            (dni, b"X1234567L"),
            (codice_fiscale, b"RSSMRA85T10A562S"),
            (bsn, b"111222333"),
            (aadhaar, b"234123412346"),
            (mrz, b"L898902C36UTO7408122F1204159ZE184226B<<<<<10"),
            (mrz, b"7408122F1204159UTO<<<<<<<<<<<6"),
        ];
        for (rule, id) in cases {
            let text = String::from_utf8_lossy(id);
            assert!(rule(id), "{text}");
            let mut wrong = id.to_vec();
            wrong[1] = if wrong[1] == b'3' { b'4' } else { b'3' };
            assert!(!rule(&wrong), "{text}");
            assert!(!rule(b"") && !rule(&id[1..]), "{text}");
        }
    }

    #[test]
    fn corsica_counts_by_its_old_numbers() {
        let key = |number: u64| 97 - number % 97;
        assert!(nir(
            format!("255082A168025{:02}", key(2_550_819_168_025)).as_bytes()
        ));
        assert!(nir(
            format!("255082B168025{:02}", key(2_550_818_168_025)).as_bytes()
        ));
    }

    #[test]
    fn numbers_that_nobody_has_are_none() {
        assert!(ssn(b"123456789") && nino(b"AB123456C"));
        for id in [
            "000456789",
            "666456789",
            "923456789",
            "123006789",
            "123450000",
        ] {
            assert!(!ssn(id.as_bytes()), "{id}");
        }
        assert!(!nino(b"BG123456C"));
    }
}
