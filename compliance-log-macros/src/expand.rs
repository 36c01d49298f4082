//! Code from a checked event. It names nothing but `::core` and `::compliance_log`.

use crate::{
    fallback,
    model::{Event, Field, Piece, Place, Word as _},
    valid,
};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use std::fmt::Debug;
use syn::{DeriveInput, Ident, Type};

/// `#[derive(AuditEvent)]`
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    match valid::event(input) {
        Ok(event) => implementations(&event),
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

fn implementations(event: &Event<'_>) -> TokenStream {
    let ident = event.ident;
    let name = &event.name;
    let version = event.version;
    let category = variant(event.category);
    let outcome = variant(event.outcome);
    let scope = variant(event.scope);
    let metas = event.fields.iter().map(field_meta);
    let count = event.fields.len();
    let visit = visit(event);
    let target = target(event);
    let doc = format!(
        "Event `{name}`, version {version}, category `{}`.",
        event.category.word()
    );
    quote! {
        const _: () = {
            static FIELDS: [::compliance_log::__private::FieldMeta; #count] = [#(#metas),*];

            static META: ::compliance_log::__private::EventMeta =
                ::compliance_log::__private::EventMeta {
                    name: #name,
                    version: #version,
                    category: ::compliance_log::__private::Category::#category,
                    outcome: ::compliance_log::__private::Outcome::#outcome,
                    fields: &FIELDS,
                };

            #[automatically_derived]
            impl ::compliance_log::__private::Fields for #ident {
                #visit
                #target
            }

            #[doc = #doc]
            #[automatically_derived]
            impl ::compliance_log::__private::AuditEvent for #ident {
                type Scope = ::compliance_log::__private::#scope;
                const META: &'static ::compliance_log::__private::EventMeta = &META;
            }

            ::compliance_log::__private::inventory::submit! {
                ::compliance_log::__private::Registered(&META)
            }

            #[doc = #doc]
            #[automatically_derived]
            impl #ident {
                /// Queues the event and never waits; a loss is counted and chained.
                ///
                /// # Errors
                ///
                /// Where the event could not be queued.
                pub fn emit(&self) -> ::core::result::Result<(), ::compliance_log::CommitError> {
                    ::compliance_log::__private::emit(self)
                }

                /// Queues the event; the answer resolves once it is durable.
                ///
                /// Dropping the answer does not take the event back.
                pub fn commit(&self) -> ::compliance_log::Commit {
                    ::compliance_log::__private::commit(self)
                }
            }
        };
    }
}

fn field_meta(field: &Field<'_>) -> TokenStream {
    let name = &field.key;
    let ty = field.ty;
    let class = if let Some(class) = field.class {
        let class = variant(class);
        quote!(::compliance_log::__private::Class::#class)
    } else {
        quote!(<#ty as ::compliance_log::__private::Classified>::CLASS)
    };
    let action = variant(field.action);
    let root = field.place == Place::Root;
    quote! {
        ::compliance_log::__private::FieldMeta {
            name: #name,
            class: #class,
            action: ::compliance_log::__private::Action::#action,
            root: #root,
            kind: <#ty as ::compliance_log::__private::AuditField>::KIND,
            presence: <#ty as ::compliance_log::__private::AuditField>::PRESENCE,
        }
    }
}

fn visit(event: &Event<'_>) -> TokenStream {
    let out = if event.fields.is_empty() {
        quote!(_)
    } else {
        quote!(out)
    };
    let fields = event.fields.iter().enumerate().map(|(index, field)| {
        let raw = raw(field.ident, field.ty);
        quote! {
            if let ::core::option::Option::Some(raw) = #raw {
                out.field(&FIELDS[#index], raw);
            }
        }
    });
    quote! {
        fn visit(&self, #out: &mut dyn ::compliance_log::__private::Visit) {
            #(#fields)*
        }
    }
}

/// Names the type as the user wrote it, so that a type which cannot be logged is reported there.
fn raw(ident: &Ident, ty: &Type) -> TokenStream {
    quote!(<#ty as ::compliance_log::__private::AuditField>::raw(&self.#ident))
}

/// Nothing where the event has no target: the trait's own answer is right then.
fn target(event: &Event<'_>) -> TokenStream {
    if event.target.is_empty() {
        return TokenStream::new();
    }
    let pieces = event.target.iter().map(|piece| match piece {
        Piece::Text(text) => quote!(out.write_str(#text)?;),
        Piece::Field((ident, ty)) => {
            let raw = raw(ident, ty);
            quote! {
                match #raw {
                    ::core::option::Option::Some(raw) => {
                        ::compliance_log::__private::write_raw(out, raw)?;
                    }
                    ::core::option::Option::None => out.write_str("none")?,
                }
            }
        }
    });
    quote! {
        fn target(
            &self,
            out: &mut dyn ::compliance_log::__private::fmt::Write,
        ) -> ::compliance_log::__private::fmt::Result {
            #(#pieces)*
            ::core::result::Result::Ok(())
        }
    }
}

fn variant(of: impl Debug) -> Ident {
    Ident::new(&format!("{of:?}"), Span::call_site())
}
