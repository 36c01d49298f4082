//! What a service sees of the library, one theme per file.

#![expect(clippy::unwrap_used, reason = "what cannot be set up ends the test")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests make and alter files of their own"
)]

mod altered;
mod anchored;
mod budget;
mod captured;
mod contexts;
mod clock;
mod derive;
mod durable;
mod faults;
mod fields;
mod figures;
mod forty;
mod golden;
mod guard;
mod http;
mod injection;
mod json_schema;
mod keycloak;
mod lives;
mod policies;
mod policy;
mod policy_swaps;
mod opt_out;
mod pseudonyms;
mod records;
mod redaction;
mod seal_check;
mod sealed;
mod spans;
mod start;
mod store;
mod support;
mod tamper;
mod trace_ids;
#[cfg(feature = "vault")]
mod vault;
mod volume;
mod volumes;
