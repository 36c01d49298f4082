use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Method;

use super::{
    audited::{AuditResult, Audited},
    duty::after_effect,
};
use crate::{
    pipeline::Mode,
    receipt::{Commit, CommitError, Receipt},
};

/// The owed record on its way. It is queued already; dropping this does not take it back.
///
/// # Errors
///
/// Resolves to a [`CommitError`] only where nothing has happened yet: in the handler of a safe
/// method (`GET`, `HEAD`, `OPTIONS`, `TRACE`), whose answer can still be withheld. After any other
/// method the action is done, and telling the client that it failed would be wrong: the loss is
/// counted, in `log.gap` and as `compliance_log_after_effect_failures`, and the answer stands.
#[must_use = "await it: the answer must not leave before the record is durable"]
pub struct Settling {
    commit: Commit,
    event: &'static str,
    effect: Effect,
}

/// Whether an answer can still be withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Pending,
    Done,
}

impl Effect {
    /// RFC 9110, section 9.2.1.
    pub(super) fn of(method: &Method, mode: Mode) -> Self {
        match mode {
            Mode::Enforce if method.is_safe() => Self::Pending,
            Mode::Enforce | Mode::Observe => Self::Done,
        }
    }
}

impl Settling {
    pub(super) fn new(commit: Commit, event: &'static str, effect: Effect) -> Self {
        Self {
            commit,
            event,
            effect,
        }
    }
}

impl Future for Settling {
    type Output = Result<Settled, CommitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let receipt = match ready!(Pin::new(&mut self.commit).poll(cx)) {
            Ok(receipt) => Some(receipt),
            Err(error) if self.effect == Effect::Pending => return Poll::Ready(Err(error)),
            Err(_) => {
                after_effect(self.event);
                None
            }
        };
        Poll::Ready(Ok(Settled { receipt }))
    }
}

impl fmt::Debug for Settling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settling({}, {:?})", self.event, self.commit)
    }
}

/// The handler told how its action ended: what an answer is made of.
#[derive(Debug)]
#[must_use = "make the answer of it: `.respond(body)`"]
pub struct Settled {
    receipt: Option<Receipt>,
}

impl Settled {
    /// Proof that the record is durable; `None` where that failed after the action was done.
    pub fn receipt(&self) -> Option<&Receipt> {
        self.receipt.as_ref()
    }

    /// The answer of an audited handler.
    ///
    /// # Errors
    ///
    /// Never; it is an [`AuditResult`] so that it can be a handler's last line.
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "having it is the proof; a handler's last line is a `Result`"
    )]
    pub fn respond<T, E>(self, body: T) -> AuditResult<T, E> {
        Ok(Audited(body))
    }
}
