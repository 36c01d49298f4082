//! Attributes as typed options. Knows their shape; what they may say together is for `valid`.

use crate::{
    errors::Errors,
    model::{Action, Category, Class, Outcome, Scope, Word},
};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeSet;
use syn::{Attribute, Expr, Lit, LitStr, Meta, Path};

/// `#[audit(...)]` on the struct.
#[derive(Default)]
pub(crate) struct EventAttr {
    /// The first such attribute, to point at.
    pub(crate) at: Option<Path>,
    pub(crate) name: Option<LitStr>,
    pub(crate) version: Option<u16>,
    pub(crate) category: Option<Category>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) target: Option<LitStr>,
    pub(crate) scope: Scope,
    /// Every word that was used, also where its value was refused.
    pub(crate) seen: BTreeSet<String>,
}

/// `#[audit(...)]` on a field.
#[derive(Default)]
pub(crate) struct FieldAttr {
    pub(crate) class: Option<Given<Class>>,
    pub(crate) action: Option<Given<Action>>,
    pub(crate) rename: Option<LitStr>,
    /// The most bytes of its text.
    pub(crate) max_len: Option<Given<u32>>,
    pub(crate) skip: Skip,
    seen: BTreeSet<String>,
}

/// `#[audit(...)]` on a type of which fields are made.
#[derive(Default)]
pub(crate) struct TypeAttr {
    pub(crate) class: Option<Given<Class>>,
    pub(crate) max_len: Option<Given<u32>>,
    seen: BTreeSet<String>,
}

/// More than any text of a record has.
const LEN_MAX: u32 = 4096;

/// Whether a field is left out of the event.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Skip {
    #[default]
    No,
    Yes,
}

/// An option and the tokens that gave it.
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) at: Meta,
}

pub(crate) fn event(attrs: &[Attribute], errors: &mut Errors) -> EventAttr {
    let mut found = EventAttr::default();
    for attr in audit(attrs) {
        found.at.get_or_insert_with(|| attr.path().clone());
        for meta in options(attr, &mut found.seen, errors) {
            match word(&meta).as_str() {
                "name" => found.name = text(&meta, "booking.created", errors),
                "version" => found.version = version(&meta, errors),
                "category" => found.category = one_of(&meta, errors),
                "outcome" => found.outcome = one_of(&meta, errors),
                "target" => found.target = text(&meta, "booking/{booking_id}", errors),
                "pre_auth" if flag(&meta, errors) => found.scope = Scope::PreAuth,
                "pre_auth" => (),
                other => errors.at(
                    meta.path(),
                    format!(
                        "an event has no option `{other}`; it has `name`, `version`, `category`, \
                         `target`, `outcome` and `pre_auth`"
                    ),
                ),
            }
        }
    }
    found
}

pub(crate) fn field(attrs: &[Attribute], errors: &mut Errors) -> FieldAttr {
    let mut found = FieldAttr::default();
    for attr in audit(attrs) {
        for meta in options(attr, &mut found.seen, errors) {
            let word = word(&meta);
            if let Some(class) = Class::from_word(&word) {
                if flag(&meta, errors) {
                    set(&mut found.class, class, meta, "class", errors);
                }
                continue;
            }
            match word.as_str() {
                "drop" if flag(&meta, errors) => {
                    set(&mut found.action, Action::Drop, meta, "action", errors);
                }
                "pseudonym" if flag(&meta, errors) => {
                    set(&mut found.action, Action::Pseudonym, meta, "action", errors);
                }
                "mask" if mask(&meta, errors) => {
                    set(&mut found.action, Action::MaskPan, meta, "action", errors);
                }
                "skip" if flag(&meta, errors) => found.skip = Skip::Yes,
                "rename" => found.rename = text(&meta, "passenger_ref", errors),
                "max_len" => found.max_len = max_len(meta, errors),
                // Refused by its guard, which said why.
                "drop" | "pseudonym" | "mask" | "skip" => (),
                other => errors.at(
                    meta.path(),
                    format!(
                        "a field has no option `{other}`; it has a class (`public`, `internal`, \
                         `personal`, `cardholder`), an action (`pseudonym`, `mask = \"pan\"`, \
                         `drop`), `max_len = ...`, `rename = \"...\"` and `skip`"
                    ),
                ),
            }
        }
    }
    found
}

pub(crate) fn of_type(attrs: &[Attribute], errors: &mut Errors) -> TypeAttr {
    let mut found = TypeAttr::default();
    for attr in audit(attrs) {
        for meta in options(attr, &mut found.seen, errors) {
            match (word(&meta).as_str(), Class::from_word(&word(&meta))) {
                (_, Some(class)) => {
                    if flag(&meta, errors) {
                        set(&mut found.class, class, meta, "class", errors);
                    }
                }
                ("max_len", _) => found.max_len = max_len(meta, errors),
                (other, _) => errors.at(
                    meta.path(),
                    format!(
                        "a type has no option `{other}`; it has a class (`public`, `internal`, \
                         `personal`, `cardholder`) and `max_len = ...`"
                    ),
                ),
            }
        }
    }
    found
}

/// The word that `#[audit(rename = "...")]` on a variant gives.
pub(crate) fn of_variant(attrs: &[Attribute], errors: &mut Errors) -> Option<LitStr> {
    let mut rename = None;
    let mut seen = BTreeSet::new();
    for attr in audit(attrs) {
        for meta in options(attr, &mut seen, errors) {
            match word(&meta).as_str() {
                "rename" => rename = text(&meta, "paid_in_part", errors),
                other => errors.at(
                    meta.path(),
                    format!("a variant has no option `{other}`; it has `rename = \"...\"`"),
                ),
            }
        }
    }
    rename
}

fn audit(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("audit"))
}

/// The options between the parentheses, each word at most once over all attributes of the item.
///
/// Splits at the commas before it parses, so that one that cannot be read does not hide the rest.
fn options(attr: &Attribute, seen: &mut BTreeSet<String>, errors: &mut Errors) -> Vec<Meta> {
    let Meta::List(list) = &attr.meta else {
        errors.at(
            &attr.meta,
            "options stand in parentheses; write `#[audit(...)]`",
        );
        return Vec::new();
    };
    let mut options = Vec::new();
    for part in split(list.tokens.clone()) {
        let first = part.clone().into_iter().next().map(|t| t.to_string());
        let twice = first.is_some_and(|word| !seen.insert(word));
        match syn::parse2::<Meta>(part.clone()) {
            Ok(meta) if twice => errors.at(
                &meta,
                format!("`{}` is given twice; remove one", word(&meta)),
            ),
            Ok(meta) => options.push(meta),
            Err(_) => errors.at(
                part,
                "this is not an option; write `option` or `option = value`, and a comma after it",
            ),
        }
    }
    options
}

pub(crate) fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        match &token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => parts.push(TokenStream::new()),
            _ => parts
                .last_mut()
                .into_iter()
                .for_each(|part| part.extend([token.clone()])),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn word(meta: &Meta) -> String {
    meta.path().to_token_stream().to_string().replace(' ', "")
}

fn set<T>(slot: &mut Option<Given<T>>, value: T, at: Meta, kind: &str, errors: &mut Errors) {
    match slot {
        Some(first) => errors.at(
            &at,
            format!(
                "a field has one {kind}, and `{}` is already given; remove one",
                word(&first.at)
            ),
        ),
        none => *none = Some(Given { value, at }),
    }
}

fn flag(meta: &Meta, errors: &mut Errors) -> bool {
    let plain = matches!(meta, Meta::Path(_));
    if !plain {
        let word = word(meta);
        errors.at(
            meta,
            format!("`{word}` takes no value; write `#[audit({word})]`"),
        );
    }
    plain
}

fn mask(meta: &Meta, errors: &mut Errors) -> bool {
    let pan = matches!(literal(meta), Some(Lit::Str(text)) if text.value() == "pan");
    if !pan {
        errors.at(
            meta,
            "the only mask is that of a card number; write `mask = \"pan\"`",
        );
    }
    pan
}

fn text(meta: &Meta, example: &str, errors: &mut Errors) -> Option<LitStr> {
    if let Some(Lit::Str(text)) = literal(meta) {
        return Some(text.clone());
    }
    let word = word(meta);
    errors.at(
        meta,
        format!("`{word}` takes a string; write for example `{word} = \"{example}\"`"),
    );
    None
}

fn one_of<T: Word>(meta: &Meta, errors: &mut Errors) -> Option<T> {
    let given = literal(meta);
    if let Some(Lit::Str(text)) = given
        && let Some(value) = T::from_word(&text.value())
    {
        return Some(value);
    }
    let option = word(meta);
    let words: Vec<&str> = T::ALL.iter().map(|one| one.word()).collect();
    let message = format!(
        "`{option}` is one of {}; write for example `{option} = \"{}\"`",
        words.join(", "),
        words[0],
    );
    match given {
        Some(literal) => errors.at(literal, message),
        None => errors.at(meta, message),
    }
    None
}

fn version(meta: &Meta, errors: &mut Errors) -> Option<u16> {
    let given = literal(meta);
    if let Some(Lit::Int(number)) = given
        && let Ok(version @ 1..) = number.base10_parse()
    {
        return Some(version);
    }
    let message = "`version` is a whole number from 1 to 65535; write for example `version = 1`";
    match given {
        Some(literal) => errors.at(literal, message),
        None => errors.at(meta, message),
    }
    None
}

fn max_len(meta: Meta, errors: &mut Errors) -> Option<Given<u32>> {
    let given = literal(&meta);
    if let Some(Lit::Int(number)) = given
        && let Ok(value @ 1..=LEN_MAX) = number.base10_parse()
    {
        return Some(Given { value, at: meta });
    }
    let message = format!(
        "`max_len` is a whole number of bytes from 1 to {LEN_MAX}; write for example `max_len = 200`"
    );
    match given {
        Some(literal) => errors.at(literal, message),
        None => errors.at(&meta, message),
    }
    None
}

fn literal(meta: &Meta) -> Option<&Lit> {
    let Meta::NameValue(pair) = meta else {
        return None;
    };
    let mut value = &pair.value;
    // A literal that came through a `macro_rules!` stands in an invisible group.
    while let Expr::Group(group) = value {
        value = &group.expr;
    }
    match value {
        Expr::Lit(literal) => Some(&literal.lit),
        _ => None,
    }
}
