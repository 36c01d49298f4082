use super::event::Member;
use crate::{
    attr::Skip,
    errors::Errors,
    model::{Class, Piece, Shown, Word as _},
    template,
};
use syn::{LitStr, ext::IdentExt as _};

pub(super) fn target<'a>(
    literal: &LitStr,
    members: &[Member<'a>],
    errors: &mut Errors,
) -> Vec<Piece<Shown<'a>>> {
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
) -> Option<Shown<'a>> {
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
    let class = attr.class.as_ref().map(|class| class.value);
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
    } else if let Some(class @ (Class::Personal | Class::Cardholder)) = class {
        errors.at(
            literal,
            format!(
                "`{{{name}}}` is `{}`, and a target is read by everybody who reads records; name a \
                 field that says which one it was without saying who, such as an id",
                class.word()
            ),
        );
    }
    Some(Shown {
        ident: member.ident,
        ty: &member.field.ty,
        class_of_type: class.is_none().then(|| literal.span()),
    })
}
