use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::exit;

/// Take the text out of one record: a card number that got there, an order to erase
///
/// The record stays, without its text: its place, its hash and the links. Two people sign the same order, each
/// with a key of their own that a root certified; it stands in the operators' ledger. With that ledger
/// `verify` says EXPUNGED, without it EDIT. Copies elsewhere (archives, backups, forwarded records) have to be
/// seen to by themselves.
///
/// Needs: see each verb.
#[derive(Debug, Args)]
pub(crate) struct ExpungeArgs {
    #[command(subcommand)]
    pub(crate) verb: ExpungeVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExpungeVerb {
    Request(ExpungeRequestArgs),
    Approve(ExpungeApproveArgs),
    Apply(ExpungeApplyArgs),
}

/// Print the order for one record, as nobody signed it yet
///
/// Six lines: what it is, the origin of the store, the stream, the sequence, the hash of the record, and the
/// reason. The record must be sealed.
///
/// Needs: read access to the store.
#[derive(Debug, Args)]
#[command(after_help = exit::EXPUNGE_HELP)]
pub(crate) struct ExpungeRequestArgs {
    /// The store
    pub(crate) store: PathBuf,
    /// The stream: `audit`, `app`, or a whole stream id
    pub(crate) stream: String,
    /// The record's sequence
    pub(crate) seq: u64,
    /// Why, in one line; it stays in the ledger, so it must not hold what is taken out
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Sign an order, and print it with the signature
///
/// Look at the record first (`show --seq`), and at the reason. Two people have to do this, one after the
/// other, each with their own key: what the first one is given is printed by `expunge request`, what the
/// second one is given by this.
///
/// Needs: read access to the files, as the user that the private key belongs to.
#[derive(Debug, Args)]
#[command(after_help = exit::EXPUNGE_HELP)]
pub(crate) struct ExpungeApproveArgs {
    /// The order, with or without a signature
    pub(crate) order: PathBuf,
    /// Your private key, as `keys init` made it
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

/// Record an order that two people signed in the ledger, then take out the text
///
/// Nothing is done unless the two keys are certified, the ledger is one that verifiers believe, the record is
/// the one that was signed for, and the service of the store does not run. What was begun and interrupted is
/// done again with the same order.
///
/// Needs: write access to the store and to the ledger.
#[derive(Debug, Args)]
#[command(after_help = exit::EXPUNGE_HELP)]
pub(crate) struct ExpungeApplyArgs {
    /// The store
    pub(crate) store: PathBuf,
    /// The order with its signatures
    pub(crate) order: PathBuf,
    /// The certificates of those who signed, as `keys certify --operator-prefix` printed them
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) certificate: Vec<PathBuf>,
    /// The root key that certified them and the ledger, or a file with one on each line
    #[arg(long, value_name = "VKEY|FILE", required = true)]
    pub(crate) root_key: Vec<String>,
    /// Also in the newest file of the stream; the service's next start then begins a new store
    #[arg(long)]
    pub(crate) newest_file: bool,
}
