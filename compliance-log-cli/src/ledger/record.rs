//! One command in the ledger: that it begins, before it does anything, and how it ended.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{
    events::{Failed, Finished, Reference, Started, Verified},
    session::Session,
};
use crate::{exit::Exit, failure::Failure, printer::complain};

/// Names the ledger where no option does.
const LEDGER: &str = "COMPLIANCE_LOG_LEDGER";

/// What a command does, to what.
pub(crate) struct Work {
    pub(crate) command: &'static str,
    pub(crate) on: PathBuf,
    pub(crate) arguments: Arguments,
}

/// Whether the ledger may hold what was given on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    Recorded,
    Withheld,
}

/// A command that was begun, if there is a ledger and it is one that is recorded.
#[derive(Default)]
pub(crate) struct Record {
    begun: Option<Begun>,
    verified: Option<Verified>,
}

struct Begun {
    ledger: PathBuf,
    command: &'static str,
    on: String,
    started: Reference,
}

/// The ledger that is configured.
pub(crate) fn configured(given: Option<PathBuf>) -> Option<PathBuf> {
    let named = || env::var_os(LEDGER).filter(|path| !path.is_empty());
    given.or_else(|| named().map(PathBuf::from))
}

impl Record {
    /// Records that it begins.
    ///
    /// # Errors
    ///
    /// A ledger that cannot be written. Then nothing may be done.
    pub(crate) fn begin(ledger: Option<&Path>, work: Option<Work>) -> Result<Self, Failure> {
        let (Some(ledger), Some(work)) = (ledger, work) else {
            return Ok(Self::default());
        };
        let on = work.on.display().to_string();
        let arguments = (work.arguments == Arguments::Recorded).then(|| {
            let given = env::args_os().skip(1);
            let given = given.map(|one| one.to_string_lossy().into_owned());
            given.collect::<Vec<_>>().join(" ")
        });
        let session = Session::open(ledger)?;
        let started = Started {
            command: work.command,
            on: on.clone(),
            arguments,
            pid: std::process::id(),
        };
        let receipt = session.record(|| started.commit())?;
        session.close()?;
        Ok(Self {
            begun: Some(Begun {
                ledger: ledger.to_owned(),
                command: work.command,
                on,
                started: Reference(format!("{}/{}", receipt.stream(), receipt.seq())),
            }),
            verified: None,
        })
    }

    /// What a verification found, to be recorded with the end.
    pub(crate) fn verified(&mut self, verified: Verified) {
        self.verified = Some(verified);
    }

    /// Records how it ended. What was done is done: if that cannot be recorded, it is said, and the ledger has
    /// a beginning without an end.
    pub(crate) fn end(self, done: &Result<Exit, Failure>) {
        let Some(begun) = self.begun else {
            return;
        };
        let Begun {
            ledger,
            command,
            on,
            started,
        } = begun;
        let recorded = Session::open(&ledger).and_then(|session| {
            if let Some(verified) = &self.verified {
                session.record(|| verified.commit())?;
            }
            match done {
                Err(failure) if !failure.is_closed_pipe() => {
                    let failed = Failed {
                        command,
                        on,
                        started,
                        exit: Exit::Failed.code(),
                        error_message: failure.to_string(),
                    };
                    session.record(|| failed.commit())?;
                }
                done => {
                    let finished = Finished {
                        command,
                        on,
                        started,
                        exit: done.as_ref().map_or(Exit::Ok, |exit| *exit).code(),
                    };
                    session.record(|| finished.commit())?;
                }
            }
            session.close()
        });
        if let Err(failure) = recorded {
            complain(&failure);
        }
    }
}
