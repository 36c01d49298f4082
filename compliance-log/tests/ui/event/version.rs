use compliance_log::audit_event;

#[audit_event(name = "booking.created", version = 0, target = "x")]
struct BookingCreated;

fn main() {}
