//! Code from what was checked. It names nothing but `::core` and `::compliance_log`.

mod event;
mod field_type;

use crate::{fallback, valid};
use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use std::fmt::Debug;
use syn::{DeriveInput, Ident, Type};

/// `#[derive(AuditEvent)]`
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    match valid::event(input) {
        Ok(event) => event::expand(&event),
        Err(error) => fallback::expand(input, &error),
    }
}

/// `#[audit_event(...)]`: the derive with its options, on the item as it stands.
pub(crate) fn attribute(options: &TokenStream, item: &TokenStream) -> TokenStream {
    // The compiler would complain about the derive, which the user did not write.
    if syn::parse2::<DeriveInput>(item.clone()).is_err() {
        let error = syn::Error::new(
            Span::call_site(),
            "an event is a struct; put `#[audit_event(...)]` on one",
        )
        .to_compile_error();
        return quote!(#error #item);
    }
    quote! {
        #[derive(::compliance_log::AuditEvent)]
        #[audit(#options)]
        #item
    }
}

/// `#[derive(AuditField)]`
pub(crate) fn derive_field(input: &DeriveInput) -> TokenStream {
    match valid::field_type(input) {
        Ok(made) => field_type::expand(input, &made),
        Err(error) => fallback::expand_field(input, &error),
    }
}

fn variant(of: impl Debug) -> Ident {
    Ident::new(&format!("{of:?}"), Span::call_site())
}

/// A `FieldMeta` of a value of type `ty`. The call stands where the type does, from its first token to
/// its last, since the compiler points at the call where the value is refused.
fn field_meta_of(ty: &Type, arguments: &TokenStream) -> TokenStream {
    let mut tokens = ty.to_token_stream().into_iter();
    let first = tokens
        .next()
        .map_or_else(Span::call_site, |token| token.span());
    let last = tokens.last().map_or(first, |token| token.span());
    let arguments = quote! {
        <#ty as ::compliance_log::__private::AuditField>::META, #arguments
    };
    let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
    arguments.set_span(last);
    quote_spanned!(first=> ::compliance_log::__private::FieldMeta::of #arguments)
}

fn option(number: Option<u32>) -> TokenStream {
    if let Some(number) = number {
        quote!(::core::option::Option::Some(#number))
    } else {
        quote!(::core::option::Option::None)
    }
}
