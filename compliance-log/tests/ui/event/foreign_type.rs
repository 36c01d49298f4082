use compliance_log::audit_event;

struct Connection;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    connection: Connection,
}

fn main() {}
