use compliance_log::audit_event;

#[audit_event(name = "booking.created", kind = "audit", category = "web", target = "x")]
struct BookingCreated {
    #[audit(hash)]
    seats: u8,
}

fn main() {}
