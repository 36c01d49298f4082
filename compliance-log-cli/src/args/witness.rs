use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand};

use crate::exit;

/// Witness what stores state of themselves, so that none can have two histories
///
/// A witness cosigns the checkpoints of a store, each only if it continues the one before. It keeps
/// the newest of each, and so it also knows which stores there must be.
///
/// Needs: see each verb.
#[derive(Debug, Args)]
pub(crate) struct WitnessArgs {
    #[command(subcommand)]
    pub(crate) verb: WitnessVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WitnessVerb {
    Serve(WitnessServeArgs),
}

/// Run a witness over HTTP, until SIGINT or SIGTERM
///
/// POST /add-checkpoint is that of c2sp.org/tlog-witness. POST /add-log takes the certificate of a
/// store, the bytes of its `seal/cert`, if a root key given here signed it or its issuer's.
/// GET /<SHA-256 of the origin, hex>/checkpoint gives the newest cosigned checkpoint, GET /origins a line
/// `<origin> <size>` for each store. There is no TLS: let a proxy in front of it do that.
///
/// Whoever writes the stores must not be able to write DIR. A backup of DIR that is put back would
/// cosign a second history: take a new key then.
///
/// Needs: write access to DIR, as a user of its own.
#[derive(Debug, Args)]
#[command(after_help = exit::SERVE_HELP)]
pub(crate) struct WitnessServeArgs {
    /// Its folder: the key, and a file for each store; made at the first start
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// The name of the key that is made at the first start [default: witness.invalid]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// A file with vkeys, one a line, of roots whose stores are witnessed; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) root_key: Vec<PathBuf>,
    /// Print key and address as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
