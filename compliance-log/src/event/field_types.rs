//! The foreign types that may be fields, and what becomes of each.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    num::{
        NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8,
        NonZeroU16, NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize,
    },
    ops::ControlFlow,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    field::{AuditField, Classified, Element},
    meta::{Class, Kind, Presence},
    value::{Elements, Raw},
};
use crate::{
    clock::Timestamp,
    context::{ClientId, SpanId, TenantId, TraceId, UserId},
};

macro_rules! audit_field {
    ($($kind:ident: $($ty:ty)* => |$value:ident| $raw:expr;)*) => {$($(
        impl AuditField for $ty {
            const KIND: Kind = Kind::$kind;

            fn raw(&self) -> Option<Raw<'_>> {
                let $value = self;
                Some($raw)
            }
        }
    )*)*};
}

audit_field! {
    Integer: u64 => |v| Raw::U64(*v);
    Integer: i64 => |v| Raw::I64(*v);
    Integer: u8 u16 u32 => |v| Raw::U64(u64::from(*v));
    Integer: i8 i16 i32 => |v| Raw::I64(i64::from(*v));
    Integer: usize u128 => |v| u64::try_from(*v).map_or(Raw::Id(v), Raw::U64);
    Integer: isize i128 => |v| i64::try_from(*v).map_or(Raw::Id(v), Raw::I64);
    Integer: NonZeroU64 => |v| Raw::U64(v.get());
    Integer: NonZeroI64 => |v| Raw::I64(v.get());
    Integer: NonZeroU8 NonZeroU16 NonZeroU32 => |v| Raw::U64(u64::from(v.get()));
    Integer: NonZeroI8 NonZeroI16 NonZeroI32 => |v| Raw::I64(i64::from(v.get()));
    Integer: NonZeroUsize NonZeroU128 => |v| u64::try_from(v.get()).map_or(Raw::Id(v), Raw::U64);
    Integer: NonZeroIsize NonZeroI128 => |v| i64::try_from(v.get()).map_or(Raw::Id(v), Raw::I64);
    Number: f64 => |v| Raw::F64(*v);
    Number: f32 => |v| Raw::F64(f64::from(*v));
    Number: Duration => |v| Raw::F64(milliseconds(*v));
    Bool: bool => |v| Raw::Bool(*v);
    Text: str String => |v| Raw::Str(v);
    Text: TenantId UserId ClientId => |v| Raw::Str(v.as_str());
    Id: char IpAddr Ipv4Addr Ipv6Addr SocketAddr SocketAddrV4 SocketAddrV6 => |v| Raw::Id(v);
    Id: TraceId SpanId => |v| Raw::Id(v);
    Id: Timestamp => |v| Raw::Time(*v);
    Id: SystemTime => |v| Raw::Time(instant(*v));
}

macro_rules! internal {
    ($($ty:ty)*) => {$(
        impl Classified for $ty {
            const CLASS: Class = Class::Internal;
        }
    )*};
}

internal! {
    u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 bool char
    NonZeroU8 NonZeroU16 NonZeroU32 NonZeroU64 NonZeroU128 NonZeroUsize
    NonZeroI8 NonZeroI16 NonZeroI32 NonZeroI64 NonZeroI128 NonZeroIsize
    IpAddr Ipv4Addr Ipv6Addr SocketAddr SocketAddrV4 SocketAddrV6
    Duration SystemTime Timestamp TraceId SpanId TenantId UserId ClientId
}

macro_rules! element {
    ($($ty:ty)*) => {$(
        impl Element for $ty {}
    )*};
}

// Those of one byte are missing on purpose.
element! {
    u16 u32 u64 u128 usize i16 i32 i64 i128 isize f32 f64 bool char str String
    NonZeroU16 NonZeroU32 NonZeroU64 NonZeroU128 NonZeroUsize
    NonZeroI16 NonZeroI32 NonZeroI64 NonZeroI128 NonZeroIsize
    IpAddr Ipv4Addr Ipv6Addr SocketAddr SocketAddrV4 SocketAddrV6
    Duration SystemTime Timestamp TraceId SpanId TenantId UserId ClientId
}

/// Whole microseconds, so that the number has three decimals at most.
fn milliseconds(duration: Duration) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact for the first 285 years; a number of JSON holds no more"
    )]
    let micros = duration.as_micros() as f64;
    micros / 1000.0
}

fn instant(time: SystemTime) -> Timestamp {
    let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(match time.duration_since(UNIX_EPOCH) {
        Ok(after) => micros(after),
        Err(before) => -micros(before.duration()),
    })
}

macro_rules! pointer {
    ($($ty:ty $(where T: $owned:ident)?;)*) => {$(
        impl<T: AuditField $(+ $owned)? + ?Sized> AuditField for $ty {
            const KIND: Kind = T::KIND;
            const PRESENCE: Presence = T::PRESENCE;
            const BYTES_MAX: Option<u32> = T::BYTES_MAX;

            fn raw(&self) -> Option<Raw<'_>> {
                (**self).raw()
            }
        }

        impl<T: Classified $(+ $owned)? + ?Sized> Classified for $ty {
            const CLASS: Class = T::CLASS;
        }

        impl<T: Element $(+ $owned)? + ?Sized> Element for $ty {}
    )*};
}

pointer! {
    &T;
    Box<T>;
    Arc<T>;
    Cow<'_, T> where T: ToOwned;
}

impl<T: AuditField> AuditField for Option<T> {
    const KIND: Kind = T::KIND;
    const PRESENCE: Presence = Presence::Optional;
    const BYTES_MAX: Option<u32> = T::BYTES_MAX;

    fn raw(&self) -> Option<Raw<'_>> {
        self.as_ref().and_then(AuditField::raw)
    }
}

impl<T: Classified> Classified for Option<T> {
    const CLASS: Class = T::CLASS;
}

macro_rules! list {
    ($([$($params:tt)*] $ty:ty;)*) => {$(
        impl<$($params)*> Elements for $ty {
            fn count(&self) -> usize {
                self.len()
            }

            fn each(&self, out: &mut dyn FnMut(Raw<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
                self.iter().filter_map(AuditField::raw).try_for_each(out)
            }
        }

        impl<$($params)*> AuditField for $ty {
            const KIND: Kind = Kind::List(&T::KIND);
            const BYTES_MAX: Option<u32> = T::BYTES_MAX;

            fn raw(&self) -> Option<Raw<'_>> {
                Some(Raw::List(self))
            }
        }
    )*};
}

list! {
    [T: Element] Vec<T>;
    [T: Element] BTreeSet<T>;
    [T: Element, const N: usize] [T; N];
    [T: Element] &[T];
    [T: Element] Box<[T]>;
    [T: Element] Arc<[T]>;
    [T: Element + Clone] Cow<'_, [T]>;
}

macro_rules! classified_list {
    ($([$($params:tt)*] $ty:ty;)*) => {$(
        impl<$($params)*> Classified for $ty {
            const CLASS: Class = T::CLASS;
        }
    )*};
}

classified_list! {
    [T: Element + Classified] Vec<T>;
    [T: Element + Classified] BTreeSet<T>;
    [T: Element + Classified, const N: usize] [T; N];
    [T: Element + Classified] &[T];
    [T: Element + Classified] Box<[T]>;
    [T: Element + Classified] Arc<[T]>;
    [T: Element + Classified + Clone] Cow<'_, [T]>;
}
