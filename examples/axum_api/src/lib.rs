//! A booking service of two tenants that audits all it does.
//!
//! | file | what it shows |
//! |---|---|
//! | `event` | the events: their categories, fields, and what becomes of personal and card data |
//! | `field` | newtypes as fields of events: sensitivity is said once |
//! | `router` | every route with the event that it owes, or the reason why it owes none |
//! | `auth` | who acts: verified claims, told once to the request's audit |
//! | `error` | an error type of the service's own: what the log learns, and what the client |
//! | `handlers` | what a client can do; among them a refund that is announced, and a download |
//! | `expiry` | work that no request asked for |
//! | `figures` | what Prometheus reads, and the probes of the platform |
//! | `booking`, `store`, `payments` | what a real service has behind it, in memory |
//! | `main.rs` | configuration, start, and a shutdown that loses nothing |
//! | `tests/it` | that it audits: each success, each refusal, other tenants, a broken disk |

mod auth;
mod booking;
mod error;
pub mod event;
pub mod expiry;
mod field;
pub mod figures;
mod handlers;
mod payments;
mod router;
mod service;
pub mod settings;
mod store;

pub use booking::{Booking, Status};
pub use field::{BookingId, CancelReason, CardNumber, LoginMethod, OfferId, Passenger};
pub use payments::Payments;
pub use router::router;
pub use service::Service;
pub use store::Bookings;
