use super::{field::fields, is_word, target::target};
use crate::{
    attr::{self, EventAttr, FieldAttr},
    errors::Errors,
    model::{Category, Event, Outcome, Word as _},
    reserved::RESERVED,
    serde,
};
use syn::{Data, DeriveInput, Fields, Ident};

/// A field of the struct before its options were put together.
pub(super) struct Member<'a> {
    pub(super) field: &'a syn::Field,
    pub(super) ident: &'a Ident,
    pub(super) attr: FieldAttr,
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
        .map(|(field, ident)| {
            let attr = attr::field(&field.attrs, &mut errors);
            serde::check(&field.attrs, &attr, &mut errors);
            Member { field, ident, attr }
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
    has_target(&event, &attr, &mut errors);
    errors.or(event)
}

/// A record of these categories that does not say what was done to what is not complete.
fn has_target(event: &Event<'_>, attr: &EventAttr, errors: &mut Errors) {
    let category = event.category;
    let needs = matches!(
        category,
        Category::Audit | Category::Admin | Category::Access
    );
    let has = attr.seen.contains("target")
        || event
            .fields
            .iter()
            .any(|field| field.key == "target_resource");
    if !needs || has {
        return;
    }
    let message = format!(
        "an event of category `{}` says what it was done to; write for example \
         `target = \"booking/{{booking_id}}\"`, or give it a field `target_resource`",
        category.word(),
    );
    match &attr.name {
        Some(name) => errors.at(name, message),
        None => errors.at(event.ident, message),
    }
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
