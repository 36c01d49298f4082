use std::time::Instant;

use compliance_log::context::TenantId;
use serde::{Deserialize, Serialize};

use crate::{ApiError, BookingId, CardNumber, OfferId, Passenger};

/// What a client asks for.
#[derive(Clone, Debug, Deserialize)]
pub struct NewBooking {
    /// What to book.
    pub offer_id: OfferId,
    /// How many seats.
    pub seats: u8,
    /// Who travels.
    pub passenger: Passenger,
    /// How it is paid; without it the booking expires.
    pub card: Option<CardNumber>,
}

/// What was booked.
#[derive(Clone, Debug, Serialize)]
pub struct Booking {
    /// Its number.
    pub booking_id: BookingId,
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
            Status::Cancelled | Status::Expired => Err(ApiError::NotActive(self.booking_id)),
        }
    }
}
