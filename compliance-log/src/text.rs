//! Parts of a text.

/// The beginning of `text`, in whole characters and of at most `bytes_max` bytes.
pub(crate) fn beginning(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_ends_between_characters() {
        for (bytes_max, expected) in [
            (0, ""),
            (1, "a"),
            (2, "a"),
            (3, "aü"),
            (4, "aüb"),
            (9, "aüb"),
        ] {
            assert_eq!(beginning("aüb", bytes_max), expected);
        }
    }
}
