use std::future::Future;

use crate::{current::Scoped, log::ComplianceLog};

/// Runs `future` with `log` as the log of everything in it.
pub fn within<F: Future>(log: &ComplianceLog, future: F) -> Scoped<F> {
    log.handle().scope(future)
}

/// Runs `f` with `log` as the log of everything in it.
pub fn within_sync<R>(log: &ComplianceLog, f: impl FnOnce() -> R) -> R {
    log.handle().scope_sync(f)
}
