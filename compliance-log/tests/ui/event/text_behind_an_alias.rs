use compliance_log::audit_event;

type Note = String;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    note: Note,
}

fn main() {}
