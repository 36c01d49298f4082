use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
enum Enum {
    A,
}

#[audit_event(name = "booking.created", target = "x")]
struct Tuple(u64);

#[audit_event(name = "booking.created", target = "x")]
struct Generic<T> {
    seats: T,
}

#[audit_event(name = "booking.created", target = "x")]
fn function() {}

fn main() {}
