//! A secret from standard input: what is piped in, or one line that is typed without being shown.

use postroom_mail::Secret;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

/// Reads it; one trailing line end is dropped.
pub fn read_secret() -> io::Result<Secret> {
    let mut text = String::new();
    if io::stdin().is_terminal() {
        write!(io::stderr(), "password: ")?;
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent)?;
        let read = io::stdin().lock().read_line(&mut text);
        tcsetattr(io::stdin(), OptionalActions::Now, &before)?;
        writeln!(io::stderr())?;
        read?;
    } else {
        io::stdin().read_to_string(&mut text)?;
    }
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(line.strip_suffix('\r').unwrap_or(line)))
}
