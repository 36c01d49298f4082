//! One line of JSON with other strings in it, and every other byte as it was.

/// A scalar, or a key, and where it stands.
#[derive(Debug)]
pub(crate) struct Place<'l> {
    /// Keys and indices from the root: `data.lines[2].card`; empty for the root itself.
    pub(crate) path: String,
    /// The keys above it, the outermost first.
    pub(crate) keys: Vec<&'l str>,
    pub(crate) kind: Kind,
}

/// What stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Key,
    Text,
    Number,
}

/// An open object or array.
#[derive(Debug)]
enum Open {
    Object(Option<String>),
    Array(usize),
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// A value, or the end of an array that has none.
    FirstValue,
    Key,
    /// A key, or the end of an object that has none.
    FirstKey,
    Colon,
    CommaOrEnd,
}

/// Calls `redact` with each key, text and number of a line, and puts what it returns, as a string, in its
/// place. `None` if the line is no JSON; then `redact` may have been called for its beginning.
pub(crate) fn rewrite(
    line: &str,
    mut redact: impl FnMut(&Place<'_>, &str) -> Option<String>,
) -> Option<String> {
    let mut walk = Walk {
        line,
        at: 0,
        copied: 0,
        out: String::with_capacity(line.len()),
        open: Vec::new(),
    };
    let mut next = Next::Value;
    loop {
        walk.skip_space();
        let Some(byte) = line.as_bytes().get(walk.at) else {
            break;
        };
        next = match (next, byte) {
            (Next::FirstKey | Next::Key, b'"') => {
                let key = walk.text(Kind::Key, &mut redact)?;
                match walk.open.last_mut()? {
                    Open::Object(current) => *current = Some(key),
                    Open::Array(_) => return None,
                }
                Next::Colon
            }
            (Next::Colon, b':') => walk.pass(Next::Value),
            (Next::Value | Next::FirstValue, b'{') => {
                walk.open.push(Open::Object(None));
                walk.pass(Next::FirstKey)
            }
            (Next::Value | Next::FirstValue, b'[') => {
                walk.open.push(Open::Array(0));
                walk.pass(Next::FirstValue)
            }
            (Next::Value | Next::FirstValue, b'"') => {
                walk.text(Kind::Text, &mut redact)?;
                Next::CommaOrEnd
            }
            (Next::Value | Next::FirstValue, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                walk.word(&mut redact)?;
                Next::CommaOrEnd
            }
            (Next::CommaOrEnd, b',') => match walk.open.last_mut()? {
                Open::Object(_) => walk.pass(Next::Key),
                Open::Array(index) => {
                    *index += 1;
                    walk.pass(Next::Value)
                }
            },
            (Next::FirstKey | Next::CommaOrEnd, b'}') => match walk.open.pop()? {
                Open::Object(_) => walk.pass(Next::CommaOrEnd),
                Open::Array(_) => return None,
            },
            (Next::FirstValue | Next::CommaOrEnd, b']') => match walk.open.pop()? {
                Open::Array(_) => walk.pass(Next::CommaOrEnd),
                Open::Object(_) => return None,
            },
            _ => return None,
        };
    }
    (next == Next::CommaOrEnd && walk.open.is_empty()).then(|| {
        walk.out.push_str(&line[walk.copied..]);
        walk.out
    })
}

struct Walk<'l> {
    line: &'l str,
    at: usize,
    /// What stands before this is in `out`.
    copied: usize,
    out: String,
    open: Vec<Open>,
}

impl Walk<'_> {
    fn skip_space(&mut self) {
        let rest = self.line.as_bytes()[self.at..].iter();
        let space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.at += rest.take_while(space).count();
    }

    fn pass(&mut self, next: Next) -> Next {
        self.at += 1;
        next
    }

    /// A string in its quotes; gives what it says.
    fn text(
        &mut self,
        kind: Kind,
        redact: &mut impl FnMut(&Place<'_>, &str) -> Option<String>,
    ) -> Option<String> {
        let bytes = self.line.as_bytes();
        let mut end = self.at + 1;
        loop {
            match bytes.get(end)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        let token = self.line.get(self.at..=end)?;
        let text: String = serde_json::from_str(token).ok()?;
        if let Some(other) = redact(&self.place(kind), &text) {
            self.replace(end + 1, &other)?;
        }
        self.at = end + 1;
        Some(text)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self, redact: &mut impl FnMut(&Place<'_>, &str) -> Option<String>) -> Option<()> {
        let rest = &self.line[self.at..];
        let ends = |c: char| matches!(c, ',' | ']' | '}' | ' ' | '\t' | '\r' | '\n');
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let end = self.at + word.len();
        if !matches!(word, "true" | "false" | "null") {
            serde_json::from_str::<serde_json::Number>(word).ok()?;
            if let Some(other) = redact(&self.place(Kind::Number), word) {
                self.replace(end, &other)?;
            }
        }
        self.at = end;
        Some(())
    }

    fn replace(&mut self, end: usize, other: &str) -> Option<()> {
        self.out.push_str(&self.line[self.copied..self.at]);
        self.out.push_str(&serde_json::to_string(other).ok()?);
        self.copied = end;
        Some(())
    }

    fn place(&self, kind: Kind) -> Place<'_> {
        let mut path = String::new();
        let mut keys = Vec::new();
        // A key stands in its object, not under the key before it.
        let above = self.open.len() - usize::from(kind == Kind::Key);
        for open in &self.open[..above] {
            match open {
                Open::Object(key) => {
                    let key = key.as_deref().unwrap_or_default();
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                    keys.push(key);
                }
                Open::Array(index) => {
                    path.push('[');
                    path.push_str(&index.to_string());
                    path.push(']');
                }
            }
        }
        Place { path, keys, kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text in capitals, and where all of it stands.
    fn shout(line: &str) -> Option<(String, Vec<String>)> {
        let mut places = Vec::new();
        let out = rewrite(line, |place, text| {
            places.push(format!("{:?} {} {text}", place.kind, place.path));
            (place.kind == Kind::Text).then(|| text.to_uppercase())
        })?;
        Some((out, places))
    }

    #[test]
    fn only_strings_change_and_every_other_byte_stays() {
        let line = r#"  {"b" : "x\ny","a":[1.50e+3, "ü",{"c":null}] , "d":{}, "e":[]}	"#;
        let (out, places) = shout(line).unwrap();
        assert_eq!(
            out,
            r#"  {"b" : "X\nY","a":[1.50e+3, "Ü",{"c":null}] , "d":{}, "e":[]}	"#
        );
        assert_eq!(
            places,
            [
                "Key  b",
                "Text b x\ny",
                "Key  a",
                "Number a[0] 1.50e+3",
                "Text a[1] ü",
                "Key a[2] c",
                "Key  d",
                "Key  e"
            ]
        );
        assert_eq!(shout("\"x\"").unwrap().0, "\"X\"");
        assert_eq!(shout("17").unwrap().0, "17");
    }

    #[test]
    fn what_is_no_json_is_none() {
        for line in [
            "",
            "{",
            "}",
            "[1,]",
            "{\"a\"}",
            "{\"a\":1,}",
            "{\"a\":1}}",
            "[1}",
            "{1:2}",
            "\"a",
            "tru",
            "01",
            "+1",
            "1 2",
            "{\"a\":1}{\"a\":1}",
            "\"\\ud800\"",
            "\"\\x\"",
            "\"a\nb\"",
            "password=x",
            "[,1]",
            "{,}",
        ] {
            assert_eq!(shout(line), None, "{line}");
        }
    }

    #[test]
    fn deep_nesting_takes_no_stack() {
        let deep = 100_000;
        let line = format!("{}\"x\"{}", "[".repeat(deep), "]".repeat(deep));
        let out = rewrite(&line, |_, _| None).unwrap();
        assert_eq!(out, line);
    }
}
