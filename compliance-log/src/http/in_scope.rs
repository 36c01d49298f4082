use std::pin::Pin;

use pin_project_lite::pin_project;

use crate::current::{Scope, enter};

pin_project! {
    /// Something that is polled, and dropped, within a scope.
    #[derive(Debug)]
    pub(super) struct InScope<T> {
        // Nothing once it has ended.
        #[pin]
        inner: Option<T>,
        scope: Option<Scope>,
    }

    impl<T> PinnedDrop for InScope<T> {
        fn drop(this: Pin<&mut Self>) {
            this.end();
        }
    }
}

impl<T> InScope<T> {
    /// Without a scope, in whatever scope the caller is in.
    pub(super) fn new(inner: T, scope: Option<Scope>) -> Self {
        Self {
            inner: Some(inner),
            scope,
        }
    }

    /// Nothing to poll.
    pub(super) fn nothing() -> Self {
        Self {
            inner: None,
            scope: None,
        }
    }

    /// Drops what is within, and gives the scope up.
    pub(super) fn end(self: Pin<&mut Self>) -> Option<Scope> {
        let mut this = self.project();
        let entered = this.scope.is_some().then(|| enter(this.scope));
        this.inner.set(None);
        drop(entered);
        this.scope.take()
    }

    pub(super) fn get(&self) -> Option<&T> {
        self.inner.as_ref()
    }

    /// Runs `poll` within the scope.
    pub(super) fn with<R>(self: Pin<&mut Self>, poll: impl FnOnce(Pin<&mut T>) -> R) -> Option<R> {
        let this = self.project();
        let _entered = this.scope.is_some().then(|| enter(this.scope));
        this.inner.as_pin_mut().map(poll)
    }
}
