//! What we build on: licences, banned crates, and how many there are.

use crate::{assert_none, root};
use std::collections::BTreeSet;
use std::process::Command;

/// Licences that we may ship with. A crate passes when one of its `OR` alternatives is made of these alone.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// One TLS and crypto library (aws-lc-rs), and no RSA with a known timing leak (RUSTSEC-2023-0071).
const BANNED: &[&str] = &["openssl-sys", "native-tls", "ring", "rsa"];

/// Most crates that a release build may compile.
const RELEASE_MAX: usize = 349;

/// Name and licence of every crate in a build. `cargo tree` is asked because, unlike the lock file, it knows which optional
/// crates a build really takes.
fn built(arguments: &[&str]) -> BTreeSet<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--prefix", "none", "--no-dedupe", "--format", "{p}\t{l}"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(package, licence)| {
            let mut words = package.split(' ');
            let name = format!("{} {}", words.next().unwrap(), words.next().unwrap());
            (name, licence.trim_end_matches(" (*)").trim().to_owned())
        })
        .collect()
}

/// Whether an SPDX expression offers a choice that the list allows. Older crates write `/` for `OR`.
fn allowed(expression: &str) -> bool {
    let text = expression.replace(" / ", " OR ").replace('/', " OR ");
    parts(&text, " OR ").iter().any(|choice| {
        parts(choice, " AND ").iter().all(|part| {
            match part.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
                Some(inner) => allowed(inner),
                None => LICENCES.contains(&part.as_str()),
            }
        })
    })
}

/// Splits at a separator that stands outside of parentheses.
fn parts(text: &str, separator: &str) -> Vec<String> {
    let (mut depth, mut start, mut found) = (0_i32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && at >= start && text[at..].starts_with(separator) => {
                found.push(text[start..at].trim().to_owned());
                start = at + separator.len();
            }
            _ => {}
        }
    }
    found.push(text[start..].trim().to_owned());
    found
}

#[test]
fn spdx_expressions_are_understood() {
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0", false),
        ("ISC AND (Apache-2.0 OR GPL-3.0)", true),
        ("ISC AND (GPL-2.0 OR GPL-3.0)", false),
        ("Apache-2.0 WITH LLVM-exception", true),
    ] {
        assert_eq!(allowed(expression), expected, "{expression}");
    }
}

#[test]
fn every_licence_may_be_shipped() {
    let crates = built(&["--workspace", "-e", "normal,build,dev"]);
    assert!(crates.len() > 100, "cargo tree names only {} crates", crates.len());
    let complaints: Vec<String> = crates
        .iter()
        .filter(|(_, licence)| !allowed(licence))
        .map(|(name, licence)| format!("{name}: {licence:?}"))
        .collect();
    assert_none("these licences are not on the list (and deny.toml):", &complaints);
}

#[test]
fn banned_crates_stay_out() {
    let crates = built(&["--workspace", "-e", "normal,build,dev"]);
    let complaints: Vec<String> = crates
        .iter()
        .filter(|(name, _)| BANNED.iter().any(|banned| name.split(' ').next() == Some(banned)))
        .map(|(name, _)| name.clone())
        .collect();
    assert_none("one TLS library is enough; see docs/adr/0008-dependencies.md:", &complaints);
}

#[test]
fn the_release_build_stays_small() {
    let crates = built(&["-p", "postroom", "-e", "normal,build"]);
    eprintln!("{} crates in the release build", crates.len());
    assert!(crates.len() <= RELEASE_MAX, "{} crates in the release build, at most {RELEASE_MAX} wanted", crates.len());
}
