use std::{error::Error, fmt};

/// An error with what caused it.
#[derive(Debug)]
pub(crate) struct Failed(pub(crate) String, pub(crate) Option<Box<Self>>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|inner| inner as _)
    }
}
