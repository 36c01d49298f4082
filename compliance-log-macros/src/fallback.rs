use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

/// The errors, and implementations that do nothing, so that code which uses the type does not
/// fail a second time for the same reason.
pub(crate) fn expand(input: &DeriveInput, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let bounds = if input.generics.params.is_empty() {
        quote!(#where_clause)
    } else {
        let given = where_clause.map(|clause| &clause.predicates);
        let given = given.filter(|predicates| !predicates.is_empty());
        let comma = given
            .filter(|predicates| !predicates.trailing_punct())
            .map(|_| quote!(,));
        quote!(where #given #comma Self: ::core::marker::Send + 'static)
    };
    quote! {
        #errors

        #[automatically_derived]
        impl #impl_generics ::compliance_log::__private::Fields for #ident #ty_generics
        #where_clause
        {
            fn visit(&self, _: &mut dyn ::compliance_log::__private::Visit) {}
        }

        #[automatically_derived]
        #[allow(redundant_lifetimes)]
        impl #impl_generics ::compliance_log::__private::AuditEvent for #ident #ty_generics
        #bounds
        {
            type Scope = ::compliance_log::__private::PreAuth;
            const META: &'static ::compliance_log::__private::EventMeta =
                &::compliance_log::__private::EventMeta {
                    name: "",
                    version: 1,
                    category: ::compliance_log::__private::Category::Audit,
                    outcome: ::compliance_log::__private::Outcome::Success,
                    fields: &[],
                };
        }

        #[automatically_derived]
        impl #impl_generics #ident #ty_generics #where_clause {
            pub fn emit(&self) -> ::core::result::Result<(), ::compliance_log::CommitError> {
                ::core::unreachable!()
            }

            pub fn commit(&self) -> ::compliance_log::Commit {
                ::core::unreachable!()
            }
        }
    }
}

/// The same for a type of which fields are made.
pub(crate) fn expand_field(input: &DeriveInput, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    quote! {
        #errors

        #[automatically_derived]
        impl #impl_generics ::compliance_log::__private::AuditField for #ident #ty_generics
        #where_clause
        {
            const KIND: ::compliance_log::__private::Kind = ::compliance_log::__private::Kind::Any;

            fn raw(&self) -> ::core::option::Option<::compliance_log::__private::Raw<'_>> {
                ::core::option::Option::None
            }
        }

        #[automatically_derived]
        impl #impl_generics ::compliance_log::__private::Classified for #ident #ty_generics
        #where_clause
        {
            const CLASS: ::compliance_log::__private::Class =
                ::compliance_log::__private::Class::Internal;
        }

        #[automatically_derived]
        impl #impl_generics ::compliance_log::__private::Element for #ident #ty_generics
        #where_clause
        {
        }
    }
}
