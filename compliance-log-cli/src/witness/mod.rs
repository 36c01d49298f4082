//! A witness: what it knows of stores, and how it is asked.

mod known;
mod folder;
mod registry;
mod server;
mod client;

pub(crate) use client::{Answer, Client};
pub(crate) use registry::Registry;
pub(crate) use server::Server;
