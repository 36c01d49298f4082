//! What a service sees of the library, one theme per file.

mod derive;
mod durable;
mod records;
mod start;
mod store;
mod support;
