//! A service that has logged with `tracing` for years, and the three commits that make it audit.
//!
//! Each module is the service after one commit. What a commit does not touch stays in [`orders`].
//!
//! | | what is changed | what is there from then on |
//! |---|---|---|
//! | [`before`] | | JSON lines from `fmt`, with a card number and a token in them |
//! | [`observed`] | a log beside `fmt`, one layer around the router, `mode = observe` | an access record for each request, each `tracing` event redacted and chained; `audit_gap` names the routes that audit nothing |
//! | [`guarded`] | `guard` around `fmt`, the first typed event, the first audited route | nothing secret in `fmt`'s lines either; a record of what was ordered; `would_refuse` says what enforcing would break |
//! | [`enforced`] | the tenant is told, every route owes an event or says why not, `mode = enforce` | every record names who acted, and nothing happens that cannot be recorded |
//!
//! The mode is the last line to change: once, with all the rest in production for some weeks, this
//! finds nothing more:
//!
//! ```console
//! $ compliance-log observe-report /var/log/audit
//! ```
//!
//! `tests/it` sends the same requests to all four and shows what each commit adds.

pub mod before;
pub mod enforced;
pub mod guarded;
pub mod observed;
pub mod orders;
