//! The text of `target`: `booking/{booking_id}`, with `{{` and `}}` for the braces themselves.

use crate::model::Piece;

/// The pieces in order, and what is wrong with the text.
pub(crate) fn parse(text: &str) -> (Vec<Piece<String>>, Vec<String>) {
    let mut pieces = Vec::new();
    let mut wrong = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        plain.push_str(&rest[..at]);
        let (brace, after) = rest[at..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            plain.push_str(brace);
            rest = after;
            continue;
        }
        rest = after;
        if brace == "}" {
            wrong.push("`}` without `{`; write `}}` for the brace itself".to_owned());
            continue;
        }
        let Some((name, after)) = after.split_once('}') else {
            wrong.push("`{` without `}`; write `{field}`, or `{{` for the brace itself".to_owned());
            break;
        };
        rest = after;
        if is_name(name) {
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Field(name.to_owned()));
        } else {
            wrong.push(format!(
                "`{{{name}}}` does not name a field; write only a field's name between the braces"
            ));
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    (pieces, wrong)
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, pieces: &[&str], wrong: usize) {
        let (found, errors) = parse(text);
        let found: Vec<String> = found
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Field(name) => format!("<{name}>"),
            })
            .collect();
        assert_eq!(found, pieces, "{text}");
        assert_eq!(errors.len(), wrong, "{text}: {errors:?}");
    }

    #[test]
    fn text_fields_and_braces() {
        check("", &[], 0);
        check("settlement", &["settlement"], 0);
        check("{a}", &["<a>"], 0);
        check("a/{b}/{c}d", &["a/", "<b>", "/", "<c>", "d"], 0);
        check("{{a}}/{b}", &["{a}/", "<b>"], 0);
        check("{{{a}}}", &["{", "<a>", "}"], 0);
    }

    #[test]
    fn each_mistake_is_found() {
        check("a/{}", &["a/"], 1);
        check("a/{0}", &["a/"], 1);
        check("a/{b:?}/{c}", &["a//", "<c>"], 1);
        check("a/{b", &["a/b"], 1);
        check("a}/{b}/{c d}", &["a/", "<b>", "/"], 2);
    }
}
