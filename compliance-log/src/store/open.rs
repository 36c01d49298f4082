//! Which store a start continues, or why it begins a new one.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    create::{Lock, Purpose, create, lock},
    fs::{Access, Fs},
    recover::{End, Recovered, end_of, recover, says, unreadable},
    scan::line_at,
    seal::{Rebuilt, Refusal, Resumed, Seal, Sealer, resume},
    stream::{Settings, Stream},
};
use crate::{
    chain::StreamId,
    clock::Timestamp,
    error::{Error, ErrorKind},
    event::Channel,
    layout,
    lifecycle::{Predecessor, Scribe, Torn, name},
    seal::statement::Checkpoint,
};

/// A store that is locked and ready for records.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) path: PathBuf,
    pub(crate) streams: [Stream; 2],
    /// Of a sealed store.
    pub(crate) sealer: Option<Sealer>,
    pub(crate) start: Start,
    /// The other stores of this service and instance.
    pub(crate) others: Vec<PathBuf>,
    /// Held until it is dropped.
    pub(crate) lock: Lock,
}

/// What a start found; the log's first records tell of it.
#[derive(Debug, Default)]
pub(crate) struct Start {
    /// The store existed before.
    pub(crate) resumed: bool,
    /// Why there is a new store: `first`, `locked`, `damaged`, `unreadable`, `newer_format`, `sealed` or
    /// `unsealed`, or of a sealed one `tampered`, `rollback`, `fork`, `keys_lost`, `keys_in_memory`,
    /// `keys_on_other_machine`.
    pub(crate) why: Option<&'static str>,
    /// The folder of the store that was not continued, and what is the matter with it.
    pub(crate) passed_over: Option<(String, String)>,
    /// The last record before is no `log.stopped`.
    pub(crate) unclean: bool,
    /// What recovery did, by channel.
    pub(crate) recovered: [Option<Recovery>; 2],
    /// The policy of the last record in the audit stream, unless that is the genesis.
    pub(crate) last_policy: Option<String>,
    /// The time of the last record in the audit stream.
    pub(crate) last_time: Option<Timestamp>,
}

/// Records that were adopted and bytes that were not.
#[derive(Debug)]
pub(crate) struct Recovery {
    pub(crate) adopted: Option<(u64, u64)>,
    pub(crate) torn: Vec<Torn>,
}

/// Continues the newest unlocked store of this service and instance under `dir`, or begins one.
///
/// # Errors
///
/// Only where no store can be made; one that is locked, damaged, unreadable or newer is left as it is.
pub(crate) fn open(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    service: &str,
    instance: &str,
    settings: Settings,
    seal: Option<&Seal>,
    scribe: &Scribe,
) -> Result<Open, Error> {
    let mut start = Start::default();
    let mut before: Option<Box<PassedOver>> = None;
    let (candidates, nameless) = candidates(&**fs, dir, service, instance)?;
    let known: Vec<PathBuf> = candidates
        .iter()
        .map(|candidate| dir.join(&candidate.name))
        .collect();
    for candidate in candidates {
        let path = dir.join(&candidate.name);
        let refused = match try_continue(fs, &path, &candidate, settings, seal, scribe) {
            Ok(Some(mut open)) => {
                open.start.passed_over = start.passed_over;
                open.others = known.into_iter().filter(|other| *other != path).collect();
                return Ok(open);
            }
            Ok(None) => {
                start.why = Some("locked");
                let text = format!("{}: another process writes it", path.display());
                start.passed_over.get_or_insert((candidate.name, text));
                continue;
            }
            Err(refused) => refused,
        };
        start.why = Some(refused.why);
        start.passed_over = Some((candidate.name, refused.error.to_string()));
        before = Some(refused);
        break;
    }
    if start.why.is_none()
        && let Some(name) = nameless
    {
        start.why = Some("unreadable");
        let text = format!(
            "{}: its first record cannot be read",
            dir.join(&name).display()
        );
        start.passed_over = Some((name, text));
    }
    let why = start.why.get_or_insert("first");
    let ends = before.as_ref().map(|before| &before.ends);
    let continues = [0, 1].map(|at| ends.and_then(|ends: &Ends| ends[at].as_ref()));
    let purpose = Purpose {
        service,
        instance,
        why,
        continues,
        continues_checkpoint: before.as_ref().and_then(|before| before.newest.as_ref()),
    };
    let created = create(fs, dir, purpose, settings, seal, scribe)?;
    Ok(Open {
        path: dir.join(created.name),
        streams: created.streams,
        sealer: created.sealer,
        start,
        others: known,
        lock: created.lock,
    })
}

/// Continues one sealed store that its writer left in order; nothing of the streams is written. `scribe` is
/// that of its service and environment.
///
/// # Errors
///
/// A store that somebody writes, that has to be recovered, or that must not be gone on with.
pub(crate) fn open_ended(
    fs: &Arc<dyn Fs>,
    path: &Path,
    settings: Settings,
    seal: &Seal,
    scribe: impl FnOnce(&str, &str) -> Scribe,
) -> Result<Open, Error> {
    let refuse = |kind, text: &str| Error::new(kind, format!("{}: {text}", path.display()));
    let named = path.parent().zip(path.file_name().and_then(OsStr::to_str));
    let candidate = named.and_then(|(dir, name)| {
        let at = name.len().checked_sub(INCARNATION_BYTES)?;
        candidate(&**fs, dir, name, name.get(at..)?)
    });
    let candidate =
        candidate.ok_or_else(|| refuse(ErrorKind::Damaged, "its first record cannot be read"))?;
    let scribe = scribe(&candidate.service, &candidate.env);
    let open = try_continue(fs, path, &candidate, settings, Some(seal), &scribe);
    let open = open.map_err(|refused| refused.error)?;
    let open = open.ok_or_else(|| refuse(ErrorKind::Seal, "another process writes it"))?;
    if open.start.unclean || open.start.recovered.iter().any(Option::is_some) {
        let text = "it was not shut down: the service's next start tells of that first";
        return Err(refuse(ErrorKind::Seal, text));
    }
    Ok(open)
}

/// A folder that looks like a store of ours.
struct Candidate {
    name: String,
    incarnation: String,
    service: String,
    env: String,
    since: String,
    format: u64,
    sealed: bool,
}

/// Stores of this service and instance, the newest first: by the time of their genesis, then by name.
/// And a store of the instance that does not say whose it is, if there is one.
fn candidates(
    fs: &dyn Fs,
    dir: &Path,
    service: &str,
    instance: &str,
) -> Result<(Vec<Candidate>, Option<String>), Error> {
    let names = match fs.list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), None)),
        names => {
            names.map_err(|error| Error::io(format!("cannot read {}", dir.display()), error))?
        }
    };
    let (mut found, mut nameless) = (Vec::new(), None);
    for name in names {
        let Some(incarnation) = incarnation(&name, instance) else {
            continue;
        };
        match candidate(fs, dir, &name, incarnation) {
            Some(candidate) if candidate.service == service => found.push(candidate),
            Some(_) => {}
            None => nameless = Some(name),
        }
    }
    found.sort_by(|one, other| (&other.since, &other.name).cmp(&(&one.since, &one.name)));
    Ok((found, nameless))
}

/// Lower hexadecimal digits.
const INCARNATION_BYTES: usize = 16;

/// The last part of the name of a store of this instance.
fn incarnation<'n>(name: &'n str, instance: &str) -> Option<&'n str> {
    let incarnation = name.strip_prefix(instance)?.strip_prefix('-')?;
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (incarnation.len() == INCARNATION_BYTES && incarnation.bytes().all(hex)).then_some(incarnation)
}

/// What a store's first record says.
fn candidate(fs: &dyn Fs, dir: &Path, name: &str, incarnation: &str) -> Option<Candidate> {
    let store = dir.join(name);
    // A first record that is gone says nothing of it.
    let has_seal = matches!(fs.seen(&store.join(layout::SEAL)), Ok(Some(_)));
    let first = first_line(fs, &layout::stream_dir(&store, Channel::Audit))?;
    let first: serde_json::Value = serde_json::from_slice(&first).ok()?;
    let text = |pointer: &str| first.pointer(pointer)?.as_str().map(str::to_owned);
    let number = |pointer: &str| first.pointer(pointer).and_then(serde_json::Value::as_u64);
    let service =
        text("/data/service").or_else(|| text("/stream")?.split('/').next().map(str::to_owned))?;
    Some(Candidate {
        name: name.to_owned(),
        incarnation: incarnation.to_owned(),
        service,
        env: text("/env").unwrap_or_default(),
        since: text("/timestamp").unwrap_or_default(),
        format: number("/v")?.max(number("/data/format").unwrap_or(1)),
        sealed: first.pointer("/data/sealed") == Some(&serde_json::Value::Bool(true)) || has_seal,
    })
}

/// The first line of a stream's first segment.
fn first_line(fs: &dyn Fs, stream: &Path) -> Option<Vec<u8>> {
    let names = fs.list(stream).ok()?;
    let first = names
        .iter()
        .find(|name| matches!(layout::file_kind(name), layout::FileKind::Segment(_)))?;
    let file = fs.open(&stream.join(first), Access::Read).ok()?;
    line_at(&*file, file.len().ok()?, 0).ok().flatten()
}

type Ends = [Option<Predecessor>; 2];

/// Why a store is not continued, and where it ends.
struct PassedOver {
    why: &'static str,
    error: Error,
    ends: Ends,
    newest: Option<Checkpoint>,
}

impl From<Error> for Box<PassedOver> {
    fn from(error: Error) -> Self {
        Self::new(PassedOver {
            why: match error.kind() {
                ErrorKind::NewerFormat => "newer_format",
                ErrorKind::Damaged => "damaged",
                _ => "unreadable",
            },
            error,
            ends: [None, None],
            newest: None,
        })
    }
}

impl From<Refusal> for Box<PassedOver> {
    fn from(refusal: Refusal) -> Self {
        let Refusal { why, error, newest } = refusal;
        let refused = Self::from(error);
        Self::new(PassedOver {
            why,
            newest,
            ..*refused
        })
    }
}

/// `None` if another process holds the store.
fn try_continue(
    fs: &Arc<dyn Fs>,
    path: &Path,
    candidate: &Candidate,
    settings: Settings,
    seal: Option<&Seal>,
    scribe: &Scribe,
) -> Result<Option<Open>, Box<PassedOver>> {
    if candidate.format > 1 {
        let text = format!(
            "{}: written in format {}, this version knows 1",
            path.display(),
            candidate.format
        );
        return Err(Error::new(ErrorKind::NewerFormat, text).into());
    }
    let locked = lock(&**fs, path).map_err(|error| unreadable(&path.join(layout::LOCK), error))?;
    let Some(lock) = locked else { return Ok(None) };

    let instance = candidate
        .name
        .get(..candidate.name.len() - candidate.incarnation.len() - 1)
        .unwrap_or_default();
    let id = |channel: Channel| {
        let (service, incarnation) = (&candidate.service, &candidate.incarnation);
        StreamId::new(service, instance, incarnation, channel.as_str())
    };
    let ends = || {
        Channel::ALL.map(|channel| {
            end_of(
                &**fs,
                &layout::stream_dir(path, channel),
                &id(channel).ok()?,
            )
        })
    };
    let refused = |refused: Box<PassedOver>| {
        Box::new(PassedOver {
            ends: ends(),
            ..*refused
        })
    };
    if candidate.sealed != seal.is_some() {
        let (why, text) = if candidate.sealed {
            ("unsealed", "it is sealed, and the log is not to be")
        } else {
            ("sealed", "it is not sealed, and the log is to be")
        };
        let error = Error::new(ErrorKind::Config, format!("{}: {text}", path.display()));
        return Err(refused(Box::new(PassedOver {
            why,
            ..*Box::<PassedOver>::from(error)
        })));
    }
    let resumed: Option<Resumed> = match seal {
        Some(seal) => {
            let id = id(Channel::Catalog)?;
            match resume(fs, path, &id, seal, settings, scribe) {
                Ok(Some(resumed)) => Some(resumed),
                Ok(None) => return Ok(None),
                Err(refusal) => return Err(refused(refusal.into())),
            }
        }
        None => None,
    };
    let mut rebuilt: Vec<Rebuilt> = Vec::with_capacity(2);
    for channel in Channel::ALL {
        if let Some(resumed) = &resumed {
            let dir = layout::stream_dir(path, channel);
            let checked = resumed.check(&**fs, &dir, &id(channel)?);
            rebuilt.push(checked.map_err(|refusal| refused(refusal.into()))?);
        }
    }
    let mut recovered = Vec::with_capacity(2);
    for channel in Channel::ALL {
        let id = id(channel)?;
        let dir = layout::stream_dir(path, channel);
        let end = match &resumed {
            Some(resumed) => End::Sealed(resumed.sealed(&id).0),
            None => End::Durable,
        };
        match recover(fs, &dir, &id, channel, settings, end, &*scribe.clock) {
            Ok(stream) => recovered.push(stream),
            Err(stopped) => {
                let mut refused: Box<PassedOver> = match &resumed {
                    Some(resumed) if stopped.error.kind() == ErrorKind::Damaged => {
                        resumed.refuse(stopped.error).into()
                    }
                    _ => stopped.error.into(),
                };
                refused.ends[channel.index()] = stopped.end;
                return Err(refused);
            }
        }
    }
    let Ok([mut audit, mut app]) = <[Recovered; 2]>::try_from(recovered) else {
        return Err(Error::new(ErrorKind::Damaged, "a stream is missing").into());
    };
    let sealer = match (resumed, seal) {
        (Some(resumed), Some(seal)) => {
            let streams = [&mut audit.stream, &mut app.stream];
            let streams = streams.into_iter().zip(rebuilt).collect();
            let sealer = resumed.into_sealer(fs, path, seal, streams, scribe);
            Some(sealer.map_err(|refusal| refused(refusal.into()))?)
        }
        _ => None,
    };
    let last: Option<serde_json::Value> =
        serde_json::from_slice(&[&audit.last_body[..], b"}"].concat()).ok();
    let last_time = last
        .as_ref()
        .and_then(|last| Timestamp::parse(last.get("timestamp")?.as_str()?));
    let last_policy = last
        .as_ref()
        .filter(|_| !says(&audit.last_body, name::GENESIS))
        .and_then(|last| Some(last.get("policy")?.as_str()?.to_owned()));
    let unclean = !says(&audit.last_body, name::STOPPED);
    let told = |stream: &Recovered| unclean || !stream.torn.is_empty() || stream.adopted.is_some();
    let recovery = [&audit, &app].map(|stream| {
        told(stream).then(|| Recovery {
            adopted: stream.adopted,
            torn: stream.torn.clone(),
        })
    });
    let start = Start {
        resumed: true,
        unclean,
        recovered: recovery,
        last_policy,
        last_time,
        ..Start::default()
    };
    Ok(Some(Open {
        path: path.to_path_buf(),
        streams: [audit.stream, app.stream],
        sealer,
        start,
        others: Vec::new(),
        lock,
    }))
}
