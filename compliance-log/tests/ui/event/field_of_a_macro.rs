use compliance_log::audit_event;

macro_rules! event {
    ($($field:ident: $type:ty),*) => {
        #[audit_event(name = "booking.created", target = "x")]
        struct BookingCreated {
            $($field: $type),*
        }
    };
}

event!(seats: u8, note: String, password: u64);

fn main() {}
