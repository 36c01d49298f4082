use std::{error::Error as StdError, fmt, iter};

/// More causes than any error has; a cycle ends here.
const CAUSES_MAX: usize = 32;

/// An error and what caused it, outside in.
pub(super) fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    // Not by the reference's own impl, which would lend for less long.
    iter::successors(Some(error), |error| (**error).source()).take(CAUSES_MAX)
}

/// An error and what caused it, in one text: `outer: inner: innermost`.
pub(super) struct ErrorChain<'a>(pub(super) &'a (dyn StdError + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for error in chain(self.0) {
            write!(f, "{separator}{error}")?;
            separator = ": ";
        }
        Ok(())
    }
}
