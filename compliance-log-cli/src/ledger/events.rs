//! What is recorded. `docs/LEDGER.md` has the same table.

use std::fmt;

use compliance_log::{
    audit_event,
    event::{AuditField, Class, Classified, Kind, Raw},
};

/// A command begins. What it reads or writes is `target_resource`.
#[audit_event(name = "command.started", category = "admin", target = "{on}")]
pub(super) struct Started {
    #[audit(internal)]
    pub(super) command: &'static str,
    #[audit(internal)]
    pub(super) on: String,
    /// As they were given, where they cannot hold what is looked for.
    #[audit(internal)]
    pub(super) arguments: Option<String>,
    pub(super) pid: u32,
}

/// It ended; `started` is the record of its beginning.
#[audit_event(name = "command.finished", category = "admin", target = "{on}")]
pub(super) struct Finished {
    #[audit(internal)]
    pub(super) command: &'static str,
    #[audit(internal)]
    pub(super) on: String,
    pub(super) started: Reference,
    pub(super) exit: u8,
}

/// It could not do its work.
#[audit_event(
    name = "command.failed",
    category = "admin",
    outcome = "fail",
    target = "{on}"
)]
pub(super) struct Failed {
    #[audit(internal)]
    pub(super) command: &'static str,
    #[audit(internal)]
    pub(super) on: String,
    pub(super) started: Reference,
    pub(super) exit: u8,
    #[audit(internal)]
    pub(super) error_message: String,
}

/// What a run of `verify` found.
#[audit_event(name = "verify.run", category = "admin", target = "{on}")]
pub(crate) struct Verified {
    #[audit(internal)]
    pub(crate) on: String,
    #[audit(internal)]
    pub(crate) verdict: &'static str,
    pub(crate) exit: u8,
    pub(crate) stores: u64,
    /// Of the file of evidence, if one was kept.
    pub(crate) evidence_sha256: Option<Digest>,
}

/// The text of a record is to be taken out; two people signed for it. It counts from here on, whether or not
/// it is taken out.
#[audit_event(name = "expunge.ordered", category = "admin", target = "{of}/{record}")]
pub(crate) struct Ordered {
    #[audit(internal)]
    pub(crate) of: String,
    pub(crate) record: u64,
    /// The note, with its signatures.
    pub(crate) order: Notes,
    /// Those of the people who signed.
    pub(crate) certificates: Notes,
}

/// It was taken out; `order` is the record of the order.
#[audit_event(name = "expunge.done", category = "admin", target = "{of}/{record}")]
pub(crate) struct Expunged {
    #[audit(internal)]
    pub(crate) of: String,
    pub(crate) record: u64,
    pub(crate) order: Reference,
}

/// Values that are not text, so that no redaction changes what is signed.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident($of:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) $of);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl AuditField for $name {
            const KIND: Kind = Kind::Id;

            fn raw(&self) -> Option<Raw<'_>> {
                Some(Raw::Id(self))
            }
        }

        impl Classified for $name {
            const CLASS: Class = Class::Internal;
        }
    )*};
}

id! {
    /// A record of the ledger, `<stream>/<seq>`.
    Reference(String);
    /// Signed notes. What people wrote in them was looked through before.
    Notes(String);
    /// SHA-256.
    Digest(compliance_log::chain::Digest);
}
