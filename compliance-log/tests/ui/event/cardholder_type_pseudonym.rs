use compliance_log::{audit_event, event::AuditField};

#[derive(AuditField)]
#[audit(cardholder)]
struct Card(String);

#[audit_event(name = "booking.paid", target = "x")]
struct BookingPaid {
    #[audit(pseudonym)]
    passenger: Option<String>,
    #[audit(pseudonym)]
    card: Option<Card>,
}

fn main() {}
