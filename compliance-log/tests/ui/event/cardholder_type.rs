use compliance_log::audit_event;

use compliance_log::event::AuditField;

#[derive(AuditField)]
#[audit(cardholder)]
struct Card(String);

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    card: Card,
}

fn main() {}
