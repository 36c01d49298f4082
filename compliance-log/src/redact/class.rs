//! Kinds of bytes that a value is looked at for, seen in one pass over it.

pub(super) const AT: u8 = 1;
/// What may stand between a name and its value.
pub(super) const SIGN: u8 = 2;
pub(super) const DIGIT: u8 = 4;
/// Encodings, escapes and disguises begin with it.
pub(super) const WRAPPING: u8 = 8;
/// Ends a tag.
pub(super) const TAG: u8 = 16;
const ALL: u8 = 31;

/// Longer values are searched for each kind with vector instructions.
const BYTES_MAX: usize = 128;

const CLASSES: [u8; 256] = {
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
    classes[b',' as usize] = SIGN;
    classes[b'>' as usize] = TAG;
    classes[b'%' as usize] = WRAPPING;
    classes[b'&' as usize] = WRAPPING;
    classes[b'\\' as usize] = WRAPPING;
    classes
};

/// The kinds that may occur.
pub(super) fn of(value: &[u8]) -> u8 {
    if value.len() > BYTES_MAX {
        return ALL;
    }
    value
        .iter()
        .fold(0, |seen, byte| seen | CLASSES[usize::from(*byte)])
}
