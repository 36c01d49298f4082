use compliance_log::audit_event;

use compliance_log::event::AuditField;

#[derive(AuditField)]
#[audit(personal)]
struct Passenger(u64);

#[audit_event(name = "booking.created", target = "of/{passenger}")]
struct BookingCreated {
    passenger: Passenger,
}

fn main() {}
