use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::exit;

/// Keep the ledger of what operators do
///
/// With a ledger (--record, or `COMPLIANCE_LOG_LEDGER`), each read, verification, key and expunge is recorded in
/// it, before and after. It is a sealed store like those of services, of the service `compliance-log`, and is
/// believed by `verify --ledger` once a root certified it with the role `ops`.
///
/// Needs: write access to the ledger.
#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    #[command(subcommand)]
    pub(crate) verb: LedgerVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerVerb {
    Init(LedgerInitArgs),
}

/// Make a ledger, and print what a root has to certify
///
/// Prints what `keys certify --role ops` signs.
///
/// Needs: write access to the folder.
#[derive(Debug, Args)]
#[command(after_help = exit::KEYS_HELP)]
pub(crate) struct LedgerInitArgs {
    /// The folder; it is made if there is none
    pub(crate) dir: PathBuf,
    /// The host name that origins begin with, that of the stores
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: String,
}
