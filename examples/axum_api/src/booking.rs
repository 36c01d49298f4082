use std::time::Instant;

use compliance_log::context::TenantId;
use serde::{Deserialize, Serialize};

use crate::{BookingId, CardNumber, OfferId, Passenger, error::ApiError};

/// What a client asks for.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct NewBooking {
    /// What to book.
    pub(crate) offer_id: OfferId,
    /// How many seats.
    pub(crate) seats: u8,
    /// Who travels.
    pub(crate) passenger: Passenger,
    /// How it is paid; without it the booking expires.
    pub(crate) card: Option<CardNumber>,
}

/// What was booked.
#[derive(Clone, Debug, Serialize)]
pub struct Booking {
    /// Its number.
    #[serde(rename = "booking_id")]
    pub id: BookingId,
    /// What was booked.
    pub offer_id: OfferId,
    /// How many seats.
    pub seats: u8,
    /// Who travels.
    pub passenger: Passenger,
    /// What became of it.
    pub status: Status,
    #[serde(skip)]
    pub(crate) tenant: TenantId,
    #[serde(skip)]
    pub(crate) made: Instant,
}

/// What became of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// Waits for money.
    Unpaid,
    /// All is well.
    Paid,
    /// Somebody cancelled it.
    Cancelled,
    /// Nobody paid in time.
    Expired,
}

impl Booking {
    /// Whether it can still be changed.
    pub(crate) fn check_active(&self) -> Result<(), ApiError> {
        match self.status {
            Status::Unpaid | Status::Paid => Ok(()),
            Status::Cancelled | Status::Expired => Err(ApiError::NotActive(self.id)),
        }
    }
}
