//! A file system that keeps nothing and prints what is appended: for a log whose only sink is standard
//! output.

use std::{
    fmt,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use super::fs::{Access, DirLock, Fs, Seen, Space, StoreFile};
use crate::layout::{self, FileKind};

/// Every file is empty, and what is appended to a segment is printed.
pub(crate) struct PrintFs(Arc<Mutex<Printed>>);

/// A segment prints; any other file takes what it is given and forgets it.
#[derive(Debug)]
struct PrintFile {
    segment_of: Option<PrintFs>,
}

/// There is no folder to be locked.
#[derive(Debug)]
struct Printing;

impl DirLock for Printing {
    fn seen(&self) -> io::Result<Option<Seen>> {
        Ok(None)
    }
}

struct Printed {
    out: Box<dyn Write + Send>,
    /// A failed write may have left part of a line, which the next one must not continue.
    broken_line: bool,
}

impl PrintFs {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> Self {
        Self(Arc::new(Mutex::new(Printed {
            out,
            broken_line: false,
        })))
    }
}

impl fmt::Debug for PrintFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrintFs")
    }
}

impl Printed {
    fn print(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.broken_line {
            self.out.write_all(b"\n")?;
        }
        self.broken_line = true;
        self.out.write_all(lines)?;
        self.out.flush()?;
        self.broken_line = false;
        Ok(())
    }
}

impl Fs for PrintFs {
    fn open(&self, path: &Path, _access: Access) -> io::Result<Box<dyn StoreFile>> {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let is_segment = matches!(layout::file_kind(name), FileKind::Segment(_));
        let segment_of = is_segment.then(|| Self(Arc::clone(&self.0)));
        Ok(Box::new(PrintFile { segment_of }))
    }

    fn create_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn create_secret_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove_unfinished(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove_file(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock_dir(&self, _path: &Path) -> io::Result<Option<Box<dyn DirLock>>> {
        Ok(Some(Box::new(Printing)))
    }

    fn sync_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _path: &Path) -> io::Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn make_read_only(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn seen(&self, _path: &Path) -> io::Result<Option<Seen>> {
        Ok(None)
    }

    fn bytes_in(&self, _folder: &Path) -> io::Result<u64> {
        Ok(0)
    }

    fn space(&self, _path: &Path) -> io::Result<Option<Space>> {
        Ok(None)
    }
}

impl StoreFile for PrintFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(PrintFs(printed)) = &self.segment_of else {
            return Ok(());
        };
        printed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .print(bytes)
    }

    fn write_at(&mut self, _bytes: &[u8], _offset: u64) -> io::Result<()> {
        Ok(())
    }

    fn read_at(&self, _out: &mut [u8], _offset: u64) -> io::Result<usize> {
        Ok(0)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(0)
    }

    fn set_len(&mut self, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }

    fn seen(&self) -> io::Result<Option<Seen>> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a few bytes, fails once, and then takes everything.
    #[derive(Clone, Default)]
    struct Stalls(Arc<Mutex<(Vec<u8>, bool)>>);

    impl Write for Stalls {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut state = self.0.lock().unwrap();
            if state.1 {
                state.0.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            if state.0.is_empty() {
                state.0.extend_from_slice(&bytes[..4]);
                return Ok(4);
            }
            state.1 = true;
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_was_printed_in_part_is_not_continued() {
        let out = Stalls::default();
        let fs = PrintFs::new(Box::new(out.clone()));
        let mut segment = fs
            .open(Path::new(&layout::segment_name(0)), Access::Create)
            .unwrap();
        segment.append(b"first line\n").unwrap_err();
        segment.append(b"second line\n").unwrap();
        assert_eq!(out.0.lock().unwrap().0, b"firs\nsecond line\n");
        let mut other = fs.open(Path::new("lock"), Access::Create).unwrap();
        other.append(b"not printed").unwrap();
        assert!(out.0.lock().unwrap().0.ends_with(b"second line\n"));
    }
}
