//! The operator command of compliance-log.
//!
//! Modules stand in the order in which data flows: arguments, files, records, what is printed.

mod exit;
mod failure;
mod printer;
mod record;
mod filter;
mod args;
mod cli;
mod source;
mod merge;
mod human;
mod json_line;
mod redact_line;
mod lock;
mod keys;
mod observed;
mod base64;
mod notes;
mod small_file;
mod durable;
mod private_key;
mod vkey;
mod sealed;
mod witness;
mod verification;
mod ledger;
mod expunge;
mod work;
mod cmd;

use std::{io, path::Path, process::ExitCode};

use clap::Parser as _;

use crate::{
    args::{EvidenceVerb, ExpungeVerb, KeysVerb, LedgerVerb, WitnessVerb},
    cli::{Cli, PolicyVerb, PseudonymVerb, SchemaVerb, Verb},
    exit::Exit,
    failure::Failure,
    ledger::Record,
    printer::Printer,
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::Failed
            } else {
                Exit::Ok
            };
            // Help that nobody reads is no failure.
            error.print().unwrap_or(());
            return exit.into();
        }
    };
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) if failure.is_closed_pipe() => Exit::Ok.into(),
        Err(failure) => {
            printer::complain(&failure);
            Exit::Failed.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let ledger = ledger::configured(cli.record);
    let mut record = Record::begin(ledger.as_deref(), work::of(&cli.verb))?;
    let done = dispatch(cli.verb, ledger.as_deref(), &mut record);
    record.end(&done);
    done
}

fn dispatch(verb: Verb, ledger: Option<&Path>, record: &mut Record) -> Result<Exit, Failure> {
    let mut printer = Printer::new();
    let exit = match verb {
        Verb::Verify(args) => cmd::verify::run(&args, record, &mut printer)?,
        Verb::Show(args) => cmd::show::run(args, &mut printer)?,
        Verb::Tail(mut args) => cmd::tail::run(&mut args, &mut printer)?,
        Verb::Policy(args) => match args.verb {
            PolicyVerb::Test(args) => cmd::policy_test::run(&args, &mut printer)?,
        },
        Verb::Redact(args) => cmd::redact::run(args, &mut printer)?,
        Verb::Schema(args) => match args.verb {
            SchemaVerb::Diff(args) => cmd::schema_diff::run(&args, &mut printer)?,
            SchemaVerb::Export(args) => cmd::schema_export::run(&args, &mut printer)?,
        },
        Verb::Pseudonym(args) => match args.verb {
            PseudonymVerb::Find(args) => cmd::pseudonym_find::run(&args, &mut printer)?,
            PseudonymVerb::NewKey(args) => cmd::pseudonym_new_key::run(&args, &mut printer)?,
            PseudonymVerb::Forget(args) => cmd::pseudonym_forget::run(&args, &mut printer)?,
            PseudonymVerb::List(args) => cmd::pseudonym_list::run(&args, &mut printer)?,
        },
        Verb::ObserveReport(args) => cmd::observe_report::run(args, &mut printer)?,
        Verb::Prove(args) => cmd::prove::run(&args, &mut printer)?,
        Verb::CheckProof(args) => cmd::check_proof::run(&args, &mut printer)?,
        Verb::Keys(args) => match args.verb {
            KeysVerb::Init(args) => cmd::keys_init::run(&args, &mut printer)?,
            KeysVerb::Request(args) => cmd::keys_request::run(&args, &mut printer)?,
            KeysVerb::Certify(args) => cmd::keys_certify::run(&args, &mut printer)?,
            KeysVerb::Rotate(args) => cmd::keys_rotate::run(&args, &mut printer)?,
            KeysVerb::Revoke(args) => cmd::keys_revoke::run(&args, &mut printer)?,
            KeysVerb::Show(args) => cmd::keys_show::run(&args, &mut printer)?,
        },
        Verb::Witness(args) => match args.verb {
            WitnessVerb::Serve(args) => cmd::witness_serve::run(&args, &mut printer)?,
            WitnessVerb::Origins(args) => cmd::witness_origins::run(&args, &mut printer)?,
            WitnessVerb::Submit(args) => cmd::witness_submit::run(&args, &mut printer)?,
        },
        Verb::Evidence(args) => match args.verb {
            EvidenceVerb::Show(args) => cmd::evidence_show::run(&args, &mut printer)?,
        },
        Verb::Ledger(args) => match args.verb {
            LedgerVerb::Init(args) => cmd::ledger_init::run(&args, &mut printer)?,
        },
        Verb::Expunge(args) => match args.verb {
            ExpungeVerb::Request(args) => cmd::expunge_request::run(&args, &mut printer)?,
            ExpungeVerb::Approve(args) => cmd::expunge_approve::run(&args, &mut printer)?,
            ExpungeVerb::Apply(args) => cmd::expunge_apply::run(&args, ledger, &mut printer)?,
        },
    };
    match printer.flush() {
        // How it ended is settled, whether or not somebody read it all.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        other => other?,
    }
    Ok(exit)
}
