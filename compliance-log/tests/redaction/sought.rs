//! Looking for what is left of a secret: as it is, in hex, in base64 and percent-encoded.

use aho_corasick::AhoCorasick;
use data_encoding::{BASE64_NOPAD, HEXLOWER_PERMISSIVE};

use crate::secret::Part;

/// A text and all that it may be read as.
#[derive(Debug)]
pub(crate) struct Views(Vec<Vec<u8>>);

impl Views {
    pub(crate) fn of(text: &str) -> Self {
        let once = unpercent(text.as_bytes());
        let twice = unpercent(&once);
        let mut views = vec![text.as_bytes().to_vec(), joined(text).into_bytes()];
        views.extend(unhex(text));
        views.extend(unbase64(&twice));
        views.extend((once != text.as_bytes()).then_some(once));
        views.push(twice);
        Self(views)
    }

    /// Whether a slice of one of the parts stands anywhere.
    pub(crate) fn show<'a>(&self, parts: impl IntoIterator<Item = &'a Part>) -> bool {
        let slices: Vec<&str> = parts.into_iter().flat_map(Part::slices).collect();
        if slices.is_empty() {
            return false;
        }
        let slices = AhoCorasick::new(slices).expect("few and short slices");
        self.0.iter().any(|view| slices.is_match(view))
    }
}

/// The text without percent-encoding, without what groups the digits of a number, and without
/// characters that nobody sees.
pub(crate) fn joined(text: &str) -> String {
    let decoded = unpercent(&unpercent(text.as_bytes()));
    String::from_utf8_lossy(&decoded).replace([' ', '-', '\u{ad}', '\u{200b}', '\u{200d}'], "")
}

fn unpercent(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((byte, after)) = rest.split_first() {
        let pair = after.get(..2).filter(|_| *byte == b'%');
        let code = pair.and_then(|pair| HEXLOWER_PERMISSIVE.decode(pair).ok());
        decoded.push(code.as_ref().map_or(*byte, |code| code[0]));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    decoded
}

/// What each run of hex digits stands for, whichever of them is the first of a pair.
fn unhex(text: &str) -> Vec<Vec<u8>> {
    let runs = text.as_bytes().split(|byte| !byte.is_ascii_hexdigit());
    runs.filter(|run| run.len() >= 16)
        .flat_map(|run| [run, &run[1..]])
        .filter_map(|run| HEXLOWER_PERMISSIVE.decode(&run[..run.len() / 2 * 2]).ok())
        .collect()
}

/// What each run of base64 stands for, in either alphabet, whichever character is the first of four.
fn unbase64(text: &[u8]) -> Vec<Vec<u8>> {
    let standard: Vec<u8> = text
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    standard
        .split(|byte| !inside(byte))
        .filter(|run| run.len() >= 16)
        .flat_map(|run| (0..4).map(move |first| &run[first..]))
        .filter_map(|run| BASE64_NOPAD.decode(&run[..run.len() / 4 * 4]).ok())
        .collect()
}

#[test]
fn what_is_left_of_a_secret_is_found_in_each_form() {
    let mut draw = crate::draw::Draw::named("sought");
    let secret = crate::secret::Secret::draw("ghp_«base62:30»", &mut draw);
    let left = &secret.text[10..24];
    let hex = data_encoding::HEXLOWER.encode(left.as_bytes());
    let forms = [
        left.to_owned(),
        format!("x{hex}x"),
        format!(
            "x{}",
            data_encoding::BASE64.encode(format!("of {left}").as_bytes())
        ),
        data_encoding::BASE64URL_NOPAD.encode(format!("of {left}").as_bytes()),
        hex.as_bytes().chunks(2).fold(String::new(), |text, pair| {
            text + "%" + std::str::from_utf8(pair).expect("hex digits")
        }),
        format!("{}\u{ad}{}", &left[..5], &left[5..]),
    ];
    for form in forms {
        let text = format!(r#"{{"message":"left was {form}."}}"#);
        assert!(Views::of(&text).show(&secret.parts), "{form}");
    }
    let masked = format!("ghp_{}[redacted]", &secret.text[4..11]);
    assert!(!Views::of(&masked).show(&secret.parts));
}
