//! What this service can do that somebody may ask about later.
//!
//! `audit-schema.lock` holds these schemas; a test refuses a change that would surprise whoever reads
//! the records.

use compliance_log::audit_event;

use crate::{BookingId, CancelReason, CardNumber, LoginMethod, OfferId, Passenger};

/// Somebody booked.
#[audit_event(name = "booking.created", target = "booking/{booking_id}")]
#[derive(Debug)]
pub struct BookingCreated {
    /// Stands at the root of the record, as every `booking_id` does.
    pub booking_id: BookingId,
    /// Stands at the root, too.
    pub offer_id: OfferId,
    /// Under `data`.
    pub seats: u8,
    /// A keyed pseudonym in the record; left out where the tenant has no key.
    #[audit(pseudonym)]
    pub passenger: Passenger,
    /// `****1111` in the record; left out where nothing was paid yet.
    #[audit(mask = "pan")]
    pub card: Option<CardNumber>,
}

/// Somebody looked at personal data.
#[audit_event(name = "booking.read", target = "booking/{booking_id}")]
#[derive(Debug)]
pub struct BookingRead {
    /// Whose data it was.
    pub booking_id: BookingId,
}

/// Somebody changed the number of seats.
#[audit_event(name = "booking.changed", target = "booking/{booking_id}")]
#[derive(Debug)]
pub struct BookingChanged {
    /// Of which booking.
    pub booking_id: BookingId,
    /// Seats until now.
    pub seats_before: u8,
    /// Seats from now on.
    pub seats: u8,
}

/// Somebody cancelled, and what was paid went back.
#[audit_event(name = "booking.cancelled", target = "booking/{booking_id}")]
#[derive(Debug)]
pub struct BookingCancelled {
    /// Which booking.
    pub booking_id: BookingId,
    /// Why.
    pub reason: CancelReason,
    /// What went back, in cents.
    pub refunded_cents: u64,
}

/// Somebody took all bookings of a tenant out of the system.
#[audit_event(name = "booking.exported", target = "bookings.csv")]
#[derive(Debug)]
pub struct BookingsExported {
    /// How many.
    pub rows: usize,
}

/// Nobody paid in time.
#[audit_event(name = "booking.expired", target = "booking/{booking_id}")]
#[derive(Debug)]
pub struct BookingExpired {
    /// Which booking.
    pub booking_id: BookingId,
}

/// Somebody logged in. `pre_auth`: it happens before anybody is known, so it needs no tenant.
#[audit_event(name = "session.opened", category = "security", pre_auth)]
#[derive(Debug)]
pub struct SessionOpened {
    /// How they showed who they are.
    pub method: LoginMethod,
}

/// An administrator changed how many seats one booking may have.
#[audit_event(name = "limit.changed", category = "admin", target = "seat-limit")]
#[derive(Debug)]
pub struct LimitChanged {
    /// The command in words that an administrator would use; stands at the root of the record.
    #[audit(internal)]
    pub privileged_command: String,
    /// Seats until now.
    pub seats_before: u8,
    /// Seats from now on.
    pub seats: u8,
}
