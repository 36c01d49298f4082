//! The rules, and what to write instead.

mod event;
mod field;
mod field_type;
mod target;
mod types;

pub(crate) use event::event;
pub(crate) use field_type::field_type;

/// `[a-z][a-z0-9_]*`
fn is_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
