use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "x")]
struct BookingCreated {
    #[audit(internal)]
    user_password: String,
    #[audit(rename = "access_token_old")]
    before: u64,
    #[audit(internal)]
    card_number: String,
    #[audit(pseudonym)]
    ssn: String,
}

fn main() {}
