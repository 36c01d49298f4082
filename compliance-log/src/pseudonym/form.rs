//! What looks like a pseudonym.

use std::ops::Range;

use memchr::memmem;

const PREFIX: &str = "ps_";
const HEX_DIGITS: usize = 32;
/// Of an epoch.
const DIGITS_MAX: usize = 10;

/// Whether all of `range` stands within something that has the form of a pseudonym.
pub(crate) fn is_within_one(text: &str, range: &Range<usize>) -> bool {
    let longest = PREFIX.len() + DIGITS_MAX + 1 + HEX_DIGITS;
    let from = range.start.saturating_sub(longest);
    let to = (range.start + PREFIX.len()).min(text.len());
    let bytes = text.as_bytes();
    memmem::find_iter(&bytes[from..to], PREFIX)
        .map(|at| from + at)
        .any(|start| end_of_one(bytes, start).is_some_and(|end| range.end <= end))
}

/// Where the pseudonym ends that begins at `start`.
fn end_of_one(text: &[u8], start: usize) -> Option<usize> {
    let rest = text.get(start + PREFIX.len()..)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let epoch = (1..=DIGITS_MAX).contains(&digits) && rest[0] != b'0';
    let hex = rest.get(digits + 1..digits + 1 + HEX_DIGITS)?;
    let lower_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let whole = epoch && rest[digits] == b'_' && hex.iter().all(lower_hex);
    whole.then_some(start + PREFIX.len() + digits + 1 + HEX_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_within_the_whole_form_does() {
        let name = format!("ps_12_{}", "0123456789abcdef".repeat(2));
        let text = format!("by {name}, then");
        let within = |range| is_within_one(&text, &range);
        let end = 3 + name.len();
        assert!(within(3..end) && within(9..end) && within(20..24) && within(3..5));
        assert!(!within(2..end) && !within(3..end + 1) && !within(0..2));
        for other in [
            name.replace("12", "0"),
            name.replace("12", ""),
            name.replace('a', "A"),
            name[..name.len() - 1].to_owned(),
        ] {
            assert!(!is_within_one(&other, &(0..other.len())), "{other}");
        }
    }
}
