use compliance_log::audit_event;

type Headers = std::collections::BTreeMap<String, String>;
type Body = Vec<u8>;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    #[audit(internal)]
    headers: Headers,
    body: Body,
}

fn main() {}
