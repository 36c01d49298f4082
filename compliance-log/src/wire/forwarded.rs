use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::trim;

/// More hops than any path has; of longer lists the last ones are read.
const HOPS_MAX: usize = 64;

/// The `X-Forwarded-For` header's lines as addresses, the client's first and the nearest hop's last.
///
/// `None` stands for a hop without an address: `unknown`, a name, anything that is not valid. Ports,
/// zones and the brackets of IPv6 are left out; an IPv4 address within IPv6 becomes that address. At
/// most the last 64 hops.
///
/// Anybody can send such a header: whom to believe is for `http::TrustedProxies` to say.
pub fn x_forwarded_for<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<Option<IpAddr>> {
    nearest(lines, |line| {
        let hops = line.rsplit(|byte| *byte == b',').take(HOPS_MAX);
        hops.map(|hop| address(trim(hop))).collect()
    })
}

/// The `Forwarded` header's lines (RFC 7239) as the addresses of their `for` parameters, as
/// [`x_forwarded_for`] does. A line that is not valid is one hop without an address.
pub fn forwarded<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Vec<Option<IpAddr>> {
    nearest(lines, |line| match elements(line) {
        Some(elements) => elements.into_iter().rev().collect(),
        None => vec![None],
    })
}

/// The last hops, of lines whose hops `read` gives in reverse. The near end alone is written by proxies
/// that somebody trusts: however much a client puts before it hides nothing of it.
fn nearest<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
    read: impl Fn(&'a [u8]) -> Vec<Option<IpAddr>>,
) -> Vec<Option<IpAddr>> {
    let lines: Vec<&[u8]> = lines.into_iter().collect();
    let hops = lines.into_iter().rev().flat_map(read).take(HOPS_MAX);
    let mut hops: Vec<_> = hops.collect();
    hops.reverse();
    hops
}

/// An address as it stands in a header: with a port, in brackets, or neither.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let ip = match text.strip_prefix('[') {
        Some(rest) => {
            let (inside, after) = rest.split_once(']')?;
            let port = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
            IpAddr::V6(port.then(|| v6(inside))??)
        }
        None => match text.parse::<SocketAddr>() {
            Ok(socket) => socket.ip(),
            Err(_) => text.parse().ok().or_else(|| v6(text).map(IpAddr::V6))?,
        },
    };
    Some(ip.to_canonical())
}

/// An IPv6 address, perhaps with a zone: which interface of another machine it came by says nothing here.
fn v6(text: &str) -> Option<Ipv6Addr> {
    match text.split_once('%') {
        Some((address, zone)) if !zone.is_empty() => address.parse().ok(),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

fn is_port(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    // RFC 7239 lets proxies obfuscate the port.
    digits && (1..=5).contains(&text.len()) || text.strip_prefix('_').is_some_and(is_obfuscated)
}

fn is_obfuscated(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// The `for` of each element of one line; `None` if the line is not of the header's grammar.
fn elements(line: &[u8]) -> Option<Vec<Option<IpAddr>>> {
    let mut elements = Vec::new();
    let (mut hop, mut pairs, mut rest) = (None, 0, trim(line));
    loop {
        if let Some((name, value, after)) = pair(rest) {
            if name.eq_ignore_ascii_case(b"for") {
                if hop.is_some() {
                    return None;
                }
                hop = Some(node(&value));
            }
            pairs += 1;
            rest = after;
        } else if !matches!(rest.first(), None | Some(b',' | b';')) {
            return None;
        }
        let end = trim(rest);
        match end.split_first() {
            Some((b';', after)) if end.len() == rest.len() => rest = after,
            Some((b',', after)) => {
                elements.extend((pairs > 0).then(|| hop.take().flatten()));
                (hop, pairs) = (None, 0);
                rest = trim(after);
            }
            Some(_) => return None,
            None => break,
        }
    }
    elements.extend((pairs > 0).then(|| hop.flatten()));
    Some(elements)
}

type Pair<'l> = (&'l [u8], Vec<u8>, &'l [u8]);

/// `token=value`, and what follows.
fn pair(text: &[u8]) -> Option<Pair<'_>> {
    let (name, rest) = token(text)?;
    let rest = rest.strip_prefix(b"=")?;
    if let Some(mut rest) = rest.strip_prefix(b"\"") {
        let mut value = Vec::new();
        loop {
            match rest {
                [b'"', after @ ..] => return Some((name, value, after)),
                [b'\\', byte, after @ ..] | [byte, after @ ..] => {
                    value.push(*byte);
                    rest = after;
                }
                [] => return None,
            }
        }
    }
    let (value, rest) = token(rest)?;
    Some((name, value.to_vec(), rest))
}

fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let special = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"!#$%&'*+-.^_`|~".contains(byte);
    let end = text.iter().position(special).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The address of a node. IPv6 stands in brackets there.
fn node(value: &[u8]) -> Option<IpAddr> {
    let bare_v6 = value.first() != Some(&b'[') && memchr::memchr_iter(b':', value).nth(1).is_some();
    if bare_v6 { None } else { address(value) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Read = fn(&[&[u8]]) -> Vec<Option<IpAddr>>;
    const X: Read = |lines| x_forwarded_for(lines.iter().copied());
    const F: Read = |lines| forwarded(lines.iter().copied());

    fn read(read: Read, lines: &[&str]) -> String {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let hops = read(&lines);
        let hops = hops
            .iter()
            .map(|hop| hop.map_or("?".to_owned(), |ip| ip.to_string()));
        hops.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn x_forwarded_for_is_a_list_over_all_lines() {
        for (lines, hops) in [
            (&[][..], ""),
            (&["192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1, 198.51.100.2"], "192.0.2.1 198.51.100.2"),
            (
                &["192.0.2.1", "198.51.100.2 ,10.0.0.1\t"],
                "192.0.2.1 198.51.100.2 10.0.0.1",
            ),
            (&["192.0.2.1:4711"], "192.0.2.1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["fe80::1%eth0", "[fe80::1%1]:80"], "fe80::1 fe80::1"),
            (
                &["::ffff:192.0.2.1", "[::ffff:192.0.2.1]:1"],
                "192.0.2.1 192.0.2.1",
            ),
            (&["unknown, _hidden, , 192.0.2.1"], "? ? ? 192.0.2.1"),
            (
                &[
                    "192.0.2.1:port",
                    "192.0.2",
                    "1.2.3.4.5",
                    "0x7f.1",
                    "[::1",
                    "::1]",
                    "[::1]x",
                    "%",
                    "a%b",
                ],
                "? ? ? ? ? ? ? ? ?",
            ),
            (&["192.0.2.1 198.51.100.2"], "?"),
        ] {
            assert_eq!(read(X, lines), hops, "{lines:?}");
        }
        assert_eq!(X(&[b"\xff"]), [None]);
    }

    #[test]
    fn forwarded_is_read_by_its_grammar() {
        for (lines, hops) in [
            (&[][..], ""),
            (&["for=192.0.2.43"], "192.0.2.43"),
            (&["For=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
            (&["for=192.0.2.60;proto=http;by=203.0.113.43"], "192.0.2.60"),
            (&["by=203.0.113.43;FOR=192.0.2.60"], "192.0.2.60"),
            (
                &["for=192.0.2.43, for=198.51.100.17"],
                "192.0.2.43 198.51.100.17",
            ),
            (
                &["for=192.0.2.43", "for=198.51.100.17,for=\"10.0.0.1:80\""],
                "192.0.2.43 198.51.100.17 10.0.0.1",
            ),
            (
                &["for=\"_gazonk\"", "for=unknown", "for=_mdn", "proto=https"],
                "? ? ? ?",
            ),
            (
                &["for=\"192.0.2.1\\\"\"", "for=\"\\192.0.2.1\""],
                "? 192.0.2.1",
            ),
            (&["for=\"[2001:db8::1]:_port\""], "2001:db8::1"),
            (&["for=\"2001:db8::1\"", "for=\"\""], "? ?"),
            (&[", ,for=192.0.2.1, ,"], "192.0.2.1"),
            // A comma within quotes separates nothing.
            (&["for=192.0.2.1;host=\"a, for=6.6.6.6\""], "192.0.2.1"),
        ] {
            assert_eq!(read(F, lines), hops, "{lines:?}");
        }
        for wrong in [
            "for",
            "for=",
            "=192.0.2.1",
            "for = 192.0.2.1",
            "for=192.0.2.1 x",
            "for=192.0.2.1;for=6.6.6.6",
            "for=[2001:db8::1]",
            "for=\"192.0.2.1",
            "for=192.0.2.1 ;proto=http",
            "192.0.2.1",
        ] {
            assert_eq!(read(F, &[wrong]), "?", "{wrong:?}");
        }
    }

    #[test]
    fn long_lists_keep_their_last_hops_whatever_is_before_them() {
        for count in [100, 100_000] {
            for (reader, name) in [(X, ""), (F, "for=")] {
                let many = format!("{name}6.6.6.6, ").repeat(count) + name + "192.0.2.1";
                let hops = reader(&[many.as_bytes()]);
                assert_eq!(hops.len(), HOPS_MAX);
                assert_eq!(read(reader, &[&many]).rsplit(' ').next(), Some("192.0.2.1"));
                let lines = vec![&*many; 3];
                assert_eq!(read(reader, &lines), read(reader, &[&many]));
            }
        }
        let endless = ",".repeat(100_000);
        assert_eq!(
            read(X, &[&endless, "192.0.2.1"]).rsplit(' ').next(),
            Some("192.0.2.1")
        );
        assert_eq!(read(F, &[&endless, "for=192.0.2.1"]), "192.0.2.1");
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(lines: Vec<Vec<u8>>) {
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            prop_assert!(X(&lines).len() <= HOPS_MAX && F(&lines).len() <= HOPS_MAX);
        }

        #[test]
        fn what_is_like_a_header_can_be_read(line in "((for|by|FOR|host)=\"?[\\[\\]0-9a-f:._%\\\\\"]{0,20}\"?[;, ]?){0,6}") {
            prop_assert!(F(&[line.as_bytes()]).len() <= HOPS_MAX);
        }

        #[test]
        fn every_address_is_read_back(ip: IpAddr, port: u16) {
            let canonical = Some(ip.to_canonical());
            let socket = SocketAddr::new(ip, port).to_string();
            prop_assert_eq!(X(&[ip.to_string().as_bytes()]), [canonical]);
            prop_assert_eq!(X(&[socket.as_bytes()]), [canonical]);
            prop_assert_eq!(F(&[format!("for=\"{socket}\"").as_bytes()]), [canonical]);
        }
    }
}
