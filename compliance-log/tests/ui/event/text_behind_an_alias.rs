use compliance_log::audit_event;

type Note = String;

#[audit_event(name = "booking.created")]
struct BookingCreated {
    note: Note,
}

fn main() {}
