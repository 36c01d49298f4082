//! A witness: what it knows of stores, and how it is asked.

mod known;
mod registry;
mod server;

pub(crate) use registry::Registry;
pub(crate) use server::Server;
