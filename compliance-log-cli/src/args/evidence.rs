use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::exit;

/// Read the signed reports that `verify --evidence` wrote
///
/// Needs: see each verb.
#[derive(Debug, Args)]
pub(crate) struct EvidenceArgs {
    #[command(subcommand)]
    pub(crate) verb: EvidenceVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceVerb {
    Show(EvidenceShowArgs),
}

/// Check who signed it, and print what was found: one JSON object for each store
///
/// Needs: read access to the file.
#[derive(Debug, Args)]
#[command(after_help = exit::EVIDENCE_HELP)]
pub(crate) struct EvidenceShowArgs {
    /// The evidence
    pub(crate) file: PathBuf,
    /// The verifier's key, which must have reached you by another way than the evidence
    #[arg(
        long,
        value_name = "VKEY|FILE",
        required_unless_present = "root_key",
        conflicts_with_all = ["root_key", "certificate"]
    )]
    pub(crate) key: Option<String>,
    /// A root key that certified the verifier, or a file with one on each line; instead of the verifier's
    #[arg(long, value_name = "VKEY|FILE", requires = "certificate")]
    pub(crate) root_key: Vec<String>,
    /// The verifier's certificate, as `keys certify --operator-prefix` printed it
    #[arg(long, value_name = "FILE", requires = "root_key")]
    pub(crate) certificate: Option<PathBuf>,
}
