use compliance_log::audit_event;

#[audit_event(name = "booking.created")]
struct BookingCreated {
    booking_id: u64,
}

fn main() {}
