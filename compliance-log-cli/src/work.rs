//! Which commands are recorded, and what of them.

use std::path::Path;

use crate::{
    args::{ExpungeVerb, KeysVerb},
    cli::{PseudonymVerb, Verb},
    ledger::{Arguments, Work},
};

/// What a verb does to a log or to keys; `None` for what touches neither.
pub(crate) fn of(verb: &Verb) -> Option<Work> {
    let recorded = |command, on: &Path| work(command, on, Arguments::Recorded);
    Some(match verb {
        Verb::Verify(args) => recorded("verify", &args.dir),
        Verb::Show(args) => recorded("show", &args.path),
        Verb::Tail(args) => recorded("tail", &args.dir),
        Verb::ObserveReport(args) => recorded("observe-report", &args.dir),
        Verb::Redact(args) => recorded("redact --find", args.find.as_deref()?),
        Verb::Prove(args) => recorded("prove", &args.store),
        Verb::Keys(args) => match &args.verb {
            KeysVerb::Init(args) => recorded("keys init", &args.out),
            KeysVerb::Certify(args) => recorded("keys certify", &args.key),
            KeysVerb::Revoke(args) => recorded("keys revoke", &args.key),
            KeysVerb::Rotate(args) => recorded("keys rotate", &args.store),
            KeysVerb::Request(_) | KeysVerb::Show(_) => return None,
        },
        Verb::Pseudonym(args) => match &args.verb {
            // The value may stand on the command line.
            PseudonymVerb::Find(args) => work(
                "pseudonym find",
                args.records.as_deref().unwrap_or(&args.keys.keys),
                Arguments::Withheld,
            ),
            PseudonymVerb::NewKey(args) => recorded("pseudonym new-key", &args.keys.keys),
            PseudonymVerb::Forget(args) => recorded("pseudonym forget", &args.keys.keys),
            PseudonymVerb::List(_) => return None,
        },
        Verb::Expunge(args) => match &args.verb {
            // The order itself is recorded, with its reason.
            ExpungeVerb::Apply(args) => work("expunge apply", &args.store, Arguments::Withheld),
            ExpungeVerb::Request(args) => work("expunge request", &args.store, Arguments::Withheld),
            ExpungeVerb::Approve(args) => recorded("expunge approve", &args.order),
        },
        Verb::Policy(_)
        | Verb::Schema(_)
        | Verb::CheckProof(_)
        | Verb::Witness(_)
        | Verb::Evidence(_)
        | Verb::Ledger(_) => return None,
    })
}

fn work(command: &'static str, on: &Path, arguments: Arguments) -> Work {
    Work {
        command,
        on: on.to_owned(),
        arguments,
    }
}
