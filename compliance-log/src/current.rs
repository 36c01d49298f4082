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
    event::AuditEvent,
    pipeline::Handle,
    schema::Event,
};

/// A log, and the request, message or job that is being worked on.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) handle: Handle,
    pub(crate) context: Option<AuditContext>,
}

impl Scope {
    /// A typed event as a record of this scope's log.
    pub(crate) fn typed<'a, E: AuditEvent>(&'a self, event: &'a E) -> Event<'a> {
        self.handle.typed(event, self.context.as_ref())
    }
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

/// Whether the process has a default log.
pub(crate) fn has_default() -> bool {
    DEFAULT.get().is_some()
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

/// Puts the scope in `place` in force until the guard is dropped; meanwhile the one before is kept
/// there. So nothing is cloned however often a future is polled.
pub(crate) fn enter(place: &mut Option<Scope>) -> Entered<'_> {
    Entered(swap(place).then_some(place))
}

/// Whether it could be done: not during thread exit.
fn swap(place: &mut Option<Scope>) -> bool {
    let swapped = CURRENT.try_with(|current| {
        let current = current.try_borrow_mut();
        current.map(|mut current| std::mem::swap(&mut *current, place))
    });
    matches!(swapped, Ok(Ok(())))
}

/// Restores the scope before when it is dropped.
#[must_use = "the scope is in force as long as this is held"]
pub(crate) struct Entered<'a>(Option<&'a mut Option<Scope>>);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some(place) = &mut self.0 {
            swap(place);
        }
    }
}

pin_project! {
    /// A future that runs in a log, and in a context, wherever it is polled.
    #[derive(Debug)]
    pub struct Scoped<F> {
        #[pin]
        future: F,
        scope: Option<Scope>,
        // Without a log so far.
        context: Option<AuditContext>,
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // A context made before there was a log runs in the one that polls it first.
        if let Some(context) = this.context.as_ref()
            && this.scope.is_none()
        {
            *this.scope = context.scope_here();
        }
        let _entered = this.scope.is_some().then(|| enter(this.scope));
        this.future.poll(cx)
    }
}

/// Carries log, trace and identity of the current request into a future that runs elsewhere:
/// `tokio::spawn(carry(work()))`.
pub fn carry<F: Future>(future: F) -> Scoped<F> {
    Scoped {
        future,
        scope: get(),
        context: None,
    }
}

/// Carries log, trace and identity of the current request into a function that runs elsewhere:
/// `spawn_blocking(carry_fn(work))`.
pub fn carry_fn<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let mut scope = get();
    move || {
        let _entered = enter(&mut scope);
        f()
    }
}

impl AuditContext {
    /// Runs `future` in this context, with the log of the current scope, else the default one.
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped {
            future,
            scope: self.scope_here(),
            context: Some(self.clone()),
        }
    }

    /// Runs `f` in this context, as [`AuditContext::scope`] does.
    pub fn scope_sync<R>(&self, f: impl FnOnce() -> R) -> R {
        let mut scope = self.scope_here();
        let _entered = enter(&mut scope);
        f()
    }

    fn scope_here(&self) -> Option<Scope> {
        with(|scope| Scope {
            handle: scope.handle.clone(),
            context: Some(self.clone()),
        })
    }
}

impl Handle {
    /// Runs `future` with this log as the log of everything in it, where no request is.
    ///
    /// ```
    /// use compliance_log::{ComplianceLog, audit_event, context::AuditContext};
    ///
    /// #[audit_event(name = "invoice.sent", target = "invoice/{number}")]
    /// struct InvoiceSent {
    ///     number: u64,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = tempfile::tempdir()?;
    /// # let dir = dir.path();
    /// let log = ComplianceLog::builder("billing").env("test").dir(dir).open()?;
    /// let job = AuditContext::job("send-invoices").tenant("acme");
    /// let send = async { InvoiceSent { number: 7 }.commit().await };
    /// log.handle().scope(job.scope(send)).await?;
    /// # log.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> Scoped<F> {
        Scoped {
            future,
            scope: Some(self.scope_alone()),
            context: None,
        }
    }

    /// Runs `f` with this log as the log of everything in it, as [`Handle::scope`] does.
    pub fn scope_sync<R>(&self, f: impl FnOnce() -> R) -> R {
        let mut scope = Some(self.scope_alone());
        let _entered = enter(&mut scope);
        f()
    }

    fn scope_alone(&self) -> Scope {
        Scope {
            handle: self.clone(),
            context: None,
        }
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
