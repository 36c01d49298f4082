//! A file system that keeps nothing and prints what is appended: for a log whose only sink is standard
//! output.

use std::{
    fmt,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use super::fs::{Access, Fs, StoreFile};
use crate::layout::{self, FileKind};

/// Every file is empty, and what is appended to a segment is printed.
pub(crate) struct PrintFs(Arc<Mutex<Printed>>);

/// A segment prints; any other file takes what it is given and forgets it.
#[derive(Debug)]
struct PrintFile {
    segment_of: Option<PrintFs>,
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

    fn rename(&self, _from: &Path, _to: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove_unfinished(&self, _path: &Path) -> io::Result<()> {
        Ok(())
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
}
