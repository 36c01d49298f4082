use super::trim;

/// Whether somebody behind a browser refuses telemetry, by the lines of `Sec-GPC` (Global Privacy Control)
/// and `DNT` (Tracking Preference Expression).
///
/// Of several lines one that refuses is enough. `Sec-GPC` has one value, `1`; what follows the `1` of a
/// `DNT` are extensions. Everything else says nothing.
pub fn refuses_telemetry<'a>(
    sec_gpc: impl IntoIterator<Item = &'a [u8]>,
    dnt: impl IntoIterator<Item = &'a [u8]>,
) -> bool {
    sec_gpc.into_iter().any(|line| trim(line) == b"1")
        || dnt.into_iter().any(|line| trim(line).starts_with(b"1"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refuses(sec_gpc: &[&str], dnt: &[&str]) -> bool {
        let sec_gpc = sec_gpc.iter().map(|line| line.as_bytes());
        refuses_telemetry(sec_gpc, dnt.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn only_a_clear_word_refuses() {
        for (sec_gpc, dnt, expected) in [
            (&[][..], &[][..], false),
            (&["1"], &[], true),
            (&[" 1\t"], &[], true),
            (&[], &["1"], true),
            (&[], &["1xyz"], true),
            (&["0", "1"], &[], true),
            (&["0"], &["1"], true),
            (&["0"], &["0"], false),
            (&["10", "true", "?1", "", "1;a"], &[], false),
            (&[], &["0xyz", "", "x1", "null"], false),
        ] {
            assert_eq!(refuses(sec_gpc, dnt), expected, "{sec_gpc:?} {dnt:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(line: Vec<u8>) {
            let refused = refuses_telemetry([&*line], []);
            prop_assert_eq!(refused, trim(&line) == b"1");
        }
    }
}
