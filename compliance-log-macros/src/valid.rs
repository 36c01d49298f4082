//! The rules, and what to write instead.

use crate::{
    attr::{self, EventAttr, FieldAttr, Skip},
    errors::Errors,
    model::{Action, Category, Class, Event, Field, Outcome, Piece, Place, Word as _},
    rows::{Row, row},
    template,
};
use std::collections::BTreeMap;
use syn::{Data, DeriveInput, Fields, Ident, LitStr, Type, ext::IdentExt as _};

/// First words of names that only compliance-log writes.
const RESERVED: [&str; 14] = [
    "chain.",
    "segment.",
    "seal.",
    "stream.",
    "anchor.",
    "log.",
    "policy.",
    "key.",
    "clock.",
    "security.",
    "record.",
    "audit.",
    "volume.",
    "service.",
];

/// A field of the struct before its options were put together.
struct Member<'a> {
    field: &'a syn::Field,
    ident: &'a Ident,
    attr: FieldAttr,
}

/// The event that `input` describes.
///
/// # Errors
///
/// All that is wrong with it, as one error.
pub(crate) fn event(input: &DeriveInput) -> syn::Result<Event<'_>> {
    let mut errors = Errors::default();
    let attr = attr::event(&input.attrs, &mut errors);
    let members: Vec<Member<'_>> = shape(input, &mut errors)
        .map(|(field, ident)| Member {
            field,
            ident,
            attr: attr::field(&field.attrs, &mut errors),
        })
        .collect();
    let event = Event {
        ident: &input.ident,
        name: name(&attr, &input.ident, &mut errors),
        version: attr.version.unwrap_or(1),
        category: attr.category.unwrap_or(Category::Audit),
        outcome: attr.outcome.unwrap_or(Outcome::Success),
        scope: attr.scope,
        target: attr
            .target
            .as_ref()
            .map_or_else(Vec::new, |text| target(text, &members, &mut errors)),
        fields: fields(&members, &attr, &mut errors),
    };
    errors.or(event)
}

/// A struct with named fields, or with none, and without parameters.
fn shape<'a>(
    input: &'a DeriveInput,
    errors: &mut Errors,
) -> impl Iterator<Item = (&'a syn::Field, &'a Ident)> + use<'a> {
    if !input.generics.params.is_empty() {
        errors.at(
            &input.generics,
            "an event has no parameters, since its fields are part of its schema; \
             use owned, concrete types such as `String`",
        );
    }
    if let Some(clause) = &input.generics.where_clause {
        errors.at(clause, "an event has no `where` clause; remove it");
    }
    let fields = match &input.data {
        Data::Struct(data) => {
            if let Fields::Unnamed(fields) = &data.fields {
                errors.at(
                    fields,
                    "the fields of an event need names, which become keys of the record; \
                     write `struct Event { field: Type }`",
                );
            }
            Some(&data.fields)
        }
        Data::Enum(data) => {
            errors.at(
                data.enum_token,
                "an event is a struct; write one struct for each variant",
            );
            None
        }
        Data::Union(data) => {
            errors.at(
                data.union_token,
                "an event is a struct; write `struct` instead of `union`",
            );
            None
        }
    };
    fields
        .into_iter()
        .flatten()
        .filter_map(|field| Some((field, field.ident.as_ref()?)))
}

fn name(attr: &EventAttr, ident: &Ident, errors: &mut Errors) -> String {
    let Some(literal) = &attr.name else {
        if !attr.seen.contains("name") {
            let message = "an event needs a name; write for example `name = \"booking.created\"`";
            match &attr.at {
                Some(path) => errors.at(path, message),
                None => errors.at(
                    ident,
                    format!("{message} in `#[audit(...)]` or `#[audit_event(...)]`"),
                ),
            }
        }
        return String::new();
    };
    let name = literal.value();
    let words: Vec<&str> = name.split('.').collect();
    if words.len() < 2 || !words.iter().all(|word| is_word(word)) {
        errors.at(
            literal,
            "a name is two or more lower-case words with dots between them, each beginning with a \
             letter; write for example `name = \"booking.created\"`",
        );
    }
    if let Some(prefix) = RESERVED.iter().find(|prefix| name.starts_with(*prefix)) {
        errors.at(
            literal,
            format!(
                "names that begin with `{prefix}` are those of compliance-log itself; begin with a \
                 word of your own, for example `booking.created`"
            ),
        );
    }
    name
}

/// `[a-z][a-z0-9_]*`
fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn fields<'a>(members: &[Member<'a>], event: &EventAttr, errors: &mut Errors) -> Vec<Field<'a>> {
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
        });
    }
    fields
}

/// A field left out of the event can say nothing more about itself.
fn skipped(attr: &FieldAttr, errors: &mut Errors) {
    let message = "`skip` leaves the field out of the event; remove this, or remove `skip`";
    let class = attr.class.as_ref().map(|class| &class.at);
    let action = attr.action.as_ref().map(|action| &action.at);
    for meta in class.into_iter().chain(action) {
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
    (Some(given.value), action)
}

fn target<'a>(
    literal: &LitStr,
    members: &[Member<'a>],
    errors: &mut Errors,
) -> Vec<Piece<(&'a Ident, &'a Type)>> {
    let text = literal.value();
    if text.is_empty() {
        errors.at(
            literal,
            "an empty target says nothing; remove it, or write for example \
             `target = \"booking/{booking_id}\"`",
        );
    }
    let (pieces, wrong) = template::parse(&text);
    for message in wrong {
        errors.at(literal, message);
    }
    pieces
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Text(text) => Some(Piece::Text(text)),
            Piece::Field(name) => placeholder(literal, &name, members, errors).map(Piece::Field),
        })
        .collect()
}

fn placeholder<'a>(
    literal: &LitStr,
    name: &str,
    members: &[Member<'a>],
    errors: &mut Errors,
) -> Option<(&'a Ident, &'a Type)> {
    let Some(member) = members.iter().find(|m| m.ident.unraw() == name) else {
        let renamed = members
            .iter()
            .find(|m| m.attr.rename.as_ref().is_some_and(|r| r.value() == name));
        let instead = match renamed {
            Some(member) => format!("write `{{{}}}`, the field's name in Rust", member.ident),
            None => "name one of the struct's fields".to_owned(),
        };
        errors.at(literal, format!("there is no field `{name}`; {instead}"));
        return None;
    };
    let attr = &member.attr;
    if let Some(hidden) = attr
        .action
        .as_ref()
        .map(|action| action.value.word())
        .or((attr.skip == Skip::Yes).then_some("skip"))
    {
        errors.at(
            literal,
            format!(
                "`{{{name}}}` would show what `{hidden}` hides; name a field that is written as it is"
            ),
        );
    }
    Some((member.ident, &member.field.ty))
}
