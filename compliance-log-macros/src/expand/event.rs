use super::{field_meta_of, option, variant};
use crate::model::{Action, Event, Field, Piece, Place, Shown, Word as _};
use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{quote, quote_spanned};
use std::fmt::Write as _;
use syn::{Ident, Type, spanned::Spanned as _};

/// As little code as will do, since a service has hundreds of events: what is the same for all of
/// them stands in compliance-log, and is called with the type of each field.
pub(super) fn expand(event: &Event<'_>) -> TokenStream {
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
    let shown = event.target.iter().filter_map(shown);
    let schema = schema(event);
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

            #(#shown)*

            #[automatically_derived]
            impl ::compliance_log::__private::Fields for #ident {
                #visit
                #target
            }

            #[automatically_derived]
            impl ::compliance_log::__private::AuditEvent for #ident {
                type Scope = ::compliance_log::__private::#scope;
                const META: &'static ::compliance_log::__private::EventMeta = &META;
            }

            ::compliance_log::__private::inventory::submit! {
                ::compliance_log::__private::Registered(&META)
            }

            #[doc = #schema]
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

/// What a reader of the documentation wants to know of the event.
fn schema(event: &Event<'_>) -> String {
    let mut doc = format!(
        "Event `{}`, version {}, category `{}`.\n",
        event.name,
        event.version,
        event.category.word()
    );
    if !event.fields.is_empty() {
        doc.push_str("\n| field | class | action |\n|---|---|---|\n");
    }
    for field in &event.fields {
        let class = field.class.map_or("that of its type", |class| class.word());
        let place = match field.place {
            Place::Root => "",
            Place::Data => "data.",
        };
        let action = match (field.action, field.bytes_max) {
            (Action::Keep, Some(bytes)) => format!("keep, cut beyond {bytes} bytes"),
            (action, _) => action.word().to_owned(),
        };
        // Writing to a string cannot fail.
        writeln!(doc, "| `{place}{}` | {class} | {action} |", field.key).unwrap_or(());
    }
    doc
}

/// Asks on the token of the type, so that a type which cannot be logged is reported there.
fn field_meta(field: &Field<'_>) -> TokenStream {
    let name = &field.key;
    let ty = field.ty;
    let class = if field.action == Action::Pseudonym {
        let of_type = quote!(::compliance_log::__private::ClassOf::<#ty>::CLASS);
        let mut of_type = Group::new(Delimiter::Parenthesis, of_type);
        of_type.set_span(ty.span());
        // Only the call has the span of the type: the import may not be needed, which is not the
        // service's affair.
        let class = quote_spanned! {ty.span()=>
            ::compliance_log::__private::pseudonymised #of_type
        };
        quote! {{
            use ::compliance_log::__private::Unclassified as _;
            #class
        }}
    } else if let Some(class) = field.class {
        let class = variant(class);
        quote!(::compliance_log::__private::Class::#class)
    } else {
        quote!(<#ty as ::compliance_log::__private::Classified>::CLASS)
    };
    let action = variant(field.action);
    let root = field.place == Place::Root;
    let bytes_max = option(field.bytes_max);
    let arguments = quote! {
        #name,
        #class,
        ::compliance_log::__private::Action::#action,
        #root,
        #bytes_max,
    };
    field_meta_of(ty, &arguments)
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
            ::compliance_log::__private::give(out, &FIELDS[#index], #raw);
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
        Piece::Field(field) => {
            let raw = raw(field.ident, field.ty);
            quote!(::compliance_log::__private::show(out, #raw)?;)
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

/// Where only the type knows how sensitive a value is, it is asked whether a target may show it.
fn shown(piece: &Piece<Shown<'_>>) -> Option<TokenStream> {
    let Piece::Field(field) = piece else {
        return None;
    };
    let ty = field.ty;
    let span = field.class_of_type?;
    Some(quote_spanned! {span=>
        const _: () = ::compliance_log::__private::assert_shown(
            <#ty as ::compliance_log::__private::Classified>::CLASS,
        );
    })
}
