//! Derives of `compliance-log`; use them through that crate, where they are documented.
//!
//! Attributes become typed options (`attr`), these become a checked event or field type (`valid`, into
//! the types of `model`), and that becomes code (`expand`). A mistake never hides another: all are collected,
//! each on its own token, and `fallback` keeps the compiler from adding its own on top.

mod errors;
mod model;
mod fold;
mod name;
mod prohibited;
mod reserved;
mod rows;
mod known;
mod attr;
mod serde;
mod template;
mod valid;
mod fallback;
mod expand;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

#[expect(missing_docs, reason = "documented where compliance-log re-exports it")]
#[proc_macro_derive(AuditEvent, attributes(audit))]
pub fn derive_audit_event(input: TokenStream) -> TokenStream {
    expand::derive(&parse_macro_input!(input as DeriveInput)).into()
}

#[expect(missing_docs, reason = "documented where compliance-log re-exports it")]
#[proc_macro_derive(AuditField, attributes(audit))]
pub fn derive_audit_field(input: TokenStream) -> TokenStream {
    expand::derive_field(&parse_macro_input!(input as DeriveInput)).into()
}

#[expect(missing_docs, reason = "documented where compliance-log re-exports it")]
#[proc_macro_attribute]
pub fn audit_event(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(&options.into(), &item.into()).into()
}
