//! A store with a seal: certificate, epochs, checkpoints, then the catalog, then what it says of the
//! other streams.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    ledger::Ledger,
    options::{Archives, Options, Signatures},
    plan::{Plan, names},
    report::{Authenticity, Finding, SealReport, StoreReport, Verdict},
    seal::{
        Catalog, Certified, Facts, Found, HEARTBEAT_S_MAX, Identity, Outside, Sealed, SealedStream,
        Statements, certified,
    },
    stitch::{Outcome, span},
    store::{Checked, is_folder},
    stream::{Known, check_stream},
};
use crate::{
    error::Error,
    event::Channel,
    layout::{CATALOG, CERTIFICATE, EPOCHS, SEAL, STREAMS, is_torn_epochs},
    seal::merkle::TreeHash,
};

/// A running writer's newest fact is never older than two heartbeats and this.
const LATE_MS: u64 = 5_000;

/// Checks a sealed store; `None` if it has no seal by which it could be checked. Then `found` says why,
/// if there is more to say than that. `audit` is what is read of the audit stream's records.
pub(super) fn check_sealed(
    path: &Path,
    ledger: &Ledger,
    audit: Facts,
    options: &Options,
    checked: &mut u64,
    found: &mut Found,
) -> Result<Option<Checked>, Error> {
    let identity = match certified(path, &options.roots, found)? {
        Certified::Yes(identity) => identity,
        Certified::No | Certified::Refused => return Ok(None),
    };
    let found = std::mem::take(found);
    let mut check = SealedStore::new(path, ledger, options, &identity, found);
    check.run(audit, checked).map(Some)
}

struct SealedStore<'s> {
    path: &'s Path,
    ledger: &'s Ledger,
    options: &'s Options,
    identity: &'s Identity,
    found: Found,
    store: StoreReport,
    not_checked: Vec<String>,
    archived: u64,
}

impl<'s> SealedStore<'s> {
    fn new(
        path: &'s Path,
        ledger: &'s Ledger,
        options: &'s Options,
        identity: &'s Identity,
        found: Found,
    ) -> Self {
        Self {
            path,
            ledger,
            options,
            identity,
            found,
            store: StoreReport::of(path),
            not_checked: Vec::new(),
            archived: 0,
        }
    }

    fn run(&mut self, audit: Facts, checked: &mut u64) -> Result<Checked, Error> {
        self.store.sealed = true;
        self.ledger.tell(&mut self.found);
        self.look_around()?;
        self.note_unexpected();
        let mut outside = Outside::of(self.identity, &self.options.known, &self.options.expected);
        for bad in outside.bad.drain(..) {
            self.found.add(Finding::new(Verdict::NothingChecked, bad));
        }
        let trusted_to = self.revoked(&mut outside);
        let all = self.options.signatures == Signatures::All;
        let statements =
            Statements::read(self.path, self.identity, trusted_to, all, &mut self.found)?;

        let id = self.identity.stream(CATALOG);
        let origin = self.identity.origin.as_str().to_owned();
        let known = || {
            let gone = self.ledger.gone(&origin, &id);
            let roots = statements.roots.clone();
            let probes = outside.probes();
            Some(Known {
                sealed: Sealed::catalog(id.clone(), roots, statements.size, probes, gone),
                closed: None,
                // Nothing is taken out of what everything else is judged by.
                expunged: BTreeMap::new(),
            })
        };
        let (plan, mut outcome) = check_stream(self.path, CATALOG, known, self.options, checked)?;
        let roots = std::mem::take(&mut outcome.roots);
        let catalog = roots.catalog;
        let (sound, probed) = (roots.sound, roots.probed);
        self.note(&plan);
        let end = outcome.next;
        let unsealed = end.saturating_sub(statements.size);
        self.take(
            outcome,
            unsealed,
            (statements.size, statements.root(statements.size)),
            catalog.newest_ms(),
        );
        self.archived = self.archived.saturating_add(roots.archived);
        statements.check_closed(self.path, self.identity, &catalog, &mut self.found)?;
        let root_at = |size: u64| {
            let probed = probed.iter().find(|(at, _)| *at == size && size <= sound);
            // Where the records are gone, what was signed of them is left.
            probed
                .map(|(_, root)| *root)
                .or_else(|| statements.root(size))
        };
        for (source, size) in outside.unknown(statements.size, root_at) {
            self.not_checked.push(format!(
                "the checkpoint of size {size} from {source}: the records below it are not here"
            ));
        }
        for mut finding in outside.judge(statements.size, root_at) {
            finding.stream = Some(id.clone());
            self.found.add(finding);
        }
        self.check_genesis(&catalog);

        let whole = sound >= statements.size;
        let holds = whole && statements.hold;
        if !statements.hold {
            self.not_shown(&id, sound, end);
        }
        let mut ledger = Vec::new();
        for channel in self.channels(&catalog)? {
            let id = self.identity.stream(&channel);
            let in_catalog = catalog.streams().get(&id);
            let facts = if channel == Channel::Audit.as_str() {
                audit
            } else {
                Facts::None
            };
            if in_catalog.is_none() && whole {
                self.planted(&channel)?;
            }
            let gone = self.ledger.gone(&origin, &id);
            let expunged = self.ledger.expunged(&origin, &id);
            let known = || {
                let known = in_catalog?;
                Some(Known {
                    sealed: Sealed::stream(id.clone(), known, gone.clone(), facts),
                    closed: Some(&known.closed),
                    expunged: expunged.clone(),
                })
            };
            if in_catalog.is_none() && !is_folder(&self.path.join(STREAMS).join(&channel))? {
                continue;
            }
            let (plan, mut outcome) =
                check_stream(self.path, &channel, known, self.options, checked)?;
            self.note(&plan);
            let roots = std::mem::take(&mut outcome.roots);
            self.archived = self.archived.saturating_add(roots.archived);
            ledger.extend(roots.ledger);
            let sealed = in_catalog.map_or(0, |known| known.size);
            let next = outcome.next;
            let stopped = catalog.is_stopped() && whole && in_catalog.is_some();
            // Unless the next writer began while the store was read.
            if stopped && next > sealed && !statements.is_outdated(self.path)? {
                self.after_the_stop(&id, sealed, next);
            }
            if !holds {
                self.not_shown(&id, sealed, next);
            }
            let root = in_catalog.and_then(SealedStream::newest_root);
            let unsealed = next.saturating_sub(sealed);
            self.take(outcome, unsealed, (sealed, root), catalog.newest_ms());
        }
        self.check_stale(&catalog);
        let continues = catalog
            .genesis
            .as_ref()
            .and_then(|genesis| genesis.continues.clone());
        Ok(Checked {
            continues,
            origin: Some(self.identity.origin.clone()),
            role: self.identity.role,
            ledger,
            report: self.report(statements, &catalog),
        })
    }

    fn note_unexpected(&mut self) {
        let origin = &self.identity.origin;
        let expected = &self.options.expected;
        if !expected.is_empty() && !expected.iter().any(|(expected, _)| expected == origin) {
            let note = format!("{origin} was not expected here");
            self.store.notes.push(note);
        }
    }

    /// The smallest size above which one of the store's keys is revoked.
    fn revoked(&self, outside: &mut Outside) -> Option<u64> {
        let ours = self.options.revoked().filter(|revoked| {
            revoked.of.covers(&self.identity.origin) && self.identity.rests_on(&revoked.key)
        });
        let mut trusted_to: Option<u64> = None;
        for revoked in ours {
            trusted_to = Some(trusted_to.unwrap_or(u64::MAX).min(revoked.size));
            if let Some(root) = revoked.root {
                outside.add("the revocation".into(), revoked.size, root);
            }
        }
        trusted_to
    }

    /// The channels to look at beside the catalog: those that it names, and those that are here.
    fn channels(&self, catalog: &Catalog) -> Result<BTreeSet<String>, Error> {
        let folder = self.path.join(STREAMS);
        let mut channels: BTreeSet<String> = if is_folder(&folder)? {
            names(&folder)?.into_iter().collect()
        } else {
            BTreeSet::new()
        };
        let named = catalog.streams().keys();
        channels.extend(named.filter_map(|id| {
            let (writer, channel) = id.rsplit_once('/')?;
            // A fact of the store's own streams only; any other would lead out of its folder.
            (self.identity.stream(channel) == format!("{writer}/{channel}"))
                .then(|| channel.to_owned())
        }));
        channels.remove(CATALOG);
        Ok(channels)
    }

    /// A stream that the catalog does not know.
    fn planted(&mut self, channel: &str) -> Result<(), Error> {
        let folder = format!("{STREAMS}/{channel}");
        if is_folder(&self.path.join(&folder))? {
            self.found.in_file(
                Verdict::Unsealed,
                &folder,
                "the catalog names no such stream",
            );
        } else {
            self.store.notes.push(format!("{folder} is not of the log"));
        }
        Ok(())
    }

    /// Where a part of the seal is refused, records from `sealed` on may be forged, however well they fit together.
    fn not_shown(&mut self, stream: &str, sealed: u64, next: u64) {
        if next <= sealed {
            return;
        }
        let records = span(sealed, next.saturating_sub(1));
        let detail =
            format!("{records} not shown to be what was sealed: the seal that holds ends before");
        let mut finding = Finding::new(Verdict::Unsealed, detail);
        finding.stream = Some(stream.to_owned());
        finding.seq = Some(sealed);
        self.found.add(finding);
    }

    fn after_the_stop(&mut self, stream: &str, sealed: u64, next: u64) {
        let detail = format!(
            "records {sealed} to {} stand behind the writer's last checkpoint, after which it stopped",
            next.saturating_sub(1)
        );
        let mut finding = Finding::new(Verdict::Unsealed, detail);
        finding.stream = Some(stream.to_owned());
        finding.seq = Some(sealed);
        self.found.add(finding);
    }

    /// What the catalog's first record says of the keys is also what the certificate says.
    fn check_genesis(&mut self, catalog: &Catalog) {
        let Some(genesis) = &catalog.genesis else {
            return;
        };
        let identity = self.identity;
        if genesis.origin != identity.origin.as_str() || genesis.log != identity.log.to_string() {
            let detail = "the certificate is of another store than the catalog's first record";
            self.found
                .in_file(Verdict::Splice, &format!("{SEAL}/{CERTIFICATE}"), detail);
        }
    }

    fn check_stale(&mut self, catalog: &Catalog) {
        let Some((now, newest)) = self.options.now_ms().zip(catalog.newest_ms()) else {
            return;
        };
        let age_ms = u64::try_from(now.saturating_sub(newest)).unwrap_or(0);
        let heartbeat_ms = catalog.heartbeat_s().saturating_mul(1_000);
        if age_ms > heartbeat_ms.saturating_mul(2).saturating_add(LATE_MS) {
            let detail = format!(
                "the newest sealed record is {} s old: the writer does not run, or the end was cut off",
                age_ms.checked_div(1_000).unwrap_or_default()
            );
            self.found.add(Finding::new(Verdict::Stale, detail));
        }
    }

    /// Files beside the streams that are not the seal's.
    fn look_around(&mut self) -> Result<(), Error> {
        let folder = self.path.join(SEAL);
        if !is_folder(&folder)? {
            return Ok(());
        }
        for name in names(&folder)? {
            if name != CERTIFICATE && name != EPOCHS && !is_torn_epochs(&name) {
                let note = format!("{SEAL}/{name} is not of the log");
                self.store.notes.push(note);
            }
        }
        Ok(())
    }

    fn note(&mut self, plan: &Plan) {
        let unknown = plan.unknown.iter();
        let unknown = unknown.map(|name| format!("{}/{name} is not of the log", plan.folder));
        self.store.notes.extend(unknown);
        let refused = plan
            .refused
            .iter()
            .map(|why| format!("{}: {why}", plan.folder));
        self.store.notes.extend(refused);
    }

    fn take(
        &mut self,
        outcome: Outcome,
        unsealed: u64,
        (size, root): (u64, Option<TreeHash>),
        sealed_ms: Option<i64>,
    ) {
        self.found.worst = self.found.worst.into_iter().chain(outcome.worst).min();
        self.store.findings.extend(outcome.findings);
        let mut report = outcome.report;
        report.unsealed = Some(unsealed);
        let after = outcome.last_ms.zip(sealed_ms).filter(|_| unsealed > 0);
        report.unsealed_s = after.map(|(last, sealed)| {
            let ms = u64::try_from(last.saturating_sub(sealed)).unwrap_or(0);
            ms.checked_div(1_000).unwrap_or_default()
        });
        report.sealed_size = Some(size);
        report.sealed_root = root.map(|root| root.to_string());
        self.store.streams.push(report);
    }

    fn report(&mut self, statements: Statements, catalog: &Catalog) -> StoreReport {
        let mut store = std::mem::replace(&mut self.store, StoreReport::of(self.path));
        let found = std::mem::take(&mut self.found);
        store.verdict = found.worst.unwrap_or(Verdict::Ok);
        let mut findings = found.findings;
        findings.append(&mut store.findings);
        store.findings = findings;
        store
            .streams
            .sort_by(|one, two| one.stream.cmp(&two.stream));
        if found.omitted > 0 {
            let note = format!("{} findings in the seal are not listed", found.omitted);
            store.notes.push(note);
        }
        let mut not_checked = std::mem::take(&mut self.not_checked);
        if self.identity.authenticity == Authenticity::NotChecked {
            not_checked.push("who sealed it: no root key was given".into());
        }
        if catalog.genesis.is_none() {
            not_checked.push(format!(
                "shorter silences before the first start that is here: the catalog's first record, which says how \
                 often the writer seals, is not, so that {HEARTBEAT_S_MAX} s was taken for it"
            ));
        }
        if self.options.known.is_empty() {
            not_checked
                .push("whether its end was cut off: no checkpoint from outside was given".into());
        }
        store.seal = Some(SealReport {
            origin: self.identity.origin.to_string(),
            authenticity: self.identity.authenticity,
            sealed_size: statements.size,
            epochs: statements.epochs,
            newest_checkpoint: statements.newest,
            exposure_window_s: catalog.exposure_window_s(self.options.now_ms()),
            archived_not_checked: self.archived,
            not_checked,
            hot_only: self.options.archives == Archives::Ignore,
        });
        store
    }
}
