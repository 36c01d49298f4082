//! Forged, foreign and true tokens, and requests that claim to be somebody else: what was answered, and
//! what was recorded.

#![expect(
    clippy::unwrap_used,
    reason = "the functions around a test fail it as the test itself does"
)]

mod api;
mod claimed;
mod issuer;
mod organizations;
mod tokens;
