use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    note: Option<String>,
}

fn main() {}
