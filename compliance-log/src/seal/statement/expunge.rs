use super::{
    OperatorCertificate,
    signed::{Signed, Statement, sealed::Read},
};
use crate::{
    chain::{Digest, StreamId},
    error::{Error, ErrorKind},
    seal::{
        lines::Lines,
        note::{Signature, VerifierKey},
        origin::Origin,
    },
};

const TAG: &str = "compliance-log/v1/expunge";
/// Nobody takes out a record alone.
const SIGNERS_MIN: usize = 2;
const REASON_BYTES_MAX: usize = 500;

/// That the text of one record is to be taken out of a store, and why. Two people sign the same words.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expunge {
    /// The store.
    pub origin: Origin,
    /// The stream of that store.
    pub stream: StreamId,
    /// The record.
    pub seq: u64,
    /// Its hash, which stays in the store.
    pub hash: Digest,
    reason: Box<str>,
}

impl Expunge {
    /// A statement that nobody signed yet. `reason` is one line of at most 500 bytes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Name`] for a stream of another store, or one of which no record is ever taken out: the
    /// catalog. [`ErrorKind::Seal`] for a reason that is empty, too long, or more than one line.
    pub fn new(
        origin: Origin,
        stream: StreamId,
        seq: u64,
        hash: Digest,
        reason: &str,
    ) -> Result<Self, Error> {
        let [_, service, instance, incarnation] = origin.parts();
        let [of_service, of_instance, of_incarnation, channel] = stream.parts();
        if [service, instance, incarnation] != [of_service, of_instance, of_incarnation] {
            let text = format!("{stream} is no stream of {origin}");
            return Err(Error::new(ErrorKind::Name, text));
        }
        if channel == crate::layout::CATALOG {
            let text = format!("{stream}: nothing is taken out of a catalog");
            return Err(Error::new(ErrorKind::Name, text));
        }
        if reason.trim() != reason
            || reason.is_empty()
            || reason.len() > REASON_BYTES_MAX
            || reason.chars().any(char::is_control)
        {
            let text = format!(
                "a reason for taking out a record is one line of 1 to {REASON_BYTES_MAX} bytes, without blanks around it"
            );
            return Err(Error::new(ErrorKind::Seal, text));
        }
        Ok(Self {
            origin,
            stream,
            seq,
            hash,
            reason: reason.into(),
        })
    }

    /// Reads the text of a statement, signed or not.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), and for anything but its six lines.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        let mut lines = Lines::of("expunge", text);
        lines.exactly(TAG)?;
        let origin = lines.parse()?;
        let stream = lines.parse()?;
        let seq = lines.number()?;
        let hash = lines.parse()?;
        let expunge = Self::new(origin, stream, seq, hash, lines.next()?)?;
        lines.end()?;
        Ok(expunge)
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl Signed<Expunge> {
    /// The people who signed it: their names, in the order of their signatures. Only those count whose key a
    /// certificate binds to a prefix of the store's origin, with the signature of one of the roots; and a
    /// name or a key once, whoever has it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if these are fewer than two. It names them, and why others do not count.
    pub fn approvers(
        &self,
        certificates: &[Signed<OperatorCertificate>],
        roots: &[VerifierKey],
    ) -> Result<Vec<VerifierKey>, Error> {
        let origin = &self.statement().origin;
        let mut approvers: Vec<VerifierKey> = Vec::new();
        let mut others = Vec::new();
        for signature in self.signatures() {
            let theirs = certificates.iter().filter(|certificate| {
                let key = &certificate.statement().key;
                key.name() == signature.name() && key.id() == signature.id()
            });
            let mut why = "no certificate is there of its key".to_owned();
            let mut signed = None;
            for certificate in theirs {
                let OperatorCertificate { prefix, key } = certificate.statement();
                if !prefix.covers(origin) {
                    why = format!("its key is certified for {prefix}");
                } else if let Err(error) = certificate.check_root(roots) {
                    why = error.to_string();
                } else if let Err(error) = self.check(key) {
                    why = error.to_string();
                } else {
                    signed = Some(key);
                }
            }
            match signed {
                None => others.push(format!(
                    "that of {} does not count: {why}",
                    signature.name()
                )),
                Some(key) if approvers.iter().any(|other| is_same(other, key)) => {
                    others.push(format!("{} signed twice", key.name()));
                }
                Some(key) => approvers.push(key.clone()),
            }
        }
        if approvers.len() >= SIGNERS_MIN {
            return Ok(approvers);
        }
        let names: Vec<&str> = approvers.iter().map(|key| key.name().as_str()).collect();
        let mut text = "two people have to sign that a record is taken out: ".to_owned();
        match &names[..] {
            [] => text.push_str("nobody signed who may"),
            names => text.extend(["only ", &names.join(", "), " signed"]),
        }
        text.extend(others.iter().flat_map(|other| ["; ", other]));
        Err(Error::new(ErrorKind::Seal, text))
    }
}

/// One name is one person, and so is one key.
fn is_same(one: &VerifierKey, two: &VerifierKey) -> bool {
    let (name, other) = (one.name().as_str(), two.name().as_str());
    name.eq_ignore_ascii_case(other) || one.same_key(two)
}

impl Statement for Expunge {
    fn to_text(&self) -> String {
        format!(
            "{TAG}\n{}\n{}\n{}\n{}\n{}\n",
            self.origin, self.stream, self.seq, self.hash, self.reason
        )
    }
}

impl Read for Expunge {
    fn from_text(text: &str) -> Result<Self, Error> {
        Self::from_text(text)
    }

    /// One at a time: the second one signs later.
    fn check_signers(&self, signatures: &[Signature]) -> Result<(), Error> {
        super::certificate::check_signed(signatures)
    }
}
