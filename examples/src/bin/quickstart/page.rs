//! What the reader sees: plain in a pipe, coloured on a terminal.

use std::io::Write;

use anstyle::{AnsiColor, Style};

const TITLE: Style = AnsiColor::Cyan.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

pub(crate) fn title(text: &str) {
    print(&format!("\n{TITLE}{text}{TITLE:#}\n"));
}

pub(crate) fn line(text: &str) {
    print(&format!("   {text}\n"));
}

pub(crate) fn dim(text: &str) {
    print(&format!("   {DIM}{text}{DIM:#}\n"));
}

/// Prints checks, and remembers whether all of them held.
pub(crate) struct Checks {
    held: bool,
}

impl Checks {
    pub(crate) fn new() -> Self {
        Self { held: true }
    }

    pub(crate) fn check(&mut self, what: &str, held: bool) {
        self.held &= held;
        let (style, word) = if held {
            (GOOD, "ok    ")
        } else {
            (BAD, "FAILED")
        };
        print(&format!("   {style}{word}{style:#} {what}\n"));
    }

    pub(crate) fn all_held(&self) -> bool {
        self.held
    }
}

fn print(text: &str) {
    // A reader that leaves early has seen enough; the checks go on.
    anstream::stdout().write_all(text.as_bytes()).unwrap_or(());
}
