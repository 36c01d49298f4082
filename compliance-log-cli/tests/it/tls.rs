//! What stands in front of a witness: it ends TLS and passes requests on.

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer};

pub(crate) struct Proxy {
    pub(crate) url: String,
    /// Its certificate, PEM, which is its own root.
    pub(crate) certificate: String,
}

impl Proxy {
    /// In front of `http://<address>`, until the test ends.
    pub(crate) fn of(url: &str) -> Self {
        let to = url.strip_prefix("http://").unwrap().to_owned();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let client = StreamOwned::new(connection, stream.unwrap());
                // A client that does not trust the certificate ends it.
                pass_on(client, &to).unwrap_or(());
            }
        });
        Self {
            url: format!("https://localhost:{port}"),
            certificate: cert.pem(),
        }
    }
}

/// One request and its answer after the other.
fn pass_on(mut client: StreamOwned<ServerConnection, TcpStream>, to: &str) -> std::io::Result<()> {
    let mut witness = TcpStream::connect(to)?;
    loop {
        let request = message(&mut client)?;
        if request.is_empty() {
            return Ok(());
        }
        witness.write_all(&request)?;
        let answer = message(&mut witness)?;
        client.write_all(&answer)?;
        client.flush()?;
    }
}

/// Head and body of an HTTP message that has a length.
fn message(from: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut from = BufReader::with_capacity(1, from);
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let start = bytes.len();
        if from.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(bytes);
        }
        let line = String::from_utf8_lossy(&bytes[start..]).to_ascii_lowercase();
        if let Some(digits) = line.strip_prefix("content-length:") {
            length = digits.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    bytes.extend(body);
    Ok(bytes)
}
