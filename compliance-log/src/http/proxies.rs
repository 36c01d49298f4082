use std::{net::IpAddr, sync::Arc};

use http::{
    HeaderMap,
    header::{FORWARDED, HeaderName},
};
use ipnet::IpNet;

use super::arrival::lines;
use crate::{
    error::{Error, ErrorKind},
    wire,
};

/// The proxies between clients and this service, and the header in which they say whom a request is
/// from.
///
/// The client is looked for from the near end: from the address of the connection back over the
/// header's hops, as long as each was written by one of these proxies. The first address that is none
/// of theirs is the client's. A hop without an address (`unknown`, a made-up name, nonsense) ends the
/// search at the one before it, so that nothing which a client wrote is believed: the record's `ip` is then
/// the proxy's that wrote this hop, and the access record says so, `data.ip_of` is `proxy`.
///
/// The PROXY protocol stands before any request, so it is for the listener to read: one that does gives
/// the client's address as that of the connection, and `layer.peer_in` finds it.
///
/// ```
/// use compliance_log::http::{AuditLayer, TrustedProxies};
///
/// # fn f(layer: AuditLayer) -> Result<AuditLayer, compliance_log::Error> {
/// let proxies = TrustedProxies::x_forwarded_for(["10.0.0.0/8", "2001:db8:77::/48"])?;
/// Ok(layer.proxies(proxies))
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TrustedProxies {
    networks: Arc<[IpNet]>,
    header: ForwardedBy,
}

/// One header counts, whichever else is sent: a proxy that sets one lets the other through.
#[derive(Clone, Copy, Debug)]
enum ForwardedBy {
    XForwardedFor,
    Forwarded,
}

/// Whose address was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IpOf {
    /// Of whoever sent the request, as far as anybody can tell.
    Client,
    /// Of the last proxy of ours before a hop that hides who comes next.
    Proxy,
}

impl TrustedProxies {
    /// Proxies in these networks (`10.0.0.0/8`, `2001:db8::/32`) or at these addresses, which append
    /// to `X-Forwarded-For`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a text that is neither.
    pub fn x_forwarded_for<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        Self::new(networks, ForwardedBy::XForwardedFor)
    }

    /// Proxies that append to `Forwarded` (RFC 7239).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], as [`TrustedProxies::x_forwarded_for`].
    pub fn forwarded<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        Self::new(networks, ForwardedBy::Forwarded)
    }

    fn new<'a>(
        networks: impl IntoIterator<Item = &'a str>,
        header: ForwardedBy,
    ) -> Result<Self, Error> {
        let networks = networks
            .into_iter()
            .map(network)
            .collect::<Result<_, _>>()?;
        Ok(Self { networks, header })
    }

    /// Whose request it is that came over a connection from `peer`.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> (IpAddr, IpOf) {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return (client, IpOf::Client);
        }
        let hops = match self.header {
            ForwardedBy::XForwardedFor => wire::x_forwarded_for(lines(headers, &X_FORWARDED_FOR)),
            ForwardedBy::Forwarded => wire::forwarded(lines(headers, &FORWARDED)),
        };
        for hop in hops.into_iter().rev() {
            let Some(hop) = hop else {
                return (client, IpOf::Proxy);
            };
            client = hop;
            if !self.trusts(hop) {
                break;
            }
        }
        (client, IpOf::Client)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }
}

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

fn network(text: &str) -> Result<IpNet, Error> {
    let network = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_neither| {
        let text = format!("{text:?} is neither a network (`10.0.0.0/8`) nor an address");
        Error::new(ErrorKind::Config, text)
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(header: &'static str, peer: &str, lines: &[&'static str]) -> String {
        let networks = ["10.0.0.0/8", "192.0.2.7", "2001:db8:77::/48"];
        let proxies = match header {
            "forwarded" => TrustedProxies::forwarded(networks),
            _ => TrustedProxies::x_forwarded_for(networks),
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                HeaderName::from_static(header),
                HeaderValue::from_static(line),
            );
        }
        // Neither is read for the other.
        headers.append("x-real-ip", HeaderValue::from_static("6.6.6.6"));
        let other = if header == "forwarded" {
            "x-forwarded-for"
        } else {
            "forwarded"
        };
        headers.append(other, HeaderValue::from_static("6.6.6.6"));
        let (ip, of) = proxies.unwrap().client(peer.parse().unwrap(), &headers);
        match of {
            IpOf::Client => ip.to_string(),
            IpOf::Proxy => format!("{ip} of a proxy"),
        }
    }

    #[test]
    fn the_client_is_the_first_that_is_no_proxy_of_ours_from_the_near_end() {
        let xff = |peer, lines: &[&'static str]| client("x-forwarded-for", peer, lines);
        for (peer, lines, ip) in [
            ("203.0.113.9", &[][..], "203.0.113.9"),
            // Whoever is no proxy of ours is the client, whatever it says.
            ("203.0.113.9", &["198.51.100.1"], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("192.0.2.7", &["198.51.100.1"], "198.51.100.1"),
            ("192.0.2.8", &["198.51.100.1"], "192.0.2.8"),
            // What the client wrote itself stands at the far end.
            ("10.0.0.1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
            (
                "10.0.0.1",
                &["6.6.6.6, 198.51.100.1, 10.2.3.4"],
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                &["198.51.100.1, 2001:db8:77::5"],
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                &["198.51.100.1:4711, [2001:db8:77::5]:80"],
                "198.51.100.1",
            ),
            ("10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            // A hop without an address ends the search at the one before it.
            (
                "10.0.0.1",
                &["198.51.100.1, unknown"],
                "10.0.0.1 of a proxy",
            ),
            (
                "10.0.0.1",
                &["198.51.100.1, _hidden"],
                "10.0.0.1 of a proxy",
            ),
            (
                "10.0.0.1",
                &["6.6.6.6, _obfuscated, 10.2.3.4"],
                "10.2.3.4 of a proxy",
            ),
            (
                "10.0.0.1",
                &["6.6.6.6, unknown", "10.2.3.4"],
                "10.2.3.4 of a proxy",
            ),
            (
                "10.0.0.1",
                &["198.51.100.1, garbage"],
                "10.0.0.1 of a proxy",
            ),
            ("10.0.0.1", &["198.51.100.1,"], "10.0.0.1 of a proxy"),
            ("10.0.0.1", &[""], "10.0.0.1 of a proxy"),
            // What stands beyond the client does not matter.
            ("10.0.0.1", &["unknown, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["garbage", "198.51.100.1"], "198.51.100.1"),
            // Which interface of a proxy it came by says nothing here.
            ("10.0.0.1", &["fe80::1%eth0"], "fe80::1"),
            ("10.0.0.1", &["[fe80::1%25eth0]:443"], "fe80::1"),
            (
                "10.0.0.1",
                &["198.51.100.1, 2001:db8:77::5%eth0"],
                "198.51.100.1",
            ),
            (
                "10.0.0.1",
                &["198.51.100.1, ::ffff:10.2.3.4"],
                "198.51.100.1",
            ),
            ("10.0.0.1", &["[::ffff:198.51.100.1]:4711"], "198.51.100.1"),
            // All of ours: a call from within.
            ("10.0.0.1", &["10.9.9.9, 10.2.3.4"], "10.9.9.9"),
        ] {
            assert_eq!(xff(peer, lines), ip, "{peer} {lines:?}");
        }
        for (lines, ip) in [
            (
                &["for=6.6.6.6, for=198.51.100.1;proto=https"][..],
                "198.51.100.1",
            ),
            (
                &["for=198.51.100.1, for=\"[2001:db8:77::5]:80\""],
                "198.51.100.1",
            ),
            (&["for=198.51.100.1, for=_hidden"], "10.0.0.1 of a proxy"),
            (&["for=198.51.100.1, for=unknown"], "10.0.0.1 of a proxy"),
            (&["for=198.51.100.1", "nonsense"], "10.0.0.1 of a proxy"),
            (
                &["for=6.6.6.6, for=unknown;by=10.0.0.1, for=10.2.3.4"],
                "10.2.3.4 of a proxy",
            ),
            (&["for=unknown, for=198.51.100.1"], "198.51.100.1"),
            (&["for=6.6.6.6", "for=198.51.100.1"], "198.51.100.1"),
            (
                &["for=198.51.100.1;proto=https, for=10.2.3.4"],
                "198.51.100.1",
            ),
            (&["for=\"[::ffff:198.51.100.1]:4711\""], "198.51.100.1"),
            (&["for=\"[fe80::1%25eth0]\""], "fe80::1"),
        ] {
            assert_eq!(client("forwarded", "10.0.0.1", lines), ip, "{lines:?}");
        }
    }

    #[test]
    fn a_network_that_is_none_is_named() {
        for wrong in [
            "10.0.0.0/33",
            "proxy.internal",
            "",
            "10.0.0.1:80",
            "::1/129",
        ] {
            let error = TrustedProxies::x_forwarded_for(["10.0.0.0/8", wrong]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(&format!("{wrong:?}")), "{error}");
        }
    }
}
