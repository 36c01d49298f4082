use compliance_log::audit_event;

#[audit_event(name = "created", target = "x")]
struct OneWord;

#[audit_event(name = "http.sent", target = "x")]
struct Reserved;

#[audit_event(version = 2)]
struct Nameless;

fn main() {}
