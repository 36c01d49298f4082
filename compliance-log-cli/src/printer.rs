//! Data to stdout, words to stderr, and nothing from a log that could steer a terminal.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    io::{self, BufWriter, IsTerminal as _, StdoutLock, Write as _},
};

use anstream::{AutoStream, ColorChoice, adapter::strip_str};
use anstyle::{AnsiColor, Style};

use crate::failure::Failure;

/// Times and other things that one reads last.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Names.
pub(crate) const BOLD: Style = Style::new().bold();
/// What is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What wants attention.
pub(crate) const NOTE: Style = AnsiColor::Yellow.on_default();
/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// Where results go. Colour only where the terminal wants it: `NO_COLOR`, pipes and files have none.
pub(crate) struct Printer {
    out: BufWriter<StdoutLock<'static>>,
    colour: ColorChoice,
    terminal: bool,
}

impl Printer {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        Self {
            colour: AutoStream::choice(&stdout),
            terminal: stdout.is_terminal(),
            out: BufWriter::with_capacity(1 << 16, stdout.lock()),
        }
    }

    /// One line of text, already cleaned where it comes from a log.
    pub(crate) fn line(&mut self, text: impl fmt::Display) -> io::Result<()> {
        if self.colour == ColorChoice::Never {
            let text = text.to_string();
            return writeln!(self.out, "{}", strip_str(&text));
        }
        writeln!(self.out, "{text}")
    }

    /// A stored line: unchanged to a file or pipe, cleaned to a terminal.
    pub(crate) fn stored(&mut self, line: &[u8]) -> io::Result<()> {
        if self.terminal {
            return writeln!(self.out, "{}", clean(&String::from_utf8_lossy(line)));
        }
        self.out.write_all(line)?;
        self.out.write_all(b"\n")
    }

    /// A line of a filter's output, with its end only if it came with one.
    pub(crate) fn piped(&mut self, line: &[u8], ended: bool) -> io::Result<()> {
        self.out.write_all(line)?;
        if ended {
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Passes on what is buffered: before waiting, and at the end.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A remark for the person at the terminal.
pub(crate) fn remark(text: impl fmt::Display) {
    say(NOTE, "note", text);
}

/// Why the command failed, and what to do next.
pub(crate) fn complain(failure: &Failure) {
    say(BAD, "error", clean(&failure.to_string()));
    if let Some(next) = failure.hint() {
        hint(next);
    }
}

/// What to do next.
pub(crate) fn hint(text: impl fmt::Display) {
    say(BOLD, "hint", text);
}

fn say(style: Style, word: &str, text: impl fmt::Display) {
    // Nobody is left to tell when stderr is closed.
    writeln!(anstream::stderr(), "{style}{word}{style:#}: {text}").unwrap_or(());
}

/// `1 record`, `2 records`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// `text` with every character that could steer a terminal, reorder the line or hide in it written
/// as `\uxxxx`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(unsafe_to_show) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if unsafe_to_show(character) {
            // Writing to a string cannot fail.
            write!(cleaned, "\\u{:04x}", u32::from(character)).unwrap_or(());
        } else {
            cleaned.push(character);
        }
    }
    Cow::Owned(cleaned)
}

/// The characters that the format escapes, and the invisible ones beyond them.
fn unsafe_to_show(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_escaped() {
        assert_eq!(clean("a\u{1b}[2Jb"), "a\\u001b[2Jb");
        assert_eq!(
            clean("\u{202e}x\u{200b}\r\n"),
            "\\u202ex\\u200b\\u000d\\u000a"
        );
        assert_eq!(clean("tag \u{e0041}"), "tag \\ue0041");
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in ["", "booking/b-17", "Zürich 東京 🦀"] {
            assert!(matches!(clean(text), Cow::Borrowed(same) if same == text));
        }
    }
}
