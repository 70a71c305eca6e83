//! `postroom completions` and `postroom manpages`, made from the same description as the help texts.

use super::args::Cli;
use super::output::{Output, write_octets};
use crate::failure::Failure;
use clap::CommandFactory;
use std::path::Path;

pub fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "postroom", &mut script);
    write_octets(&script)
}

pub fn manpages(dir: &Path, out: Output) -> Result<(), Failure> {
    let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
    written.map_err(|error| {
        let message = format!("the manual pages could not be written to {}: {error}", dir.display());
        Failure::new("FILE_UNWRITABLE", message, "name a directory that you may write to")
    })?;
    out.say(format!("wrote the manual pages to {}", dir.display()))
}
