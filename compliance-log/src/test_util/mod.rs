//! For tests: scopes without globals, a log in memory, assertions on what it wrote, a lock on the schema
//! of events, a file system that fails on demand.
//!
//! ```
//! use compliance_log::{audit_event, context::{AuditContext, Identity}, test_util};
//!
//! #[audit_event(name = "booking.created", target = "booking/{booking_id}")]
//! struct BookingCreated {
//!     booking_id: u64,
//!     #[audit(mask = "pan")]
//!     card: String,
//! }
//!
//! let (log, captured) = test_util::capture();
//! let request = AuditContext::request().request_id("r-1").build();
//! request.verified(Identity::new().tenant("acme").user("u-1")).unwrap();
//! test_util::within_sync(&log, || {
//!     let card = "4111 1111 1111 1111".to_owned();
//!     request.scope_sync(|| BookingCreated { booking_id: 17, card }.emit())
//! })
//! .unwrap();
//!
//! captured
//!     .assert_one::<BookingCreated>()
//!     .success()
//!     .tenant("acme")
//!     .user("u-1")
//!     .target("booking/17")
//!     .field("booking_id", 17)
//!     .redacted("data.card");
//! captured.assert_no_secrets(["4111111111111111", "4111 1111 1111 1111"]);
//! captured.assert_complete();
//! captured.assert_chain_valid();
//! ```
//!
//! Every assertion waits first until all that was queued is written, and panics at the line of the test
//! with what was recorded instead.

mod scope;
mod found;
mod captured;
mod assertions;
mod secrets;
mod links;
mod schema_lock;
mod faults;

pub use crate::{
    clock::ManualClock,
    store::{Effect, Fault},
};
pub use captured::{Captured, capture, capture_with};
pub use faults::Faults;
pub use found::Found;
pub use schema_lock::assert_schema_lock;
pub use scope::{within, within_sync};
