//! One file for each thing that a client can do.
//!
//! A handler takes `AuditCtx<Event>` first, so it runs only when its record can be stored, and it can
//! return success only by recording it. A failure is simply returned. `Claims` come second: what a client may do never
//! depends on the log.

pub(crate) mod cancel;
pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod export;
pub(crate) mod limit;
pub(crate) mod read;
pub(crate) mod session;
