//! Serves bookings to whoever has a token: `jwt-auth JWKS ISSUER AUDIENCE [ADDRESS]`.
//!
//! ```console
//! $ curl -s https://sso.example.org/realms/travel/protocol/openid-connect/certs > jwks.json
//! $ cargo run -p jwt-auth -- jwks.json https://sso.example.org/realms/travel booking-api
//! ```
//!
//! The keys are read once. A service that runs for longer fetches them again, every few minutes and when a
//! token names a key that it does not know, though not more often than that.

use std::{error::Error, fs};

use compliance_log::ComplianceLog;
use jwt_auth::{Verifier, router};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [keys, issuer, audience, rest @ ..] = &*args else {
        return Err("jwt-auth JWKS ISSUER AUDIENCE [ADDRESS]".into());
    };
    let keys = serde_json::from_slice(&fs::read(keys)?)?;
    let verifier = Verifier::new(&keys, issuer, audience)?;
    let log = ComplianceLog::builder("booking-api").env("dev").init()?;
    let address = rest.first().map_or("127.0.0.1:3000", |address| address);
    let listener = TcpListener::bind(address).await?;
    axum::serve(listener, router(&log, verifier))
        .with_graceful_shutdown(async { tokio::signal::ctrl_c().await.unwrap_or(()) })
        .await?;
    log.shutdown()?;
    Ok(())
}
