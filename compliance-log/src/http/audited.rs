//! Routes whose handlers cannot forget to audit: `audited::post(create_booking)`.
//!
//! A handler takes [`AuditCtx`] first, which says which event it owes, and returns
//! [`AuditResult`] or [`Audited`], which can only be made once that event is recorded. Anything
//! else does not compile.

use std::future::Future;

use axum::{
    extract::{FromRequest, FromRequestParts},
    handler::Handler,
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};

use super::{
    audit_ctx::AuditCtx,
    audit_error::AuditError,
    route::{AuditedRoute, Owes},
    why::Why,
};
use crate::event::{AuditEvent, EventMeta, Failure};

/// The answer of a handler that recorded its event: made by [`Settled::respond`](super::Settled::respond).
#[derive(Debug)]
pub struct Audited<T>(pub(super) T);

/// What an audited handler returns. `E` is [`AuditError`], or an error type of your own that
/// implements [`Failure`] and [`IntoResponse`].
pub type AuditResult<T, E = AuditError> = Result<Audited<T>, E>;

impl<T: IntoResponse> IntoResponse for Audited<T> {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// What an audited handler may return: [`Audited`], or a `Result` of it with an [`AuditError`] or
/// an error of your own.
#[diagnostic::on_unimplemented(
    message = "this handler can return `{Self}` without recording its event",
    label = "not an audited answer",
    note = "return `AuditResult<T>` and make its value from the record: `ctx.success(Event {{ .. }}).await?.respond(body)`",
    note = "an error type of your own implements `Failure` and `IntoResponse`"
)]
pub trait AuditedResponse: sealed::Response {
    #[doc(hidden)]
    fn into_audited(self) -> Response;
}

impl<T: IntoResponse> AuditedResponse for Audited<T> {
    fn into_audited(self) -> Response {
        self.into_response()
    }
}

impl<T: IntoResponse> AuditedResponse for AuditResult<T> {
    fn into_audited(self) -> Response {
        self.into_response()
    }
}

impl<T: IntoResponse, E: Failure + IntoResponse> AuditedResponse for AuditResult<T, E> {
    fn into_audited(self) -> Response {
        match self {
            Ok(answer) => answer.into_response(),
            Err(error) => {
                let why = Why::of(&error);
                let mut response = error.into_response();
                response.extensions_mut().insert(why);
                response
            }
        }
    }
}

/// A handler that says which event it owes, by its first argument, and cannot return before that is
/// recorded.
#[diagnostic::on_unimplemented(
    message = "this handler does not say which event it owes",
    label = "not an audited handler",
    note = "take `ctx: AuditCtx<YourEvent>` as the first argument and return `AuditResult<T>`",
    note = "a route that has nothing to audit says why: `unaudited::get(handler, \"liveness probe\")`"
)]
pub trait AuditedFn<T, S>: sealed::Fn<T, S> {
    #[doc(hidden)]
    const EVENT: &'static EventMeta;

    #[doc(hidden)]
    fn into_handler(self) -> impl Handler<T, S>;
}

/// The first argument of an audited handler: an [`AuditCtx`].
#[diagnostic::on_unimplemented(
    message = "the first argument of an audited handler is `AuditCtx<YourEvent>`, not `{Self}`",
    label = "not an audited handler",
    note = "it says which event the handler owes, also where another argument cannot be had",
    note = "a route that has nothing to audit says why: `unaudited::get(handler, \"liveness probe\")`"
)]
pub trait OwesEvent: sealed::Owes {
    #[doc(hidden)]
    const EVENT: &'static EventMeta;
}

impl<E: AuditEvent> OwesEvent for AuditCtx<E> {
    const EVENT: &'static EventMeta = E::META;
}

macro_rules! audited_fn {
    ([$($ty:ident),*], $last:ident) => {
        #[expect(non_snake_case, reason = "arguments named as their types")]
        impl<F, Fut, R, S, M, T1, $($ty,)* $last> AuditedFn<(M, T1, $($ty,)* $last,), S> for F
        where
            F: FnOnce(T1, $($ty,)* $last,) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = R> + Send,
            R: AuditedResponse,
            T1: FromRequestParts<S> + OwesEvent + Send + 'static,
            S: Send + Sync + 'static,
            M: 'static,
            $($ty: FromRequestParts<S> + Send + 'static,)*
            $last: FromRequest<S, M> + Send + 'static,
        {
            const EVENT: &'static EventMeta = T1::EVENT;

            fn into_handler(self) -> impl Handler<(M, T1, $($ty,)* $last,), S> {
                move |ctx: T1, $($ty: $ty,)* $last: $last| async move {
                    self(ctx, $($ty,)* $last).await.into_audited()
                }
            }
        }

        impl<F, Fut, S, M, T1, $($ty,)* $last> sealed::Fn<(M, T1, $($ty,)* $last,), S> for F
        where
            F: FnOnce(T1, $($ty,)* $last,) -> Fut,
        {}
    };
}

impl<F, Fut, R, S, M, T1> AuditedFn<(M, T1), S> for F
where
    F: FnOnce(T1) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = R> + Send,
    R: AuditedResponse,
    T1: FromRequest<S, M> + OwesEvent + Send + 'static,
    S: Send + Sync + 'static,
    M: 'static,
{
    const EVENT: &'static EventMeta = T1::EVENT;

    fn into_handler(self) -> impl Handler<(M, T1), S> {
        move |ctx: T1| async move { self(ctx).await.into_audited() }
    }
}

impl<F, Fut, S, M, T1> sealed::Fn<(M, T1), S> for F where F: FnOnce(T1) -> Fut {}

audited_fn!([], T2);
audited_fn!([T2], T3);
audited_fn!([T2, T3], T4);
audited_fn!([T2, T3, T4], T5);
audited_fn!([T2, T3, T4, T5], T6);
audited_fn!([T2, T3, T4, T5, T6], T7);
audited_fn!([T2, T3, T4, T5, T6, T7], T8);
audited_fn!([T2, T3, T4, T5, T6, T7, T8], T9);
audited_fn!([T2, T3, T4, T5, T6, T7, T8, T9], T10);
audited_fn!([T2, T3, T4, T5, T6, T7, T8, T9, T10], T11);
audited_fn!([T2, T3, T4, T5, T6, T7, T8, T9, T10, T11], T12);
audited_fn!([T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12], T13);
audited_fn!([T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13], T14);
audited_fn!(
    [T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14],
    T15
);
audited_fn!(
    [T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15],
    T16
);

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $filter:ident)*) => {$(
        $(#[$doc])*
        pub fn $name<H, T, S>(handler: H) -> AuditedRoute<S>
        where
            H: Handler<T, S> + AuditedFn<T, S>,
            T: 'static,
            S: Clone + Send + Sync + 'static,
        {
            let owes = Owes::Event(<H as AuditedFn<T, S>>::EVENT.name);
            let method = on(MethodFilter::$filter, AuditedFn::into_handler(handler));
            AuditedRoute::new(stringify!($filter), owes, method)
        }
    )*};
}

methods! {
    /// Routes `GET` and `HEAD` to an audited handler.
    get GET
    /// Routes `POST` to an audited handler.
    post POST
    /// Routes `PUT` to an audited handler.
    put PUT
    /// Routes `PATCH` to an audited handler.
    patch PATCH
    /// Routes `DELETE` to an audited handler.
    delete DELETE
}

mod sealed {
    use super::{AuditCtx, AuditEvent, AuditResult, Audited};

    #[expect(unnameable_types, reason = "that is what seals it")]
    pub trait Owes {}
    impl<E: AuditEvent> Owes for AuditCtx<E> {}

    #[expect(unnameable_types, reason = "that is what seals it")]
    pub trait Response {}
    impl<T> Response for Audited<T> {}
    impl<T, E> Response for AuditResult<T, E> {}

    #[expect(unnameable_types, reason = "that is what seals it")]
    pub trait Fn<T, S> {}
}
