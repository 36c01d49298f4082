//! `AuditLayer` around real servers and around services of our own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions around a test fail it as the test itself does"
)]

mod client_ip;
mod duration;
mod endings;
mod health;
mod identity;
mod owed;
mod outlived;
mod programs;
mod refused;
mod served;
mod tower;
mod trace;
