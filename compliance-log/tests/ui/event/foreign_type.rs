use compliance_log::audit_event;

struct Connection;

#[audit_event(name = "booking.created")]
struct BookingCreated {
    connection: Connection,
}

fn main() {}
