//! The seal, as somebody outside sees it.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod merkle;
mod naive;
mod vectors;
