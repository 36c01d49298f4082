use compliance_log::audit_event;

#[audit_event(name = "booking.created", target = "{nobody}")]
struct Unknown {
    #[audit(rename = "nobody")]
    somebody: u8,
}

#[audit_event(name = "booking.changed", target = "{passenger}")]
struct Hidden {
    #[audit(pseudonym)]
    passenger: String,
}

#[audit_event(name = "booking.moved", target = "{passenger}")]
struct Personal {
    #[audit(personal)]
    passenger: u64,
}

fn main() {}
