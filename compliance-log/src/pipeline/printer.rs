//! The second sink: stored lines on standard output as well.

use std::{
    io::Write,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};

/// Batches that may wait for a slow reader. What does not fit is not printed, and counted: it is
/// stored already, and a reader that stalls must not stall the store.
const BATCHES_MAX: usize = 64;

/// At the end, a reader has this long to take what waits.
const GRACE: Duration = Duration::from_secs(1);

/// Hands lines to a thread of its own, and never waits for it.
pub(crate) struct Printer {
    lines: Option<SyncSender<Vec<u8>>>,
    done: Receiver<()>,
}

impl Printer {
    pub(crate) fn start(mut out: Box<dyn Write + Send>) -> std::io::Result<Self> {
        let (lines, batches) = sync_channel::<Vec<u8>>(BATCHES_MAX);
        let (end, done) = sync_channel(0);
        std::thread::Builder::new()
            .name("compliance-log-stdout".into())
            .spawn(move || {
                for batch in batches {
                    if out.write_all(&batch).and_then(|()| out.flush()).is_err() {
                        not_printed();
                    }
                }
                drop(end);
            })?;
        Ok(Self {
            lines: Some(lines),
            done,
        })
    }

    pub(super) fn print(&self, batch: Vec<u8>) {
        let Some(lines) = &self.lines else { return };
        if lines.try_send(batch).is_err() {
            not_printed();
        }
    }
}

fn not_printed() {
    crate::metric::count("compliance_log_not_printed");
}

impl Drop for Printer {
    fn drop(&mut self) {
        self.lines = None;
        // Answered by the other side going away.
        self.done.recv_timeout(GRACE).unwrap_or(());
    }
}
