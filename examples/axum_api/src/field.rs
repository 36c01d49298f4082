//! Types of which fields of events are made: each says once how sensitive its values are.

use std::fmt;

use compliance_log::event::AuditField;
use serde::{Deserialize, Serialize};

/// The number of a booking.
#[derive(
    AuditField, Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize,
)]
#[audit(internal)]
pub struct BookingId(pub u64);

impl fmt::Display for BookingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What was booked. Clients choose the text, so records bound it.
#[derive(AuditField, Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[audit(internal, max_len = 64)]
pub struct OfferId(pub String);

/// Who travels. Only answers show it: neither `Debug` nor, without a key for pseudonyms, a record does.
#[derive(AuditField, Clone, Deserialize, Serialize)]
#[audit(personal)]
pub struct Passenger(String);

impl fmt::Debug for Passenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passenger(..)")
    }
}

/// A card number. Neither `Debug` nor a record nor an answer shows more than four digits of it.
#[derive(AuditField, Clone, Deserialize)]
#[audit(cardholder)]
pub struct CardNumber(String);

impl CardNumber {
    /// Whether it has as many digits as card numbers have.
    pub(crate) fn is_plausible(&self) -> bool {
        let digits = self.0.bytes().filter(u8::is_ascii_digit).count();
        (12..=19).contains(&digits) && self.0.bytes().all(|b| b.is_ascii_digit() || b == b' ')
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(..)")
    }
}

/// Why a booking was cancelled, as one word in the record.
#[derive(AuditField, Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[audit(public)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CancelReason {
    /// The passenger does not want it any more.
    PassengerWish,
    /// There is nothing to travel with.
    ServiceWithdrawn,
}

/// How somebody showed who they are.
#[derive(AuditField, Clone, Copy, Debug, PartialEq, Eq)]
#[audit(public)]
#[non_exhaustive]
pub enum LoginMethod {
    /// With a password.
    Password,
}
