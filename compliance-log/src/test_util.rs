//! For tests: scopes, capturing what a log wrote, faults.

use std::future::Future;

use crate::{
    current::{self, Scope, Scoped},
    log::ComplianceLog,
};

/// Runs `future` with `log` as the log of everything in it.
pub fn within<F: Future>(log: &ComplianceLog, future: F) -> Scoped<F> {
    Scoped::new(
        future,
        Scope {
            handle: log.handle(),
            context: None,
        },
    )
}

/// Runs `f` with `log` as the log of everything in it.
pub fn within_sync<R>(log: &ComplianceLog, f: impl FnOnce() -> R) -> R {
    let _entered = current::enter(Some(Scope {
        handle: log.handle(),
        context: None,
    }));
    f()
}
