//! What is known of an event once nothing about it can be wrong any more.

use proc_macro2::Span;
use syn::{Ident, Member, Type};

pub(crate) struct Event<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) name: String,
    pub(crate) version: u16,
    pub(crate) category: Category,
    pub(crate) outcome: Outcome,
    pub(crate) scope: Scope,
    /// Empty where the event has no target.
    pub(crate) target: Vec<Piece<Shown<'a>>>,
    pub(crate) fields: Vec<Field<'a>>,
}

pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    /// Its name in the record.
    pub(crate) key: String,
    /// None where its type says it.
    pub(crate) class: Option<Class>,
    pub(crate) action: Action,
    pub(crate) place: Place,
    /// The most bytes of its text.
    pub(crate) bytes_max: Option<u32>,
}

/// A field whose value stands in the target.
pub(crate) struct Shown<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) ty: &'a Type,
    /// Where the target is written, if the type has to say that its value may be shown there.
    pub(crate) class_of_type: Option<Span>,
}

/// A type of which fields of events are made.
pub(crate) enum FieldType<'a> {
    /// A struct of one field, and the class of all its values.
    Newtype {
        member: Member,
        ty: &'a Type,
        class: Class,
        bytes_max: Option<u32>,
    },
    /// An enum without fields, each variant with its word.
    Words {
        words: Vec<(&'a Ident, String)>,
        class: Class,
    },
}

/// A part of a target: text as it stands, or the value of a field.
pub(crate) enum Piece<F> {
    Text(String),
    Field(F),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Root,
    Data,
}

/// A set of which each member is one word in an attribute.
pub(crate) trait Word: Copy + 'static {
    const ALL: &'static [Self];

    fn word(self) -> &'static str;

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.word() == word)
    }
}

// `expand` writes the variants of these enums by their `Debug`: they are those of compliance-log.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    Audit,
    Security,
    Admin,
    Access,
    App,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Fail,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    #[default]
    Tenanted,
    PreAuth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Public,
    Internal,
    Personal,
    Cardholder,
    Secret,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// What a field does that names no action.
    Keep,
    Drop,
    MaskPan,
    Pseudonym,
}

impl Word for Category {
    const ALL: &'static [Self] = &[
        Self::Audit,
        Self::Security,
        Self::Admin,
        Self::Access,
        Self::App,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Security => "security",
            Self::Admin => "admin",
            Self::Access => "access",
            Self::App => "app",
        }
    }
}

impl Word for Outcome {
    const ALL: &'static [Self] = &[Self::Success, Self::Fail];

    fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Fail => "fail",
        }
    }
}

impl Word for Class {
    const ALL: &'static [Self] = &[
        Self::Public,
        Self::Internal,
        Self::Personal,
        Self::Cardholder,
        Self::Secret,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Personal => "personal",
            Self::Cardholder => "cardholder",
            Self::Secret => "secret",
        }
    }
}

impl Action {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
            Self::MaskPan => "mask",
            Self::Pseudonym => "pseudonym",
        }
    }
}
