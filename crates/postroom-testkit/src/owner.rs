//! The unix user that owns the mail of a test server: mail servers never serve mail as root.

use anyhow::{Result, bail};
use std::process::{Command, Stdio};

/// The user when the tests run as root.
const NAME: &str = "postroom-test";

/// A unix user.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Id of its group.
    pub gid: u32,
}

impl Owner {
    /// As root a user of the tests' own, which is made if it is missing; else whoever runs the tests.
    ///
    /// # Errors
    /// When there is none.
    pub fn find_or_make() -> Result<Self> {
        if !rustix::process::getuid().is_root() {
            return Self::of(&command_output("id", &["-un"])?);
        }
        if Self::of(NAME).is_err() {
            let made = Command::new("useradd")
                .args(["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME])
                .stderr(Stdio::null())
                .status();
            // Another test may have made it a moment ago; what counts is that it is there.
            drop(made);
        }
        Self::of(NAME)
    }

    fn of(name: &str) -> Result<Self> {
        let uid = command_output("id", &["-u", name])?.parse()?;
        let gid = command_output("id", &["-g", name])?.parse()?;
        Ok(Self { name: name.to_owned(), uid, gid })
    }
}

fn command_output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output()?;
    if !output.status.success() {
        bail!("{program} fails");
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
