use std::path::Path;

use compliance_log::seal::note::NoteFile;

use crate::{failure::Failure, small_file};

/// The notes of a file, of which the last may lack the empty line after it.
///
/// # Errors
///
/// A file that cannot be read, or is not made of whole notes.
pub(crate) fn notes(path: &Path, hint: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let mut bytes = small_file::read(path, hint)?.to_vec();
    if !bytes.ends_with(b"\n\n") {
        bytes.push(b'\n');
    }
    let NoteFile { notes, torn, .. } = NoteFile::split(&bytes);
    if torn.is_some() || notes.is_empty() {
        let text = format!("{} is not made of whole notes", path.display());
        return Err(Failure::new(text, hint));
    }
    Ok(notes.into_iter().map(|(_, note)| note.to_vec()).collect())
}
