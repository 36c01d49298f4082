use std::str::FromStr;

use super::note::{KeyName, Note, VerifierKey, WitnessKey};
use crate::error::{Error, ErrorKind};

/// What is larger is not read.
const BYTES_MAX: usize = 64 << 10;
const NONE: &str = "none";

/// Which witnesses must have cosigned a checkpoint, read from the text of
/// <https://c2sp.org/tlog-policy>:
///
/// ```text
/// log <vkey>
/// witness w1 <vkey>
/// witness w2 <vkey>
/// group both all w1 w2
/// quorum both
/// ```
#[derive(Clone, Debug)]
pub struct WitnessPolicy {
    logs: Vec<VerifierKey>,
    /// In the order of their definition: what a group counts stands before it.
    named: Vec<Named>,
    /// What must have cosigned, unless nothing must.
    quorum: Option<usize>,
}

#[derive(Clone, Debug)]
struct Named {
    name: Box<str>,
    kind: Kind,
    /// A group counts it already.
    counted: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Witness(WitnessKey),
    /// So many of these.
    Group(usize, Vec<usize>),
}

/// A witness that cosigned, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cosigned {
    /// The name of its key.
    pub witness: KeyName,
    /// Seconds since 1970, by the witness' clock.
    pub time: u64,
}

impl WitnessPolicy {
    /// Checks that enough witnesses cosigned a checkpoint, and says which did.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Seal`] if the log is none of those that the policy lists, if a witness' cosignature is
    /// there and does not hold, or if too few are there.
    pub fn check(&self, log: &VerifierKey, note: &Note) -> Result<Vec<Cosigned>, Error> {
        if !self.logs.is_empty() && !self.logs.contains(log) {
            return Err(refuse(format!(
                "the policy does not list the log {}",
                log.name()
            )));
        }
        let mut cosigned = Vec::new();
        let mut reached: Vec<bool> = Vec::with_capacity(self.named.len());
        for named in &self.named {
            reached.push(match &named.kind {
                Kind::Witness(key) => {
                    let time = key.cosigned(note)?;
                    cosigned.extend(time.map(|time| Cosigned {
                        witness: key.name().clone(),
                        time,
                    }));
                    time.is_some()
                }
                Kind::Group(needed, members) => {
                    let is_reached = |member: &&usize| reached.get(**member) == Some(&true);
                    members.iter().filter(is_reached).count() >= *needed
                }
            });
        }
        let Some(quorum) = self.quorum else {
            return Ok(cosigned);
        };
        if reached.get(quorum) == Some(&true) {
            return Ok(cosigned);
        }
        let names: Vec<&str> = cosigned.iter().map(|one| one.witness.as_str()).collect();
        let who = match &names[..] {
            [] => "nobody".to_owned(),
            _ => format!("only {}", names.join(", ")),
        };
        let quorum = self.named.get(quorum).map_or("", |named| &*named.name);
        Err(refuse(format!(
            "the policy asks for the quorum {quorum}, but {who} cosigned the checkpoint"
        )))
    }

    fn log(&mut self, vkey: &str) -> Result<(), Error> {
        let key: VerifierKey = vkey.parse()?;
        if self.logs.iter().any(|other| other.same_key(&key)) {
            return Err(refuse("this log is there twice"));
        }
        self.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &str, vkey: &str) -> Result<(), Error> {
        let key: WitnessKey = vkey.parse()?;
        let same =
            |named: &Named| matches!(&named.kind, Kind::Witness(other) if other.same_key(&key));
        if self.named.iter().any(same) {
            return Err(refuse("this witness is there twice"));
        }
        self.define(name, Kind::Witness(key))
    }

    fn group(&mut self, name: &str, needed: &str, members: &[&str]) -> Result<(), Error> {
        let needed = match needed {
            "any" => 1,
            "all" => members.len(),
            number => number
                .parse()
                .ok()
                .filter(|count: &usize| count.to_string() == number)
                .ok_or_else(|| refuse("a group counts any, all, or a number of its members"))?,
        };
        if needed == 0 || needed > members.len() {
            return Err(refuse(
                "a group needs one of its members at least, and no more than all",
            ));
        }
        let mut places = Vec::with_capacity(members.len());
        for member in members {
            let place = self.place(member)?;
            if let Some(named) = self.named.get_mut(place) {
                if named.counted {
                    return Err(refuse(format!("{member} is counted already")));
                }
                named.counted = true;
            }
            places.push(place);
        }
        self.define(name, Kind::Group(needed, places))
    }

    fn define(&mut self, name: &str, kind: Kind) -> Result<(), Error> {
        if name == NONE || self.named.iter().any(|named| &*named.name == name) {
            return Err(refuse(format!("{name} is defined already")));
        }
        self.named.push(Named {
            name: name.into(),
            kind,
            counted: false,
        });
        Ok(())
    }

    fn place(&self, name: &str) -> Result<usize, Error> {
        let place = self.named.iter().position(|named| &*named.name == name);
        place.ok_or_else(|| refuse(format!("{name} is not defined before it is used")))
    }
}

impl FromStr for WitnessPolicy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() > BYTES_MAX {
            return Err(refuse("a policy of witnesses has at most 64 KiB"));
        }
        if text.contains(|c: char| c.is_control() && c != '\n' && c != '\t') {
            return Err(refuse("a policy of witnesses has no control characters"));
        }
        let mut policy = Self {
            logs: Vec::new(),
            named: Vec::new(),
            quorum: None,
        };
        let mut has_quorum = false;
        for (line, number) in text.lines().zip(1_u64..) {
            let words: Vec<&str> = line
                .split([' ', '\t'])
                .filter(|word| !word.is_empty())
                .collect();
            let read = match words[..] {
                [] => Ok(()),
                [first, ..] if first.starts_with('#') => Ok(()),
                ["log", vkey] | ["log", vkey, _] => policy.log(vkey),
                ["witness", name, vkey] | ["witness", name, vkey, _] => policy.witness(name, vkey),
                ["group", name, needed, ref members @ ..] => policy.group(name, needed, members),
                ["quorum", _] if has_quorum => Err(refuse("there is one quorum")),
                ["quorum", NONE] => {
                    has_quorum = true;
                    Ok(())
                }
                ["quorum", name] => policy.place(name).map(|place| {
                    has_quorum = true;
                    policy.quorum = Some(place);
                }),
                _ => Err(refuse("a line is one of log, witness, group and quorum")),
            };
            read.map_err(|error| error.context(format_args!("line {number}")))?;
        }
        if has_quorum {
            return Ok(policy);
        }
        Err(refuse(
            "a policy of witnesses says which quorum it asks for",
        ))
    }
}

fn refuse(text: impl Into<String>) -> Error {
    Error::new(ErrorKind::Seal, text)
}
