//! `witness serve`: a witness over HTTP.

use std::io;

use compliance_log::seal::note::VerifierKey;
use serde_json::json;
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};

use crate::{
    args::WitnessServeArgs,
    exit::Exit,
    failure::Failure,
    printer::Printer,
    vkey,
    witness::{Registry, Server},
};

pub(crate) fn run(args: &WitnessServeArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut roots: Vec<VerifierKey> = Vec::new();
    for file in &args.root_key {
        roots.extend(vkey::read_all(file)?);
    }
    let registry = Registry::open(&args.dir, args.name.as_deref(), roots)?;
    let vkey = registry.key().witness().to_string();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| refused("cannot begin to serve", &error))?;
    runtime.block_on(async {
        let server = Server::bind(args.listen, registry)
            .await
            .map_err(|error| refused(&format!("cannot listen on {}", args.listen), &error))?;
        let end = end().map_err(|error| refused("cannot wait for signals", &error))?;
        let address = server
            .address()
            .map_err(|error| refused("cannot tell where it listens", &error))?;
        let url = format!("http://{address}");
        if args.json {
            let said = json!({ "vkey": vkey, "url": url });
            printer.stored(said.to_string().as_bytes())?;
        } else {
            printer.line(&vkey)?;
            printer.line(format_args!("listening on {url}"))?;
        }
        printer.flush()?;
        server.run(end).await;
        Ok(Exit::Ok)
    })
}

/// Ends on the signals that mean so.
fn end() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn refused(what: &str, error: &io::Error) -> Failure {
    Failure::new(
        format!("{what}: {error}"),
        "give another address with --listen",
    )
}
