use compliance_log::audit_event;

#[audit_event(name = "created")]
struct OneWord;

#[audit_event(name = "http.sent")]
struct Reserved;

#[audit_event(version = 2)]
struct Nameless;

fn main() {}
