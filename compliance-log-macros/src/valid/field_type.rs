use super::{
    is_word,
    types::{self, Said},
};
use crate::{
    attr::{self, TypeAttr},
    errors::Errors,
    model::{Action, Class, FieldType},
};
use std::collections::BTreeMap;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Fields, Ident, Member, ext::IdentExt as _};

/// The type of a field that `input` describes.
///
/// # Errors
///
/// All that is wrong with it, as one error.
pub(crate) fn field_type(input: &DeriveInput) -> syn::Result<FieldType<'_>> {
    let mut errors = Errors::default();
    let attr = attr::of_type(&input.attrs, &mut errors);
    if let Some(class) = &attr.class
        && class.value == Class::Secret
    {
        errors.at(
            &class.at,
            "secrets have no way to be logged; remove the derive, so that no event can have a \
             field of this type",
        );
    }
    let made = match &input.data {
        Data::Struct(data) => newtype(&input.ident, data, &attr, &mut errors),
        Data::Enum(data) => Some(words(data, &attr, &mut errors)),
        Data::Union(data) => {
            errors.at(
                data.union_token,
                "a union has no value that can be named; write a struct with one field instead",
            );
            None
        }
    };
    let made = made.unwrap_or(FieldType::Words {
        words: Vec::new(),
        class: Class::Internal,
    });
    errors.or(made)
}

fn newtype<'a>(
    ident: &Ident,
    data: &'a DataStruct,
    attr: &TypeAttr,
    errors: &mut Errors,
) -> Option<FieldType<'a>> {
    let mut fields = data.fields.iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        let message = "a field of an event is one value, so its type has one field; make each value \
                       a field of the event instead";
        match &data.fields {
            Fields::Unit => errors.at(ident, message),
            fields => errors.at(fields, message),
        }
        return None;
    };
    if attr.class.is_none() {
        errors.at(
            ident,
            "how sensitive are the values of this type? write `#[audit(public)]`, `internal`, \
             `personal` or `cardholder` on it",
        );
    } else {
        let said = Said {
            class: attr.class.as_ref(),
            action: Action::Keep,
            max_len: attr.max_len.as_ref(),
        };
        types::check(&field.ty, &said, errors);
    }
    Some(FieldType::Newtype {
        member: field
            .ident
            .clone()
            .map_or(Member::Unnamed(0.into()), Member::Named),
        ty: &field.ty,
        class: attr
            .class
            .as_ref()
            .map_or(Class::Internal, |class| class.value),
        bytes_max: attr.max_len.as_ref().map(|max_len| max_len.value),
    })
}

fn words<'a>(data: &'a DataEnum, attr: &TypeAttr, errors: &mut Errors) -> FieldType<'a> {
    if let Some(max_len) = &attr.max_len {
        errors.at(
            &max_len.at,
            "the words of an enum are as long as they are; remove `max_len`",
        );
    }
    if data.variants.is_empty() {
        errors.at(
            data.enum_token,
            "an enum without variants has no value; remove the derive",
        );
    }
    let mut seen = BTreeMap::new();
    let mut words = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            errors.at(
                &variant.fields,
                "a variant is written as one word, so it has no fields; make each value a field of \
                 the event instead",
            );
        }
        let rename = attr::of_variant(&variant.attrs, errors);
        let word = rename.as_ref().map_or_else(
            || snake_case(&variant.ident.unraw().to_string()),
            syn::LitStr::value,
        );
        let mut wrong = |message: String| match &rename {
            Some(rename) => errors.at(rename, message),
            None => errors.at(&variant.ident, message),
        };
        if !is_word(&word) {
            wrong(format!(
                "`{word}` is no word: it has lower-case letters, digits and `_`, beginning with a \
                 letter; write for example `#[audit(rename = \"paid_in_part\")]`"
            ));
        }
        if let Some(first) = seen.insert(word.clone(), &variant.ident) {
            wrong(format!(
                "`{word}` is already the word of `{first}`; choose another with \
                 `#[audit(rename = \"...\")]`"
            ));
        }
        words.push((&variant.ident, word));
    }
    FieldType::Words {
        words,
        class: attr
            .class
            .as_ref()
            .map_or(Class::Internal, |class| class.value),
    }
}

/// `PaidInPart` as `paid_in_part`, `HTTPError` as `http_error`.
fn snake_case(name: &str) -> String {
    let mut word = String::new();
    let mut before = '_';
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let begins = c.is_uppercase()
            && (!before.is_uppercase() || chars.peek().is_some_and(|next| next.is_lowercase()));
        if begins && before != '_' {
            word.push('_');
        }
        word.extend(c.to_lowercase());
        before = c;
    }
    word
}
