//! The words of a lock, and what they mean.

use super::lock::Place;
use crate::event::{Action, Category, Class, Kind, Outcome, Presence};

/// A value that one word of a lock stands for.
pub(super) trait Word: Copy + 'static {
    /// Every value.
    const ALL: &'static [Self];

    fn word(self) -> &'static str;

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.word() == word)
    }
}

/// Lists the values of an enum; one that is left out does not compile.
macro_rules! word {
    ($ty:ident: $($value:ident)* => |$this:ident| $word:expr) => {
        impl Word for $ty {
            const ALL: &'static [Self] = &[$(Self::$value),*];

            fn word(self) -> &'static str {
                let $this = match self {
                    $(Self::$value => self,)*
                };
                $word
            }
        }
    };
}

word!(Category: Audit Security Admin Access App => |this| this.as_str());
word!(Outcome: Success Fail => |this| this.as_str());
word!(Class: Public Internal Personal Cardholder Secret => |this| this.as_str());
word!(Action: Keep Drop MaskPan Pseudonym => |this| this.as_str());
word!(Presence: Always Optional => |this| match this {
    Self::Always => "always",
    Self::Optional => "optional",
});
word!(Place: Root Data => |this| match this {
    Self::Root => "root",
    Self::Data => "data",
});

impl Word for Kind {
    const ALL: &'static [Self] = &[
        Self::Text,
        Self::Id,
        Self::Integer,
        Self::Number,
        Self::Bool,
        Self::List(&Self::Text),
        Self::List(&Self::Id),
        Self::List(&Self::Integer),
        Self::List(&Self::Number),
        Self::List(&Self::Bool),
        Self::List(&Self::Any),
        Self::Any,
    ];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each<W: Word + PartialEq + std::fmt::Debug>() {
        for value in W::ALL {
            assert_eq!(W::of_word(value.word()), Some(*value));
        }
        assert_eq!(W::of_word("Keep"), None);
    }

    #[test]
    fn every_word_means_one_value() {
        each::<Category>();
        each::<Outcome>();
        each::<Kind>();
        each::<Class>();
        each::<Action>();
        each::<Presence>();
        each::<Place>();
    }
}
