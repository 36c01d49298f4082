use compliance_log::verify::{Authenticity, Report, Verdict};

const COPY: &str = "leave the store as it is and copy it (`cp -a`) before anything else; then compare the records named above with a copy that left the machine";

/// What to do about what was found, in a sentence; `None` if nothing is to be done.
pub(crate) fn what_next(report: &Report) -> Option<&'static str> {
    let says = |authenticity: Authenticity| {
        let seals = report.stores.iter().filter_map(|store| store.seal.as_ref());
        seals
            .into_iter()
            .any(|seal| seal.authenticity == authenticity)
    };
    Some(match report.verdict {
        Verdict::Fork => {
            "two histories were signed with these keys: copy the store (`cp -a`), stop its service, and look who had the keys or a copy of the machine"
        }
        Verdict::BadSignature => {
            "copy the store (`cp -a`); is the root key the right one, and did it come by another way than the store?"
        }
        Verdict::Rollback => {
            "more of it was known elsewhere: look for a restored backup or snapshot, and for where the newer records are"
        }
        Verdict::Unsealed => {
            "nobody vouches for these records: look whether the service turned its seal off, or somebody took it away"
        }
        Verdict::Stale => {
            "look whether the service runs, with the newest checkpoint from an anchor: if it does not, verify without --live"
        }
        Verdict::Uncertified => {
            "certify the keys with `compliance-log keys request` and `keys certify`, and verify again"
        }
        Verdict::NothingChecked => {
            if report
                .findings
                .iter()
                .any(|found| found.verdict == Verdict::NothingChecked)
            {
                "what was to be asked could not be: mend that, and verify again"
            } else {
                "nothing, or not everything, was checked: give the folder that was given to the service as `dir`, or one store in it; a store has at least `streams/audit`"
            }
        }
        Verdict::Torn => {
            "this is what a crash leaves, or a record that is being written: if the service runs, verify again; if not, its next start sets these bytes aside and records that it did"
        }
        _ if report.exit == 1 => COPY,
        _ if report.exit == 2 => {
            "segments lie in an archive: put them back beside the others, or say with --hot-only that what is here is enough"
        }
        _ if report.exit == 0 && says(Authenticity::NotChecked) => {
            "give the root key with --root-key to know who sealed it; a store that is its own root has it in `<dir>.root.vkey`, and you should have a copy elsewhere"
        }
        _ => return None,
    })
}
