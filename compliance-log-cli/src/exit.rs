//! Exit codes; scripts and jobs branch on them, so they never change.

use std::process::ExitCode;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: everything that was asked for is done; `verify`: all records are as they were written.
    Ok,
    /// 1: `verify` found that stored bytes were changed, removed or added.
    Tampered,
    /// 1: there is what was looked for: `schema diff` found a breaking change, `observe-report`
    /// something that would be refused, `redact` something that would be taken out, `witness submit`
    /// another history, `check-proof` that nothing is shown, `evidence show` that another signed.
    Found,
    /// 2: nothing was checked or shown, or not everything could be.
    Incomplete,
    /// 3: the arguments are wrong, or the operating system refused.
    Failed,
    /// 4: `verify` found nothing but what a crash leaves behind.
    Torn,
}

impl Exit {
    /// The number that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Tampered | Self::Found => 1,
            Self::Incomplete => 2,
            Self::Failed => 3,
            Self::Torn => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  ok
  1  tampered: stored bytes were changed, removed or added;
     of other verbs: they found what they look for
  2  nothing, or not everything, was checked
  3  usage, or the operating system refused
  4  torn only: what a crash leaves behind";

/// The table for `schema diff --help`.
pub(crate) const DIFF_HELP: &str = "\
Exit codes:
  0  the same, or compatible
  1  breaking: the version of an event has to be raised
  3  usage, a file is no lock, or the operating system refused";

/// The table for `policy test --help`.
pub(crate) const POLICY_HELP: &str = "\
Exit codes:
  0  every example holds
  1  one does not
  3  usage, the policy cannot be used, or the operating system refused";

/// The table for `redact --help`.
pub(crate) const REDACT_HELP: &str = "\
Exit codes:
  0  done; --check, --find: nothing would be redacted
  1  --check, --find: something would be
  2  --find: nothing, or not everything, was read
  3  usage, the policy cannot be used, or the operating system refused";

/// The table for the verbs of `expunge --help`.
pub(crate) const EXPUNGE_HELP: &str = "\
Exit codes:
  0  done
  3  usage, not enough signatures that count, the record is another one, or the operating system refused";

/// The table for `observe-report --help`.
pub(crate) const OBSERVE_HELP: &str = "\
Exit codes:
  0  nothing was found
  1  something would have been refused, or is missing
  2  nothing, or not everything, was read: no record of what the service did, or lines that are none
  3  usage, or the operating system refused";

/// The table for the verbs of `pseudonym --help`.
pub(crate) const PSEUDONYM_HELP: &str = "\
Exit codes:
  0  done; `find`: whether or not there are records
  2  there is no such key, or not every line could be read
  3  usage, the file is no key file or others may read it, or the operating system refused";

/// The table for `witness serve --help`.
pub(crate) const SERVE_HELP: &str = "\
Exit codes:
  0  it was told to end
  3  usage, DIR is another witness' or damaged, or the operating system refused";

/// The table for `witness submit --help`.
pub(crate) const SUBMIT_HELP: &str = "\
Exit codes:
  0  the newest checkpoint is cosigned
  1  another history of this store exists
  2  there is no checkpoint yet
  3  usage, the store or the witness cannot be reached, or it does not take the store";

/// The table for the verbs of `keys --help`.
pub(crate) const KEYS_HELP: &str = "\
Exit codes:
  0  done
  3  usage, a file is not what it should be, or the operating system refused";

/// The table for `prove --help`.
pub(crate) const PROVE_HELP: &str = "\
Exit codes:
  0  done
  2  the record is not there, or not sealed yet
  3  usage, the store is damaged or not sealed, or the operating system refused";

/// The table for `check-proof --help`.
pub(crate) const CHECK_PROOF_HELP: &str = "\
Exit codes:
  0  the record is in the store
  1  that is not shown
  3  usage, or the operating system refused";

/// The table for `evidence show --help`.
pub(crate) const EVIDENCE_HELP: &str = "\
Exit codes:
  0  the key signed all of it
  1  it did not
  3  usage, it is no evidence, or the operating system refused";

/// The table for `witness origins --help`.
pub(crate) const ORIGINS_HELP: &str = "\
Exit codes:
  0  done
  3  usage, or the witness cannot be reached";
