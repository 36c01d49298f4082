use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    seats: u8,
    #[audit(rename = "seats")]
    places: u8,
}

fn main() {}
