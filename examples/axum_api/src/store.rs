use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use compliance_log::context::TenantId;

use crate::{Booking, BookingId, Status, booking::NewBooking, error::ApiError};

/// All bookings of all tenants, in memory. Every access names the tenant, and this is the only place
/// that compares it.
#[derive(Clone, Debug, Default)]
pub struct Bookings(Arc<Mutex<Tables>>);

#[derive(Debug, Default)]
struct Tables {
    bookings: BTreeMap<BookingId, Booking>,
    seat_limits: BTreeMap<String, u8>,
}

const SEAT_LIMIT: u8 = 9;

impl Tables {
    fn find(&mut self, tenant: &TenantId, id: BookingId) -> Result<&mut Booking, ApiError> {
        match self.bookings.get_mut(&id) {
            None => Err(ApiError::NoSuchBooking(id)),
            Some(booking) if booking.tenant != *tenant => Err(ApiError::OtherTenant(id)),
            Some(booking) => Ok(booking),
        }
    }
}

impl Bookings {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a booking.
    pub(crate) fn add(&self, tenant: &TenantId, new: NewBooking) -> Booking {
        let mut tables = self.tables();
        let next = tables.bookings.last_key_value();
        let id = BookingId(next.map_or(1, |(last, _)| last.0 + 1));
        let booking = Booking {
            id,
            offer_id: new.offer_id,
            seats: new.seats,
            passenger: new.passenger,
            status: if new.card.is_some() {
                Status::Paid
            } else {
                Status::Unpaid
            },
            tenant: tenant.clone(),
            made: Instant::now(),
        };
        tables.bookings.insert(id, booking.clone());
        booking
    }

    /// A booking of this tenant, and of no other.
    pub(crate) fn get(&self, tenant: &TenantId, id: BookingId) -> Result<Booking, ApiError> {
        self.tables()
            .find(tenant, id)
            .map(|booking| booking.clone())
    }

    /// Gives a booking other seats, and tells how many it had.
    pub(crate) fn set_seats(
        &self,
        tenant: &TenantId,
        id: BookingId,
        seats: u8,
    ) -> Result<u8, ApiError> {
        let mut tables = self.tables();
        let booking = tables.find(tenant, id)?;
        booking.check_active()?;
        Ok(std::mem::replace(&mut booking.seats, seats))
    }

    /// Moves a booking on, unless it is no longer in the state that the caller saw.
    pub(crate) fn set_status(
        &self,
        tenant: &TenantId,
        id: BookingId,
        from: Status,
        to: Status,
    ) -> Result<Booking, ApiError> {
        let mut tables = self.tables();
        let booking = tables.find(tenant, id)?;
        if booking.status != from {
            return Err(ApiError::NotActive(id));
        }
        booking.status = to;
        Ok(booking.clone())
    }

    /// Every booking of a tenant.
    pub fn of(&self, tenant: &TenantId) -> Vec<Booking> {
        let tables = self.tables();
        let all = tables.bookings.values();
        all.filter(|booking| booking.tenant == *tenant)
            .cloned()
            .collect()
    }

    /// Bookings that were made at least `age` before `now` and are not paid, with their tenants.
    pub(crate) fn unpaid(&self, age: Duration, now: Instant) -> Vec<(TenantId, BookingId)> {
        let due = |booking: &&Booking| {
            booking.status == Status::Unpaid && now.duration_since(booking.made) >= age
        };
        let tables = self.tables();
        let due = tables.bookings.values().filter(due);
        due.map(|booking| (booking.tenant.clone(), booking.id))
            .collect()
    }

    /// The most seats of one booking of a tenant.
    pub(crate) fn seat_limit(&self, tenant: &TenantId) -> u8 {
        let limits = &self.tables().seat_limits;
        limits.get(tenant.as_str()).copied().unwrap_or(SEAT_LIMIT)
    }

    /// Sets it, and gives what it was before.
    pub(crate) fn set_seat_limit(&self, tenant: &TenantId, seats: u8) -> u8 {
        let mut tables = self.tables();
        let before = tables.seat_limits.insert(tenant.as_str().to_owned(), seats);
        before.unwrap_or(SEAT_LIMIT)
    }
}
