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
    Submit(WitnessSubmitArgs),
    Origins(WitnessOriginsArgs),
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

/// Have a store's newest checkpoint cosigned by a witness
///
/// Reads the store while its service runs, proves to the witness that the checkpoint continues the one
/// that it has, and leaves its cosignature in the folder `<STORE>.receipts` beside the store, where the
/// service finds it. A witness that does not know the store is given its certificate. Run it by a timer.
///
/// A witness that has seen more of the store, or something else, is reported as another history: the
/// store was put back to an older state, or runs twice, or was changed.
///
/// Needs: read access to the store, and write access to the folder of receipts.
#[derive(Debug, Args)]
#[command(after_help = exit::SUBMIT_HELP)]
pub(crate) struct WitnessSubmitArgs {
    /// The store
    pub(crate) store: PathBuf,
    /// The witness' submission prefix, as in `https://witness.example`
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// The witness' vkey, or a file that holds it; without it the cosignature is kept unchecked
    #[arg(long, value_name = "VKEY|FILE")]
    pub(crate) key: Option<String>,
    /// What the receipts of this witness are named after
    #[arg(long, value_name = "NAME", default_value = "witness", value_parser = anchor_name)]
    pub(crate) anchor: String,
    /// The root certificates, PEM, to which that of the URL must lead [default: those of the system]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print which stores a witness knows
///
/// One line `<origin> <size>` for each, with the records of its catalog that the witness cosigned: these
/// stores there must be, and none of them may have less.
///
/// Needs: access to the witness.
#[derive(Debug, Args)]
#[command(after_help = exit::ORIGINS_HELP)]
pub(crate) struct WitnessOriginsArgs {
    /// The witness' prefix, as in `https://witness.example`
    #[arg(long, value_name = "URL")]
    pub(crate) of: String,
    /// The root certificates, PEM, to which that of the URL must lead [default: those of the system]
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Part of the name of a file.
fn anchor_name(name: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with('.') {
        return Ok(name.to_owned());
    }
    Err("use 1 to 64 letters, digits, dots, dashes and underscores".to_owned())
}
