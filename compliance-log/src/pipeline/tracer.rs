//! The service's tracer, asked where the current code runs.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    context::{Agreement, AuditContext, TraceIds},
    metric,
};

thread_local! {
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// A function of the service's own. Never called with a lock held.
pub(crate) struct Tracer(Box<dyn Fn() -> Option<TraceIds> + Send + Sync>);

impl Tracer {
    pub(crate) fn new(ask: impl Fn() -> Option<TraceIds> + Send + Sync + 'static) -> Self {
        Self(Box::new(ask))
    }

    /// The current span. What the function itself logs is in none, else it would be asked forever; one
    /// that panics has nothing to say.
    pub(super) fn ask(&self) -> Option<TraceIds> {
        if ASKING.try_with(|asking| asking.replace(true)) != Ok(false) {
            return None;
        }
        let answer = catch_unwind(AssertUnwindSafe(&self.0));
        ASKING.try_with(|asking| asking.set(false)).unwrap_or(());
        answer.unwrap_or_else(|_panic| {
            metric::count("compliance_log_trace_hook_panics");
            None
        })
    }
}

/// The ids for code that runs in this context, if there is one, and in this span.
pub(super) fn ids_within(context: Option<&AuditContext>, seen: TraceIds) -> TraceIds {
    let Some(context) = context else { return seen };
    let (ids, agreement) = context.trace_ids_within(seen);
    if agreement == Agreement::Differs {
        metric::count("compliance_log_trace_mismatches");
    }
    ids
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    #[test]
    fn it_is_not_asked_while_it_is_asked_and_a_panic_ends_there() {
        static TRACER: OnceLock<Tracer> = OnceLock::new();
        let calls = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&calls);
        let tracer = TRACER.get_or_init(|| {
            Tracer::new(move || {
                counted.fetch_add(1, Ordering::Relaxed);
                let within = TRACER.get().and_then(Tracer::ask);
                assert_eq!(within, None);
                panic!("in a tracer");
            })
        });
        assert_eq!(tracer.ask(), None);
        assert_eq!(tracer.ask(), None, "it is asked again");
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }
}
