//! What keys and notes say, as JSON objects; people are shown the same.

use compliance_log::{
    Error,
    seal::{
        note::{Note, Signature, VerifierKey, WitnessKey},
        statement::{
            Certificate, Checkpoint, EpochNote, Evidence, Expunge, IssuerCertificate,
            OperatorCertificate, Revocation, Role, Signed, Statement,
        },
    },
};
use serde_json::{Map, Value, json};

use crate::base64;

pub(crate) type Said = Map<String, Value>;

/// A line that is a key.
pub(crate) fn key(line: &str) -> Result<Said, Error> {
    let parsed = line.parse().map(|key: VerifierKey| verifier(&key));
    parsed.or_else(|error| match line.parse::<WitnessKey>() {
        Ok(key) => Ok(said(
            "witness key",
            json!({ "name": key.name().as_str(), "id": key.id().to_string(), "algorithm": "ed25519 cosignature", "vkey": line }),
        )),
        Err(_) => Err(error),
    })
}

pub(crate) fn verifier(key: &VerifierKey) -> Said {
    said(
        "key",
        json!({ "name": key.name().as_str(), "id": key.id().to_string(), "algorithm": key.algorithm().as_str(), "vkey": key.to_string() }),
    )
}

/// A certificate that nobody signed.
pub(crate) fn certificate(certificate: &Certificate) -> Said {
    let role = match certificate.role {
        Role::Ops => "ops",
        _ => "store",
    };
    said(
        "certificate",
        json!({
            "role": role,
            "origin": certificate.origin.as_str(),
            "log": certificate.log.to_string(),
            "epoch0": certificate.epoch0.to_string(),
        }),
    )
}

/// A note of any kind that stores and verifiers have.
///
/// # Errors
///
/// What is none, with what is wrong with the kind that it begins as.
pub(crate) fn note(bytes: &[u8]) -> Result<Said, Error> {
    let note = Note::parse(bytes)?;
    let mut lines = note.text().lines();
    match (lines.next(), lines.next()) {
        (Some("compliance-log/v1/cert"), Some("issuer")) => signed(bytes, issuer),
        (Some("compliance-log/v1/cert"), Some("ops")) => {
            signed(bytes, operator).or_else(|_| signed(bytes, certificate))
        }
        (Some("compliance-log/v1/cert"), _) => signed(bytes, certificate),
        (Some("compliance-log/v1/epoch"), _) => signed(bytes, epoch),
        (Some("compliance-log/v1/revoke"), _) => signed(bytes, revocation),
        (Some("compliance-log/v1/expunge"), _) => signed(bytes, expunge),
        (Some("compliance-log/v1/evidence"), _) => signed(bytes, evidence),
        _ => {
            let checkpoint = checkpoint(&Checkpoint::from_text(note.text())?);
            Ok(with_signers(checkpoint, note.signatures()))
        }
    }
}

fn signed<T: Statement>(bytes: &[u8], say: impl Fn(&T) -> Said) -> Result<Said, Error> {
    let signed = Signed::parse(bytes)?;
    Ok(with_signers(say(signed.statement()), signed.signatures()))
}

fn issuer(certificate: &IssuerCertificate) -> Said {
    said(
        "issuer certificate",
        json!({ "prefix": certificate.prefix.as_str(), "key": certificate.key.to_string() }),
    )
}

fn operator(certificate: &OperatorCertificate) -> Said {
    said(
        "operator certificate",
        json!({ "prefix": certificate.prefix.as_str(), "key": certificate.key.to_string() }),
    )
}

fn expunge(order: &Expunge) -> Said {
    said(
        "expunge",
        json!({
            "origin": order.origin.as_str(),
            "stream": order.stream.as_str(),
            "seq": order.seq,
            "hash": order.hash.to_string(),
            "reason": order.reason(),
        }),
    )
}

fn epoch(note: &EpochNote) -> Said {
    said(
        "epoch",
        json!({
            "origin": note.origin.as_str(),
            "epoch": note.epoch,
            "size": note.size,
            "root": base64::encode(note.root),
            "key": note.key.to_string(),
        }),
    )
}

fn revocation(revocation: &Revocation) -> Said {
    said(
        "revocation",
        json!({
            "key": revocation.key.to_string(),
            "of": revocation.of.to_string(),
            "size": revocation.size,
            "root": revocation.root.map(base64::encode),
        }),
    )
}

/// What was found, in short; `evidence show` prints all of it.
fn evidence(evidence: &Evidence) -> Said {
    let object: Value = serde_json::from_str(evidence.object()).unwrap_or_default();
    let mut fields = Map::new();
    for key in ["origin", "finished", "verdict", "exit"] {
        let value = object.get(key).cloned();
        fields.insert(key.to_owned(), value.unwrap_or_default());
    }
    said("evidence", fields.into())
}

fn checkpoint(checkpoint: &Checkpoint) -> Said {
    said(
        "checkpoint",
        json!({
            "origin": checkpoint.origin.as_str(),
            "size": checkpoint.size,
            "root": base64::encode(checkpoint.root),
        }),
    )
}

fn with_signers(mut said: Said, signatures: &[Signature]) -> Said {
    let signer = |one: &Signature| format!("{} ({})", one.name(), one.id());
    let signers: Vec<Value> = signatures.iter().map(|one| signer(one).into()).collect();
    said.insert("signed_by".to_owned(), signers.into());
    said
}

fn said(kind: &str, fields: Value) -> Said {
    let mut said = Map::new();
    said.insert("kind".to_owned(), kind.into());
    if let Value::Object(fields) = fields {
        said.extend(fields);
    }
    said
}
