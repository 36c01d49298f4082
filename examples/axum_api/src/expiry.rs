//! Work that no request asked for: bookings that nobody pays for expire.

use std::time::{Duration, Instant};

use compliance_log::{CommitError, context::AuditContext};

use crate::{BookingId, Bookings, Status, event::BookingExpired};

/// Lets bookings expire that are unpaid for `age` at `now`, and gives their numbers.
///
/// Each runs as a job of its own on the data of its tenant, so records name the tenant, and the service
/// itself as the one who acts.
///
/// # Errors
///
/// If a record could not be stored. That booking stays as it was; the next run tries again.
pub async fn expire_unpaid(
    bookings: &Bookings,
    age: Duration,
    now: Instant,
) -> Result<Vec<BookingId>, CommitError> {
    let mut expired = Vec::new();
    for (tenant, booking_id) in bookings.unpaid(age, now) {
        let set_status = |from, to| bookings.set_status(&tenant, booking_id, from, to);
        if set_status(Status::Unpaid, Status::Expired).is_err() {
            // Somebody cancelled it since.
            continue;
        }
        let job = AuditContext::job("expire-unpaid").tenant(tenant.clone());
        let recorded = job
            .scope(async { BookingExpired { booking_id }.commit().await })
            .await;
        if let Err(error) = recorded {
            // With a database: record within the transaction, and roll it back here.
            drop(set_status(Status::Expired, Status::Unpaid));
            return Err(error);
        }
        expired.push(booking_id);
    }
    Ok(expired)
}

/// Runs [`expire_unpaid`] again and again, until it is dropped.
pub async fn run(bookings: Bookings, age: Duration) {
    let mut ticks =
        tokio::time::interval(age.clamp(Duration::from_secs(1), Duration::from_secs(60)));
    loop {
        ticks.tick().await;
        match expire_unpaid(&bookings, age, Instant::now()).await {
            Ok(expired) if expired.is_empty() => (),
            Ok(expired) => tracing::info!(count = expired.len(), "unpaid bookings expired"),
            Err(error) => tracing::error!(%error, "unpaid bookings cannot expire"),
        }
    }
}
