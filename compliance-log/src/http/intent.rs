use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{audit_ctx::AuditCtx, settling::Settling};
use crate::{
    event::{AuditEvent, Failure, Scope},
    pipeline::Mode,
    receipt::{Commit, CommitError},
};

/// An action that was announced: settles what [`AuditCtx`] owes, with a reference to the
/// announcement.
pub struct Intent<E: AuditEvent>(AuditCtx<E>);

impl<E: AuditEvent> Intent<E> {
    /// As [`AuditCtx::tenant`].
    pub fn tenant(&self) -> &<E::Scope as Scope>::Tenant {
        self.0.tenant()
    }

    /// As [`AuditCtx::success`].
    pub fn success(self, event: E) -> Settling {
        self.0.success(event)
    }

    /// As [`AuditCtx::success_as`].
    pub fn success_as<O: AuditEvent>(self, event: O) -> Settling {
        self.0.success_as(event)
    }

    /// As [`AuditCtx::fail`].
    pub fn fail(self, why: impl Failure) -> Settling {
        self.0.fail(why)
    }
}

impl<E: AuditEvent> fmt::Debug for Intent<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Intent").field(&self.0).finish()
    }
}

/// The announcement of an action on its way to the disk; resolves to an [`Intent`].
///
/// # Errors
///
/// Resolves to a [`CommitError`] if the announcement could not be made durable: nothing was done
/// yet, and nothing should be.
#[must_use = "await it before the action is done"]
pub struct Beginning<E: AuditEvent> {
    commit: Commit,
    // Always some until the future is ready.
    ctx: Option<AuditCtx<E>>,
}

impl<E: AuditEvent> Beginning<E> {
    pub(super) fn new(commit: Commit, ctx: AuditCtx<E>) -> Self {
        Self {
            commit,
            ctx: Some(ctx),
        }
    }
}

impl<E: AuditEvent> Unpin for Beginning<E> {}

impl<E: AuditEvent> Future for Beginning<E> {
    type Output = Result<Intent<E>, CommitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.commit).poll(cx));
        // Polled again after it was ready, it has nothing to give; the commit says so in its answer.
        let Some(ctx) = self.ctx.take() else {
            return Poll::Ready(answer.and(Err(CommitError::answered())));
        };
        match answer {
            Ok(receipt) => {
                let record = format!("{}/{}", receipt.stream(), receipt.seq());
                ctx.duty().begun_as(record);
            }
            Err(error) if ctx.mode() == Mode::Enforce => return Poll::Ready(Err(error)),
            Err(_) => ctx.would_refuse(),
        }
        Poll::Ready(Ok(Intent(ctx)))
    }
}

impl<E: AuditEvent> fmt::Debug for Beginning<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Beginning({}, {:?})", E::META.name, self.commit)
    }
}
