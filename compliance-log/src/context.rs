//! Who and where: plain data that follows a request, a message or a job.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// A W3C trace id, 32 lower hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId([u8; 16]);

/// A W3C span or parent id, 16 lower hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId([u8; 8]);

macro_rules! hex_id {
    ($name:ident, $bytes:literal) => {
        impl $name {
            /// An id from its bytes; `None` if they are all zero, which W3C forbids.
            pub fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }

            /// The bytes, in the order in which they are written.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// The lower hex digits.
            pub(crate) fn hex(&self) -> [u8; $bytes * 2] {
                let mut hex = [b'0'; $bytes * 2];
                // The output is long enough, so this cannot fail.
                if faster_hex::hex_encode(&self.0, &mut hex).is_err() {
                    hex.fill(b'0');
                }
                hex
            }

            /// A new id from the operating system's random source.
            pub fn random() -> Self {
                let mut bytes = [0; $bytes];
                random(&mut bytes);
                bytes[$bytes - 1] |= u8::from(bytes == [0; $bytes]);
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

hex_id!(TraceId, 16);
hex_id!(SpanId, 8);

/// Fills `out` from the operating system's random source.
///
/// Where that fails (an early boot, a seccomp filter), the addresses and hashes that the standard
/// library seeds per process stand in: ids must be unlikely to collide, they are no secrets.
pub(crate) fn random(out: &mut [u8]) {
    use std::hash::{BuildHasher, RandomState};

    if getrandom::fill(out).is_ok() {
        return;
    }
    for chunk in out.chunks_mut(8) {
        let word = RandomState::new()
            .hash_one(chunk.as_ptr().addr())
            .to_be_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
}

/// The two trace flags that W3C level 2 defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TraceFlags(u8);

impl TraceFlags {
    /// Set on ids that were drawn at random.
    pub const RANDOM: Self = Self(0x02);

    /// Keeps the known bits of a header's flags.
    pub const fn from_byte(flags: u8) -> Self {
        Self(flags & 0x03)
    }

    /// The byte to send on.
    pub const fn as_byte(self) -> u8 {
        self.0
    }

    /// Whether a tracer records this trace. Records are written either way.
    pub const fn sampled(self) -> bool {
        self.0 & 0x01 != 0
    }
}

macro_rules! text_id {
    ($(#[$doc:meta] $name:ident)*) => {$(
        #[$doc]
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the text as it is; records escape and bound it.
            pub fn new(id: impl Into<Box<str>>) -> Self {
                Self(id.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self::new(id)
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self::new(id)
            }
        }
    )*};
}

text_id! {
    /// The customer on whose data something was done.
    TenantId
    /// An opaque subject, such as the `sub` of a token.
    UserId
    /// The program that acts, such as the `azp` of a token.
    ClientId
}

/// Who acts, for whom: taken from claims that were verified, never from a header.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Identity {
    /// The tenant; `None` is recorded as `none`.
    pub tenant: Option<TenantId>,
    /// The person; with no client either, recorded as `anonymous`.
    pub user: Option<UserId>,
    /// The program.
    pub client: Option<ClientId>,
}

impl Identity {
    /// Nobody yet.
    pub const fn new() -> Self {
        Self {
            tenant: None,
            user: None,
            client: None,
        }
    }

    /// Sets the tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Sets the person.
    #[must_use]
    pub fn user(mut self, user: impl Into<UserId>) -> Self {
        self.user = Some(user.into());
        self
    }

    /// Sets the program.
    #[must_use]
    pub fn client(mut self, client: impl Into<ClientId>) -> Self {
        self.client = Some(client.into());
        self
    }
}

/// A second, different identity was given for the same context; the first stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// What was verified first and stays.
    pub verified: Identity,
    /// What was refused.
    pub refused: Identity,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another identity was verified for this request before; the first one stands")
    }
}

impl std::error::Error for Mismatch {}

/// What every record written during one request, message or job has in common.
///
/// Cheap to clone; all clones share the identity, which is set at most once.
///
/// ```
/// use compliance_log::context::{AuditContext, Identity};
///
/// let context = AuditContext::job("nightly-settlement").tenant("acme").build();
/// assert_eq!(context.identity().unwrap().tenant.as_ref().unwrap().as_str(), "acme");
/// assert!(context.verified(Identity::new().tenant("other")).is_err());
/// ```
#[derive(Clone, Debug)]
pub struct AuditContext(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: ContextBuilder,
    identity: OnceLock<Identity>,
    /// Whether any event was recorded that somebody answers for.
    audited: AtomicBool,
    /// Whether the person behind it refused telemetry.
    telemetry_refused: AtomicBool,
}

/// Collects the parts of an [`AuditContext`].
#[derive(Clone, Debug)]
#[must_use = "nothing is in force until `build`"]
pub struct ContextBuilder {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
    tracestate: Option<Box<str>>,
    job: Option<Box<str>>,
    request_id: Option<Box<str>>,
    ip: Option<IpAddr>,
    user_agent: Option<Box<str>>,
    service: Option<Box<str>>,
    offer_id: Option<Box<str>>,
    booking_id: Option<Box<str>>,
    identity: Identity,
}

impl AuditContext {
    /// The context of a request or message; starts a new trace until told otherwise.
    pub fn request() -> ContextBuilder {
        ContextBuilder::new(None)
    }

    /// The context of work that no request asked for. Without an actor its records name the
    /// service itself as `client_id`.
    pub fn job(name: impl Into<Box<str>>) -> ContextBuilder {
        ContextBuilder::new(Some(name.into()))
    }

    /// Sets who acts, once, from claims that were verified.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if a different identity was set before; the first one stands.
    pub fn verified(&self, identity: Identity) -> Result<(), Mismatch> {
        let verified = self.0.identity.get_or_init(|| identity.clone());
        if *verified == identity {
            return Ok(());
        }
        Err(Mismatch {
            verified: verified.clone(),
            refused: identity,
        })
    }

    /// Who acts, if that was verified.
    pub fn identity(&self) -> Option<&Identity> {
        self.0.identity.get()
    }

    /// Says that the person behind this request, session or message refused telemetry: by a setting of the
    /// service, for `http::AuditLayer` reads `Sec-GPC: 1` and `DNT: 1` itself. It holds for all clones, and
    /// cannot be taken back.
    ///
    /// From then on `app` records of this context are counted instead of written, typed ones and those of
    /// `tracing` events; `volume.summary` tells how many. Still written are failures, `tracing` events of level
    /// WARN and ERROR, records that somebody waits for, and all other categories. In the environments `dev` and
    /// `test` all are.
    ///
    /// ```
    /// use compliance_log::context::AuditContext;
    ///
    /// let session = AuditContext::request().build();
    /// session.refuse_telemetry();
    /// assert!(session.telemetry_is_refused());
    /// ```
    pub fn refuse_telemetry(&self) {
        self.0.telemetry_refused.store(true, Ordering::Relaxed);
    }

    /// Whether the person behind it refused telemetry, for what the service measures on its own.
    pub fn telemetry_is_refused(&self) -> bool {
        self.0.telemetry_refused.load(Ordering::Relaxed)
    }

    /// Notes that an event was recorded that somebody answers for.
    pub(crate) fn set_audited(&self) {
        self.0.audited.store(true, Ordering::Relaxed);
    }

    /// Whether such an event was recorded so far.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "used by `http` alone")
    )]
    pub(crate) fn audited(&self) -> bool {
        self.0.audited.load(Ordering::Relaxed)
    }

    /// The trace that this work belongs to.
    pub fn trace_id(&self) -> TraceId {
        self.0.parts.trace_id
    }

    /// This request's own span within the trace.
    pub fn span_id(&self) -> SpanId {
        self.0.parts.span_id
    }

    /// The trace flags.
    pub fn flags(&self) -> TraceFlags {
        self.0.parts.flags
    }

    /// Other vendors' trace state, to be sent on.
    pub fn tracestate(&self) -> Option<&str> {
        self.0.parts.tracestate.as_deref()
    }

    /// The job's name, if this is not a request.
    pub fn job_name(&self) -> Option<&str> {
        self.0.parts.job.as_deref()
    }

    /// The id by which people ask about this request.
    pub fn request_id(&self) -> Option<&str> {
        self.0.parts.request_id.as_deref()
    }

    /// Where the request came from.
    pub fn ip(&self) -> Option<IpAddr> {
        self.0.parts.ip
    }

    /// What the client calls itself.
    pub fn user_agent(&self) -> Option<&str> {
        self.0.parts.user_agent.as_deref()
    }

    /// The calling service.
    pub fn service(&self) -> Option<&str> {
        self.0.parts.service.as_deref()
    }

    /// The offer that this work is about.
    pub fn offer_id(&self) -> Option<&str> {
        self.0.parts.offer_id.as_deref()
    }

    /// The booking that this work is about.
    pub fn booking_id(&self) -> Option<&str> {
        self.0.parts.booking_id.as_deref()
    }
}

impl ContextBuilder {
    fn new(job: Option<Box<str>>) -> Self {
        Self {
            trace_id: TraceId::random(),
            span_id: SpanId::random(),
            flags: TraceFlags::RANDOM,
            tracestate: None,
            job,
            request_id: None,
            ip: None,
            user_agent: None,
            service: None,
            offer_id: None,
            booking_id: None,
            identity: Identity::new(),
        }
    }

    /// Continues a trace; the context keeps a span id of its own.
    pub fn trace(mut self, trace_id: TraceId, flags: TraceFlags) -> Self {
        self.trace_id = trace_id;
        self.flags = flags;
        self
    }

    /// Other vendors' trace state, to be sent on unchanged.
    pub fn tracestate(mut self, tracestate: impl Into<Box<str>>) -> Self {
        self.tracestate = Some(tracestate.into());
        self
    }

    /// The id by which people ask about this request.
    pub fn request_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Where the request came from.
    pub fn ip(mut self, ip: IpAddr) -> Self {
        self.ip = Some(ip);
        self
    }

    /// What the client calls itself.
    pub fn user_agent(mut self, user_agent: impl Into<Box<str>>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// The calling service.
    pub fn service(mut self, service: impl Into<Box<str>>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// The offer that this work is about.
    pub fn offer_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.offer_id = Some(id.into());
        self
    }

    /// The booking that this work is about.
    pub fn booking_id(mut self, id: impl Into<Box<str>>) -> Self {
        self.booking_id = Some(id.into());
        self
    }

    /// The tenant on whose data a job works.
    pub fn tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.identity = self.identity.tenant(tenant);
        self
    }

    /// The person in whose name a job works.
    pub fn actor(mut self, user: impl Into<UserId>) -> Self {
        self.identity = self.identity.user(user);
        self
    }

    /// The finished context.
    pub fn build(mut self) -> AuditContext {
        let identity = std::mem::take(&mut self.identity);
        let known = identity != Identity::new();
        AuditContext(Arc::new(Inner {
            parts: self,
            identity: if known {
                OnceLock::from(identity)
            } else {
                OnceLock::new()
            },
            audited: AtomicBool::new(false),
            telemetry_refused: AtomicBool::new(false),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_identity_stands() {
        let context = AuditContext::request().build();
        let acme = Identity::new().tenant("acme").user("u-1");
        assert_eq!(context.identity(), None);
        assert_eq!(context.verified(acme.clone()), Ok(()));
        assert_eq!(
            context.clone().verified(acme.clone()),
            Ok(()),
            "the same claims again are fine"
        );
        let refused = context
            .verified(Identity::new().tenant("evil"))
            .unwrap_err();
        assert_eq!(refused.verified, acme);
        assert_eq!(context.identity(), Some(&acme));
    }

    #[test]
    fn ids_are_never_zero_and_print_as_lower_hex() {
        assert_eq!(TraceId::from_bytes([0; 16]), None);
        let id = SpanId::from_bytes([0, 1, 2, 3, 4, 5, 0xab, 0xff]).unwrap();
        assert_eq!(id.to_string(), "000102030405abff");
        assert_ne!(TraceId::random(), TraceId::random());
    }
}
