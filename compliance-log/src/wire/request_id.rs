use super::only;

/// The longest id that is taken over.
const BYTES_MAX: usize = 64;

/// A request id that another program chose: `[A-Za-z0-9._-]{1,64}`, in a single header line.
///
/// Only a trusted peer's may be taken over: anybody else could give a request the id of another.
pub fn request_id<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<&'a str> {
    let line = only(lines)?;
    let valid = (1..=BYTES_MAX).contains(&line.len())
        && line
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    std::str::from_utf8(line).ok().filter(|_| valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_ids_are_taken() {
        let long = [b'a'; 65];
        for valid in ["a", "0192f0c1-7c3e-7000-8000-000000000001", "A.b_c-9"] {
            assert_eq!(request_id([valid.as_bytes()]), Some(valid));
        }
        assert_eq!(request_id([&long[..64]]).map(str::len), Some(64));
        let invalid: [&[u8]; 8] = [
            b"",
            &long,
            b"a b",
            b" a",
            b"a\r\nx",
            b"a\0",
            "ä".as_bytes(),
            b"\xff",
        ];
        for invalid in invalid {
            assert_eq!(request_id([invalid]), None, "{invalid:?}");
        }
        assert_eq!(request_id([&b"a"[..], b"a"]), None, "two lines");
        assert_eq!(request_id([]), None);
    }
}
