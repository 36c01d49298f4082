//! One question to Vault. No error holds what it answered, or the token.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;
use ureq::{
    Agent,
    http::{HeaderValue, Uri, uri::Scheme},
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};
use zeroize::Zeroizing;

use super::options::VaultOptions;
use crate::pseudonym::Keyring;

const CONNECT: Duration = Duration::from_secs(2);
const WHOLE: Duration = Duration::from_secs(5);
/// JSON may need two bytes for one of the key file.
const ANSWER_BYTES_MAX: u64 = 9 << 20;
const TOKEN_BYTES_MAX: u64 = 8 << 10;
const CERTIFICATES_BYTES_MAX: u64 = 4 << 20;

/// Where systems keep their root certificates: Debian and Alpine, Red Hat, SUSE, macOS.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What `GET /v1/<mount>/data/<path>` answers, as far as it matters.
#[derive(Deserialize)]
struct Answer {
    data: Secret,
}

#[derive(Deserialize)]
struct Secret {
    data: Entries,
}

#[derive(Deserialize)]
struct Entries {
    keys: String,
}

/// The keys that Vault has now. A token that was replaced while it was refused is tried once.
pub(super) fn keys(options: &VaultOptions) -> Result<Keyring, String> {
    let about = |reason: String| format!("pseudonym keys from {}: {reason}", options.address);
    let url = url(options).map_err(about)?;
    let agent = agent(options, &url).map_err(about)?;
    let token = token(&options.token_file).map_err(about)?;
    let mut answer = ask(&agent, &url, options, &token);
    if let Err(Refused::Forbidden) = answer
        && let Ok(newer) = self::token(&options.token_file)
        && newer != token
    {
        answer = ask(&agent, &url, options, &newer);
    }
    let body = answer.map_err(|refused| about(refused.reason(options)))?;
    read(&body).map_err(about)
}

/// Why there are no keys.
enum Refused {
    Forbidden,
    Status(u16),
    Unreached(String),
}

impl Refused {
    fn reason(self, options: &VaultOptions) -> String {
        let place = format!("{}/data/{}", options.mount, options.path);
        match self {
            Self::Forbidden => format!(
                "403, the token in {} has expired or may not read {place}",
                options.token_file.display()
            ),
            Self::Status(404) => {
                format!("404, there is no secret {place}, or its newest version is deleted")
            }
            Self::Status(503) => "503, Vault is sealed or in maintenance".to_owned(),
            Self::Status(status @ 300..400) => {
                format!("{status}, a redirect is not followed; name the node that answers")
            }
            Self::Status(status) => format!("{status}"),
            Self::Unreached(reason) => reason,
        }
    }
}

fn read(body: &[u8]) -> Result<Keyring, String> {
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_text| "it answered no KV version 2 secret with a text `keys`".to_owned())?;
    let document = Zeroizing::new(answer.data.data.keys);
    Keyring::parse(&document).map_err(|error| error.to_string())
}

fn ask(
    agent: &Agent,
    url: &Uri,
    options: &VaultOptions,
    token: &HeaderValue,
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let mut request = agent
        .get(url)
        .header("X-Vault-Request", "true")
        .header("X-Vault-Token", token);
    if let Some(namespace) = &options.namespace {
        request = request.header("X-Vault-Namespace", namespace);
    }
    let unreached = |error: ureq::Error| Refused::Unreached(error.to_string());
    let mut response = request.call().map_err(unreached)?;
    match response.status().as_u16() {
        200 => {
            let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
            body.read_to_vec().map(Zeroizing::new).map_err(unreached)
        }
        403 => Err(Refused::Forbidden),
        status => Err(Refused::Status(status)),
    }
}

/// A token must not cross a network in the clear.
fn url(options: &VaultOptions) -> Result<Uri, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    for (what, part) in [("mount", &options.mount), ("path", &options.path)] {
        if part.is_empty() || !part.bytes().all(allowed) {
            return Err(format!(
                "its {what} has other characters than letters, digits, `.`, `_`, `-` and `/`"
            ));
        }
    }
    let address = options.address.trim_end_matches('/');
    let (mount, path) = (
        options.mount.trim_matches('/'),
        options.path.trim_matches('/'),
    );
    let url: Uri = format!("{address}/v1/{mount}/data/{path}")
        .parse()
        .map_err(|_text| "its address is no URL".to_owned())?;
    let here = matches!(url.host(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let safe = url.scheme() == Some(&Scheme::HTTPS) || here && url.scheme() == Some(&Scheme::HTTP);
    let named = url
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    if !safe || named {
        return Err("its address is `https://host:port`, or `http://` on this machine".to_owned());
    }
    Ok(url)
}

fn agent(options: &VaultOptions, url: &Uri) -> Result<Agent, String> {
    let config = Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(WHOLE))
        .http_status_as_error(false)
        // The token is for this host alone.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .max_idle_connections(0)
        .user_agent(concat!("compliance-log/", env!("CARGO_PKG_VERSION")));
    if url.scheme() != Some(&Scheme::HTTPS) {
        return Ok(config.build().into());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(roots(options.ca_file.as_deref())?)
        .build();
    Ok(config.tls_config(tls).build().into())
}

fn roots(file: Option<&Path>) -> Result<RootCerts, String> {
    let system = || {
        SYSTEM_ROOTS
            .iter()
            .map(Path::new)
            .find(|path| path.exists())
    };
    let file = file
        .or_else(system)
        .ok_or("this system has no root certificates; name a `ca_file`")?;
    let pem = bytes(file, CERTIFICATES_BYTES_MAX)
        .map_err(|error| format!("cannot read root certificates {}: {error}", file.display()))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(format!("there is no certificate in {}", file.display()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

fn token(file: &Path) -> Result<HeaderValue, String> {
    let about = |reason: &dyn std::fmt::Display| {
        format!("cannot read the token {}: {reason}", file.display())
    };
    let text = bytes(file, TOKEN_BYTES_MAX).map_err(|error| about(&error))?;
    let token = text.trim_ascii();
    let mut token = HeaderValue::from_bytes(token)
        .ok()
        .filter(|token| !token.is_empty())
        .ok_or_else(|| about(&"it is no token"))?;
    token.set_sensitive(true);
    Ok(token)
}

/// All of a file. A pipe or a device is not opened, since it may never answer.
fn bytes(path: &Path, max: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(io::Error::other("it is too large"));
    }
    Ok(bytes)
}
