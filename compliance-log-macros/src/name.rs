//! The name net: which field names may not be logged, however they are spelled.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::fold::fold;

/// More words than any listed name has.
const WORDS_MAX: usize = 6;

/// Prohibited names, and the allowed ones that contain them.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Words without their joints (`accesstoken`), to the number of the rule that lists them.
    prohibited: BTreeMap<Box<str>, usize>,
    allowed: BTreeSet<Box<str>>,
}

impl Names {
    /// Lists `name` for rule number `rule`; a name listed twice keeps its first rule.
    pub(super) fn prohibit(&mut self, name: &str, rule: usize) {
        let key = Words::of(name).folded.into_boxed_str();
        self.prohibited.entry(key).or_insert(rule);
    }

    /// Excuses what `name` contains, where the whole of it occurs.
    pub(super) fn allow(&mut self, name: &str) {
        let key = Words::of(name).folded.into_boxed_str();
        self.allowed.insert(key);
    }

    /// The rule that prohibits `name`; of several the one that lists the longest part of it.
    ///
    /// A prohibited name counts where it stands as whole words (`userPassword`, `PASSWORD_OLD`, not
    /// `passwordless`), unless it stands inside an allowed one (`token_count`) or runs into one.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let words = Words::of(name);
        let excused: Vec<_> = words
            .spans()
            .filter(|s| self.allowed.contains(words.text(s)))
            .collect();
        let hits = words.spans().filter_map(|span| {
            let rule = self.prohibited.get(words.text(&span))?;
            // `access token` is prohibited, `access_token_type` says something about one.
            let excuses = |wide: &Range<usize>| {
                let inside = wide.start <= span.start && span.end <= wide.end;
                inside || (wide.start < span.end && span.end < wide.end)
            };
            (!excused.iter().any(excuses)).then_some((span.len(), *rule))
        });
        hits.max_by_key(|(length, _)| *length).map(|(_, rule)| rule)
    }
}

/// A name as lower-case ASCII words, without what stands between them.
struct Words {
    folded: String,
    /// Where each word ends in `folded`.
    ends: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Joint,
    Small,
    Capital,
    Digit,
}

impl Words {
    fn of(name: &str) -> Self {
        let mut words = Self {
            folded: String::with_capacity(name.len()),
            ends: Vec::new(),
        };
        let mut before = Kind::Joint;
        let mut chars = name.chars().filter_map(fold).peekable();
        while let Some(c) = chars.next() {
            let kind = kind(c);
            // `APIKey` is `api key`: the last of several capitals begins the next word.
            let next_small = chars
                .peek()
                .is_some_and(|&next| self::kind(next) == Kind::Small);
            let begins = match (before, kind) {
                (Kind::Capital, Kind::Capital) => next_small,
                (Kind::Capital, Kind::Small) => false,
                (before, kind) => before != kind,
            };
            if begins {
                words.end();
            }
            if kind != Kind::Joint {
                words.folded.push(c.to_ascii_lowercase());
            }
            before = kind;
        }
        words.end();
        words
    }

    fn end(&mut self) {
        if self.ends.last().copied().unwrap_or(0) < self.folded.len() {
            self.ends.push(self.folded.len());
        }
    }

    /// Every run of one to [`WORDS_MAX`] words.
    fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        (0..self.ends.len()).flat_map(move |first| {
            let start = if first == 0 { 0 } else { self.ends[first - 1] };
            self.ends[first..]
                .iter()
                .take(WORDS_MAX)
                .map(move |&end| start..end)
        })
    }

    fn text(&self, span: &Range<usize>) -> &str {
        &self.folded[span.start..span.end]
    }
}

fn kind(c: char) -> Kind {
    match c {
        'a'..='z' => Kind::Small,
        'A'..='Z' => Kind::Capital,
        '0'..='9' => Kind::Digit,
        _ => Kind::Joint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str) -> Vec<String> {
        let words = Words::of(name);
        let starts = std::iter::once(0).chain(words.ends.iter().copied());
        let spans = starts.zip(&words.ends).map(|(start, &end)| start..end);
        spans.map(|span| words.text(&span).to_owned()).collect()
    }

    #[test]
    fn words_end_where_a_reader_sees_them_end() {
        assert_eq!(words("userPassword"), ["user", "password"]);
        assert_eq!(words("APIKey"), ["api", "key"]);
        assert_eq!(words("X-Api_Key2"), ["x", "api", "key", "2"]);
        assert_eq!(words("ｐａｓｓ\u{200b}ｗｏｒｄ"), ["password"]);
        assert_eq!(words("раsswоrd"), ["password"]);
        assert_eq!(words(""), Vec::<String>::new());
    }

    #[test]
    fn an_allowed_name_excuses_only_what_it_contains() {
        let mut names = Names::default();
        names.prohibit("token", 0);
        names.prohibit("secret", 1);
        names.allow("token_count");
        assert_eq!(names.find("tokenCount"), None);
        assert_eq!(names.find("secret_token_count"), Some(1));
        assert_eq!(names.find("token_count_token"), Some(0));
        assert_eq!(names.find("tokenizer"), None);
        names.prohibit("access token", 2);
        assert_eq!(names.find("accesstoken"), Some(2));
        assert_eq!(names.find("access_token_count"), None);
    }
}
