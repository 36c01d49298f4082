//! W3C Trace Context, level 2, baggage, request ids, addresses of clients and refusals of telemetry: bytes
//! that other programs sent to values, and back.
//!
//! Readers take each header line as bytes, in the order in which they arrived, so that they serve
//! HTTP, message brokers and frames alike. They never fail: what is not valid is as if it had not
//! been sent, as the specification demands.
//!
//! ```
//! use compliance_log::wire::{TraceParent, request_id, tracestate};
//!
//! let line: &[u8] = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
//! let parent = TraceParent::from_lines([line]).unwrap();
//! assert_eq!(parent.trace_id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
//! assert_eq!(parent.to_string().as_bytes(), line);
//!
//! // Two lines contradict each other, even if they are the same: a new trace is begun.
//! assert_eq!(TraceParent::from_lines([line, line]), None);
//!
//! assert_eq!(tracestate([&b"a=1, b=2"[..], b"c=3"]).as_deref(), Some("a=1,b=2,c=3"));
//! assert_eq!(request_id([&b"0192f0c1-7c3e"[..]]), Some("0192f0c1-7c3e"));
//! ```
//!
//! # What it does not do
//!
//! It does not say whom to believe: whether a trace is continued or an id taken over depends on who
//! sent it. B3 is not read.

mod baggage;
mod forwarded;
mod opt_out;
mod request_id;
mod traceparent;
mod tracestate;

pub use baggage::baggage;
#[cfg(feature = "http")]
pub(crate) use baggage::{members as baggage_members, replace as replace_baggage};
pub use forwarded::{forwarded, x_forwarded_for};
pub use opt_out::refuses_telemetry;
pub use request_id::request_id;
pub use traceparent::TraceParent;
pub use tracestate::tracestate;

/// The only one of `lines`, if there is exactly one.
fn only<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let mut lines = lines.into_iter();
    let line = lines.next()?;
    lines.next().is_none().then_some(line)
}

/// Without the optional white space that may surround a header's value: spaces and tabs.
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
