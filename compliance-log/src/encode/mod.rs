//! From an event to the bytes of a record, without its place in the chain.
//!
//! One pass checks the schema, applies the redaction nets by type, name and size, and writes JSON.
//! The net by value runs once over all written bytes; only where it sees something suspicious is
//! the record written again, value by value. Nothing but this module makes an [`Encoded`].

pub(crate) mod json;
mod cut;
mod data;
mod names;
#[cfg(feature = "tracing")]
mod nets;
mod object;
mod pseudonymised;
mod record;
mod redactions;
mod scratch;
mod value;
mod list;

#[cfg(feature = "tracing")]
pub(crate) use cut::shorten;
#[cfg(feature = "tracing")]
pub(crate) use nets::{Left, Nets};
pub(crate) use object::Object;
pub(crate) use record::{NO_FIELDS, encode, own_target, policy_id};
pub(crate) use scratch::Scratch;
#[cfg(feature = "http")]
pub(crate) use value::shown;
pub(crate) use value::write_text;
