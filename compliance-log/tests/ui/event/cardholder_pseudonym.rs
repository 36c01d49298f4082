use compliance_log::audit_event;

#[audit_event(name = "booking.refunded", target = "x")]
struct BookingRefunded {
    #[audit(cardholder, pseudonym)]
    holder: String,
}

fn main() {}
