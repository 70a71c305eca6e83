//! In whose name a command acts.

use rustix::process::getuid;

/// In whose name the program itself sets up what is needed at its first start, and everything of the demo.
pub const SETUP: &str = "setup";

/// `cli:` and the name of the user of this machine who runs the command. It is the user that the kernel knows; what the
/// environment says anybody can write.
pub fn actor() -> String {
    let uid = getuid().as_raw();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    // An account of a directory service is not in this file: its number has to do.
    format!("cli:{}", name_in(&passwd, uid).map_or_else(|| uid.to_string(), str::to_owned))
}

/// The name of a user number in the text of passwd(5).
fn name_in(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::name_in;

    #[test]
    fn the_first_name_of_a_number_counts() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\nbroken\nann:x:1000:100::/:/bin/sh\nann2:x:1000:100::/:\n:x:7:\n";
        for (uid, name) in [(0, Some("root")), (1000, Some("ann")), (7, None), (100, None)] {
            assert_eq!(name_in(passwd, uid), name, "{uid}");
        }
    }
}
