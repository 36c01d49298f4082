//! One line of JSON with other strings in it, and every other byte as it was.

use serde_json::Value;

/// A scalar, or a key, and where it stands.
#[derive(Debug)]
pub(crate) struct Place<'w> {
    /// Keys and indices from the root: `data.lines[2].card`; empty for the root itself.
    pub(crate) path: &'w str,
    /// The name whose value it is or stands in, if that is prohibited; the outermost of several.
    pub(crate) under: Option<&'w str>,
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
struct Open {
    /// How much of the path leads to it.
    path_bytes: usize,
    holds: Holds,
}

#[derive(Debug)]
enum Holds {
    /// What its last `name` or `key` was, if that is prohibited: `{"name":"DB_PASSWORD","value":".."}`.
    Members(Option<String>),
    Elements(usize),
}

/// A prohibited name, and how many objects and arrays are open where it stands.
#[derive(Debug)]
struct Under {
    depth: usize,
    name: String,
}

/// What a string says.
#[derive(Debug)]
struct Text {
    given: String,
    /// What stands in its place, where something had to go.
    put: Option<String>,
}

impl Text {
    /// The name that it is, if that is prohibited: as it was given, or as whoever reads what is written
    /// will see it.
    fn prohibited(self, prohibited: impl Fn(&str) -> bool) -> Option<String> {
        let mut names = [Some(self.given), self.put].into_iter().flatten();
        names.find(|name| prohibited(name))
    }
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
/// place; `prohibited` says of a key whether its value may not be written. `None` if the line is no JSON;
/// then `redact` may have been called for its beginning.
///
/// Takes time in proportion to the line, however deep it nests.
pub(crate) fn rewrite(
    line: &str,
    prohibited: impl Fn(&str) -> bool,
    redact: impl FnMut(&Place<'_>, &str) -> Option<String>,
) -> Option<String> {
    let mut walk = Walk {
        line,
        at: 0,
        copied: 0,
        out: String::with_capacity(line.len()),
        open: Vec::new(),
        path: String::new(),
        under: None,
        prohibited,
        redact,
    };
    let mut next = Next::Value;
    loop {
        walk.skip_space();
        let Some(byte) = line.as_bytes().get(walk.at) else {
            break;
        };
        next = match (next, byte) {
            (Next::FirstKey | Next::Key, b'"') => {
                walk.key()?;
                Next::Colon
            }
            (Next::Colon, b':') => walk.pass(Next::Value),
            (Next::Value | Next::FirstValue, b'{') => {
                walk.open(Holds::Members(None));
                walk.pass(Next::FirstKey)
            }
            (Next::Value | Next::FirstValue, b'[') => {
                walk.open(Holds::Elements(0));
                walk.element(0);
                walk.pass(Next::FirstValue)
            }
            (Next::Value | Next::FirstValue, b'"') => {
                let text = walk.text(Kind::Text)?;
                walk.remember(text);
                Next::CommaOrEnd
            }
            (Next::Value | Next::FirstValue, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                walk.word()?;
                Next::CommaOrEnd
            }
            (Next::CommaOrEnd, b',') => match &mut walk.open.last_mut()?.holds {
                Holds::Members(_) => walk.pass(Next::Key),
                Holds::Elements(index) => {
                    *index += 1;
                    let index = *index;
                    walk.element(index);
                    walk.pass(Next::Value)
                }
            },
            (Next::FirstKey | Next::CommaOrEnd, b'}') => match walk.close()? {
                Holds::Members(_) => walk.pass(Next::CommaOrEnd),
                Holds::Elements(_) => return None,
            },
            (Next::FirstValue | Next::CommaOrEnd, b']') => match walk.close()? {
                Holds::Elements(_) => walk.pass(Next::CommaOrEnd),
                Holds::Members(_) => return None,
            },
            _ => return None,
        };
    }
    (next == Next::CommaOrEnd && walk.open.is_empty()).then(|| {
        walk.out.push_str(&line[walk.copied..]);
        walk.out
    })
}

struct Walk<'l, P, R> {
    line: &'l str,
    at: usize,
    /// What stands before this is in `out`.
    copied: usize,
    out: String,
    open: Vec<Open>,
    path: String,
    under: Option<Under>,
    prohibited: P,
    redact: R,
}

impl<P, R> Walk<'_, P, R>
where
    P: Fn(&str) -> bool,
    R: FnMut(&Place<'_>, &str) -> Option<String>,
{
    fn skip_space(&mut self) {
        let rest = self.line.as_bytes()[self.at..].iter();
        let space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.at += rest.take_while(space).count();
    }

    fn pass(&mut self, next: Next) -> Next {
        self.at += 1;
        next
    }

    fn open(&mut self, holds: Holds) {
        let path_bytes = self.path.len();
        self.open.push(Open { path_bytes, holds });
    }

    fn close(&mut self) -> Option<Holds> {
        let Open { path_bytes, holds } = self.open.pop()?;
        self.path.truncate(path_bytes);
        let depth = self.open.len();
        self.under = self.under.take().filter(|under| under.depth <= depth);
        Some(holds)
    }

    /// The path to the next element of an array.
    fn element(&mut self, index: usize) {
        if let Some(open) = self.open.last() {
            self.path.truncate(open.path_bytes);
        }
        self.path.push('[');
        self.path.push_str(&index.to_string());
        self.path.push(']');
    }

    /// A key, and from now on the path to its value.
    fn key(&mut self) -> Option<()> {
        let depth = self.open.len();
        // A key stands in its object, not under the key before it.
        self.under = self.under.take().filter(|under| under.depth < depth);
        self.path.truncate(self.open.last()?.path_bytes);
        let key = self.text(Kind::Key)?;
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(key.put.as_ref().unwrap_or(&key.given));
        let Holds::Members(named) = &mut self.open.last_mut()?.holds else {
            return None;
        };
        let name = if key.given.eq_ignore_ascii_case("value") {
            named.take()
        } else {
            None
        };
        if self.under.is_none() {
            let name = name.or_else(|| key.prohibited(&self.prohibited));
            self.under = name.map(|name| Under { depth, name });
        }
        Some(())
    }

    /// Keeps the text of a `name`, whose `value` may follow.
    fn remember(&mut self, text: Text) {
        let named = |name: &str| {
            let tail = self.path.len().checked_sub(name.len());
            let tail = tail.and_then(|at| self.path.split_at_checked(at));
            tail.is_some_and(|(head, tail)| {
                tail.eq_ignore_ascii_case(name) && (head.is_empty() || head.ends_with('.'))
            })
        };
        if (named("name") || named("key"))
            && let Some(prohibited) = text.prohibited(&self.prohibited)
            && let Some(Open {
                holds: Holds::Members(name),
                ..
            }) = self.open.last_mut()
        {
            *name = Some(prohibited);
        }
    }

    /// A string in its quotes.
    fn text(&mut self, kind: Kind) -> Option<Text> {
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
        let given: String = serde_json::from_str(token)
            .or_else(|_| serde_json::from_str(&paired(token)))
            .ok()?;
        let put = self.redact(kind, &given, end + 1);
        self.at = end + 1;
        Some(Text { given, put })
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Option<()> {
        let rest = &self.line[self.at..];
        let ends = |c: char| matches!(c, ',' | ']' | '}' | ' ' | '\t' | '\r' | '\n');
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let end = self.at + word.len();
        if !matches!(word, "true" | "false" | "null") {
            if !is_number(word) {
                return None;
            }
            self.redact(Kind::Number, word, end);
        }
        self.at = end;
        Some(())
    }

    /// Puts what `redact` says in the place of what ends at `end`, and gives it.
    fn redact(&mut self, kind: Kind, text: &str, end: usize) -> Option<String> {
        let place = Place {
            path: &self.path,
            under: self.under.as_ref().map(|under| under.name.as_str()),
            kind,
        };
        let put = (self.redact)(&place, text);
        if let Some(put) = &put {
            self.out.push_str(&self.line[self.copied..self.at]);
            self.out.push_str(&Value::from(put.as_str()).to_string());
            self.copied = end;
        }
        put
    }
}

/// A number by its grammar (RFC 8259): how large it is says nothing of whether it is one.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (rest, exponent) = match word.split_once(['e', 'E']) {
        Some((rest, exponent)) => (rest, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (word, "0"),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let leads = whole.len() > 1 && whole.starts_with('0');
    digits(whole) && !leads && digits(fraction) && digits(exponent)
}

/// A string in its quotes, with `\ufffd` for each half of a pair of surrogates that stands alone: JSON
/// allows it, and no text can hold it.
fn paired(token: &str) -> String {
    let surrogate = |rest: &str| {
        let digits = rest.strip_prefix("\\u").and_then(|rest| rest.get(..4));
        let code = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok());
        code.filter(|code| (0xd800..0xe000).contains(code))
    };
    let mut out = String::with_capacity(token.len());
    let mut rest = token;
    while let Some(at) = rest.find('\\') {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let second = tail.get(6..).and_then(surrogate);
        let (escape, bytes) = match (surrogate(tail), second) {
            (Some(..0xdc00), Some(0xdc00..)) => (&tail[..12], 12),
            (Some(_), _) => ("\\ufffd", 6),
            (None, _) => {
                let second = tail.chars().nth(1).map_or(0, char::len_utf8);
                (&tail[..=second], 1 + second)
            }
        };
        out.push_str(escape);
        rest = &tail[bytes..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(key: &str) -> bool {
        key == "secret"
    }

    /// Every text in capitals, and where all of it stands.
    fn shout(line: &str) -> Option<(String, Vec<String>)> {
        let mut places = Vec::new();
        let out = rewrite(line, secret, |place, text| {
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
            "1.",
            ".5",
            "1e",
            "-",
            "0x1",
            "1_0",
            "\"\\ud8\"",
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
        let out = rewrite(&line, secret, |_, _| None).unwrap();
        assert_eq!(out, line);
    }

    /// The name over each scalar and key that has one.
    fn over(line: &str) -> Vec<String> {
        let mut over = Vec::new();
        rewrite(line, secret, |place, text| {
            over.extend(place.under.map(|_| text.to_owned()));
            None
        })
        .unwrap();
        over
    }

    #[test]
    fn a_prohibited_name_holds_for_all_that_its_value_has() {
        assert_eq!(
            over(r#"{"a":1,"secret":{"b":[2,{"c":"3"}],"secret":4},"d":5}"#),
            ["b", "2", "c", "3", "secret", "4"]
        );
        assert_eq!(over(r#"[{"secret":[1]},2,{"a":3}]"#), ["1"]);
        assert_eq!(
            over(
                r#"[{"name":"secret","value":"x"},{"name":"a","value":"y"},{"Key":"secret","n":0,"Value":1}]"#
            ),
            ["x", "1"]
        );
        assert_eq!(
            over(r#"[{"name":"secret"},{"value":"x"},{"nickname":"secret","value":"y"}]"#),
            Vec::<String>::new()
        );
    }

    #[test]
    fn what_no_number_or_text_can_hold_is_json_all_the_same() {
        let line = r#"[1e999,-0,123456789012345678901234567890,1E+2,"\ud800","\udc00\ud83d\ude00\\ud800"]"#;
        let (out, places) = shout(line).unwrap();
        assert_eq!(
            out,
            r#"[1e999,-0,123456789012345678901234567890,1E+2,"�","�😀\\UD800"]"#
        );
        assert_eq!(places[0], "Number [0] 1e999");
        assert_eq!(rewrite(line, secret, |_, _| None).unwrap(), line);
    }

    #[test]
    fn a_deep_line_takes_no_longer_for_each_of_its_values() {
        let deep = 20_000;
        let line = format!(
            "{}[0{}]{}",
            "{\"aaaaaaaa\":".repeat(deep),
            ",0".repeat(200_000),
            "}".repeat(deep)
        );
        let mut longest = 0;
        let out = rewrite(&line, secret, |place, _| {
            longest = longest.max(place.path.len());
            None
        });
        assert_eq!(out.as_deref(), Some(line.as_str()));
        assert!(longest > deep);
    }
}
