use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    #[audit(cardholder)]
    holder: String,
    #[audit(public, mask = "pan")]
    card: String,
}

fn main() {}
