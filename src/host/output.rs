//! Printing: the one place that writes to standard output and standard error.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::host::env;

/// Standard output. A reader that goes away (`| head`) is no error: the rest is not wanted.
pub struct Out {
    sink: Box<dyn Write>,
    color: bool,
    terminal: bool,
    /// How many columns a person sees; none where nobody is looking.
    width: Option<usize>,
    closed: bool,
}

/// How wide a terminal is that does not say.
const USUAL_WIDTH: usize = 80;

impl Out {
    /// Standard output, coloured if it is a terminal (or git's pager) and `NO_COLOR` is not set.
    pub fn stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let color = (terminal || env::pager_in_use()) && !env::no_color();
        let width = terminal.then(terminal_width);
        Out { sink: Box::new(io::BufWriter::new(io::stdout())), color, terminal, width, closed: false }
    }

    /// Somewhere else, in black and white: a pager's input, a test's buffer.
    pub fn to(sink: Box<dyn Write>, color: bool) -> Self {
        Out { sink, color, terminal: false, width: None, closed: false }
    }

    /// The same for somebody who sees so many columns.
    pub fn with_width(self, width: Option<usize>) -> Self {
        Out { width, ..self }
    }

    /// How many columns the person sees who is looking, directly or through a pager; none where nobody is.
    pub fn width(&self) -> Option<usize> {
        self.width
    }

    /// Whether a person is looking.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes a line.
    pub fn line(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        writeln!(self, "{text}")
    }

    /// Writes a value as one line of JSON, in which nothing steers a terminal.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value)?;
        self.line(escaped(&text))
    }

    /// `text` in a style, or bare where colour is off.
    pub fn paint(&self, style: Style, text: impl std::fmt::Display) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_string() }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        match self.sink.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(bytes.len())
            }
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.sink.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }
}

/// Says something on standard error: a hint, a warning, what a hook did.
pub fn say(text: impl std::fmt::Display) {
    // Nobody to tell where standard error is closed.
    drop(writeln!(io::stderr(), "{text}"));
}

/// Whether standard error is a terminal, so that progress may be shown.
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether what is printed on standard output goes nowhere: to `/dev/null`.
#[cfg(unix)]
pub fn is_discarded() -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;
    let device = || -> io::Result<u64> { Ok(std::fs::metadata("/dev/null")?.rdev()) };
    let ours = || -> io::Result<u64> {
        Ok(std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?).metadata()?.rdev())
    };
    matches!((device(), ours()), (Ok(null), Ok(out)) if null == out)
}

/// Whether what is printed on standard output goes nowhere. It cannot be told here.
#[cfg(not(unix))]
pub fn is_discarded() -> bool {
    false
}

/// Makes text of unknown origin safe to show: control characters (escapes, carriage returns, bidirectional
/// overrides) and those that nobody sees become visible marks, tabs and newlines stay.
pub fn visible(text: &str) -> String {
    if text.bytes().all(|b| matches!(b, b' '..=b'~' | b'\n' | b'\t')) {
        return text.to_owned();
    }
    text.chars().map(|c| if is_hidden(c) { '\u{fffd}' } else { c }).collect()
}

fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
            | '\u{e0100}'..='\u{e01ef}')
}

/// JSON that says the same, with the characters escaped that [`visible`] hides: they stand in strings only.
fn escaped(json: &str) -> Cow<'_, str> {
    if json.bytes().all(|b| matches!(b, b' '..=b'~')) || !json.chars().any(is_hidden) {
        return json.into();
    }
    let units = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    let escape = |c: char| if is_hidden(c) { units(c) } else { c.to_string() };
    json.chars().map(escape).collect()
}

fn terminal_width() -> usize {
    let known = env::columns().or_else(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)));
    known.filter(|width| *width > 0).unwrap_or(USUAL_WIDTH)
}

/// Styles, named after what they mark.
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const WARN: Style = AnsiColor::Yellow.on_default();
pub const ID: Style = AnsiColor::Yellow.on_default();
pub const AGENT: Style = AnsiColor::Magenta.on_default();
pub const HUMAN: Style = AnsiColor::Cyan.on_default();
pub const DIM: Style = Style::new().dimmed();
pub const HEAD: Style = Style::new().bold();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_cannot_steer_the_terminal() {
        assert_eq!(visible("a\x1b[2Jb\rc\u{202e}d\n\te"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\n\te");
        let unseen = "\u{ad}\u{61c}\u{180e}\u{2028}\u{2060}\u{206a}\u{fffb}\u{e0041}\u{e0100}";
        assert_eq!(visible(unseen), "\u{fffd}".repeat(9), "words that only a model reads");
    }

    #[test]
    fn json_says_the_same_without_steering_the_terminal() {
        for text in ["a\u{9b}2Jb\u{202e}c", "\u{1b}[31m \u{7f}", "a\u{e0041}", "plain é 日本"] {
            let json = serde_json::to_string(text).unwrap();
            let escaped = escaped(&json);
            assert!(!escaped.chars().any(is_hidden), "{escaped}");
            assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
    }

    #[test]
    fn a_reader_that_leaves_is_no_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut out = Out::to(Box::new(Gone), false);
        assert!(out.line("x").is_ok());
        assert!(out.line("y").is_ok());
        assert_eq!(out.paint(GOOD, "z"), "z");
    }
}
