//! What the records of the catalog and of the operators' ledger state.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};

use super::tombstones::{LedgerEvent, LedgerFact};
use crate::{
    chain::{Digest, Line},
    seal::merkle::TreeHash,
    verify::scan::{Place, root_event},
};

/// Of which records the text is read while their lines are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum Facts {
    None,
    Catalog,
    /// The audit stream of the operators' ledger.
    Ledger,
}

/// A record that was read. It is believed once the tree's root shows that it was sealed.
#[derive(Clone, Debug)]
pub(in crate::verify) struct Fact {
    pub(in crate::verify) seq: u64,
    pub(in crate::verify) place: Place,
    pub(in crate::verify) stated: Stated,
}

#[derive(Clone, Debug)]
pub(in crate::verify) enum Stated {
    Catalog(CatalogFact),
    Ledger(LedgerFact),
    /// Not in the shape that such a record has.
    Unreadable,
}

#[derive(Clone, Debug)]
pub(in crate::verify) struct CatalogFact {
    /// Milliseconds since 1970.
    pub(super) time: Option<i64>,
    pub(super) up: Option<u64>,
    pub(super) kind: CatalogKind,
}

#[derive(Clone, Debug)]
pub(in crate::verify) enum CatalogKind {
    Genesis(Box<CatalogGenesis>),
    Header(CheckpointsDigest),
    Started(Started),
    Stopped,
    Late,
    Open(Open),
    Head(Head),
    Sealed(SegmentSealed),
    Receipt(Receipt),
    Other,
}

/// What the catalog's first record says.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::verify) struct CatalogGenesis {
    pub(in crate::verify) origin: String,
    pub(in crate::verify) heartbeat_s: u64,
    pub(in crate::verify) log: String,
    pub(in crate::verify) epoch0: String,
    #[serde(default, deserialize_with = "continues")]
    pub(in crate::verify) continues: Option<Continues>,
}

/// The store before this one, as far as this one's writer knew it.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::verify) struct Continues {
    pub(in crate::verify) origin: String,
    pub(in crate::verify) size: u64,
    pub(in crate::verify) root: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::verify) struct CheckpointsDigest {
    pub(super) previous: Option<String>,
    #[serde(deserialize_with = "digest")]
    #[serde(default)]
    pub(super) ckpt_sha256: Option<Digest>,
}

/// A writer that starts says how often it seals.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::verify) struct Started {
    pub(super) heartbeat_s: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::verify) struct Open {
    pub(super) of: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::verify) struct Head {
    pub(super) of: String,
    pub(super) size: u64,
    #[serde(deserialize_with = "root")]
    pub(super) root: TreeHash,
    pub(super) segment: String,
    pub(super) bytes: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::verify) struct SegmentSealed {
    pub(super) of: String,
    pub(super) file: String,
    pub(super) size: u64,
    #[serde(deserialize_with = "root")]
    pub(super) root: TreeHash,
}

#[derive(Clone, Debug, Deserialize)]
pub(in crate::verify) struct Receipt {
    pub(super) size: u64,
}

#[derive(Deserialize)]
struct Record<T> {
    timestamp: String,
    data: T,
}

#[derive(Deserialize)]
struct Timed<T> {
    up: u64,
    #[serde(flatten)]
    rest: T,
}

#[derive(Deserialize)]
struct Up {
    up: Option<u64>,
}

impl Facts {
    /// Reads the record of a good line.
    pub(in crate::verify) fn read(
        self,
        line: &Line<'_>,
        bytes: &[u8],
        place: Place,
    ) -> Option<Fact> {
        let stated = match self {
            Self::None => return None,
            Self::Catalog => {
                catalog_fact(root_event(line), bytes).map_or(Stated::Unreadable, Stated::Catalog)
            }
            Self::Ledger => {
                let event = LedgerEvent::of(root_event(line)?)?;
                Stated::Ledger(event.read(bytes)?)
            }
        };
        Some(Fact {
            seq: line.seq,
            place,
            stated,
        })
    }
}

fn catalog_fact(event: Option<&[u8]>, bytes: &[u8]) -> Option<CatalogFact> {
    match event? {
        b"chain.genesis" => untimed(bytes, |data| CatalogKind::Genesis(Box::new(data))),
        b"segment.header" => untimed(bytes, CatalogKind::Header),
        b"stream.open" => timed(bytes, CatalogKind::Open),
        b"seal.head" => timed(bytes, CatalogKind::Head),
        b"segment.sealed" => timed(bytes, CatalogKind::Sealed),
        b"anchor.receipt" => timed(bytes, CatalogKind::Receipt),
        b"log.started" => timed(bytes, CatalogKind::Started),
        b"log.stopped" => plain(bytes, CatalogKind::Stopped),
        b"seal.late" => plain(bytes, CatalogKind::Late),
        _ => plain(bytes, CatalogKind::Other),
    }
}

fn untimed<T: DeserializeOwned>(
    bytes: &[u8],
    kind: impl FnOnce(T) -> CatalogKind,
) -> Option<CatalogFact> {
    let record: Record<T> = serde_json::from_slice(bytes).ok()?;
    Some(CatalogFact {
        time: time_ms(&record.timestamp),
        up: None,
        kind: kind(record.data),
    })
}

fn timed<T: DeserializeOwned>(
    bytes: &[u8],
    kind: impl FnOnce(T) -> CatalogKind,
) -> Option<CatalogFact> {
    let record: Record<Timed<T>> = serde_json::from_slice(bytes).ok()?;
    Some(CatalogFact {
        time: time_ms(&record.timestamp),
        up: Some(record.data.up),
        kind: kind(record.data.rest),
    })
}

fn plain(bytes: &[u8], kind: CatalogKind) -> Option<CatalogFact> {
    let record: Record<Up> = serde_json::from_slice(bytes).ok()?;
    Some(CatalogFact {
        time: time_ms(&record.timestamp),
        up: record.data.up,
        kind,
    })
}

/// Milliseconds since 1970.
pub(in crate::verify) fn time_ms(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(time.as_millisecond())
}

fn root<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TreeHash, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let digest = text.map(|text| text.parse()).transpose();
    digest.map_err(D::Error::custom)
}

/// A store before this one that was not sealed is named in another way, which says nothing here.
fn continues<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Continues>, D::Error> {
    let stated = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(stated).ok())
}
