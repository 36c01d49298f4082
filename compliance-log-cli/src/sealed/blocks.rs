//! Files of notes, a block at a time.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// A store's notes have less than a tenth of it.
const TAIL_BYTES: u64 = 64 << 10;
const END: &str = "\n\n";
const SIGNATURE: &str = "\u{2014} ";

/// The last whole note of a file; `None` if there is none. What a writer that was cut short left behind it is
/// passed over.
pub(super) fn last(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let start = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let tail = String::from_utf8_lossy(&bytes);
    let mut parts: Vec<&str> = tail.split(END).collect();
    // What no empty line follows is not whole.
    parts.pop();
    while let [.., text, signatures] = parts[..] {
        let is_cut = start > 0 && parts.len() == 2;
        if signatures.starts_with(SIGNATURE) && !is_cut {
            return Ok(Some([text, END, signatures, "\n"].concat().into_bytes()));
        }
        parts.pop();
    }
    Ok(None)
}

/// The whole notes of a file, oldest first, as `take` wants them: `false` ends it.
pub(super) fn each(path: &Path, mut take: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut lines = BufReader::new(File::open(path)?);
    let mut note = Vec::new();
    let mut empty_lines = 0;
    loop {
        let before = note.len();
        let limit = TAIL_BYTES.saturating_sub(before as u64);
        if lines.by_ref().take(limit).read_until(b'\n', &mut note)? == 0 {
            return Ok(());
        }
        if note.get(before..) != Some(b"\n") {
            continue;
        }
        empty_lines += 1;
        if empty_lines == 2 {
            note.pop();
            if !take(&note) {
                return Ok(());
            }
            note.clear();
            empty_lines = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::durable::{Access, replace};

    use super::{each, last};

    fn text(note: Option<Vec<u8>>) -> String {
        String::from_utf8(note.unwrap_or_default()).unwrap()
    }

    #[test]
    fn notes_are_found_whatever_a_crash_left_behind_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.ckpt");
        let note = |n: u32| format!("origin\n{n}\nroot\n\n\u{2014} a b\n\u{2014} c d\n");
        let three = format!("{}\n{}\n{}\n", note(1), note(2), note(3));
        let whole_until = |length: usize| {
            let mut newest_first = (1..=3).rev();
            newest_first.find(|n| *n as usize * (note(1).len() + 1) <= length)
        };
        for length in 0..=three.len() {
            replace(&path, &three.as_bytes()[..length], Access::Owner).unwrap();
            let expected = whole_until(length);
            assert_eq!(
                text(last(&path).unwrap()),
                expected.map_or(String::new(), note),
                "{length}"
            );
            let mut found = Vec::new();
            each(&path, |note| {
                found.push(String::from_utf8(note.to_vec()).unwrap());
                true
            })
            .unwrap();
            let all: Vec<String> = (1..=expected.unwrap_or(0)).map(note).collect();
            assert_eq!(found, all, "{length}");
        }
    }

    #[test]
    fn a_long_file_is_read_from_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.ckpt");
        let notes = (0..5000).map(|n| format!("origin\n{n}\nroot\n\n\u{2014} a b\n\n"));
        let notes: Vec<String> = notes.collect();
        replace(&path, notes.concat().as_bytes(), Access::Owner).unwrap();
        assert_eq!(
            text(last(&path).unwrap()),
            "origin\n4999\nroot\n\n\u{2014} a b\n"
        );
    }
}
