use std::path::PathBuf;

use clap::Args;

use crate::exit;

/// Prove that one record is in a store, without showing the others
///
/// Prints a `.tlog-proof`, as c2sp.org/tlog-proof has it: the record, its way to the root of its stream,
/// and from there to a checkpoint of the store. Whoever has it learns that one line, how long the stream
/// was, and hashes. Of the checkpoints that witnesses cosigned, the one with most of them is taken.
///
/// Reads what was sealed since the record, while the service of the store runs.
///
/// Needs: read access to the store.
#[derive(Debug, Args)]
#[command(after_help = exit::PROVE_HELP)]
pub(crate) struct ProveArgs {
    /// The store
    pub(crate) store: PathBuf,
    /// The stream: `audit`, `app`, or a whole stream id
    pub(crate) stream: String,
    /// The record's sequence
    pub(crate) seq: u64,
    /// Write it into this new file, mode 0600, instead of printing it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Where receipts of witnesses lie, beside those that the store took in
    /// [default: <STORE>.receipts]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cosignatures: Option<PathBuf>,
    /// Print what was written as one JSON object
    #[arg(long, requires = "out")]
    pub(crate) json: bool,
}

/// Check a proof that `prove` made, offline
///
/// Says which record it shows, and who cosigned. Without a policy only the log key is asked: the proof is
/// then as good as that key's secrecy ever since.
///
/// Needs: read access to the files given.
#[derive(Debug, Args)]
#[command(after_help = exit::CHECK_PROOF_HELP)]
pub(crate) struct CheckProofArgs {
    /// The proof
    pub(crate) file: PathBuf,
    /// The store's log key, which must have reached you by another way than the proof
    #[arg(long, value_name = "VKEY|FILE")]
    pub(crate) log_key: String,
    /// Which witnesses must have cosigned: a file as c2sp.org/tlog-policy has it
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Print what is shown as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
