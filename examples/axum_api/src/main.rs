//! Serves the booking service: `axum-api [SETTINGS]`, `examples/axum_api/service.toml` without it.
//!
//! ```console
//! $ cargo run -p axum-api
//! ```
//!
//! It says what to try. Ctrl-C, or SIGTERM as a pod gets it, lets open requests end and closes the log.

use std::{error::Error, net::SocketAddr, path::PathBuf, process::ExitCode};

use axum_api::{Service, expiry, figures, router, settings::Settings};
use compliance_log::ComplianceLog;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

const SETTINGS: &str = "examples/axum_api/service.toml";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("axum-api: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1);
    let settings = Settings::read(&path.map_or_else(|| SETTINGS.into(), PathBuf::from))?;

    // Before the log, so that all it reports is exported.
    let service = Service::demo();
    // A log that cannot be opened keeps nothing from starting; what must be recorded is then refused.
    let log = ComplianceLog::from_file(&settings.log).init()?;
    let app = router(&log, service.clone());
    let listener = TcpListener::bind(settings.listen).await?;
    say(&hints(listener.local_addr()?, &log));

    let expiry = tokio::spawn(expiry::run(service.bookings, settings.unpaid_after()));
    let figures = tokio::spawn(figures::keep_up(service.figures));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => (),
            _ = terminated.recv() => (),
        }
    };
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;

    // No request is left, so nobody writes any more once the job is gone.
    expiry.abort();
    figures.abort();
    log.shutdown()?;
    Ok(())
}

fn hints(address: SocketAddr, log: &ComplianceLog) -> String {
    let store = match (log.store(), log.failure()) {
        (Some(store), _) => store.display().to_string(),
        (None, Some(why)) => format!("(none yet: {why})"),
        (None, None) => "(none; see `dir` in compliance-log.toml)".to_owned(),
    };
    format!(
        r#"listening on http://{address}, audit store {store}

curl -s {address}/sessions --json '{{"user":"u-anna","password":"demo-pass-anna"}}'
curl -s {address}/bookings -H 'authorization: Bearer demo-token-anna' --json '{{"offer_id":"o-1","seats":2,"passenger":"Anna Example","card":"4111 1111 1111 1111"}}'
curl -s {address}/bookings/1 -H 'authorization: Bearer demo-token-anna'
curl -s {address}/bookings/1 -H 'authorization: Bearer demo-token-gwen'            # another tenant: 404
curl -s {address}/bookings/1 -H 'authorization: Bearer demo-token-anna' -X DELETE --json '{{"reason":"passenger_wish"}}'
curl -s {address}/bookings.csv -H 'authorization: Bearer demo-token-anna'
curl -s {address}/seat-limit -H 'authorization: Bearer demo-token-amir' -X PUT --json '{{"seats":4}}'
curl -s {address}/bookings.csv                                                   # nobody: 401
curl -s {address}/ready                                                          # and /health, /metrics

and then, from the workspace:
cargo run -q -p compliance-log-cli -- show {store}
cargo run -q -p compliance-log-cli -- verify {store}"#
    )
}

#[expect(
    clippy::print_stderr,
    reason = "this is what the binary says to a person"
)]
fn say(text: &str) {
    eprintln!("{text}");
}
