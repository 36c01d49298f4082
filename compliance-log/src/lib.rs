//! Audit logs that prove what happened: complete, redacted, tamper-evident, in plain JSON lines.
//!
//! ```
//! use compliance_log::{ComplianceLog, audit_event, context::AuditContext};
//!
//! #[audit_event(name = "booking.created", target = "booking/{booking_id}")]
//! struct BookingCreated {
//!     booking_id: u64,
//!     #[audit(mask = "pan")]
//!     card: String,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! let log = ComplianceLog::builder("booking-api").env("prod").dir(dir).init()?;
//!
//! let job = AuditContext::job("import").tenant("acme").build();
//! let event = BookingCreated { booking_id: 17, card: "4111 1111 1111 1111".into() };
//! let receipt = job.scope_sync(|| event.commit().wait())?; // on the disk from here on
//! assert_eq!(receipt.stream().parts()[0], "booking-api");
//!
//! log.shutdown()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! A record is redacted on the caller's thread, before anything else sees it. It is stored, or its loss
//! is counted and told of in the log itself. Once [`Commit`] resolves to a [`Receipt`] it survives a
//! crash of the process and of the host. Every later change of a stored byte is found by
//! [`verify`](verify::verify), with its place. A log never keeps a service from starting: see
//! [`StartFailure`].
//!
//! # What is not
//!
//! A chain alone cannot show that somebody rewrote a whole stream. Secrets are found by name, by type
//! and by what they look like; none of that is perfect. A record says what your code said.
//!
//! # Where to begin
//!
//! - [`ComplianceLog::builder`] opens a log; [`audit_event`] makes a struct an event with `emit()` and
//!   `commit()`.
//! - [`http::AuditRouter`] is an axum router whose handlers cannot forget their event;
//!   [`http::AuditLayer`] alone writes one access record for each request of any tower service, and puts
//!   handlers into its context; [`context::AuditContext::job`] does so for work that no request asked for.
//! - [`ComplianceLog::tracing_layer`] takes ordinary `tracing` events; [`guard`](guard()) redacts what other
//!   layers are shown.
//! - [`Builder::pseudonym_keys`] brings the keys of pseudonyms: see [`pseudonym`].
//! - [`Builder::trace_ids`] gives records the ids of the spans that the service's tracer exports.
//! - [`Builder::volume`] has noisy events and routes counted instead of written.
//! - [`carry`] and [`carry_fn`] take the context along to other tasks and threads.
//! - [`test_util`] captures what a service logs, for assertions by event type and field, and keeps the
//!   schema of its events in a file: [`schema_lock`], [`json_schema`].
//!
//! # Features
//!
//! Features add names and change nothing else.
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `macros` | yes | `#[audit_event]`, `#[derive(AuditEvent)]`; syn and quote at build time |
//! | `tracing` | yes | `tracing_layer`, and a global subscriber in `init`; tracing-subscriber's registry |
//! | `log` | | `tracing`, and in `init` a global logger that takes records of the `log` crate; tracing-log |
//! | `http` | | `http::AuditLayer`; the traits of tower and http |
//! | `axum` | yes | `http`, and axum's matched routes and extractors; axum without its default features |
//! | `vault` | | `pseudonym::VaultKeys`; ureq and rustls |
//! | `fips` | | `seal::note::Algorithm::EcdsaP256`, and computes each SHA-256 and HMAC, in AWS-LC's validated module: see [`seal::CryptoModule`]; needs cmake, Go and libclang to build |
//! | `test-util` | | `test_util`, `clock::ManualClock` |
//!
//! There is no async runtime among the dependencies.

// Modules stand in the order in which data flows; each uses only those declared above it.

mod text;
mod plain_file;
mod error;
pub use error::{Error, ErrorKind};
mod metric;
mod process;
pub mod clock;
pub mod context;
pub mod event;
#[doc(inline)]
pub use event::AuditEvent;
pub mod keycloak;
pub mod wire;
mod sha256;
pub mod chain;
mod layout;
pub mod seal;
mod volume;
pub use volume::Volume;
mod schema;
pub mod schema_lock;
pub mod json_schema;
pub mod pseudonym;
mod redact;
pub use redact::{Finding, Policy, Redacted, RuleCost, RuleTrial};
mod encode;
mod loss;
pub use loss::OnFailure;
mod lifecycle;
mod receipt;
pub use receipt::{Commit, CommitError, CommitErrorKind, Receipt};
mod store;
pub use store::{BudgetLevel, DirAnchor, Seal};
pub mod verify;
mod pipeline;
pub use pipeline::{BudgetUse, Handle, Health, Mode, Vitals};
mod current;
pub use current::{Scoped, carry, carry_fn};
#[cfg(feature = "tracing")]
mod layer;
#[cfg(feature = "tracing")]
pub use layer::{AuditTracing, Guard, guard};
mod log;
pub use log::{Builder, Closed, ComplianceLog, ShutdownError, StartFailure};
#[cfg(feature = "http")]
pub mod http;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;
#[cfg(test)]
mod macros;
#[doc(hidden)]
pub mod private;
#[doc(hidden)]
pub use private as __private;

/// Makes a struct an audit event.
///
/// The fields of the struct become the fields of the record, and the struct gets two methods:
/// `emit(&self)` queues the event and never waits; `commit(&self)` gives a future that resolves
/// once the event is durable. [`#[audit_event]`](macro@audit_event) is the same in one line.
///
/// ```
/// use compliance_log::{
///     AuditEvent,
///     event::{Action, Category, Class},
/// };
///
/// #[derive(AuditEvent)]
/// #[audit(name = "booking.created", version = 2, target = "booking/{booking_id}")]
/// struct BookingCreated {
///     booking_id: u64,
///     #[audit(pseudonym)]
///     passenger: String,
///     #[audit(mask = "pan")]
///     card: Option<String>,
///     #[audit(public, rename = "seat_count")]
///     seats: u8,
///     #[audit(public, max_len = 80)]
///     remark: String,
/// }
///
/// let meta = BookingCreated::META;
/// assert_eq!((meta.name, meta.version), ("booking.created", 2));
/// assert_eq!(meta.category, Category::Audit);
///
/// // `booking_id` stands at the root of the record, the others under `data`.
/// let root: Vec<bool> = meta.fields.iter().map(|field| field.root).collect();
/// assert_eq!(root, [true, false, false, false, false]);
/// assert_eq!(meta.fields[1].class, Class::Personal);
/// assert_eq!(meta.fields[2].action, Action::MaskPan);
/// assert_eq!(meta.fields[3].name, "seat_count");
/// assert_eq!(meta.fields[4].bytes_max, Some(80));
/// ```
///
/// # On the struct
///
/// | option | value | without it |
/// |---|---|---|
/// | `name` | two or more lower-case words with dots between them; the first is not one of compliance-log's own (`chain`, `segment`, `seal`, `stream`, `anchor`, `log`, `policy`, `key`, `clock`, `security`, `record`, `audit`, `volume`, `service`, `http`) | an error |
/// | `version` | 1 to 65535; raise it when a field is removed or changes its meaning | 1 |
/// | `category` | `"audit"`, `"security"`, `"admin"`, `"access"` or `"app"` | `"audit"` |
/// | `outcome` | `"success"` or `"fail"` | `"success"` |
/// | `target` | the text of `target_resource`: `{field}` stands for the value of that field of the struct, or `none` where it has none; `{{` and `}}` for the braces themselves | an error for the categories audit, admin and access, unless a field is called `target_resource` |
/// | `pre_auth` | none: the event may happen before anybody is known, such as a login; an `AuditCtx` of it asks for no tenant | an `AuditCtx` of it needs a verified tenant |
///
/// # On a field
///
/// | option | effect |
/// |---|---|
/// | `public`, `internal`, `personal`, `cardholder` | its [`Class`](event::Class); that of its type where none is given, see [`Classified`](event::Classified) |
/// | `pseudonym` | replaced by a keyed [pseudonym](mod@pseudonym), or left out where the log has no key for the record's tenant and the field; the class is `personal` |
/// | `mask = "pan"` | the last four digits of a card number; the class is `cardholder` |
/// | `drop` | never written, but part of the schema |
/// | `max_len = 200` | at most so many bytes of its text are written, or of each text of its list; then the marker of a cut |
/// | `rename = "key"` | its key in the record |
/// | `skip` | not part of the event at all, so its type may be any |
///
/// Text has no class of its own, since it may hold anything, so its field has to name one; `public`
/// text needs `max_len` too. A `cardholder` field needs `mask = "pan"` or `drop`. A `personal` field
/// without an action is written as it is: who reads the log may read it.
///
/// `secret` is a class too, and an error: a secret has no way to be logged. Leave the field out, or
/// `skip` it.
///
/// # Fields
///
/// Each field's type implements [`AuditField`](event::AuditField), where those that do are listed; an
/// `Option` that is `None` is left out of the record. Secrets, maps, JSON values and bytes do not. These
/// keys stand at the root of the record: `target_resource`, `error_code`, `error_message`,
/// `payload_size`, `bytes_in`, `bytes_out`, `provider`, `booking_id`, `offer_id`, `privileged_command`,
/// `on_behalf_of`. All others go under `data`. Keys that compliance-log sets itself, such as
/// `timestamp` or `tenant_id`, are refused.
///
/// A field may not have a name that the built-in [`Policy`] prohibits, in any spelling: `password`,
/// `apiKey`, `card_number`; neither in Rust nor by `rename`. `drop` excuses it, since nothing is
/// written, and for a card number so does `mask = "pan"`. Names that only contain such a word, as
/// `token_count` does, are fine.
///
/// Attributes of serde on a field have no effect here. Those that would change what is written
/// (`flatten`, `rename`, `skip`, `with`) are errors, unless `audit` says the same.
///
/// # What it does not do
///
/// An event is a struct with named fields or with none, without parameters: enums, tuple structs,
/// unions and generic structs are refused. The target is text for people; a field that is
/// `personal` or `cardholder`, pseudonymised, masked, dropped or skipped cannot stand in it.
#[cfg(feature = "macros")]
pub use compliance_log_macros::AuditEvent;

/// Makes a struct an audit event: [`#[derive(AuditEvent)]`](derive@AuditEvent) and its options in
/// one line.
///
/// ```
/// use compliance_log::{AuditEvent as _, audit_event};
///
/// #[audit_event(name = "booking.cancelled", outcome = "success", target = "booking/{booking_id}")]
/// struct BookingCancelled {
///     booking_id: u64,
///     #[audit(pseudonym)]
///     passenger: String,
/// }
///
/// assert_eq!(BookingCancelled::META.name, "booking.cancelled");
/// ```
///
/// is short for
///
/// ```
/// # use compliance_log::AuditEvent;
/// #[derive(AuditEvent)]
/// #[audit(name = "booking.cancelled", outcome = "success", target = "booking/{booking_id}")]
/// struct BookingCancelled {
///     booking_id: u64,
///     #[audit(pseudonym)]
///     passenger: String,
/// }
/// ```
///
/// The struct itself stays as it is written; its fields take the options that the derive knows.
#[cfg(feature = "macros")]
pub use compliance_log_macros::audit_event;

#[cfg(all(doctest, feature = "macros", feature = "axum", feature = "test-util"))]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The service of the README, and what it records.
#[cfg(all(doctest, feature = "macros", feature = "axum"))]
#[doc = concat!(
    "```\n#[allow(dead_code)]\nmod service {\n",
    include_str!("../../docs/service.rs"),
    include_str!("../../docs/service_check.rs"),
    "}\nfn main() { service::check::main() }\n```",
)]
struct Service;
