//! A lock as text: written sorted, read strictly.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::{
    lock::{LockedEvent, LockedField, Place, SchemaLock},
    words::Word,
};
use crate::error::{Error, ErrorKind};

const TITLE: &str = "compliance-log schema lock 1";

impl fmt::Display for SchemaLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{TITLE}")?;
        for event in self.events() {
            writeln!(
                f,
                "\nevent {} version={} category={} outcome={}",
                event.name,
                event.version,
                event.category.word(),
                event.outcome.word(),
            )?;
            // Those of the root come first, as they do in a record.
            let fields: BTreeMap<_, _> = event
                .fields
                .iter()
                .map(|(name, field)| ((field.place == Place::Data, name), field))
                .collect();
            for ((_, name), field) in fields {
                writeln!(
                    f,
                    "  field {} kind={} presence={} class={} action={}",
                    field.path(name),
                    field.kind.word(),
                    field.presence.word(),
                    field.class.word(),
                    field.action.word(),
                )?;
            }
        }
        Ok(())
    }
}

impl FromStr for SchemaLock {
    type Err = Error;

    /// Reads the text of a lock. Empty lines and indentation mean nothing.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut lines = (1..).zip(text.lines().map(str::trim));
        if lines.next().is_none_or(|(_, title)| title != TITLE) {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "line 1 is not `{TITLE}`: this is no schema lock, or one of a later version"
                ),
            ));
        }
        let mut lock = Self::default();
        let mut open: Option<LockedEvent> = None;
        for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
            let wrong =
                |why: String| Error::new(ErrorKind::Config, format!("line {number}: {why}"));
            let mut words = Words::of(line);
            match words.plain() {
                Some("event") => {
                    let event = words.event().map_err(wrong)?;
                    if let Some(whole) = open.replace(event) {
                        lock.close(whole).map_err(wrong)?;
                    }
                }
                Some("field") => {
                    let (name, field) = words.field().map_err(wrong)?;
                    let event = open
                        .as_mut()
                        .ok_or_else(|| wrong("a field stands before the first event".into()))?;
                    if event.fields.insert(name.clone(), field).is_some() {
                        return Err(wrong(format!("the field {name} stands here twice")));
                    }
                }
                _ => return Err(wrong("it begins with neither `event` nor `field`".into())),
            }
        }
        if let Some(whole) = open {
            lock.close(whole)
                .map_err(|why| Error::new(ErrorKind::Config, why))?;
        }
        Ok(lock)
    }
}

impl SchemaLock {
    fn close(&mut self, event: LockedEvent) -> Result<(), String> {
        let twice = format!("{} version {} stands here twice", event.name, event.version);
        if self.add(event) { Ok(()) } else { Err(twice) }
    }
}

/// What is left of a line.
struct Words<'t>(std::str::SplitWhitespace<'t>);

impl<'t> Words<'t> {
    fn of(line: &'t str) -> Self {
        Self(line.split_whitespace())
    }

    fn plain(&mut self) -> Option<&'t str> {
        self.0.next()
    }

    fn name(&mut self) -> Result<&'t str, String> {
        let named = self.plain().filter(|name| !name.contains('='));
        named.ok_or_else(|| "a name is missing".to_owned())
    }

    /// The value of `key=value`, which has to come next.
    fn value(&mut self, key: &str) -> Result<&'t str, String> {
        let value = self
            .plain()
            .and_then(|word| word.strip_prefix(key)?.strip_prefix('='));
        value.ok_or_else(|| format!("`{key}=` is missing"))
    }

    fn word<W: Word>(&mut self, key: &str) -> Result<W, String> {
        let word = self.value(key)?;
        W::of_word(word).ok_or_else(|| {
            let all: Vec<&str> = W::ALL.iter().map(|value| value.word()).collect();
            format!(
                "`{key}={word}` means nothing; it is one of {}",
                all.join(", ")
            )
        })
    }

    fn end(&mut self) -> Result<(), String> {
        match self.plain() {
            None => Ok(()),
            Some(word) => Err(format!("`{word}` is too much")),
        }
    }

    fn event(&mut self) -> Result<LockedEvent, String> {
        let name = self.name()?.to_owned();
        let version = self.value("version")?;
        let number = version.parse().ok().filter(|number| *number > 0);
        let event = LockedEvent {
            name,
            version: number
                .ok_or_else(|| format!("`version={version}` is no number from 1 to 65535"))?,
            category: self.word("category")?,
            outcome: self.word("outcome")?,
            fields: BTreeMap::new(),
        };
        self.end()?;
        Ok(event)
    }

    fn field(&mut self) -> Result<(String, LockedField), String> {
        let path = self.name()?;
        let (place, name) = match path.strip_prefix("data.") {
            Some(name) => (Place::Data, name),
            None => (Place::Root, path),
        };
        let field = LockedField {
            place,
            kind: self.word("kind")?,
            presence: self.word("presence")?,
            class: self.word("class")?,
            action: self.word("action")?,
        };
        self.end()?;
        Ok((name.to_owned(), field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "\
compliance-log schema lock 1

event a.b version=1 category=audit outcome=success
  field booking_id kind=integer presence=always class=internal action=keep
  field data.apple kind=text presence=optional class=personal action=pseudonym

event a.b version=2 category=admin outcome=fail
";

    #[test]
    fn text_is_read_and_written_without_a_change() {
        let lock: SchemaLock = LOCK.parse().unwrap();
        assert_eq!(lock.to_string(), LOCK);
        let crlf: SchemaLock = LOCK.replace('\n', "\r\n").parse().unwrap();
        assert_eq!(crlf, lock, "as git may check it out");
        let names: Vec<_> = lock.events().map(|event| event.version).collect();
        assert_eq!(names, [1, 2]);
    }

    #[test]
    fn order_in_the_text_does_not_matter() {
        let blocks: Vec<&str> = LOCK.split("\n\n").collect();
        let swapped = [blocks[0], blocks[2], blocks[1]].join("\n\n");
        assert_eq!(swapped.parse::<SchemaLock>().unwrap().to_string(), LOCK);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (from, to, said) in [
            (
                "lock 1",
                "lock 2",
                "line 1 is not `compliance-log schema lock 1`",
            ),
            ("version=1 ", "", "line 3: `version=` is missing"),
            (
                "version=1 ",
                "version=0 ",
                "line 3: `version=0` is no number",
            ),
            (
                "=admin",
                "=money",
                "line 7: `category=money` means nothing; it is one of audit, ",
            ),
            (
                "kind=integer",
                "class=integer",
                "line 4: `kind=` is missing",
            ),
            ("action=keep", "action=keep x", "line 4: `x` is too much"),
            (
                "event a.b version=1",
                "<<<<<<< HEAD",
                "line 3: it begins with neither",
            ),
            (
                "event a.b version=1",
                "field x kind=any",
                "line 3: `presence=` is missing",
            ),
            ("version=2", "version=1", "a.b version 1 stands here twice"),
            (
                "data.apple",
                "booking_id",
                "line 5: the field booking_id stands here twice",
            ),
            (
                "event a.b version=2",
                "event version=2",
                "line 7: a name is missing",
            ),
        ] {
            let error = LOCK
                .replacen(from, to, 1)
                .parse::<SchemaLock>()
                .unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
