use crate::{
    attr::Given,
    errors::Errors,
    known::{Known, known},
    model::{Action, Class},
};
use quote::ToTokens as _;
use syn::Type;

/// What is said of a value beside its type.
pub(super) struct Said<'a> {
    pub(super) class: Option<&'a Given<Class>>,
    pub(super) action: Action,
    pub(super) max_len: Option<&'a Given<u32>>,
}

/// What cannot be logged at all, and what text needs, as far as the name of the type tells.
pub(super) fn check(ty: &Type, said: &Said<'_>, errors: &mut Errors) {
    let known = known(ty);
    match known {
        Known::Secret => errors.at(
            ty,
            "secrets have no way to be logged; remove the field, or write `#[audit(skip)]` to keep \
             it out of the event",
        ),
        Known::Map => errors.at(
            ty,
            "a map may hold any key, so nobody can say what it logs; make each value that matters \
             a field of its own",
        ),
        Known::Json => errors.at(
            ty,
            "a JSON value may hold anything, so nobody can say what it logs; make each value that \
             matters a field of its own (a type of your own with this name: write `self::Value`)",
        ),
        Known::Bytes => errors.at(
            ty,
            "bytes say nothing to a reader and may be anything; log their length as a number, or a \
             digest as text",
        ),
        Known::Text if said.action == Action::Keep => text(ty, said, errors),
        Known::Text | Known::NoText | Known::Nothing => (),
    }
    if let Some(max_len) = said.max_len {
        if said.action != Action::Keep {
            errors.at(
                &max_len.at,
                format!(
                    "`max_len` bounds text that is written, and `{}` writes none; remove one",
                    said.action.word()
                ),
            );
        } else if known == Known::NoText {
            errors.at(
                &max_len.at,
                format!(
                    "`max_len` bounds text, and `{}` holds none; remove it",
                    ty.to_token_stream().to_string().replace(' ', "")
                ),
            );
        }
    }
}

fn text(ty: &Type, said: &Said<'_>, errors: &mut Errors) {
    match said.class {
        None => errors.at(
            ty,
            "text may hold anything, so its field has to say how sensitive it is; write \
             `#[audit(internal)]`, `personal`, `pseudonym`, `mask = \"pan\"`, `drop`, or `public` \
             with `max_len = ...`",
        ),
        Some(class) if class.value == Class::Public && said.max_len.is_none() => errors.at(
            &class.at,
            "text that anybody may see needs a bound; write for example `public, max_len = 200`",
        ),
        Some(_) => (),
    }
}
