//! What a service sees of the library, one theme per file.

#[cfg(feature = "macros")]
mod derive;
#[cfg(feature = "axum")]
mod http;
mod store;
