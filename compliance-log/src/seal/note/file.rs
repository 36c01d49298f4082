use memchr::memmem;

/// The notes of a file, each with an empty line after it. Nothing of them is read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoteFile<'b> {
    /// Where each note begins, and its bytes for [`Note::parse`](super::Note::parse).
    pub notes: Vec<(u64, &'b [u8])>,
    /// Where the last whole note ends, if something stands after it: what a crash left, or damage.
    pub torn: Option<u64>,
}

impl<'b> NoteFile<'b> {
    /// Finds the notes.
    pub fn split(bytes: &'b [u8]) -> Self {
        let mut notes = Vec::new();
        let mut rest = bytes;
        let mut at = 0_u64;
        while let Some((note, after)) = first_note(rest) {
            notes.push((at, note));
            at = at.saturating_add(rest.len().saturating_sub(after.len()) as u64);
            rest = after;
        }
        Self {
            notes,
            torn: (!rest.is_empty()).then_some(at),
        }
    }
}

/// A note's text ends at the first empty line, its signatures at the second.
fn first_note(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let empty_line = memmem::Finder::new(b"\n\n");
    let signatures_at = empty_line.find(bytes)?.checked_add(2)?;
    let signatures = bytes.get(signatures_at..)?;
    let end = signatures_at
        .checked_add(empty_line.find(signatures)?)?
        .checked_add(1)?;
    Some((bytes.get(..end)?, bytes.get(end.checked_add(1)?..)?))
}
