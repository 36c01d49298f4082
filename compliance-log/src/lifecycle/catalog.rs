//! The records of the catalog: what is signed of a store.

use std::time::Duration;

use super::{Genesis, Scribe, name};
use crate::{
    chain::{Digest, StreamId},
    clock::Step,
    encode::Object,
    event::{Channel, Level},
    seal::{
        Origin,
        merkle::TreeHash,
        note::{Algorithm, VerifierKey},
        statement::Checkpoint,
    },
};

/// How a store is sealed, as its catalog's genesis states it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sealed<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) algorithm: Algorithm,
    pub(crate) cadence: Cadence,
    pub(crate) log: &'a VerifierKey,
    pub(crate) epoch0: &'a VerifierKey,
    pub(crate) machine_id: Option<&'a str>,
    /// The newest checkpoint of the store that this one continues.
    pub(crate) continues: Option<&'a Checkpoint>,
}

/// How often a writer seals, as it states at each start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cadence {
    pub(crate) every: Duration,
    pub(crate) heartbeat: Duration,
    pub(crate) epoch: Duration,
}

/// How a stream stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grown {
    pub(crate) size: u64,
    pub(crate) root: TreeHash,
    /// The segment that is written.
    pub(crate) segment: String,
    /// How much of it is durable.
    pub(crate) bytes: u64,
}

/// A segment that gets no more records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) file: String,
    pub(crate) bytes: u64,
    /// Of its last record.
    pub(crate) hash: Digest,
    /// Records of the stream up to its end, and the root then.
    pub(crate) size: u64,
    pub(crate) root: TreeHash,
}

/// Why an epoch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ratchet {
    Start,
    Time,
    Rotate,
    Close,
    /// Somebody asked for it.
    Request,
}

impl Cadence {
    fn state(self, data: Object) -> Object {
        // Rounded down: a heartbeat that is stated longer than it is would excuse a silence.
        data.number("seal_ms", millis(self.every))
            .number("heartbeat_s", self.heartbeat.as_secs())
            .number("epoch_s", self.epoch.as_secs())
    }
}

impl Ratchet {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Time => "time",
            Self::Rotate => "rotate",
            Self::Close => "close",
            Self::Request => "request",
        }
    }
}

impl Scribe {
    /// The first record of the catalog.
    pub(crate) fn catalog_genesis(&self, genesis: Genesis<'_>, sealed: Sealed<'_>) -> Vec<u8> {
        let continues = sealed.continues.map(|checkpoint| {
            Object::new()
                .text("origin", checkpoint.origin.as_str())
                .number("size", checkpoint.size)
                .text("root", checkpoint.root.to_string())
        });
        let data = self
            .beginning(genesis, continues)
            .text("origin", sealed.origin.as_str())
            .text("alg", sealed.algorithm.as_str());
        let data = sealed
            .cadence
            .state(data)
            .text("log", sealed.log.to_string())
            .text("epoch0", sealed.epoch0.to_string())
            .text_if("machine_id", sealed.machine_id);
        self.structural(Channel::Catalog, Level::Info, name::GENESIS, data)
    }

    /// The writer goes to work. The store may have been made with another cadence.
    pub(crate) fn started_fact(&self, up: Duration, resumed: bool, cadence: Cadence) -> Vec<u8> {
        let data = at(up)
            .number("pid", std::process::id().into())
            .text_if("boot_id", self.origin.boot_id.as_ref())
            .flag("resumed", resumed);
        let data = cadence.state(data);
        self.fact(Level::Info, name::STARTED, data)
    }

    /// The writer ends.
    pub(crate) fn stopped_fact(&self, up: Duration) -> Vec<u8> {
        let data = at(up).text("reason", "shutdown");
        self.fact(Level::Info, name::STOPPED, data)
    }

    /// The wall clock was set.
    pub(crate) fn stepped_fact(&self, up: Duration, step: Step) -> Vec<u8> {
        let data = at(up)
            .signed("delta_ms", step.delta_ms)
            .text("since", step.since.to_string());
        self.fact(Level::Warn, name::CLOCK_STEPPED, data)
    }

    /// There is such a stream.
    pub(crate) fn open_fact(&self, up: Duration, of: &StreamId) -> Vec<u8> {
        let data = at(up).text("of", of.as_str());
        self.fact(Level::Info, name::STREAM_OPEN, data)
    }

    /// How a stream stands.
    pub(crate) fn head_fact(&self, up: Duration, of: &StreamId, grown: &Grown) -> Vec<u8> {
        let data = at(up)
            .text("of", of.as_str())
            .number("size", grown.size)
            .text("root", grown.root.to_string())
            .text("segment", &grown.segment)
            .number("bytes", grown.bytes);
        self.fact(Level::Info, name::SEAL_HEAD, data)
    }

    /// A segment of a stream gets no more records.
    pub(crate) fn ended_fact(&self, up: Duration, of: &StreamId, ended: &Ended) -> Vec<u8> {
        let data = at(up)
            .text("of", of.as_str())
            .text("file", &ended.file)
            .number("bytes", ended.bytes)
            .text("hash", ended.hash.to_string())
            .number("size", ended.size)
            .text("root", ended.root.to_string());
        self.fact(Level::Info, name::SEGMENT_SEALED, data)
    }

    /// Nothing was written for a while, and that is so.
    pub(crate) fn heartbeat_fact(&self, up: Duration) -> Vec<u8> {
        self.fact(Level::Info, name::SEAL_HEARTBEAT, at(up))
    }

    /// The writer woke so much later than it should have: the machine slept, or it was stopped.
    pub(crate) fn late_fact(&self, up: Duration, late: Duration) -> Vec<u8> {
        let data = at(up).number("late_ms", millis(late));
        self.fact(Level::Warn, name::SEAL_LATE, data)
    }

    /// Another epoch began.
    pub(crate) fn epoch_fact(
        &self,
        up: Duration,
        epoch: u64,
        key: &VerifierKey,
        why: Ratchet,
    ) -> Vec<u8> {
        let data = at(up)
            .number("epoch", epoch)
            .text("key", key.to_string())
            .text("reason", why.as_str());
        self.fact(Level::Info, name::SEAL_EPOCH, data)
    }

    /// An anchor keeps a checkpoint of this size. The receipt is written as it is: cut or redacted it would
    /// show nothing.
    pub(crate) fn receipt_fact(
        &self,
        up: Duration,
        (anchor, kind): (&str, &str),
        size: u64,
        receipt: Option<&str>,
    ) -> Vec<u8> {
        let data = at(up)
            .text("anchor", self.clean(anchor))
            .text("kind", self.clean(kind))
            .number("size", size)
            .text_if("receipt", receipt);
        self.fact(Level::Info, name::ANCHOR_RECEIPT, data)
    }

    /// An anchor keeps nothing any more.
    pub(crate) fn anchor_failed_fact(&self, up: Duration, anchor: &str, why: &str) -> Vec<u8> {
        let data = at(up)
            .text("anchor", self.clean(anchor))
            .text("reason", self.clean(why));
        self.fact(Level::Warn, name::ANCHOR_FAILED, data)
    }

    /// An anchor that had failed keeps checkpoints again.
    pub(crate) fn anchor_recovered_fact(&self, up: Duration, anchor: &str) -> Vec<u8> {
        let data = at(up)
            .text("anchor", self.clean(anchor))
            .text("reason", "it answers again");
        self.fact(Level::Info, name::ANCHOR_RECOVERED, data)
    }

    fn fact(&self, level: Level, event: &'static str, data: Object) -> Vec<u8> {
        self.structural(Channel::Catalog, level, event, data)
    }
}

/// Each fact says first how long the writer was at work.
fn at(up: Duration) -> Object {
    Object::new().number("up", millis(up))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
