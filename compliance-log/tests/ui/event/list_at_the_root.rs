use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    booking_id: Vec<u64>,
}

fn main() {}
