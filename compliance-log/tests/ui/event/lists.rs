use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    seats: Vec<Vec<u16>>,
    coaches: Vec<Option<u16>>,
}

fn main() {}
