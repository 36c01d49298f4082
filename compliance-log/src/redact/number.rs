//! Numbers with a check: payment cards and bank accounts.

use std::ops::Range;

use super::{check, fold::fold};

pub(super) const CARD_DIGITS_MIN: usize = 13;
const CARD_DIGITS_MAX: usize = 19;
/// How brands print their digits in groups, where a joint is too common to stand anywhere.
const GROUPS: [&[usize]; 4] = [&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];
/// What stands between groups, besides one space or dash. Of each, all joints of a number are the same.
const JOINTS: [&str; 14] = [
    ".", "_", "/", "+", " - ", "\t", "\\t", "  ", "\u{a0}", "\u{2007}", "\u{2009}", "\u{2011}",
    "\u{2013}", "\u{202f}",
];
const JOINT_BYTES_MAX: usize = 3;
/// A uuid: hex digits in groups of 8, 4, 4, 4 and 12.
const UUID_DASHES: [usize; 4] = [8, 13, 18, 23];
const UUID_BYTES: usize = 36;

/// Digits, with single dashes between them.
struct Word {
    span: Range<usize>,
    digits: usize,
    dashed: bool,
    /// Part of a hex id, a uuid, a fraction or a mask.
    barred: bool,
}

/// Writes `****` and the last four digits of a value that is a card number and nothing else, however
/// its digits are spaced.
///
/// Returns false, and writes nothing, for any other value.
pub(crate) fn mask_card(value: &str, out: &mut String) -> bool {
    let value = value.trim();
    let mut digits = [0; CARD_DIGITS_MAX];
    let mut filled = 0;
    let joint = |c: char| matches!(c, ' ' | '-') || JOINTS.iter().any(|joint| joint.contains(c));
    for c in value.chars() {
        match c.to_digit(10) {
            Some(digit) if filled < CARD_DIGITS_MAX => {
                digits[filled] = u8::try_from(digit).unwrap_or(0);
                filled += 1;
            }
            None if joint(c) && !c.is_ascii_alphabetic() => {}
            _ => return false,
        }
    }
    let whole = filled >= CARD_DIGITS_MIN && check::card_number(&digits[..filled]);
    if whole {
        mask(value, out);
    }
    whole
}

/// Whether a card number stands anywhere in `text`: such a text is never pseudonymised, since a card
/// number that is hashed here and cut to four digits there can be found by trying.
///
/// Letters beside it do not make it a hex id here: it is better to lose an id than to hash a card.
pub(crate) fn holds_card(text: &str) -> bool {
    if text.len() < CARD_DIGITS_MIN {
        return false;
    }
    if !text.is_ascii() {
        let seen: String = text.chars().filter_map(fold).collect();
        // Beyond ASCII only what looks like none of it is left.
        return seen.split(|c: char| !c.is_ascii()).any(holds_card);
    }
    if text.bytes().filter(u8::is_ascii_digit).count() < CARD_DIGITS_MIN {
        return false;
    }
    let apart = |byte| match byte {
        b'0'..=b'9' | b' ' | b'-' => byte,
        _ => b';',
    };
    let digits: Vec<u8> = text.bytes().map(apart).collect();
    let mut holds = mask_card(text, &mut String::new());
    cards(&digits, |_| holds = true);
    holds
}

/// Writes `****` and the last four digits of `number`.
pub(super) fn mask(number: &str, out: &mut String) {
    out.push_str("****");
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let last = number.chars().filter(char::is_ascii_digit);
    out.extend(last.skip(digits.saturating_sub(4)));
}

/// Calls `visit` with each card number: 13 to 19 digits, with single spaces or dashes or in the groups
/// that are printed on cards, of a known brand and with a right check digit, that is not part of a longer
/// number, a hex id or a uuid.
pub(super) fn cards(text: &[u8], mut visit: impl FnMut(Range<usize>)) {
    grouped(text, &mut visit);
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].iter().position(u8::is_ascii_digit) {
        words.clear();
        at += next;
        loop {
            let word = word(text, at);
            at = word.span.end;
            words.push(word);
            if text.get(at) != Some(&b' ') || !digit_at(text, at + 1) {
                break;
            }
            at += 1;
        }
        let mut rest = words.as_slice();
        while !rest.is_empty() {
            let taken = longest_card(text, rest);
            if let Some(last) = taken.checked_sub(1) {
                visit(rest[0].span.start..rest[last].span.end);
            }
            rest = &rest[taken.max(1)..];
        }
    }
}

/// Calls `visit` with each card number whose groups stand apart by one of [`JOINTS`].
fn grouped(text: &[u8], visit: &mut impl FnMut(Range<usize>)) {
    let mut at = 0;
    while let Some(next) = text[at..].iter().position(u8::is_ascii_digit) {
        let start = at + next;
        at = start + digits_at(text, start);
        let joint = JOINTS
            .iter()
            .find(|joint| text[at..].starts_with(joint.as_bytes()));
        if at - start != 4 || starts_barred(text, start) {
            continue;
        }
        let found = joint.and_then(|joint| {
            let end = |groups: &&[usize]| groups_end(text, start, groups, joint.as_bytes());
            GROUPS.iter().find_map(end)
        });
        if let Some(end) = found {
            visit(start..end);
            at = end;
        }
    }
}

/// Where a card number in these groups ends, if one begins at `start`.
fn groups_end(text: &[u8], start: usize, groups: &[usize], joint: &[u8]) -> Option<usize> {
    let mut digits = Vec::with_capacity(CARD_DIGITS_MAX);
    let mut at = start;
    for (index, &length) in groups.iter().enumerate() {
        if index > 0 {
            at += text.get(at..)?.starts_with(joint).then_some(joint.len())?;
        }
        if digits_at(text, at) != length {
            return None;
        }
        digits.extend(text[at..at + length].iter().map(|byte| byte - b'0'));
        at += length;
    }
    let goes_on = text[at..].starts_with(joint) && digit_at(text, at + joint.len());
    (!goes_on && check::card_number(&digits)).then_some(at)
}

/// Whether the digits at `start` go on from something before them.
fn starts_barred(text: &[u8], start: usize) -> bool {
    is_masked(text, start)
        || match &text[..start] {
            [.., before, b'.' | b'_' | b'/' | b'+'] => before.is_ascii_digit(),
            _ => false,
        }
}

/// Whether the digits at `start` are what a mask leaves. More of them are none, and fewer stars are
/// letters in bold: `**4111 1111 1111 1111**`.
fn is_masked(text: &[u8], start: usize) -> bool {
    const LEFT_MAX: usize = 6;
    text[..start].ends_with(b"****") && digits_at(text, start) <= LEFT_MAX
}

fn digits_at(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// A byte of a joint; of those beyond ASCII only the bytes are looked at.
const fn is_joint(byte: u8) -> bool {
    matches!(
        byte,
        b' ' | b'-'
            | b'.'
            | b'_'
            | b'/'
            | b'+'
            | b'\t'
            | b'\\'
            | b't'
            | 0xc2
            | 0xa0
            | 0xe2
            | 0x80
            | 0x87
            | 0x89
            | 0x91
            | 0x93
            | 0xaf
    )
}

/// How many of the first words are together a card number, at most; 0 for none.
fn longest_card(text: &[u8], words: &[Word]) -> usize {
    let mut digits = [0; CARD_DIGITS_MAX];
    let (mut filled, mut longest) = (0, 0);
    // `4 1 1 1 ..` is one number, `5 10 15 20` a list.
    let ones = words[0].digits == 1;
    for (index, word) in words.iter().enumerate() {
        let mixed = index > 0 && (word.dashed || words[0].dashed);
        let grouped = index == 0 || (words[index - 1].digits == 1) == ones;
        if word.barred || mixed || !grouped || filled + word.digits > CARD_DIGITS_MAX {
            break;
        }
        for byte in text[word.span.clone()]
            .iter()
            .filter(|byte| byte.is_ascii_digit())
        {
            digits[filled] = byte - b'0';
            filled += 1;
        }
        let even = !ones || word.digits == 1;
        if filled >= CARD_DIGITS_MIN && even && check::card_number(&digits[..filled]) {
            longest = index + 1;
        }
    }
    longest
}

fn word(text: &[u8], start: usize) -> Word {
    let (mut end, mut digits, mut dashed) = (start, 0, false);
    loop {
        if digit_at(text, end) {
            digits += 1;
        } else if text.get(end) == Some(&b'-') && digit_at(text, end + 1) {
            dashed = true;
        } else {
            break;
        }
        end += 1;
    }
    let span = start..end;
    Word {
        barred: digits > 0 && barred(text, &span),
        span,
        digits,
        dashed,
    }
}

fn barred(text: &[u8], span: &Range<usize>) -> bool {
    let before = span.start.checked_sub(1).map(|at| text[at]);
    let fraction = before == Some(b'.') && span.start >= 2 && digit_at(text, span.start - 2);
    is_masked(text, span.start) || fraction || in_hex(text, span) || in_uuid(text, span)
}

/// The letters right beside the digits are all hex digits, and there are some.
fn in_hex(text: &[u8], span: &Range<usize>) -> bool {
    let letter = |byte: &&u8| byte.is_ascii_alphanumeric();
    let mut beside = text[..span.start]
        .iter()
        .rev()
        .take(64)
        .take_while(letter)
        .chain(text[span.end..].iter().take(64).take_while(letter))
        .peekable();
    beside.peek().is_some() && beside.all(u8::is_ascii_hexdigit)
}

fn in_uuid(text: &[u8], span: &Range<usize>) -> bool {
    let part = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b'-';
    let left = text[..span.start]
        .iter()
        .rev()
        .take(UUID_BYTES)
        .take_while(part)
        .count();
    let Some(token) = text[span.start - left..].get(..UUID_BYTES) else {
        return false;
    };
    token.iter().enumerate().all(|(at, &byte)| {
        if UUID_DASHES.contains(&at) {
            byte == b'-'
        } else {
            byte.is_ascii_hexdigit()
        }
    })
}

/// Whether enough digits stand together for a card number, with joints between.
///
/// Such a run covers one of any [`CARD_DIGITS_MIN`] bytes that follow each other, so most are skipped.
pub(super) fn may_have_card(text: &[u8]) -> bool {
    let mut free = 0;
    (0..text.len()).step_by(CARD_DIGITS_MIN).any(|probe| {
        let near = (probe..=probe + JOINT_BYTES_MAX).any(|at| digit_at(text, at));
        if probe < free || !near {
            return false;
        }
        let back = digit_run(text[free..=probe].iter().rev());
        let run = digit_run(text[probe + 1 - back.bytes..].iter());
        free = probe + 1 - back.bytes + run.bytes;
        run.digits >= CARD_DIGITS_MIN
    })
}

struct DigitRun {
    bytes: usize,
    digits: usize,
}

/// Digits from the first byte on, with joints between, and perhaps one at an end.
fn digit_run<'b>(text: impl Iterator<Item = &'b u8>) -> DigitRun {
    let mut run = DigitRun {
        bytes: 0,
        digits: 0,
    };
    let mut joint = 0;
    for &byte in text {
        match byte {
            b'0'..=b'9' => {
                run.digits += 1;
                joint = 0;
            }
            byte if is_joint(byte) && joint < JOINT_BYTES_MAX => joint += 1,
            _ => break,
        }
        run.bytes += 1;
    }
    run
}

/// Calls `visit` with each IBAN, written together or with single spaces or dashes.
pub(super) fn ibans(text: &[u8], mut visit: impl FnMut(Range<usize>)) {
    let mut free = 0;
    for (span, iban) in iban_candidates(text) {
        let apart = span.start == 0 || !text[span.start - 1].is_ascii_alphanumeric();
        if apart && span.start >= free && check::mod_97(&iban) {
            free = span.end;
            visit(span);
        }
    }
}

/// Whether something has an IBAN's country and length.
pub(super) fn may_have_iban(text: &[u8]) -> bool {
    if text.len() < check::IBAN_BYTES_MIN {
        return false;
    }
    let [Some(second), Some(third), Some(fourth)] = [1, 2, 3].map(|at| text.get(at..)) else {
        return false;
    };
    // Without short cuts, so that it becomes vector instructions.
    let heads = text.iter().zip(second).zip(third.iter().zip(fourth));
    let heads = heads.fold(0, |any, ((a, b), (c, d))| {
        let letters = a.is_ascii_alphabetic() & b.is_ascii_alphabetic();
        any | u8::from(letters & c.is_ascii_digit() & d.is_ascii_digit())
    });
    heads > 0 && iban_candidates(text).next().is_some()
}

fn iban_candidates(text: &[u8]) -> impl Iterator<Item = (Range<usize>, Vec<u8>)> {
    text.windows(4).enumerate().filter_map(|(start, head)| {
        let [a, b, c, d] = *head else { return None };
        let shape = c.is_ascii_digit() && d.is_ascii_digit() && a.is_ascii_alphabetic();
        let length = shape.then(|| check::iban_length([a, b])).flatten()?;
        let mut iban = Vec::with_capacity(length);
        let mut end = start;
        while iban.len() < length {
            match text.get(end) {
                Some(byte) if byte.is_ascii_alphanumeric() => iban.push(*byte),
                Some(b' ' | b'-') if text[end - 1].is_ascii_alphanumeric() => (),
                _ => return None,
            }
            end += 1;
        }
        let ends = text
            .get(end)
            .is_none_or(|byte| !byte.is_ascii_alphanumeric());
        ends.then_some((start..end, iban))
    })
}

fn digit_at(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        cards(text.as_bytes(), |span| found.push(&text[span]));
        found
    }

    #[test]
    fn a_card_is_found_however_it_is_grouped() {
        for pan in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "3782 822463 10005",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        ] {
            assert_eq!(found(pan), [pan]);
            assert_eq!(
                found(&format!("x{pan}y")),
                [pan],
                "glued to letters that are not hex"
            );
            assert_eq!(found(&format!("room 12 {pan} 12/29")), [pan]);
            assert_eq!(found(&format!("{pan}\n{pan}")), [pan, pan]);
        }
    }

    #[test]
    fn groups_as_on_a_card_may_stand_apart_by_anything() {
        for joint in JOINTS {
            for pan in [
                ["4111", "1111", "1111", "1111"].join(joint),
                ["3782", "822463", "10005"].join(joint),
                ["3056", "930902", "5904"].join(joint),
            ] {
                assert_eq!(found(&format!("x {pan}, y")), [pan.as_str()]);
                let mut out = String::new();
                assert!(joint == "\\t" || mask_card(&pan, &mut out), "{pan}");
            }
            let long = ["4111", "1111", "1111", "1111", "1111"].join(joint);
            assert_eq!(found(&long), Vec::<&str>::new(), "{long}");
        }
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "4111.1111.1111.1112",
            "4111.1111/1111.1111",
            "41.11111111.111111",
            "1.4111.1111.1111.1111",
            "0.4111_1111_1111_1111",
            "2024/05/17 09:12",
            "192.168.100.200/24",
            "1715937153.123456",
            "14111111111111111111111",
            "c0ffee4111111111111111",
            "0.4111111111111111",
            "****4111 1111 1111 1111",
            "5 10 15 20 25 30 35 40 45 50",
            "a1b2c3d4-4111-1111-1111-111111111111",
            "4111111111111112",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_long_enough_run_is_seen_wherever_it_stands() {
        for start in 0..40 {
            let before = "x".repeat(start);
            for run in [
                "4111111111111",
                "4 1 1 1 1 1 1 1 1 1 1 1 1",
                "4111-1111 1111-1",
                "4111_1111.1111/1",
                "4111\u{a0}1111\u{202f}1111  1",
            ] {
                assert!(
                    may_have_card(format!("{before}{run}y").as_bytes()),
                    "{start} {run}"
                );
                assert!(
                    may_have_card(format!("{before}  - 12  {run}").as_bytes()),
                    "{start} {run}"
                );
            }
            for run in [
                "411111111111",
                "4111    1111 1111 1",
                "4111:1111:1111:1",
                "4111 -> 1111 1111 1",
            ] {
                assert!(
                    !may_have_card(format!("{before}{run}y").as_bytes()),
                    "{start} {run}"
                );
            }
        }
    }

    #[test]
    fn a_masked_field_is_a_card_or_nothing() {
        let mut out = String::new();
        assert!(mask_card(" 4111 1111 1111 1111", &mut out));
        assert_eq!(out, "****1111");
        assert!(!mask_card("card 4111111111111111", &mut out));
        assert!(!mask_card("frying", &mut out));
        assert_eq!(out, "****1111");
    }
}
