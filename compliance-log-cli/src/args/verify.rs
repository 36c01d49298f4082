use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args;

use crate::exit;

/// Check that stored records are the ones that were written
///
/// Checks every line's own hash, the links between lines, sequence, segments, and how far the head
/// files say that each stream was synced. Of a sealed store also its seal: with a root key, who wrote
/// it; with what is known outside of it, that its end is there. Says where damage begins, and what is
/// whole behind it.
///
/// Needs: read access to the store. Works on copies and read-only media, and offline but for --witness.
#[derive(Debug, Args)]
#[command(after_help = exit::HELP)]
pub(crate) struct VerifyArgs {
    /// A store, or a folder of stores
    pub(crate) dir: PathBuf,
    /// Print the report as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Threads that hash [default: as many as the machine runs at once]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(crate) seal: SealArgs,
    #[command(flatten)]
    pub(crate) kept: KeptArgs,
}

/// What is known of stores from elsewhere. With any of --root-key, --trusted-checkpoint, --anchor, --witness
/// and --expect-streams, stores must be sealed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Seal")]
pub(crate) struct SealArgs {
    /// A root key that certifies stores, or a file with one on each line; may be repeated
    #[arg(long, value_name = "VKEY|FILE")]
    pub(crate) root_key: Vec<String>,
    /// A checkpoint that you kept, or the evidence of a run before; believed as it is, and may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) trusted_checkpoint: Vec<PathBuf>,
    /// A folder with checkpoints: `<SHA-256 of the origin, hex>/<size, 20 digits>.note`; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) anchor: Vec<PathBuf>,
    /// Ask the witness at this prefix for what it has of each store
    #[arg(long, value_name = "URL", requires = "witness_key")]
    pub(crate) witness: Option<String>,
    /// The witness' key
    #[arg(long, value_name = "VKEY|FILE", requires = "witness")]
    pub(crate) witness_key: Option<String>,
    /// The root certificates, PEM, to which that of the URL must lead [default: those of the system]
    #[arg(long, value_name = "FILE", requires = "witness")]
    pub(crate) ca: Option<PathBuf>,
    /// Stores that must be here, as `witness origins` prints them: lines `<origin> [<size>]`
    #[arg(long, value_name = "FILE")]
    pub(crate) expect_streams: Option<PathBuf>,
    /// Keys that are not trusted any more, as `keys revoke` printed it; needs the root key that signed
    #[arg(long, value_name = "FILE", requires = "root_key")]
    pub(crate) revocations: Option<PathBuf>,
    /// The operators' ledger: why segments, or the texts of records, are not here; believed with its root key
    #[arg(long, value_name = "DIR")]
    pub(crate) ledger: Option<PathBuf>,
    /// How long segments must be kept: what went earlier is missing, whatever the ledger says
    #[arg(long, value_name = "DAYS", default_value_t = 366)]
    pub(crate) retention_days: u64,
    /// Services should be running: nothing sealed lately is STALE
    #[arg(long)]
    pub(crate) live: bool,
    /// Be content with what is here: segments that were archived do not make it incomplete
    #[arg(long)]
    pub(crate) hot_only: bool,
    /// Check the signature of every checkpoint, also where a digest covers it
    #[arg(long)]
    pub(crate) all_signatures: bool,
}

/// A signed report, for those who were not there.
#[derive(Debug, Args)]
#[command(next_help_heading = "Evidence")]
pub(crate) struct KeptArgs {
    /// Write what was found into this new file, a signed note for each store
    #[arg(long, value_name = "FILE", requires = "evidence_key")]
    pub(crate) evidence: Option<PathBuf>,
    /// The private key that signs it, as `keys init` makes it
    #[arg(long, value_name = "FILE", requires = "evidence")]
    pub(crate) evidence_key: Option<PathBuf>,
}
