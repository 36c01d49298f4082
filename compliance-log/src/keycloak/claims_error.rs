use std::fmt;

use crate::event::Failure;

/// Which claim cannot be used, and why. It never shows the claim's value.
///
/// In an audited handler `?` answers it with 401 and records it as `denied` under `BAD_CLAIMS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimsError {
    claim: &'static str,
    kind: ClaimsErrorKind,
}

/// What is wrong with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimsErrorKind {
    /// It is required.
    Missing,
    /// It is not of the JSON type that it should be.
    WrongType,
    /// It is, or holds, a text without any visible character.
    Empty,
    /// It is, or holds, a text of more than 255 bytes.
    TooLong,
    /// It is, or holds, a text with control characters, marks of direction or other characters that
    /// show nothing.
    Unprintable,
    /// It is a word by which records say that there is nobody: `anonymous`, or `none` for a tenant.
    Reserved,
    /// It lists more than 256 organizations, or roles beyond the 1,024 of a token, of which each client of
    /// `resource_access` counts as one.
    TooMany,
}

impl ClaimsError {
    pub(super) const fn new(claim: &'static str, kind: ClaimsErrorKind) -> Self {
        Self { claim, kind }
    }

    /// The name of the claim at the token's root.
    pub const fn claim(&self) -> &'static str {
        self.claim
    }

    /// What is wrong with it.
    pub const fn kind(&self) -> ClaimsErrorKind {
        self.kind
    }
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the claim `{}` ", self.claim)?;
        f.write_str(match self.kind {
            ClaimsErrorKind::Missing => "is missing",
            ClaimsErrorKind::WrongType => "is not of the type that it should be",
            ClaimsErrorKind::Empty => "has an empty text",
            ClaimsErrorKind::TooLong => "has a text of more than 255 bytes",
            ClaimsErrorKind::Unprintable => "has characters that show nothing",
            ClaimsErrorKind::Reserved => "is a word that stands for nobody",
            ClaimsErrorKind::TooMany => "lists too much",
        })
    }
}

impl std::error::Error for ClaimsError {}

impl Failure for ClaimsError {
    fn error_code(&self) -> &'static str {
        "BAD_CLAIMS"
    }

    fn status(&self) -> u16 {
        401
    }
}
