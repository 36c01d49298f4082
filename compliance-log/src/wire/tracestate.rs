use super::trim;

const MEMBERS_MAX: usize = 32;
const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 256;
/// At least this much must be sent on, and no more is.
const BYTES_MAX: usize = 512;
/// Where there is more, members longer than this go first.
const LONG_MEMBER_BYTES: usize = 128;

/// The `tracestate` header's lines as the one value to send on; `None` if nothing is in them or
/// any member of them is not valid. Means nothing without a valid `traceparent`.
///
/// At most 32 members of at most 512 bytes together. Where there are more bytes, whole members are
/// left out: those of more than 128 bytes first, then those at the end.
pub fn tracestate<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<String> {
    let mut members = Vec::new();
    for line in lines {
        for member in line.split(|byte| *byte == b',').map(trim) {
            if member.is_empty() {
                continue;
            }
            if members.len() == MEMBERS_MAX || !is_member(member) {
                return None;
            }
            members.push(std::str::from_utf8(member).ok()?);
        }
    }
    shorten(&mut members);
    (!members.is_empty()).then(|| members.join(","))
}

fn is_member(member: &[u8]) -> bool {
    let Some(equals) = member.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    let (key, value) = (&member[..equals], &member[equals + 1..]);
    let [first, rest @ ..] = key else {
        return false;
    };
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    // A value cannot end in a space: the member was trimmed.
    plain(first)
        && key.len() <= KEY_BYTES_MAX
        && rest
            .iter()
            .all(|byte| plain(byte) || b"_-*/@".contains(byte))
        && (1..=VALUE_BYTES_MAX).contains(&value.len())
        && value
            .iter()
            .all(|byte| matches!(byte, 0x20..=0x2b | 0x2d..=0x3c | 0x3e..=0x7e))
}

fn shorten(members: &mut Vec<&str>) {
    let mut bytes = members.iter().map(|member| member.len() + 1).sum::<usize>();
    while bytes > BYTES_MAX + 1 {
        let long = members
            .iter()
            .rposition(|member| member.len() > LONG_MEMBER_BYTES);
        let removed = match long {
            Some(at) => members.remove(at),
            None => members.pop().unwrap_or_default(),
        };
        bytes -= removed.len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(lines: &[&str]) -> Option<String> {
        tracestate(lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn valid_lists_are_sent_on() {
        let key = "k".repeat(KEY_BYTES_MAX);
        let value = "v".repeat(VALUE_BYTES_MAX - 2);
        let longest = format!("{key}={value}");
        for (lines, sent) in [
            (&["foo=1"][..], "foo=1"),
            (&["foo=1,bar=2"], "foo=1,bar=2"),
            (&["foo=1", "bar=2"], "foo=1,bar=2"),
            (&["foo=1,", ",", "", " , bar=2 \t"], "foo=1,bar=2"),
            (&["foo=1 \t , \t bar=2"], "foo=1,bar=2"),
            (&["foo=  1"], "foo=  1"),
            (&["foo=1", "foo=1"], "foo=1,foo=1"),
            (&["foo@@bar=1"], "foo@@bar=1"),
            (&["0/a*b-c_d@e=!+-<>~"], "0/a*b-c_d@e=!+-<>~"),
            (&[&longest], &longest),
        ] {
            assert_eq!(read(lines).as_deref(), Some(sent), "{lines:?}");
        }
    }

    #[test]
    fn one_bad_member_discards_the_list() {
        for member in [
            "foo",
            "=1",
            "foo=",
            "foo= ",
            "foo =1",
            "Foo=1",
            "@foo=1",
            "_foo=1",
            "foo.bar=1",
            "foo=1=2",
            "foo=a\u{1b}[31m",
            "foo=a\r\nx=b",
            "foo=a\0",
            "foo=ä",
            "foo=\u{202e}1",
            "föö=1",
            &format!("{}=1", "k".repeat(KEY_BYTES_MAX + 1)),
            &format!("k={}", "v".repeat(VALUE_BYTES_MAX + 1)),
        ] {
            assert_eq!(read(&["bar=1", member]), None, "{member:?}");
        }
        assert_eq!(tracestate([&b"foo=\xff"[..]]), None);
        assert_eq!(read(&[]), None);
        assert_eq!(read(&["", " , ,\t"]), None);
    }

    #[test]
    fn at_most_32_members() {
        let members: Vec<String> = (0..33).map(|n| format!("k{n}=1")).collect();
        assert_eq!(
            read(&[&members[..32].join(",")]),
            Some(members[..32].join(","))
        );
        assert_eq!(read(&[&members.join(",")]), None);
        assert_eq!(
            read(&[&members[..20].join(","), &members[20..].join(",")]),
            None
        );
    }

    #[test]
    fn long_members_go_first_and_then_the_last_ones() {
        let member = |name: char, bytes: usize| format!("{name}={}", "v".repeat(bytes - 2));
        let [a, b, c, d] = [('a', 129), ('b', 128), ('c', 200), ('d', 128)]
            .map(|(name, bytes)| member(name, bytes));
        let all = format!("{a},{b},{c}");
        assert_eq!(read(&[&all]), Some(all.clone()), "459 bytes fit");
        assert_eq!(read(&[&all, &d]), Some(format!("{a},{b},{d}")));
        let exact = [('a', 127), ('b', 127), ('c', 127), ('d', 128)]
            .map(|(name, bytes)| member(name, bytes))
            .join(",");
        assert_eq!(exact.len(), BYTES_MAX);
        assert_eq!(read(&[&exact]), Some(exact.clone()));
        assert_eq!(read(&[&exact, "e=1"]), Some(exact));
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(lines: Vec<Vec<u8>>) {
            tracestate(lines.iter().map(Vec::as_slice));
        }

        #[test]
        fn what_is_sent_on_is_bounded_and_stays_as_it_is(
            lines in prop::collection::vec("[a-c0*@]{0,140}=[ -+.-<>-~]{0,140}(, ?)?", 0..40)
        ) {
            if let Some(sent) = tracestate(lines.iter().map(String::as_bytes)) {
                prop_assert!(sent.len() <= BYTES_MAX, "{}", sent.len());
                prop_assert_eq!(tracestate([sent.as_bytes()]), Some(sent.clone()));
            }
        }
    }
}
