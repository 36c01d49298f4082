//! The arguments. Only clap stands here; what they mean is elsewhere.

use std::{path::PathBuf, sync::LazyLock};

use clap::{Args, Parser, Subcommand};
use compliance_log::seal::CryptoModule;

use crate::{
    args::{
        CheckProofArgs, EvidenceArgs, ExpungeArgs, KeysArgs, LedgerArgs, ProveArgs, VerifyArgs,
        WitnessArgs,
    },
    exit, filter,
};

/// What `--version` prints; `-V` prints the version alone.
static LONG_VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{}\n{}", env!("CARGO_PKG_VERSION"), CryptoModule::in_use()));

/// Verify and read the audit logs of services that use compliance-log.
///
/// A log is a folder, the store, that one service writes; it is plain JSON lines in a hash chain.
/// Reading is read-only: no verb but `expunge apply` writes anything into a store of a service.
#[derive(Debug, Parser)]
#[command(name = "compliance-log", version, long_version = &**LONG_VERSION, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Cli {
    /// Record in this ledger what is done, or do nothing if that cannot be
    /// [default: the folder that `COMPLIANCE_LOG_LEDGER` names, if it is set]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) record: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Verify(VerifyArgs),
    Show(ShowArgs),
    Tail(TailArgs),
    ObserveReport(ObserveReportArgs),
    Policy(PolicyArgs),
    Redact(RedactArgs),
    Schema(SchemaArgs),
    Pseudonym(PseudonymArgs),
    Prove(ProveArgs),
    CheckProof(CheckProofArgs),
    Keys(KeysArgs),
    Witness(WitnessArgs),
    Evidence(EvidenceArgs),
    Ledger(LedgerArgs),
    Expunge(ExpungeArgs),
}

/// Print stored records, oldest first
///
/// Streams are merged by time; within a stream the order is that of the sequence numbers. What is no
/// record is printed as such. Use `verify` to know whether records are the ones that were written.
///
/// Needs: read access to the store, or to the one file.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// A store, a folder of stores, or one file of records
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Print the stored lines, unchanged
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print the newest records, and those that come
///
/// Follows rotation, restated segments and new stores. Ends on SIGINT, or when the reader of its
/// output does.
///
/// Needs: read access to the store.
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// A store, or a folder of stores
    pub(crate) dir: PathBuf,
    /// Wait for more
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// How many of the newest records to begin with
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub(crate) lines: usize,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Print the stored lines, unchanged
    #[arg(long)]
    pub(crate) json: bool,
}

/// Compare schema locks, or print the JSON Schema of a record
///
/// A lock states the fields of a service's events; a test of the service keeps it, with
/// `compliance_log::test_util::assert_schema_lock`.
///
/// Needs: read access to the files given.
#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    #[command(subcommand)]
    pub(crate) verb: SchemaVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaVerb {
    Diff(DiffArgs),
    Export(ExportArgs),
}

/// Compare two schema locks: does a change need a higher version?
///
/// Lists what differs. Added events and optional fields, more sensitive classes, actions that take
/// away more and raised versions are compatible; everything else is breaking.
///
/// Needs: read access to the two files.
#[derive(Debug, Args)]
#[command(after_help = exit::DIFF_HELP)]
pub(crate) struct DiffArgs {
    /// The old lock, for example the one that was released
    pub(crate) old: PathBuf,
    /// The new lock
    pub(crate) new: PathBuf,
    /// Print the findings as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print the JSON Schema of a record
///
/// Draft 2020-12: every row of record format v1, and the fields of the events of a lock. Validators of
/// any language hold one line of a log to it. It says nothing of hashes and links: `verify` does.
///
/// Needs: read access to the lock, if one is given.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A schema lock, for the fields of a service's events [default: any fields]
    pub(crate) lock: Option<PathBuf>,
}

/// Keep the keys of pseudonyms, and find somebody's records with them
///
/// A pseudonym is `ps_<epoch>_<32 hex>`, a keyed hash: each tenant and field has a random key of its
/// own, in a TOML file that the service reads too (`[pseudonym] keys = "FILE"`). Whoever has that file
/// can tell whose pseudonyms are whose, so only its owner may have access to it, mode 0600.
///
/// Needs: the key file; `new-key` and `forget` also write it and its folder.
#[derive(Debug, Args)]
pub(crate) struct PseudonymArgs {
    #[command(subcommand)]
    pub(crate) verb: PseudonymVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PseudonymVerb {
    Find(PseudonymFindArgs),
    NewKey(PseudonymNewKeyArgs),
    Forget(PseudonymForgetArgs),
    List(PseudonymListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeysArg {
    /// The key file
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: PathBuf,
}

/// Print the pseudonyms of a value, of all epochs, and the records that they stand in
///
/// The value is read from stdin, where no shell keeps a history of it: as it was given to the log, in the
/// same case. One line for each epoch, with `--in` one for each record: pseudonym, stream, sequence.
///
/// Needs: read access to the key file, and to the store with `--in`.
#[derive(Debug, Args)]
#[command(after_help = exit::PSEUDONYM_HELP)]
pub(crate) struct PseudonymFindArgs {
    #[command(flatten)]
    pub(crate) keys: KeysArg,
    /// Whose records, as in `tenant_id`; `none` where that is `none` or missing
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: String,
    /// The field as in `redactions`, `data.passenger` or `user_id`; within a text, the id of the rule
    #[arg(long, value_name = "NAME")]
    pub(crate) field: String,
    /// The value; other users of this machine may see it [default: read from stdin]
    #[arg(long)]
    pub(crate) value: Option<String>,
    /// Also print which records of this store, or folder of stores, hold one of them
    #[arg(long = "in", value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Add a random key for a field of a tenant: its first, or the next epoch
///
/// The newest epoch is in use from then on, in services within a second; the others stay, so that old
/// records can be found. A file that is missing is made, mode 0600.
///
/// Needs: write access to the key file and its folder, as the user that it belongs to.
#[derive(Debug, Args)]
#[command(after_help = exit::PSEUDONYM_HELP)]
pub(crate) struct PseudonymNewKeyArgs {
    #[command(flatten)]
    pub(crate) keys: KeysArg,
    /// The tenant as in `tenant_id`; `none` for what happens before anybody is known
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: String,
    /// The field as in `redactions`, `data.passenger` or `user_id`; or the id of a value rule
    #[arg(long, value_name = "NAME")]
    pub(crate) field: String,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Destroy the keys of a tenant, or of one of its fields
///
/// From then on nobody can tell whose its pseudonyms are, in all records that were ever written; the
/// records stay as they are. Backups of the key file have to be destroyed too.
///
/// Needs: write access to the key file and its folder, as the user that it belongs to.
#[derive(Debug, Args)]
#[command(after_help = exit::PSEUDONYM_HELP)]
pub(crate) struct PseudonymForgetArgs {
    #[command(flatten)]
    pub(crate) keys: KeysArg,
    /// The tenant
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: String,
    /// Only this field [default: all of the tenant's]
    #[arg(long, value_name = "NAME")]
    pub(crate) field: Option<String>,
    /// Do it; this cannot be undone
    #[arg(long)]
    pub(crate) yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print which keys there are: tenants, fields and epochs, never the keys
///
/// Needs: read access to the key file.
#[derive(Debug, Args)]
#[command(after_help = exit::PSEUDONYM_HELP)]
pub(crate) struct PseudonymListArgs {
    #[command(flatten)]
    pub(crate) keys: KeysArg,
    /// Print one JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// Tell what `mode = "enforce"` would have refused, and what it would have found
///
/// Counts, over the stored records of a service that ran in mode `observe`: by route, requests that
/// would have been refused and why (`NO_TENANT`, `AUDIT_UNAVAILABLE`); by route, requests that
/// recorded no event (`audit_gap`); by event, rows that records lack (`schema_violation`).
///
/// Needs: read access to the store.
#[derive(Debug, Args)]
#[command(after_help = exit::OBSERVE_HELP)]
pub(crate) struct ObserveReportArgs {
    /// A store, or a folder of stores
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Print the report as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Try a redaction policy before it goes live
///
/// Needs: read access to the policy's file.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    pub(crate) verb: PolicyVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    Test(PolicyTestArgs),
}

/// Try each rule on its examples, and measure it
///
/// Prints by rule: how many of its `match` examples it finds, how many of its `pass` examples it
/// leaves; and over a fixed sample of harmless values: nanoseconds for each KiB that it searches, how
/// many values it has to search because a literal or trigger leads to it, and how many false alarms it
/// gives there. A file of which an example does not hold is refused, with the line.
///
/// Needs: read access to the policy's file.
#[derive(Debug, Args)]
#[command(after_help = exit::POLICY_HELP)]
pub(crate) struct PolicyTestArgs {
    /// The policy's file [default: the built-in policy]
    pub(crate) file: Option<PathBuf>,
}

/// Take secrets out of lines on stdin, or find them in stored records
///
/// Reads lines of JSON on stdin and writes the same lines to stdout, one for one: strings without what
/// the policy takes out, and every other byte as it was. The value of a prohibited key is replaced, a
/// number too. A line that is no JSON is taken as text.
///
/// Needs: read access to the policy's file; with --find, to the store.
#[derive(Debug, Args)]
#[command(after_help = exit::REDACT_HELP)]
pub(crate) struct RedactArgs {
    /// The redaction policy [default: the built-in one]
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Take lines as text, also where they are JSON
    #[arg(long)]
    pub(crate) text: bool,
    /// Say on stderr what was taken out: line, field, bytes, rule, action
    #[arg(long)]
    pub(crate) explain: bool,
    /// Write nothing, and say whether anything would be redacted
    #[arg(long)]
    pub(crate) check: bool,
    /// Read this store, or folder of stores, and list what the policy would take out of its records
    #[arg(long, value_name = "DIR", conflicts_with_all = ["text", "explain", "check"])]
    pub(crate) find: Option<PathBuf>,
}

/// Records must fit every filter given; a repeated one must be fitted each time.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// Only this channel [default: all but the catalog, which says what was sealed]
    #[arg(long, visible_alias = "stream", value_name = "audit|app|catalog")]
    pub(crate) channel: Option<String>,
    /// Only this category: audit, security, admin, access or app
    #[arg(long, value_name = "NAME", value_parser = ["audit", "security", "admin", "access", "app"])]
    pub(crate) category: Option<String>,
    /// Only this event; `booking.*` is every event that starts with `booking.`
    #[arg(long, value_name = "NAME")]
    pub(crate) event: Option<String>,
    /// Only this outcome
    #[arg(long, value_name = "OUTCOME", value_parser = ["success", "fail"])]
    pub(crate) outcome: Option<String>,
    /// Only this tenant
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<String>,
    /// Only this user
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// Only this trace
    #[arg(long, value_name = "ID")]
    pub(crate) trace: Option<String>,
    /// Only this request
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<String>,
    /// Only this level and those above: trace, debug, info, warn, error
    #[arg(long, value_name = "LEVEL", value_parser = filter::Severity::parse)]
    pub(crate) level: Option<filter::Severity>,
    /// Only from this time on, RFC 3339: 2026-11-24T03:20:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<jiff::Timestamp>,
    /// Only before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<jiff::Timestamp>,
    /// Only these sequence numbers, both ends included: `7`, `7..9`, `7..`, `..9`
    #[arg(long, value_name = "A..B", value_parser = filter::SeqRange::parse)]
    pub(crate) seq: Option<filter::SeqRange>,
    /// Only where the field at a dotted path has this value: `data.card=****1111`
    #[arg(long = "where", value_name = "KEY=VALUE", value_parser = filter::Condition::parse)]
    pub(crate) conditions: Vec<filter::Condition>,
}
