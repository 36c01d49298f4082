//! Kinds of bytes that a value is looked at for, seen in one pass over it.

/// `@`, what ends a tag, and `$`.
pub(super) const RARE: u8 = 1;
/// What may stand between a name and its value.
pub(super) const SIGN: u8 = 2;
pub(super) const DIGIT: u8 = 4;
/// Encodings, escapes and disguises begin with it.
pub(super) const WRAPPING: u8 = 8;
/// Capitals and the signs that names and sentences in small letters do not have, and most literals do.
pub(crate) const MARKED: u8 = 16;
/// Assigns where one of the next kind stands before it.
pub(super) const COMMA: u8 = 32;
/// Quotes and opening brackets.
pub(super) const OPENING: u8 = 64;
/// All of them.
pub(crate) const ALL: u8 = 127;

/// What the escape of a byte is made of.
pub(crate) const ESCAPED: u8 = WRAPPING | DIGIT;

/// The kind of each byte.
pub(crate) const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte < 0x20 || byte >= 0x7f {
            kinds[byte] = WRAPPING;
        }
        byte += 1;
    }
    let mut capital = b'A';
    while capital <= b'Z' {
        kinds[capital as usize] = MARKED;
        capital += 1;
    }
    let signs = b"._~+;";
    let mut sign = 0;
    while sign < signs.len() {
        kinds[signs[sign] as usize] = MARKED;
        sign += 1;
    }
    let mut digit = b'0';
    while digit <= b'9' {
        kinds[digit as usize] = DIGIT;
        digit += 1;
    }
    kinds[b'@' as usize] = RARE;
    kinds[b'=' as usize] = SIGN;
    kinds[b':' as usize] = SIGN;
    kinds[b',' as usize] = COMMA;
    kinds[b'(' as usize] = OPENING;
    kinds[b'\'' as usize] = OPENING;
    kinds[b'"' as usize] = OPENING;
    kinds[b'`' as usize] = OPENING;
    kinds[b'>' as usize] = RARE;
    kinds[b'$' as usize] = RARE;
    kinds[b'%' as usize] = WRAPPING;
    kinds[b'&' as usize] = WRAPPING;
    kinds[b'\\' as usize] = WRAPPING | OPENING;
    kinds
};

/// The kinds that occur.
pub(crate) fn of(value: &[u8]) -> u8 {
    let kinds = value.iter();
    kinds.fold(0, |seen, byte| seen | KINDS[usize::from(*byte)])
}

/// How much of a text, whose bytes are of these kinds, may have [`MARKED`] ones.
pub(crate) fn marked(text: &[u8], kinds: u8) -> usize {
    if kinds & MARKED == 0 { 0 } else { text.len() }
}

/// How many digits there are; counted in bytes, chunk by chunk, so that it becomes vector instructions.
pub(super) fn digits(value: &[u8]) -> usize {
    let count = |chunk: &[u8]| {
        chunk
            .iter()
            .map(|byte| u8::from(byte.is_ascii_digit()))
            .sum::<u8>()
    };
    value
        .chunks(128)
        .map(|chunk| usize::from(count(chunk)))
        .sum::<usize>()
}
