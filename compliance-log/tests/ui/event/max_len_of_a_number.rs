use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    #[audit(max_len = 9)]
    seats: u8,
}

fn main() {}
