use super::{
    event::Member,
    is_word,
    types::{self, Said},
};
use crate::{
    attr::{EventAttr, FieldAttr, Skip},
    errors::Errors,
    model::{Action, Class, Field, Place, Word as _},
    prohibited::{self, Remedy, Rule},
    rows::{Row, row},
};
use quote::ToTokens;
use std::collections::BTreeMap;
use syn::ext::IdentExt as _;

pub(super) fn fields<'a>(
    members: &[Member<'a>],
    event: &EventAttr,
    errors: &mut Errors,
) -> Vec<Field<'a>> {
    let mut keys = BTreeMap::new();
    let mut fields = Vec::new();
    for member in members {
        if member.attr.skip == Skip::Yes {
            skipped(&member.attr, errors);
            continue;
        }
        let key = key(member, event, errors);
        if let Some(first) = keys.get(&key) {
            at_key(
                member,
                format!(
                    "`{key}` is already the key of the field `{first}`; choose another with \
                     `#[audit(rename = \"...\")]`"
                ),
                errors,
            );
        }
        let (class, action) = class_and_action(&member.attr, errors);
        prohibited(member, action, errors);
        let attr = &member.attr;
        types::check(
            &member.field.ty,
            &Said {
                class: attr.class.as_ref(),
                action,
                max_len: attr.max_len.as_ref(),
            },
            errors,
        );
        let place = match row(&key) {
            Some(_) => Place::Root,
            None => Place::Data,
        };
        keys.entry(key.clone()).or_insert(member.ident);
        fields.push(Field {
            ident: member.ident,
            ty: &member.field.ty,
            key,
            class,
            action,
            place,
            bytes_max: member.attr.max_len.as_ref().map(|given| given.value),
        });
    }
    fields
}

/// A field left out of the event can say nothing more about itself.
fn skipped(attr: &FieldAttr, errors: &mut Errors) {
    let message = "`skip` leaves the field out of the event; remove this, or remove `skip`";
    let class = attr.class.as_ref().map(|class| &class.at);
    let action = attr.action.as_ref().map(|action| &action.at);
    let max_len = attr.max_len.as_ref().map(|max_len| &max_len.at);
    for meta in class.into_iter().chain(action).chain(max_len) {
        errors.at(meta, message);
    }
    if let Some(rename) = &attr.rename {
        errors.at(rename, message);
    }
}

fn key(member: &Member<'_>, event: &EventAttr, errors: &mut Errors) -> String {
    let key = match &member.attr.rename {
        Some(rename) => rename.value(),
        None => member.ident.unraw().to_string(),
    };
    if !is_word(&key) {
        at_key(
            member,
            format!(
                "`{key}` cannot be a key of a record: keys are lower-case letters, digits and `_`, \
                 beginning with a letter; write for example `#[audit(rename = \"seat_count\")]`"
            ),
            errors,
        );
    }
    if let Some(Row::SetBy(who)) = row(&key) {
        at_key(
            member,
            format!(
                "`{key}` is set by {who}; remove this field, or give it another key with \
                 `#[audit(rename = \"...\")]` if it means something else"
            ),
            errors,
        );
    }
    if key == "target_resource" && event.seen.contains("target") {
        at_key(
            member,
            "`target_resource` is already set by `target = \"...\"` on the struct; remove one"
                .to_owned(),
            errors,
        );
    }
    key
}

/// A field may not be called by a prohibited name, in Rust or in the record, unless nothing that the
/// name stands for is written.
fn prohibited(member: &Member<'_>, action: Action, errors: &mut Errors) {
    let ident = member.ident.unraw().to_string();
    if let Some(rule) = prohibited::rule(&ident) {
        refuse(member.ident, &ident, rule, action, errors);
    }
    if let Some(literal) = &member.attr.rename
        && let Some(rule) = prohibited::rule(&literal.value())
    {
        refuse(literal, &literal.value(), rule, action, errors);
    }
}

fn refuse(tokens: impl ToTokens, name: &str, rule: &Rule, action: Action, errors: &mut Errors) {
    let instead = match (rule.remedy, action) {
        (_, Action::Drop) | (Remedy::Mask, Action::MaskPan) => return,
        (Remedy::Mask, _) => {
            "write `#[audit(mask = \"pan\")]` for the last four digits, or `#[audit(drop)]`"
        }
        (Remedy::Drop, _) => {
            "remove the field, or write `#[audit(drop)]`, which keeps it in the schema and never \
             writes it"
        }
    };
    errors.at(
        tokens,
        format!(
            "`{name}` is the name of something that may not be logged (rule `{}`); {instead}; if \
             it is something else, give it another name",
            rule.id
        ),
    );
}

/// On the token that decides the key.
fn at_key(member: &Member<'_>, message: String, errors: &mut Errors) {
    match &member.attr.rename {
        Some(rename) => errors.at(rename, message),
        None => errors.at(member.ident, message),
    }
}

fn class_and_action(attr: &FieldAttr, errors: &mut Errors) -> (Option<Class>, Action) {
    let action = attr.action.as_ref().map_or(Action::Keep, |a| a.value);
    // These two actions are made for one class, and imply it.
    let implied = match action {
        Action::Pseudonym => Some(Class::Personal),
        Action::MaskPan => Some(Class::Cardholder),
        Action::Keep | Action::Drop => None,
    };
    let Some(given) = &attr.class else {
        // What is never written may be of any type.
        let never_written = (action == Action::Drop).then_some(Class::Internal);
        return (implied.or(never_written), action);
    };
    if given.value == Class::Secret {
        errors.at(
            &given.at,
            "secrets have no way to be logged; remove the field, or write `#[audit(skip)]` to \
             keep it out of the event",
        );
    } else if given.value == Class::Cardholder && action == Action::Pseudonym {
        errors.at(
            &given.at,
            "a card number is never pseudonymised; write `mask = \"pan\"` for its last four digits, \
             or `drop`",
        );
    } else if let Some(implied) = implied
        && implied != given.value
    {
        errors.at(
            &given.at,
            format!(
                "`{}` makes the field `{}`; remove `{}`",
                action.word(),
                implied.word(),
                given.value.word(),
            ),
        );
    }
    if given.value == Class::Cardholder && action == Action::Keep {
        errors.at(
            &given.at,
            "a card number is never written whole; write `mask = \"pan\"` for its last four \
             digits, or `drop`",
        );
    }
    (Some(given.value), action)
}
