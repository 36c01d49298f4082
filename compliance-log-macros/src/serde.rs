//! Attributes of serde on a field, which change nothing here and so would deceive.

use crate::{
    attr::{self, FieldAttr, Skip},
    errors::Errors,
};
use syn::{Attribute, Meta};

/// Whoever says the same to `audit` has seen that the two are apart.
pub(crate) fn check(attrs: &[Attribute], audit: &FieldAttr, errors: &mut Errors) {
    if audit.skip == Skip::Yes {
        return;
    }
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        let Meta::List(list) = &attr.meta else {
            continue;
        };
        for option in attr::split(list.tokens.clone()) {
            let word = option
                .clone()
                .into_iter()
                .next()
                .map(|word| word.to_string());
            let instead = match word.as_deref() {
                Some("flatten") => {
                    "name each of its fields that matters as a field of the event, or leave it \
                     out with `#[audit(skip)]`"
                }
                Some("rename") if audit.rename.is_none() => {
                    "write the key of the record as `#[audit(rename = \"...\")]`"
                }
                Some("skip" | "skip_serializing") => {
                    "leave the field out with `#[audit(skip)]`, or write `#[audit(drop)]` to keep \
                     it in the schema"
                }
                Some("with" | "serialize_with") => {
                    "give the field a type with an `AuditField` of its own, or an action such as \
                     `#[audit(mask = \"pan\")]`"
                }
                _ => continue,
            };
            errors.at(
                &option,
                format!(
                    "an event does not go through serde, so `{}` has no effect on it; {instead}",
                    word.unwrap_or_default()
                ),
            );
        }
    }
}
