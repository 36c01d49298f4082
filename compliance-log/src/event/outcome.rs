/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the format freezes the two outcomes"
)]
pub enum Outcome {
    /// It took effect.
    Success,
    /// It did not, or not wholly; see [`OutcomeDetail`].
    Fail,
}

impl Outcome {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Fail => "fail",
        }
    }
}

/// More about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutcomeDetail {
    /// Refused for lack of identity or rights.
    Denied,
    /// The client left before there was an answer.
    Aborted,
    /// The answer was cut off while it was sent.
    Partial,
    /// Nobody said how it ended.
    Abandoned,
}

impl OutcomeDetail {
    /// The word in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Aborted => "aborted",
            Self::Partial => "partial",
            Self::Abandoned => "abandoned",
        }
    }
}
