//! Kinds of bytes that a value is looked at for, seen in one pass over it.

pub(super) const AT: u8 = 1;
/// What may stand between a name and its value.
pub(super) const SIGN: u8 = 2;
pub(super) const DIGIT: u8 = 4;
/// Encodings, escapes and disguises begin with it.
pub(super) const WRAPPING: u8 = 8;
/// Ends a tag.
pub(super) const TAG: u8 = 16;
/// Assigns where one of the next kind stands before it.
pub(super) const COMMA: u8 = 32;
/// Quotes and opening brackets.
pub(super) const OPENING: u8 = 64;
pub(crate) const ALL: u8 = 127;

/// What the escape of a byte is made of.
pub(crate) const ESCAPED: u8 = WRAPPING | DIGIT;

/// The kind of each byte.
pub(crate) const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if byte < 0x20 || byte >= 0x7f {
            classes[byte] = WRAPPING;
        }
        byte += 1;
    }
    let mut digit = b'0';
    while digit <= b'9' {
        classes[digit as usize] = DIGIT;
        digit += 1;
    }
    classes[b'@' as usize] = AT;
    classes[b'=' as usize] = SIGN;
    classes[b':' as usize] = SIGN;
    classes[b',' as usize] = COMMA;
    classes[b'(' as usize] = OPENING;
    classes[b'\'' as usize] = OPENING;
    classes[b'"' as usize] = OPENING;
    classes[b'`' as usize] = OPENING;
    classes[b'>' as usize] = TAG;
    classes[b'%' as usize] = WRAPPING;
    classes[b'&' as usize] = WRAPPING;
    classes[b'\\' as usize] = WRAPPING | OPENING;
    classes
};

/// The kinds that occur.
pub(crate) fn of(value: &[u8]) -> u8 {
    let kinds = value.iter();
    kinds.fold(0, |seen, byte| seen | CLASSES[usize::from(*byte)])
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
