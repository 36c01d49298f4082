use super::{field_meta_of, option, variant};
use crate::model::{Action, Class, FieldType};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Ident, Type, WherePredicate, parse_quote};

pub(super) fn expand(input: &DeriveInput, made: &FieldType<'_>) -> TokenStream {
    match made {
        FieldType::Newtype {
            member,
            ty,
            class,
            bytes_max,
        } => {
            let bytes_max = bytes_max_of(ty, *class, *bytes_max);
            let body = quote! {
                const KIND: ::compliance_log::__private::Kind =
                    <#ty as ::compliance_log::__private::AuditField>::KIND;
                const PRESENCE: ::compliance_log::__private::Presence =
                    <#ty as ::compliance_log::__private::AuditField>::PRESENCE;
                const BYTES_MAX: ::core::option::Option<u32> = #bytes_max;

                fn raw(&self) -> ::core::option::Option<::compliance_log::__private::Raw<'_>> {
                    <#ty as ::compliance_log::__private::AuditField>::raw(&self.#member)
                }
            };
            // Bound to a lifetime that does not occur, it may turn out not to hold.
            let element = parse_quote! {
                for<'element> #ty: ::compliance_log::__private::Element
            };
            let made = implementations(input, &variant(class), &body, Some(element));
            let ident = &input.ident;
            // A constant that nobody uses is not looked at, and one with parameters only where it is
            // used: as a field.
            let looked_at = input.generics.params.is_empty().then(|| {
                quote! {
                    const _: ::core::option::Option<u32> =
                        <#ident as ::compliance_log::__private::AuditField>::BYTES_MAX;
                }
            });
            quote!(#made #looked_at)
        }
        FieldType::Words { words, class } => {
            let idents = words.iter().map(|(ident, _)| ident);
            let words = words.iter().map(|(_, word)| word);
            let body = quote! {
                const KIND: ::compliance_log::__private::Kind =
                    ::compliance_log::__private::Kind::Id;

                fn raw(&self) -> ::core::option::Option<::compliance_log::__private::Raw<'_>> {
                    ::core::option::Option::Some(::compliance_log::__private::Raw::Id(match self {
                        #(Self::#idents => &#words),*
                    }))
                }
            };
            implementations(input, &variant(class), &body, None)
        }
    }
}

/// Checked as a field of this type would be.
fn bytes_max_of(ty: &Type, class: Class, bytes_max: Option<u32>) -> TokenStream {
    let bytes_max = option(bytes_max);
    // Which action a card number takes, only the field says.
    let action = variant(match class {
        Class::Cardholder => Action::MaskPan,
        _ => Action::Keep,
    });
    let class = variant(class);
    let arguments = quote! {
        "",
        ::compliance_log::__private::Class::#class,
        ::compliance_log::__private::Action::#action,
        false,
        #bytes_max,
    };
    let meta = field_meta_of(ty, &arguments);
    quote!(#meta.bytes_max)
}

fn implementations(
    input: &DeriveInput,
    class: &Ident,
    body: &TokenStream,
    element_if: Option<WherePredicate>,
) -> TokenStream {
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let mut element = input.generics.clone();
    element.make_where_clause().predicates.extend(element_if);
    let element_where = &element.where_clause;
    quote! {
        #[automatically_derived]
        impl #impl_generics ::compliance_log::__private::AuditField for #ident #ty_generics
        #where_clause
        {
            #body
        }

        #[automatically_derived]
        impl #impl_generics ::compliance_log::__private::Classified for #ident #ty_generics
        #where_clause
        {
            const CLASS: ::compliance_log::__private::Class =
                ::compliance_log::__private::Class::#class;
        }

        #[automatically_derived]
        impl #impl_generics ::compliance_log::__private::Element for #ident #ty_generics
        #element_where
        {
        }
    }
}
