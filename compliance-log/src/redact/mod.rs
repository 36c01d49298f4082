//! Redaction: what may not be written, and what is written in its place.
//!
//! A [`Policy`] is data, a TOML document of two kinds of rules. A *name* rule lists field names whose
//! value is dropped or masked whatever it is; a *value* rule finds secrets inside text. Built in is
//! `builtin.toml`; `phone.toml`, `national-id.toml` and `passport.toml` lie beside it. Any policy can
//! include them.
//!
//! `encode` asks in this order:
//!
//! 1. [`Policy::name`] for each field name (and remembers the answer). A hit says `drop`: the field is
//!    left out; or `mask`: the value becomes what [`mask_card`] writes, and if that finds no card
//!    number in it the field is left out too; or `pseudonym`, of a value that has no card number in it.
//! 2. [`Policy::suspicious`] once over all encoded string values of [`LITERAL_BYTES_MIN`] or more, and
//!    [`Policy::suspicious_value`] for each. Both only say where to look closer.
//! 3. [`Policy::redact`] on each decoded string, if either said so.
//!
//! Each of the last two looks at the text as it is and with each layer of wrapping taken off (`view`,
//! `fold`), and at what runs of Base64 in it hold (`base64`). What was unwrapped is never written.
//!
//! Found text becomes `[redacted:<rule>]` or a pseudonym, a card number `****` and its last four digits; a card number
//! that was wrapped is dropped. Redacting twice changes nothing and finds nothing. Time is linear in the
//! text.

mod assignment;
mod base64;
mod buffer;
mod check;
mod document;
mod element;
mod file;
mod fold;
pub(crate) mod kind;
mod name;
mod national;
mod number;
mod option;
mod part;
mod placeholder;
mod policy;
mod prefilter;
mod prose;
mod rule;
mod tail;
mod text;
mod token;
mod trial;
mod value;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use number::{holds_card, mask_card};
pub use policy::Policy;
pub(crate) use prefilter::LITERAL_BYTES_MIN;
pub(crate) use rule::{Effect, Hit};
pub use text::{Finding, Redacted};
pub use trial::{RuleCost, RuleTrial};
