//! The scope that code runs in: which log it writes to, and in which context.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    sync::OnceLock,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use crate::{
    context::{AuditContext, ContextBuilder},
    pipeline::Handle,
};

/// A log, and the request, message or job that is being worked on.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) handle: Handle,
    pub(crate) context: Option<AuditContext>,
}

thread_local! {
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

static DEFAULT: OnceLock<Scope> = OnceLock::new();

/// Makes `handle` the log of everything that runs in no scope. Says whether it was the first.
pub(crate) fn set_default(handle: Handle) -> bool {
    DEFAULT
        .set(Scope {
            handle,
            context: None,
        })
        .is_ok()
}

/// Runs `f` with the scope of this task, else with the default one.
pub(crate) fn with<R>(f: impl FnOnce(&Scope) -> R) -> Option<R> {
    // Taken by clone, so that code which logs while it is being logged finds no borrow; during
    // thread exit there is no scope left.
    get().as_ref().or_else(|| DEFAULT.get()).map(f)
}

/// The scope of this task, if it has one.
pub(crate) fn get() -> Option<Scope> {
    CURRENT
        .try_with(|current| current.try_borrow().ok().and_then(|scope| scope.clone()))
        .ok()
        .flatten()
}

/// Puts `scope` in force until the guard is dropped.
pub(crate) fn enter(scope: Option<Scope>) -> Entered {
    Entered {
        before: replace(scope),
    }
}

fn replace(scope: Option<Scope>) -> Option<Scope> {
    CURRENT
        .try_with(|current| {
            current
                .try_borrow_mut()
                .map(|mut current| std::mem::replace(&mut *current, scope))
                .ok()
        })
        .ok()
        .flatten()
        .flatten()
}

/// Restores the scope before when it is dropped.
pub(crate) struct Entered {
    before: Option<Scope>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        replace(self.before.take());
    }
}

pin_project! {
    /// A future that runs in the scope in which it was made, wherever it is polled.
    #[derive(Debug)]
    pub struct Scoped<F> {
        #[pin]
        future: F,
        scope: Option<Scope>,
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = enter(this.scope.clone());
        this.future.poll(cx)
    }
}

#[cfg(any(test, feature = "test-util"))]
impl<F> Scoped<F> {
    pub(crate) fn new(future: F, scope: Scope) -> Self {
        Self {
            future,
            scope: Some(scope),
        }
    }
}

/// Carries log, trace and identity of the current request into a future that runs elsewhere:
/// `tokio::spawn(carry(work()))`.
pub fn carry<F: Future>(future: F) -> Scoped<F> {
    Scoped {
        future,
        scope: get(),
    }
}

/// Carries log, trace and identity of the current request into a function that runs elsewhere:
/// `spawn_blocking(carry_fn(work))`.
pub fn carry_fn<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let scope = get();
    move || {
        let _entered = enter(scope);
        f()
    }
}

impl AuditContext {
    /// Runs `future` in this context, with the log of the current scope, else the default one.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped {
            future,
            scope: self.scope_here(),
        }
    }

    /// Runs `f` in this context, as [`AuditContext::scope`] does.
    pub fn scope_sync<R>(&self, f: impl FnOnce() -> R) -> R {
        let _entered = enter(self.scope_here());
        f()
    }

    fn scope_here(&self) -> Option<Scope> {
        with(|scope| Scope {
            handle: scope.handle.clone(),
            context: Some(self.clone()),
        })
    }
}

impl ContextBuilder {
    /// Builds the context and runs `future` in it, as [`AuditContext::scope`] does.
    ///
    /// ```
    /// use compliance_log::context::AuditContext;
    ///
    /// # async fn settle() {}
    /// # async fn example() {
    /// AuditContext::job("nightly-settlement").tenant("acme").scope(settle()).await;
    /// # }
    /// ```
    pub fn scope<F: Future>(self, future: F) -> Scoped<F> {
        self.build().scope(future)
    }
}
