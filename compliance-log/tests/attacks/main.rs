//! What can be done to a sealed store, and what a verifier says to it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what helps the tests here is no test itself, and they print what they tried"
)]

mod keys;
mod line;
mod files;
mod writer;
mod service;
mod world;
mod reference;
mod table;
mod stolen;
mod flips;
mod fuzz;
mod others;
mod ledger;
mod retention;
mod expunged;
mod unsealed;
mod folder;
mod reports;
mod live;
mod size;
