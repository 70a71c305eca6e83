//! What is said where the command line itself cannot be understood, or asks for help.

use super::args::Cli;
use super::{USAGE, output, push};
use crate::failure::Failure;
use clap::error::ErrorKind;
use clap::{Command, CommandFactory};
use std::io::{self, Write};
use std::process::ExitCode;

/// Help and version, which are no failure and go to stdout; or wrong usage, in the form that every failure has.
pub fn refuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let mut command = meant();
    match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand if json => {
            output::report(&without_command(&command), json);
        }
        // Whoever does not say which command wants to know which there are.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let _ = write!(io::stderr(), "{}", command.render_help());
        }
        _ => output::report(&misunderstood(error, &command), json),
    }
    // A mail server takes any other status for a final refusal and sends the message back.
    let delivers = arguments.iter().any(|argument| argument == "deliver");
    ExitCode::from(if delivers { push::EX_TEMPFAIL } else { USAGE })
}

/// The command that the arguments name, as far as they do.
fn meant() -> Command {
    let mut command = Cli::command();
    let parsed = command.clone().ignore_errors(true).try_get_matches();
    command.build();
    let mut inner = parsed.as_ref().ok().and_then(|matches| matches.subcommand());
    while let Some((name, matches)) = inner
        && let Some(found) = command.find_subcommand(name)
    {
        command = found.clone();
        inner = matches.subcommand();
    }
    command
}

fn without_command(command: &Command) -> Failure {
    let names: Vec<&str> = command.get_subcommands().map(Command::get_name).filter(|name| *name != "help").collect();
    Failure::new("USAGE", format!("a command is missing: one of {}", names.join(", ")), see(command))
}

/// What the parser says: in its first paragraph what is wrong, with what it is about in lines of their own behind a colon;
/// then the values it knows, the nearest command, the usage.
fn misunderstood(error: &clap::Error, command: &Command) -> Failure {
    let text = error.to_string();
    let (what, more) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut what = what.lines().map(str::trim);
    let mut message = what.next().unwrap_or("wrong usage").trim_start_matches("error: ").to_owned();
    let mut help = Vec::new();
    if message.ends_with(':') {
        message = format!("{message} {}", what.collect::<Vec<_>>().join(", "));
    } else {
        help.extend(what);
    }
    help.extend(
        more.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("For more information")),
    );
    let help = if help.is_empty() { see(command) } else { help.join(" · ") };
    Failure::new("USAGE", message, help)
}

fn see(command: &Command) -> String {
    format!("see `{} --help`", command.get_bin_name().unwrap_or("postroom"))
}
