//! What can be done to a sealed store, and what a verifier says to it.

mod keys;
mod line;
mod files;
mod writer;
mod world;
mod table;
mod flips;
mod fuzz;
mod others;
mod ledger;
mod folder;
mod reports;
mod live;
mod size;
