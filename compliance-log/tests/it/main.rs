//! What a service sees of the library, one theme per file.

#[cfg(feature = "macros")]
mod derive;
mod store;
