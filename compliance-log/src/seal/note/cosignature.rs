use std::{fmt, str::FromStr};

use super::{KeyId, KeyName, Note, Signature, Signer as _, SigningKey, base64, ed25519};
use crate::{
    error::{Error, ErrorKind},
    sha256::sha256,
};

/// What stands in a vkey where others have their algorithm.
const COSIGNATURE: u8 = 4;

/// The public half of a witness' key: Ed25519 over a text and the time, as
/// <https://c2sp.org/tlog-cosignature> defines it. Displays as its vkey, of algorithm `04`, and is read from
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    name: KeyName,
    id: KeyId,
    public: ed25519::Public,
}

impl WitnessKey {
    fn new(name: KeyName, public: ed25519::Public) -> Self {
        let id = sha256(&[
            name.as_str().as_bytes(),
            b"\n",
            &[COSIGNATURE],
            public.as_bytes(),
        ]);
        let [a, b, c, d, ..] = id;
        Self {
            name,
            id: KeyId::new([a, b, c, d]),
            public,
        }
    }

    /// Its name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// When the witness cosigned a note, in seconds since 1970; `None` if it did not.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] for a signature with the key's name and id that does not hold.
    pub fn cosigned(&self, note: &Note) -> Result<Option<u64>, Error> {
        let signature = note.signature_of(self.name.as_str(), self.id);
        signature
            .map(|signature| self.check(note.text(), signature))
            .transpose()
    }

    /// When it made a signature over the text of a note, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if the signature has another name or id, or does not hold.
    pub fn check(&self, text: &str, signature: &Signature) -> Result<u64, Error> {
        let time = || {
            if signature.id() != self.id || *signature.name() != self.name {
                return None;
            }
            let (time, bytes) = signature.bytes().split_first_chunk::<8>()?;
            let time = u64::from_be_bytes(*time);
            self.public
                .accepts(message(text, time).as_bytes(), bytes)
                .then_some(time)
        };
        time().ok_or_else(|| {
            let text = format!(
                "the cosignature of {} ({}) does not hold",
                self.name, self.id
            );
            Error::new(ErrorKind::Seal, text)
        })
    }

    /// Whether two vkeys hold the same key, whatever their names are.
    pub(in crate::seal) fn same_key(&self, other: &Self) -> bool {
        self.public == other.public
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[COSIGNATURE], self.public.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, self.id, base64::encode(&key))
    }
}

impl FromStr for WitnessKey {
    type Err = Error;

    fn from_str(vkey: &str) -> Result<Self, Error> {
        let malformed = || {
            let text = "a witness' vkey is <name>+<8 lower hex digits>+<base64>, of algorithm 04";
            Error::new(ErrorKind::Seal, text)
        };
        let (name, rest) = vkey.split_once('+').ok_or_else(malformed)?;
        let (id, key) = rest.split_once('+').ok_or_else(malformed)?;
        let bytes = base64::decode(key)?;
        let public = bytes.strip_prefix(&[COSIGNATURE]).ok_or_else(malformed)?;
        let public = ed25519::Public::from_bytes(public).ok_or_else(malformed)?;
        let key = Self::new(name.parse()?, public);
        if key.id.to_string() != id {
            return Err(Error::new(
                ErrorKind::Seal,
                format!("the key of {} has id {}, not {id}", key.name, key.id),
            ));
        }
        Ok(key)
    }
}

/// A witness' key in memory. It is kept as an Ed25519 skey.
#[derive(Debug)]
pub struct CosigningKey {
    witness: WitnessKey,
    signing: SigningKey,
}

impl CosigningKey {
    /// Cosigns with a key, under its name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] for a key that is not Ed25519.
    pub fn new(signing: SigningKey) -> Result<Self, Error> {
        let key = signing.verifier();
        let public = key.ed25519().ok_or_else(|| {
            let text = format!("a witness signs with Ed25519, which {} is not", key.name());
            Error::new(ErrorKind::Seal, text)
        })?;
        Ok(Self {
            witness: WitnessKey::new(key.name().clone(), public.clone()),
            signing,
        })
    }

    /// The public half.
    pub fn witness(&self) -> &WitnessKey {
        &self.witness
    }

    /// The cosignature over the text of a checkpoint; `time` in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`] if the key does not sign.
    pub fn sign(&self, text: &str, time: u64) -> Result<Signature, Error> {
        let name = &self.witness.name;
        let signature = self
            .signing
            .sign(message(text, time).as_bytes())
            .map_err(|error| Error::io(format!("{name} did not sign"), error))?;
        let bytes = [&time.to_be_bytes(), &*signature].concat();
        Ok(Signature::new(name.clone(), self.witness.id, &bytes))
    }
}

fn message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}
