//! Text in Base64, anywhere in a text.

use std::ops::Range;

use super::buffer::Buffer;

/// A shorter run is a word.
pub(super) const RUN_BYTES_MIN: usize = 24;
/// How `{"` begins, which makes a run of a shorter one too.
pub(super) const JSON: &str = "eyJ";
/// `{"pin":123}` has so many digits.
pub(super) const JSON_BYTES_MIN: usize = 15;
/// So much of a run is decoded, and the rest only if that was text.
const DECODED_BYTES_MIN: usize = 4096;
/// No record holds more.
const DECODED_BYTES_MAX: usize = 64 * 1024;
/// Fewer printable bytes between others are chance.
const TEXT_BYTES_MIN: usize = 8;
/// A ULID has so many digits, none of them small.
const ULID_BYTES: usize = 26;

const NONE: u8 = 0xff;

/// The value of each digit of either alphabet.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut at = 0;
    while at < 64 {
        #[expect(clippy::cast_possible_truncation, reason = "less than 64")]
        let value = at as u8;
        values[digits[at] as usize] = value;
        at += 1;
    }
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
};

fn is_digit(byte: u8) -> bool {
    VALUES[usize::from(byte)] != NONE
}

/// Calls `visit` with each run of Base64, its padding and its line breaks within, until it returns
/// true; says whether it did. Hex ids, UUIDs and ULIDs are no runs.
///
/// A run covers one of any [`RUN_BYTES_MIN`] bytes that follow each other, so most are skipped.
pub(super) fn any_run(text: &[u8], mut visit: impl FnMut(Range<usize>) -> bool) -> bool {
    let mut free = 0;
    let mut probe = RUN_BYTES_MIN - 1;
    while probe < text.len() {
        let digits = |from: usize, to: usize| {
            let back = text[from..to].iter().rev();
            back.take_while(|byte| is_digit(**byte)).count()
        };
        let start = probe + 1 - digits(free, probe + 1);
        free = start;
        if probe + 1 - start >= RUN_BYTES_MIN {
            let line = line(text, start);
            free = line;
            if !is_id(&text[start..line]) {
                free = lines(text, line);
                if visit(start..free) {
                    return true;
                }
            }
        }
        probe = free + RUN_BYTES_MIN - 1;
    }
    false
}

/// Calls `visit` with each shorter run that begins as JSON does, and its padding.
pub(super) fn each_json(text: &[u8], mut visit: impl FnMut(Range<usize>)) {
    for json in memchr::memmem::find_iter(text, JSON) {
        let digits = |byte: &&u8| is_digit(**byte);
        let back = text[..json].iter().rev().take(RUN_BYTES_MIN);
        let start = json - back.take_while(digits).count();
        let rest = text[json..].iter().take(RUN_BYTES_MIN);
        let end = json + rest.take_while(digits).count();
        if end - json >= JSON_BYTES_MIN && end - start < RUN_BYTES_MIN {
            visit(start..end + padding(text, end));
        }
    }
}

/// The end of the digits that begin at `start`.
fn line(text: &[u8], start: usize) -> usize {
    let digits = text[start..].iter().take_while(|byte| is_digit(**byte));
    start + digits.count()
}

/// The end of the run whose first line ends at `end`.
fn lines(text: &[u8], mut end: usize) -> usize {
    loop {
        let next = end + line_break(&text[end..]);
        let last = line(text, next);
        if next == end || last == next {
            break;
        }
        end = last;
    }
    end + padding(text, end)
}

fn padding(text: &[u8], end: usize) -> usize {
    let padding = text[end..].iter().take(2).take_while(|byte| **byte == b'=');
    padding.count()
}

/// The bytes of a line break that `text` begins with: as it is, or escaped.
fn line_break(text: &[u8]) -> usize {
    const BREAKS: [&[u8]; 6] = [
        b"\r\n",
        b"\n",
        b"\\r\\n",
        b"\\n",
        b"\\u000d\\u000a",
        b"\\u000a",
    ];
    let found = BREAKS.iter().find(|known| text.starts_with(known));
    found.map_or(0, |known| known.len())
}

/// Hex digits and dashes only, or the digits of a ULID.
fn is_id(run: &[u8]) -> bool {
    let hex = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let crockford = |byte: &u8| {
        byte.is_ascii_digit()
            || (byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'L' | b'O' | b'U'))
    };
    run.iter().all(hex) || (run.len() == ULID_BYTES && run.iter().all(crockford))
}

/// Calls `visit` with what a run holds, if that is text, until it returns true; says whether it did.
///
/// Letters that stand right before a run look like its beginning, so it is decoded from each of its
/// first four digits on. Where there are other bytes among the text, what stands between them counts, and
/// a zero behind each letter is the second half of its UTF-16.
pub(super) fn any_text(run: &[u8], mut visit: impl FnMut(&str) -> bool) -> bool {
    let (mut decoded, mut piece) = (Buffer::take(), Buffer::take());
    (0..4).any(|skip| {
        decode(run, skip, DECODED_BYTES_MIN, &mut decoded);
        if let Some(text) = whole(&decoded) {
            if decoded.len() < DECODED_BYTES_MIN {
                return visit(text);
            }
            decode(run, skip, DECODED_BYTES_MAX, &mut decoded);
            if let Some(text) = whole(&decoded) {
                return visit(text);
            }
        }
        any_piece(&decoded, &mut piece, &mut visit)
    })
}

/// The decoded bytes, if they are text and nothing else. A last character may be cut.
fn whole(decoded: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(decoded) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() + 3 >= decoded.len() => {
            std::str::from_utf8(&decoded[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let odd = |byte: u8| !is_text(byte) && byte < 0x80;
    (text.len() >= TEXT_BYTES_MIN && !text.bytes().any(odd)).then_some(text)
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

fn any_piece(decoded: &[u8], piece: &mut Vec<u8>, visit: &mut impl FnMut(&str) -> bool) -> bool {
    piece.clear();
    // One more byte ends the last piece.
    for &byte in decoded.iter().chain([&NONE]) {
        if is_text(byte) {
            piece.push(byte);
        } else if byte != 0 {
            let long = piece.len() >= TEXT_BYTES_MIN;
            if long && std::str::from_utf8(piece).is_ok_and(&mut *visit) {
                return true;
            }
            piece.clear();
        }
    }
    false
}

/// Decodes up to `max` bytes of the digits of a run, without the first few.
fn decode(run: &[u8], skip: usize, max: usize, decoded: &mut Vec<u8>) {
    decoded.clear();
    let (mut bits, mut held) = (0_u32, 0_u8);
    let mut at = skip;
    while let Some(&byte) = run.get(at) {
        let value = VALUES[usize::from(byte)];
        if value == NONE {
            at += line_break(&run[at..]).max(1);
            continue;
        }
        at += 1;
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            let [.., byte] = (bits >> held).to_be_bytes();
            decoded.push(byte);
            if decoded.len() >= max {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(text: &str) -> Vec<&str> {
        let mut runs = Vec::new();
        any_run(text.as_bytes(), |run| {
            runs.push(&text[run]);
            false
        });
        runs
    }

    fn texts(run: &str) -> Vec<String> {
        let mut texts = Vec::new();
        any_text(run.as_bytes(), |text| {
            texts.push(text.to_owned());
            false
        });
        texts
    }

    #[test]
    fn runs_are_found_wherever_they_stand() {
        let run = "cGFzc3dvcmQ9aHVudGVyMg=="; // password=hunter2
        let long = "cGFzc3dvcmQ9aHVudGVyMiwgYW5kIG1vcmU"; // password=hunter2, and more
        assert_eq!(runs(run), Vec::<&str>::new(), "22 digits are too few");
        for before in 0..24 {
            let text = format!("{} {long}= end", "y".repeat(before));
            assert_eq!(runs(&text), [format!("{long}=")], "{text}");
        }
        let broken = format!("{long}\r\n{long}\\n{long}\\u000aAA==\n");
        assert_eq!(runs(&broken), [broken.trim_end()]);
        assert_eq!(runs(&format!("{long} {long}")), [long, long]);
    }

    #[test]
    fn json_makes_a_run_of_what_is_shorter() {
        let json = |text: &str| {
            let mut all = Vec::new();
            each_json(text.as_bytes(), |run| all.push(text[run].to_owned()));
            all
        };
        for run in [
            "eyJwaW4iOjEyM30=",
            "eyJjdnYiOiIxMjMifQ==",
            "abceyJwaW4iOjEyM30",
        ] {
            assert_eq!(json(&format!("value: {run}, x")), [run]);
            assert!(texts(run).iter().any(|text| text.contains(':')), "{run}");
        }
        for text in ["eyJ0ZXN0IjoxfQ", "heyJude is a song", &"eyJ0".repeat(6)] {
            assert_eq!(json(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn ids_and_words_are_no_runs() {
        for text in [
            "6f9619ff-8b86-4011-b42d-00c04fc964ff",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            "a few words, none of them longer than it may be",
            "",
        ] {
            assert_eq!(runs(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn text_is_decoded_at_each_place_and_anything_else_is_not() {
        for before in ["", "a", "ab", "a/b"] {
            let run = format!("{before}cGFzc3dvcmQ9aHVudGVyMg==");
            let found = texts(&run);
            assert!(
                found.iter().any(|text| text.contains("password=hunter2")),
                "{found:?}"
            );
        }
        let utf_16 = "cABhAHMAcwB3AG8AcgBkAD0AaAB1AG4AdABlAHIAMgA=";
        assert!(texts(utf_16).contains(&"password=hunter2".to_owned()));
        let image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk";
        assert_eq!(texts(image), Vec::<String>::new());
    }
}
