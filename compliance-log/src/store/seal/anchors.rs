//! The anchors of a log: what they keep of a store, and how many of them agree.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    place::Place,
    rebuild::{oldest, rebuild},
};
use crate::{
    chain::StreamId,
    error::{Error, ErrorKind},
    event::Channel,
    layout,
    lifecycle::Scribe,
    seal::{
        Anchor, Origin,
        merkle::TreeHash,
        note::{Note, VerifierKey},
        statement::{Checkpoint, Signed},
    },
    store::fs::Fs,
};

/// An anchor may take this long at least, however often it is called, and this long at most.
const DEADLINE_MIN: Duration = Duration::from_secs(1);
const DEADLINE_MAX: Duration = Duration::from_secs(10);

/// The anchors of a log, for its life.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Arc<All>);

#[derive(Debug, Default)]
struct All {
    places: Box<[Place]>,
    /// A store that has another history somewhere, and how that was found.
    another: Mutex<Option<Another>>,
}

/// That a store was rolled back, or runs a second time: its writer must not go on under its origin.
#[derive(Clone, Debug)]
pub(super) struct Another {
    pub(super) origin: Origin,
    /// `rollback` or `fork`.
    pub(super) why: &'static str,
    pub(super) text: String,
}

impl Another {
    /// What the record `anchor.failed` says of it.
    pub(super) fn reason(&self) -> String {
        format!("{}: {}", self.why, self.text)
    }

    /// Reads it again, if the reason of such a record says it.
    pub(super) fn of_reason(origin: &Origin, reason: &str) -> Option<Self> {
        let (said, text) = reason.split_once(": ")?;
        let why = [ROLLBACK, FORK].into_iter().find(|why| *why == said)?;
        Some(Self {
            origin: origin.clone(),
            why,
            text: text.to_owned(),
        })
    }
}

const ROLLBACK: &str = "rollback";
const FORK: &str = "fork";

/// What is known of a store that its writer holds to be true.
#[derive(Clone, Copy)]
pub(super) struct Own<'a> {
    pub(super) fs: &'a dyn Fs,
    pub(super) store: &'a Path,
    pub(super) id: &'a StreamId,
    pub(super) origin: &'a Origin,
    pub(super) log: &'a VerifierKey,
    /// The newest checkpoint that is durable here.
    pub(super) newest: (u64, TreeHash),
}

/// What a checkpoint in an anchor means.
#[derive(Debug)]
pub(super) enum Judged {
    /// It is of this store, which has this size there.
    Ours(u64, TreeHash),
    Another(Another),
    /// It says nothing.
    Useless(String),
}

impl Places {
    pub(super) fn new(anchors: &[Arc<dyn Anchor>]) -> Self {
        let places = anchors.iter().map(Arc::clone).map(Place::new);
        Self(Arc::new(All {
            places: places.collect(),
            another: Mutex::default(),
        }))
    }

    /// There is another history of a store. It stays known while an anchor cannot be reached.
    pub(super) fn found(&self, another: Another) {
        *self.another() = Some(another);
    }

    /// Whether there is another history of a store.
    pub(super) fn another_of(&self, origin: &Origin) -> Option<Another> {
        self.another()
            .clone()
            .filter(|another| another.origin == *origin)
    }

    fn another(&self) -> MutexGuard<'_, Option<Another>> {
        self.0
            .another
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.0.places.len()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Place> {
        self.0.places.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.places.is_empty()
    }

    /// Their names, as they stand in records.
    pub(super) fn names(&self, scribe: &Scribe) -> Vec<String> {
        self.iter()
            .map(|place| scribe.clean(place.name()))
            .collect()
    }

    /// What the user should be warned of, as far as they say so in time.
    pub(super) fn warnings(&self, stores: &Path, deadline: Duration) -> Vec<String> {
        self.in_time(deadline, |place| place.look(stores));
        self.iter().filter_map(Place::warning).collect()
    }

    /// The newest note that each keeps of an origin, or why that is not known.
    pub(super) fn newest(
        &self,
        origin: &Origin,
        deadline: Duration,
    ) -> Vec<Result<Option<Vec<u8>>, String>> {
        self.in_time(deadline, |place| place.ask(origin));
        let newest = |place: &Place| match place.answers(origin).pop() {
            Some(answer) => answer.newest.map_err(|error| error.to_string()),
            None => Err(no_answer(deadline)),
        };
        self.iter().map(newest).collect()
    }

    /// Has a checkpoint kept by all, and waits for that.
    pub(super) fn keep_now(&self, checkpoint: &Signed<Checkpoint>, deadline: Duration) {
        self.in_time(deadline, |place| place.keep(checkpoint));
    }

    /// Gives each a task, and waits for those that did not let others wait already.
    fn in_time(&self, deadline: Duration, give: impl Fn(&Place) -> u64) {
        let until = Instant::now() + deadline;
        let given: Vec<(bool, u64)> = self
            .iter()
            .map(|place| (place.is_late(deadline), give(place)))
            .collect();
        for (place, (was_late, task)) in self.iter().zip(given) {
            if !was_late {
                place.wait(task, until);
            }
        }
    }
}

/// How long an anchor may take that is called so often.
pub(super) fn deadline(every: Duration) -> Duration {
    every.clamp(DEADLINE_MIN, DEADLINE_MAX)
}

pub(super) fn no_answer(deadline: Duration) -> String {
    format!("no answer within {} s", deadline.as_secs_f32())
}

/// What a note says that an anchor keeps. Nobody is believed but the store's own log key.
pub(super) fn judge(note: &[u8], own: Own<'_>, agreed: Option<(u64, TreeHash)>) -> Judged {
    let read = || {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::from_text(note.text())?;
        note.check(own.log)?;
        Ok::<_, Error>(checkpoint)
    };
    let Checkpoint { origin, size, root } = match read() {
        Ok(checkpoint) => checkpoint,
        Err(error) => return Judged::Useless(format!("what it keeps is not of this log: {error}")),
    };
    if origin != *own.origin {
        return Judged::Useless(format!("what it keeps is of {origin}"));
    }
    let (signed, signed_root) = own.newest;
    let another = |why, text| {
        let origin = origin.clone();
        Judged::Another(Another { origin, why, text })
    };
    if size > signed {
        let text =
            format!("an anchor has {size} records of {origin}, and {signed} were signed here");
        return another(ROLLBACK, text);
    }
    if agreed == Some((size, root)) || (size == signed && root == signed_root) {
        return Judged::Ours(size, root);
    }
    let text = format!("an anchor has another tree of {origin} at {size} records");
    if size == signed {
        return another(FORK, text);
    }
    let dir = layout::stream_dir(own.store, Channel::Catalog);
    match oldest(own.fs, &dir) {
        Ok(oldest) if oldest <= size => {}
        Ok(oldest) => {
            return Judged::Useless(format!(
                "what it keeps is of {size} records, and those before {oldest} are not here any more"
            ));
        }
        Err(error) => return Judged::Useless(error.to_string()),
    }
    match rebuild(own.fs, &dir, own.id, (size, root)) {
        Ok(_) => Judged::Ours(size, root),
        Err(error) if error.kind() == ErrorKind::Damaged => {
            another(FORK, format!("{text}: {error}"))
        }
        Err(error) => Judged::Useless(error.to_string()),
    }
}

/// By the anchor's name: its kind, and the largest size of which it gave a receipt.
pub(super) type Receipts = BTreeMap<String, (String, u64)>;

/// How the anchors stand to one store.
#[derive(Debug)]
pub(super) struct Standing {
    places: Vec<One>,
    /// By the anchor's name: the largest size that it has. Also of those that somebody else carries to.
    sizes: BTreeMap<String, u64>,
    /// By the anchor's name: its kind, and the largest size of which it gave a receipt.
    receipts: Receipts,
    quorum: usize,
}

#[derive(Debug)]
struct One {
    /// As it stands in records.
    name: String,
    has_failed: bool,
    /// What it had when it was looked at last.
    agreed: Option<(u64, TreeHash)>,
}

/// What a record is to tell of an anchor.
#[derive(Debug)]
pub(super) enum Told {
    Receipt { size: u64, receipt: Option<String> },
    Failed(String),
    Recovered,
}

impl Standing {
    pub(super) fn new(names: Vec<String>, quorum: usize, receipts: Receipts) -> Self {
        let one = |name| One {
            name,
            has_failed: false,
            agreed: None,
        };
        Self {
            places: names.into_iter().map(one).collect(),
            sizes: receipts
                .iter()
                .map(|(name, (_, size))| (name.clone(), *size))
                .collect(),
            receipts,
            quorum,
        }
    }

    /// The largest size that enough anchors have, 0 if there is none; `None` if no anchor is known.
    pub(super) fn anchored(&self) -> Option<u64> {
        if self.places.is_empty() && self.sizes.is_empty() {
            return None;
        }
        let mut sizes: Vec<u64> = self.sizes.values().copied().collect();
        sizes.sort_unstable_by(|one, other| other.cmp(one));
        let kth = self.quorum.saturating_sub(1);
        Some(sizes.get(kth).copied().unwrap_or(0))
    }

    /// A fact tells that an anchor by this name has that much.
    pub(super) fn has(&mut self, (name, kind): (&str, &str), size: u64) {
        self.sizes.insert(name.to_owned(), size);
        self.receipts
            .insert(name.to_owned(), (kind.to_owned(), size));
    }

    /// What facts told of receipts: the names of anchors and their kinds, the largest sizes.
    pub(super) fn held(&self) -> impl Iterator<Item = ((&str, &str), u64)> {
        let held = self.receipts.iter();
        held.map(|(name, (kind, size))| ((&**name, &**kind), *size))
    }

    /// The size that an anchor by this name is known to have.
    pub(super) fn size(&self, name: &str) -> u64 {
        self.sizes.get(name).copied().unwrap_or(0)
    }

    /// What the anchor at a place is called in records.
    pub(super) fn name(&self, at: usize) -> &str {
        self.places.get(at).map_or("", |one| &one.name)
    }

    /// Whether the anchor at a place is to be tried again though there is nothing new to keep.
    pub(super) fn has_failed(&self, at: usize) -> bool {
        self.places.get(at).is_some_and(|one| one.has_failed)
    }

    /// What was found at a place when it was looked at last.
    pub(super) fn agreed(&self, at: usize) -> Option<(u64, TreeHash)> {
        self.places.get(at)?.agreed
    }

    /// It has this, as far as anybody can say; an error if it has lost something.
    pub(super) fn agree(&mut self, at: usize, has: Option<(u64, TreeHash)>) -> Result<(), String> {
        let Some(one) = self.places.get_mut(at) else {
            return Ok(());
        };
        one.agreed = has;
        let size = has.map_or(0, |(size, _)| size);
        let before = self.sizes.insert(one.name.clone(), size).unwrap_or(0);
        if size < before {
            return Err(format!("it kept {before} records, and keeps {size} now"));
        }
        Ok(())
    }

    /// An anchor does not do its work; told once.
    pub(super) fn failed(&mut self, at: usize, why: String) -> Option<Told> {
        let one = self.places.get_mut(at)?;
        (!std::mem::replace(&mut one.has_failed, true)).then_some(Told::Failed(why))
    }

    /// It does its work; told if it had not.
    pub(super) fn works(&mut self, at: usize) -> Option<Told> {
        let one = self.places.get_mut(at)?;
        std::mem::take(&mut one.has_failed).then_some(Told::Recovered)
    }
}
