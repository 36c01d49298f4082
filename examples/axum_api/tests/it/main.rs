//! That the service audits what it does, and does nothing that it cannot audit.

#![expect(
    clippy::unwrap_used,
    reason = "the functions around a test fail it as the test itself does"
)]

mod api;
mod day;
mod expiry;
mod export;
mod failures;
mod figures;
mod outage;
mod socket;
mod tenants;
