//! Texts with a secret in them: each format in the wraps of its kind, each time with another secret.

use crate::{
    draw::Draw,
    formats::{Format, Kind, formats},
    secret::{Part, Secret},
    sought::joined,
    wraps::{Named, Write, wraps},
};

/// A text, and what of it must not be left.
#[derive(Debug)]
pub(crate) struct Positive {
    pub(crate) format: &'static str,
    pub(crate) wrap: &'static str,
    pub(crate) seed: u64,
    pub(crate) text: String,
    pub(crate) parts: Vec<Part>,
}

/// Of the many wraps of a token, each format takes every so many-th, and its neighbours the others.
const TOKEN_STRIDE: usize = 2;
/// So often a secret is drawn until its short parts stand out.
const DRAWS_MAX: usize = 1000;

pub(crate) fn positives() -> Vec<Positive> {
    let mut positives = Vec::new();
    for (place, format) in formats().iter().enumerate() {
        for (turn, (wrap, write)) in wraps(format.kind).into_iter().enumerate() {
            let skipped = turn > 0 && (turn + place) % TOKEN_STRIDE != 0;
            if !(skipped && matches!(format.kind, Kind::Token)) {
                let draw = Draw::named(&format!("{}/{wrap}", format.name));
                positives.extend(positive(format, (wrap, write), turn, draw));
            }
        }
    }
    positives
}

/// A secret of a format in a wrap of its kind, if that applies to it. The turn says under which of its
/// names, and in which of its patterns.
pub(crate) fn positive(
    format: &Format,
    (wrap, write): (&'static str, Write),
    turn: usize,
    mut draw: Draw,
) -> Option<Positive> {
    let name = match format.kind {
        Kind::Token | Kind::Number | Kind::Text => "value",
        Kind::Header(name) => name,
        Kind::Named(names) => names[turn % names.len()],
    };
    let pattern = format.patterns[turn / 2 % format.patterns.len()];
    for _ in 0..DRAWS_MAX {
        let secret = Secret::draw(pattern, &mut draw);
        let text = write.write(&Named {
            name,
            secret: &secret,
        })?;
        if stands_out(&secret, &text) {
            let seed = draw.seed;
            let (format, parts) = (format.name, secret.parts);
            return Some(Positive {
                format,
                wrap,
                seed,
                text,
                parts,
            });
        }
    }
    panic!("{} cannot stand out in {wrap}", format.name)
}

/// Whether the short parts of the secret, such as the three digits of a CVV, occur nowhere else in the
/// text: what is left of it then shows that they were left.
fn stands_out(secret: &Secret, text: &str) -> bool {
    let mut short = secret.parts.iter().filter(|part| part.window < 8);
    short.all(|part| {
        let rest = if part.text.len() > part.window {
            // A card number is in groups, encoded, or said twice.
            joined(&text.replace(&secret.text, "")).replace(&part.text, "")
        } else {
            joined(&text.replacen(&part.text, "", 1))
        };
        part.slices().all(|slice| !rest.contains(slice))
    })
}
