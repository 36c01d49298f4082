//! Serves one of the four: `brownfield before|observed|guarded|enforced`.
//!
//! ```console
//! $ cargo run -p brownfield -- observed
//! $ curl -s 127.0.0.1:8081/orders -H 'authorization: Bearer demo-token-of-olga' --json '{"item":"i-1","card":"4111 1111 1111 1111"}'
//! $ cargo run -q -p compliance-log-cli -- observe-report target/brownfield-log
//! ```

use std::{error::Error, io, process::ExitCode};

use axum::Router;
use brownfield::{before, enforced, guarded, observed, orders::Orders};
use compliance_log::{Builder, ComplianceLog};
use tokio::net::TcpListener;
use tracing::subscriber::set_global_default;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

#[tokio::main]
async fn main() -> ExitCode {
    let step = std::env::args().nth(1).unwrap_or_default();
    match run(&step).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("brownfield: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(step: &str) -> Result<(), Box<dyn Error>> {
    let out = BoxMakeWriter::new(io::stdout);
    let orders = Orders::default();
    match step {
        "before" => {
            set_global_default(before::subscriber(out))?;
            serve(before::router(orders)).await
        }
        "observed" => {
            let log = open(observed::configure)?;
            set_global_default(observed::subscriber(&log, out))?;
            audited(observed::router(&log, orders), log).await
        }
        "guarded" => {
            let log = open(guarded::configure)?;
            set_global_default(guarded::subscriber(&log, out))?;
            audited(guarded::router(&log, orders), log).await
        }
        "enforced" => {
            let log = open(enforced::configure)?;
            set_global_default(enforced::subscriber(&log, out))?;
            audited(enforced::router(&log, orders), log).await
        }
        _ => Err("say which: before, observed, guarded or enforced".into()),
    }
}

fn open(configure: fn(Builder) -> Builder) -> Result<ComplianceLog, compliance_log::Error> {
    let builder = ComplianceLog::builder("order-api")
        .env("demo")
        .instance("local")
        .dir("target/brownfield-log");
    configure(builder).open()
}

async fn audited(app: Router, log: ComplianceLog) -> Result<(), Box<dyn Error>> {
    serve(app).await?;
    log.shutdown()?;
    Ok(())
}

async fn serve(app: Router) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:8081").await?;
    say("listening on 127.0.0.1:8081; Ctrl-C ends it");
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}

#[expect(
    clippy::print_stderr,
    reason = "this is what the binary says to a person"
)]
fn say(text: &str) {
    eprintln!("{text}");
}
