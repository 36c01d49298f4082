use compliance_log::audit_event;

#[audit_event(name = "booking.created")]
enum Enum {
    A,
}

#[audit_event(name = "booking.created")]
struct Tuple(u64);

#[audit_event(name = "booking.created")]
struct Generic<T> {
    seats: T,
}

#[audit_event(name = "booking.created")]
fn function() {}

fn main() {}
