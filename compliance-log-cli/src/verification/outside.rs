//! From the arguments to the options of a verification.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use compliance_log::{
    chain::Digest,
    clock::{Clock as _, SystemClock},
    seal::{
        Origin,
        note::{Note, WitnessKey},
        statement::{Evidence, Signed},
    },
    verify::Options,
};

use super::notes;
use crate::{
    args::{SealArgs, VerifyArgs},
    failure::Failure,
    sealed::SealedStore,
    small_file, source, vkey,
    witness::Client,
};

const EVIDENCE: &str = "compliance-log/v1/evidence\n";
const CHECKPOINT_HINT: &str =
    "give a checkpoint that you kept, or the file that --evidence wrote in a run before";
const EXPECT_HINT: &str =
    "give lines `<origin> [<size>]`, as `compliance-log witness origins` prints them";
const ANCHOR_HINT: &str =
    "give the folder that the service was given as an anchor, or a copy of it";
const LEDGER_HINT: &str = "give the store of the operators' ledger, or the folder that it lies in";
const REVOCATION_HINT: &str = "give what `compliance-log keys revoke` printed";

/// Reads what is known of the stores from elsewhere, and asks anchors and the witness for each store.
///
/// # Errors
///
/// What was named and cannot be read. A witness that does not answer is none: the report says so, and is not
/// fine.
pub(crate) fn options(args: &VerifyArgs) -> Result<Options, Failure> {
    let SealArgs {
        root_key,
        trusted_checkpoint,
        anchor,
        witness,
        witness_key,
        ca,
        expect_streams,
        revocations,
        ledger,
        retention_days,
        live,
        hot_only,
        all_signatures,
    } = &args.seal;
    let mut options = Options::default();
    if let Some(threads) = args.threads {
        options = options.threads(threads);
    }
    for given in root_key {
        for key in vkey::read_any(given)? {
            options = options.root_key(key);
        }
    }
    for path in trusted_checkpoint {
        options = trusted(options, path)?;
    }
    if let Some(path) = expect_streams {
        options = expected(options, path)?;
    }
    if let Some(path) = revocations {
        for note in notes(path, REVOCATION_HINT)? {
            let revocation =
                Signed::parse(&note).map_err(|error| refuse(path, &error, REVOCATION_HINT))?;
            options = options.revocation(revocation);
        }
    }
    if let Some(path) = ledger {
        folder(path, LEDGER_HINT)?;
        options = options.ledger(path);
        let seconds = retention_days.saturating_mul(24 * 3_600);
        options = options.retention(Duration::from_secs(seconds));
    }
    if *live {
        options = options.live(now());
    }
    if *hot_only {
        options = options.hot_only();
    }
    if *all_signatures {
        options = options.all_signatures();
    }
    for place in anchor {
        folder(place, ANCHOR_HINT)?;
    }
    if anchor.is_empty() && witness.is_none() {
        return Ok(options);
    }
    let stores = Known::of(&args.dir)?;
    for place in anchor {
        options = stores.anchored(options, place)?;
    }
    if let (Some(url), Some(key)) = (witness, witness_key) {
        let key: WitnessKey = vkey::read_one(key)?;
        let client = Client::new(url, ca.as_deref())?;
        options = stores.witnessed(options, url, &client, &key);
    }
    Ok(options)
}

fn trusted(mut options: Options, path: &Path) -> Result<Options, Failure> {
    let failed = |error: compliance_log::Error| refuse(path, &error, CHECKPOINT_HINT);
    let source = path.display().to_string();
    let mut any = false;
    for note in notes(path, CHECKPOINT_HINT)? {
        if note.starts_with(EVIDENCE.as_bytes()) {
            let evidence = Signed::<Evidence>::parse(&note).map_err(failed)?;
            let Some(newest) = evidence.statement().newest_checkpoint() else {
                continue;
            };
            options = options
                .trusted_checkpoint(&source, newest.as_bytes())
                .map_err(failed)?;
        } else {
            options = options.trusted_checkpoint(&source, &note).map_err(failed)?;
        }
        any = true;
    }
    if any {
        return Ok(options);
    }
    let text = format!("the evidence {source} has no checkpoint");
    Err(Failure::new(text, CHECKPOINT_HINT))
}

fn expected(mut options: Options, path: &Path) -> Result<Options, Failure> {
    let text = small_file::text(path, EXPECT_HINT)?;
    let mut any = false;
    for (line, number) in text.lines().zip(1_u64..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (origin, size) = line.split_once(' ').unwrap_or((line, "0"));
        let (Ok(origin), Ok(size)) = (origin.parse(), size.trim().parse()) else {
            let text = format!("{}, line {number}: no origin, or no size", path.display());
            return Err(Failure::new(text, EXPECT_HINT));
        };
        options = options.expect(origin, size);
        any = true;
    }
    if any {
        return Ok(options);
    }
    let text = format!("{} expects no store", path.display());
    Err(Failure::new(text, EXPECT_HINT))
}

/// The stores that are to be checked, by their own words.
struct Known {
    origins: Vec<Origin>,
    /// Those that do not say which they are, and why.
    nameless: Vec<String>,
}

impl Known {
    fn of(dir: &Path) -> Result<Self, Failure> {
        let mut known = Self {
            origins: Vec::new(),
            nameless: Vec::new(),
        };
        if !dir.exists() {
            return Ok(known);
        }
        for path in source::stores(dir)? {
            match SealedStore::open(&path).and_then(|store| store.origin()) {
                Ok(origin) => known.origins.push(origin),
                Err(failure) => known.nameless.push(failure.to_string()),
            }
        }
        Ok(known)
    }

    /// Takes the newest checkpoint of each store from a folder.
    fn anchored(&self, mut options: Options, place: &Path) -> Result<Options, Failure> {
        let source = format!("the anchor {}", place.display());
        options = self.note_nameless(options, &source);
        for origin in &self.origins {
            options = match newest(&place.join(hash(origin)))? {
                Some(path) => {
                    let note = small_file::read(&path, "read access is needed to the anchor")?;
                    options.anchored_checkpoint(&source, &note)
                }
                None => options.unread_anchor(&source, &format!("it has nothing of {origin}")),
            };
        }
        Ok(options)
    }

    /// Asks a witness for the newest checkpoint of each store.
    fn witnessed(
        &self,
        mut options: Options,
        url: &str,
        client: &Client,
        key: &WitnessKey,
    ) -> Options {
        let source = format!("the witness {url}");
        options = self.note_nameless(options, &source);
        for origin in &self.origins {
            options = match client.checkpoint(origin) {
                Ok(Some(note)) if is_of(&note, origin) => {
                    options.witnessed_checkpoint(&source, note.as_bytes(), key.clone())
                }
                Ok(Some(_)) => {
                    let why = format!("it answered something else than a checkpoint of {origin}");
                    options.unread_anchor(&source, &why)
                }
                Ok(None) => options.unread_anchor(&source, &format!("it does not know {origin}")),
                // One that is down is not waited for again.
                Err(failure) => return options.unread_anchor(&source, &failure.to_string()),
            };
        }
        options
    }

    fn note_nameless(&self, options: Options, source: &str) -> Options {
        self.nameless
            .iter()
            .fold(options, |options, why| options.unread_anchor(source, why))
    }
}

/// Whether it is a note of this store; who signed it is another question.
fn is_of(note: &str, origin: &Origin) -> bool {
    Note::parse(note.as_bytes())
        .is_ok_and(|note| note.text().lines().next() == Some(origin.as_str()))
}

/// The file of the largest size.
fn newest(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    if !folder.exists() {
        return Ok(None);
    }
    let unread = |error| Failure::io("read folder", folder, error);
    let mut newest: Option<PathBuf> = None;
    for entry in fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let digits = name.strip_suffix(".note").unwrap_or_default();
        if digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            newest = newest.max(Some(path));
        }
    }
    Ok(newest)
}

fn hash(origin: &Origin) -> String {
    Digest::of(origin.as_str().as_bytes()).to_string()
}

fn folder(path: &Path, hint: &str) -> Result<(), Failure> {
    fs::read_dir(path).map(drop).map_err(|error| {
        let text = format!("cannot read folder {}: {error}", path.display());
        Failure::new(text, hint)
    })
}

fn now() -> SystemTime {
    let now = SystemClock::new().now().as_micros();
    SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(now).unwrap_or(0))
}

fn refuse(path: &Path, error: &compliance_log::Error, hint: &str) -> Failure {
    Failure::new(format!("{}: {error}", path.display()), hint)
}
