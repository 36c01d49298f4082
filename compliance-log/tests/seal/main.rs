//! The seal, as somebody outside sees it.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod keys;
mod merkle;
mod naive;
mod note;
mod others;
mod policy;
mod proof;
mod statements;
mod stream;
mod submission;
mod vectors;
