use compliance_log::event::AuditField;

type Text = String;

#[derive(AuditField)]
#[audit(public)]
struct Note(Text);

fn main() {}
