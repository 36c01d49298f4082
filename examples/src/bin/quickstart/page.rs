//! What the reader sees: plain in a pipe, coloured on a terminal.

use std::io::Write;

use anstyle::{AnsiColor, Style};

/// Prints, and remembers whether every check held.
pub(crate) struct Page {
    held: bool,
}

const TITLE: Style = AnsiColor::Cyan.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

impl Page {
    pub(crate) fn new() -> Self {
        Self { held: true }
    }

    pub(crate) fn title(&mut self, text: &str) {
        self.print(&format!("\n{TITLE}{text}{TITLE:#}\n"));
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.print(&format!("   {text}\n"));
    }

    pub(crate) fn dim(&mut self, text: &str) {
        self.print(&format!("   {DIM}{text}{DIM:#}\n"));
    }

    pub(crate) fn check(&mut self, what: &str, held: bool) {
        self.held &= held;
        let (style, word) = if held {
            (GOOD, "ok    ")
        } else {
            (BAD, "FAILED")
        };
        self.print(&format!("   {style}{word}{style:#} {what}\n"));
    }

    pub(crate) fn all_held(&self) -> bool {
        self.held
    }

    fn print(&mut self, text: &str) {
        // A reader that leaves early has seen enough; the checks go on.
        anstream::stdout().write_all(text.as_bytes()).unwrap_or(());
    }
}
