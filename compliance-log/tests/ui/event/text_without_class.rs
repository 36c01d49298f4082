use compliance_log::audit_event;

#[audit_event(name = "booking.created")]
struct BookingCreated {
    note: Option<String>,
}

fn main() {}
