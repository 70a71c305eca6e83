//! What a person types: a secret from standard input (piped in, or one line that is not shown), or an answer.

use postroom_mail::Secret;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

/// Whether a person is there to be asked.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question and reads the answer, one line.
pub fn ask(question: &str) -> io::Result<String> {
    write!(io::stderr(), "{question}")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer)
}

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
