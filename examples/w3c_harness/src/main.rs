//! Serves `POST /test` on a port of the loopback interface, until it is interrupted.

use clap::Parser;
use compliance_log::ComplianceLog;
use tokio::net::TcpListener;

/// The service that the test suite of W3C Trace Context speaks to
#[derive(Debug, Parser)]
struct Args {
    /// The port to listen on
    #[arg(long)]
    port: u16,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let records = tempfile::tempdir()?;
    let log = ComplianceLog::builder("w3c-harness")
        .env("test")
        .dir(records.path())
        .open()?;
    let listener = TcpListener::bind(("127.0.0.1", args.port)).await?;
    let served = axum::serve(listener, w3c_harness::service(&log));
    served
        .with_graceful_shutdown(async {
            // Without signals it ends with its process.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .await?;
    log.shutdown()?;
    Ok(())
}
