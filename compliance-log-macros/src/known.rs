//! What can be told of a type by its name. An alias hides it; for that there are the bounds and
//! assertions in the generated code.

use syn::{GenericArgument, PathArguments, PathSegment, Type, TypePath};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// May hold anything that somebody typed.
    Text,
    /// Holds what proves an identity.
    Secret,
    /// Its keys are not known when the program is built.
    Map,
    /// The same, for a JSON value.
    Json,
    Bytes,
    /// A number, an address, an instant.
    NoText,
    Nothing,
}

/// Sees through references, pointers, options and lists.
pub(crate) fn known(ty: &Type) -> Known {
    match ty {
        Type::Group(group) => known(&group.elem),
        Type::Paren(paren) => known(&paren.elem),
        Type::Reference(reference) => known(&reference.elem),
        Type::Slice(slice) => list(&slice.elem),
        Type::Array(array) => list(&array.elem),
        Type::Path(path) if path.qself.is_none() => named(path),
        _ => Known::Nothing,
    }
}

fn named(path: &TypePath) -> Known {
    let Some(last) = path.path.segments.last() else {
        return Known::Nothing;
    };
    let bare = path.path.segments.len() == 1;
    match last.ident.to_string().as_str() {
        "String" | "str" => Known::Text,
        "SecretString" | "Secret" | "SecretBox" | "SecretVec" | "SecretSlice" | "Zeroizing" => {
            Known::Secret
        }
        "HashMap" | "BTreeMap" | "IndexMap" => Known::Map,
        // A type of the service's own can be named by its path.
        "Value" if bare || path.path.segments[0].ident == "serde_json" => Known::Json,
        "Bytes" | "BytesMut" => Known::Bytes,
        "Option" | "Box" | "Arc" | "Cow" => argument(last).map_or(Known::Nothing, known),
        "Vec" | "BTreeSet" => argument(last).map_or(Known::Nothing, list),
        "bool" | "char" | "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16"
        | "i32" | "i64" | "i128" | "isize" | "f32" | "f64" | "IpAddr" | "Ipv4Addr" | "Ipv6Addr"
        | "SocketAddr" | "Duration" | "SystemTime" => Known::NoText,
        _ => Known::Nothing,
    }
}

fn list(element: &Type) -> Known {
    match element {
        Type::Path(path) if path.path.is_ident("u8") => Known::Bytes,
        element => known(element),
    }
}

/// The last type between the angle brackets.
fn argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments
        .args
        .iter()
        .rev()
        .find_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_their_last_word() {
        let check = |ty: Type, expected| {
            let text = quote::quote!(#ty).to_string();
            assert_eq!(known(&ty), expected, "{text}");
        };
        check(syn::parse_quote!(std::string::String), Known::Text);
        check(syn::parse_quote!(Option<Cow<'static, str>>), Known::Text);
        check(syn::parse_quote!(&'static [Box<str>]), Known::Text);
        check(syn::parse_quote!(secrecy::SecretBox<str>), Known::Secret);
        check(syn::parse_quote!(Arc<HashMap<String, u8>>), Known::Map);
        check(syn::parse_quote!(Value), Known::Json);
        check(syn::parse_quote!(self::Value), Known::Nothing);
        check(syn::parse_quote!(Option<Vec<u8>>), Known::Bytes);
        check(syn::parse_quote!([u8; 32]), Known::Bytes);
        check(syn::parse_quote!(Vec<u16>), Known::NoText);
        check(syn::parse_quote!(BookingId), Known::Nothing);
        check(syn::parse_quote!((String, u8)), Known::Nothing);
    }
}
