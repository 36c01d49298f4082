//! What `verify` asks and says beside the check itself: what is known of stores from elsewhere, the text, and
//! the signed report.

mod note_file;
mod outside;
mod next;
mod text;
mod evidence;

pub(crate) use evidence::Keeper;
pub(crate) use next::what_next;
pub(crate) use note_file::notes;
pub(crate) use outside::options;
pub(crate) use text::text;
