//! What this service can do that somebody may ask about later.

use compliance_log::audit_event;

/// A token came that is not believed. Who sent it is nobody; the request goes on as nobody's.
#[audit_event(
    name = "token.refused",
    category = "security",
    outcome = "fail",
    pre_auth
)]
#[derive(Debug)]
pub struct TokenRefused {
    /// What is wrong with the token.
    #[audit(public, max_len = 32)]
    pub error_code: &'static str,
}

/// Somebody read all bookings of a tenant.
#[audit_event(name = "bookings.listed", target = "bookings")]
#[derive(Debug)]
pub struct BookingsListed {
    /// How many there were.
    pub count: u32,
}

/// Somebody got money back.
#[audit_event(name = "booking.refunded", target = "booking/{booking_id}")]
#[derive(Debug)]
pub struct BookingRefunded {
    /// For which booking.
    pub booking_id: u32,
}
