use std::path::PathBuf;

use clap::{Args, Subcommand};
use compliance_log::seal::note::Algorithm;

use crate::exit;

/// Make and certify the keys that stores are trusted by
///
/// A root key, which is kept offline, certifies stores: each has a log key and keys of epochs of its own,
/// and makes them itself. A root may also certify an issuer for all stores of a service. The public half
/// of a key is one line, the vkey; verifiers are given that of the root.
///
/// Needs: see each verb.
#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) verb: KeysVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysVerb {
    Init(KeysInitArgs),
    Request(KeysRequestArgs),
    Certify(KeysCertifyArgs),
    Rotate(KeysRotateArgs),
    Revoke(KeysRevokeArgs),
    Show(KeysShowArgs),
}

/// Make a key: of a root, an issuer or an operator
///
/// Writes the private half into a file, one line, mode 0600, and prints the vkey. A root key belongs on a
/// machine that is not on the network, and in a backup.
///
/// Needs: write access to the folder of the file.
#[derive(Debug, Args)]
#[command(after_help = exit::KEYS_HELP)]
pub(crate) struct KeysInitArgs {
    /// The name of the key, as in `example.com/root`; it is a part of it, and cannot be changed
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// How it signs: `ed25519`, which public witnesses expect, or `ecdsa-p256` in a build with `fips`
    #[arg(long, value_name = "WORD", default_value = Algorithm::Ed25519.as_str())]
    pub(crate) algorithm: Algorithm,
    /// The file; one that is there is never overwritten
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print the certificate of a store as nobody signed it yet
///
/// What `keys certify` signs: the store's origin, its log key, and its key of epoch 0. Compare the origin
/// with what you expect before it is signed.
///
/// Needs: read access to the store.
#[derive(Debug, Args)]
#[command(after_help = exit::KEYS_HELP)]
pub(crate) struct KeysRequestArgs {
    /// The store
    pub(crate) store: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Certify a store, an issuer, or a person
///
/// Prints the bytes for `seal/cert` of the store, which whoever runs the service puts there; nothing
/// is written into a store here. A file that is certified already gets one more signature, so that
/// verifiers may trust either root.
///
/// Needs: read access to the files given, as the user that the private key belongs to.
#[derive(Debug, Args)]
#[command(after_help = exit::KEYS_HELP)]
pub(crate) struct KeysCertifyArgs {
    /// What `keys request` printed, or a certificate that gets one more signature
    #[arg(
        required_unless_present_any = ["issuer_prefix", "operator_prefix"],
        conflicts_with_all = ["issuer_prefix", "operator_prefix"]
    )]
    pub(crate) request: Option<PathBuf>,
    /// The private key that signs
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// What the store is trusted for: the records of a service, or what operators did
    #[arg(long, value_name = "ROLE", value_parser = ["store", "ops"], conflicts_with_all = ["issuer_prefix", "operator_prefix"])]
    pub(crate) role: Option<String>,
    /// The certificate of the issuer whose key that is; it is printed too, as `seal/cert` needs it
    #[arg(long, value_name = "CERT", conflicts_with = "issuer_prefix")]
    pub(crate) issuer: Option<PathBuf>,
    /// Certify an issuer instead, for all origins that begin so: `log.example/booking/`
    #[arg(long, value_name = "PREFIX", requires = "vkey")]
    pub(crate) issuer_prefix: Option<String>,
    /// Certify a person instead, who approves expunges and signs evidence of stores whose origins begin so:
    /// `log.example/`
    #[arg(
        long,
        value_name = "PREFIX",
        requires = "vkey",
        conflicts_with = "issuer_prefix"
    )]
    pub(crate) operator_prefix: Option<String>,
    /// The key of the issuer, or of the person
    #[arg(long, value_name = "VKEY|FILE", conflicts_with = "request")]
    pub(crate) vkey: Option<String>,
}

/// Have other keys sign for a store whose service does not run
///
/// They change by themselves every few minutes; this is for when somebody may have seen those of a service
/// that was stopped since. A service that runs changes them by `ComplianceLog::rotate_keys`, or when it is
/// started again. The log key stays: witnesses know the store by it. Prints the first checkpoint of the
/// next keys.
///
/// Needs: write access to the store and its folder of keys, as the user that the service runs as.
#[derive(Debug, Args)]
#[command(after_help = exit::KEYS_HELP)]
pub(crate) struct KeysRotateArgs {
    /// The store
    pub(crate) store: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print that a key is not trusted any more
///
/// What was sealed up to a size stays trusted. Verifiers are given what this prints; stores are not
/// changed.
///
/// Needs: read access to the private key, as the user that it belongs to.
#[derive(Debug, Args)]
#[command(after_help = exit::KEYS_HELP)]
pub(crate) struct KeysRevokeArgs {
    /// The private key of the root
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The key that is not trusted: a log key, an issuer's, or a verifier's
    #[arg(long, value_name = "VKEY|FILE")]
    pub(crate) vkey: String,
    /// For which store, or for all whose origin begins so
    #[arg(long, value_name = "ORIGIN|PREFIX/")]
    pub(crate) of: String,
    /// The last size of the catalog that is trusted; 0 if none is
    #[arg(long, value_name = "N")]
    pub(crate) size: u64,
    /// The root of the catalog at that size, as checkpoints have it
    #[arg(long, value_name = "BASE64")]
    pub(crate) root: Option<String>,
}

/// Print what a file of keys or notes says, or what a store says of its keys
///
/// Takes vkeys, private keys (of which it prints the vkey alone), certificates and requests, epochs,
/// checkpoints and revocations. Signatures are named, not checked: `verify` does that.
///
/// Needs: read access to the file, or to the store.
#[derive(Debug, Args)]
#[command(after_help = exit::KEYS_HELP)]
pub(crate) struct KeysShowArgs {
    /// A file, or a store
    pub(crate) path: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
