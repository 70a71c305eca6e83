//! Who may know whom: the arrows of ARCHITECTURE.md, against `cargo metadata`.

use crate::{assert_none, crate_names};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Every crate with the crates of ours that it may depend on. Left never knows right.
const ARROWS: &[(&str, &[&str])] = &[
    ("postroom-mail", &[]),
    ("postroom-domain", &["postroom-mail"]),
    ("postroom-store", &["postroom-mail", "postroom-domain"]),
    ("postroom-sources", &["postroom-mail"]),
    ("postroom-web", &["postroom-mail", "postroom-domain", "postroom-store"]),
    ("postroom", &["postroom-mail", "postroom-domain", "postroom-store", "postroom-sources", "postroom-web"]),
];

/// For tests only; it may know every crate, and no crate may know it outside of its tests.
const TESTKIT: &str = "postroom-testkit";

/// External crates that only one of ours may use, so that its wall is made of brick.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("rusqlite", &["postroom-store"]),
    ("postgres", &["postroom-store"]),
    ("tokio-postgres", &["postroom-store"]),
    ("tokio-postgres-rustls", &["postroom-store"]),
    ("tokio-rustls", &["postroom-sources"]),
    ("hickory-resolver", &["postroom-sources"]),
    ("hyper", &["postroom-sources"]),
    ("axum", &["postroom-web", "postroom"]),
    ("tower-http", &["postroom-web"]),
    ("askama", &["postroom-web"]),
    ("anyhow", &["postroom"]),
    ("mail-parser", &["postroom-mail"]),
    ("ammonia", &["postroom-mail"]),
];

/// What a pure crate must not use: anything that waits, reaches out or remembers.
const NOT_PURE: &[&str] = &[
    "tokio",
    "rusqlite",
    "postgres",
    "axum",
    "tower",
    "tower-http",
    "rustls",
    "rustix",
    "getrandom",
    "tracing",
    "anyhow",
];
const PURE: &[&str] = &["postroom-mail", "postroom-domain"];

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(crate::root().join("Cargo.toml")).no_deps();
    command.other_options(vec!["--locked".to_owned(), "--offline".to_owned()]);
    command.exec().unwrap()
}

fn dependencies(package: &Package, tests_too: bool) -> impl Iterator<Item = &str> {
    let wanted = move |kind| tests_too || kind != DependencyKind::Development;
    package.dependencies.iter().filter(move |d| wanted(d.kind)).map(|d| d.name.as_str())
}

#[test]
fn no_crate_knows_what_lies_to_its_right() {
    let metadata = metadata();
    let mut complaints = Vec::new();
    for (name, may_know) in ARROWS {
        let package = metadata.packages.iter().find(|p| p.name.as_str() == *name).unwrap();
        for other in dependencies(package, false).filter(|d| d.starts_with("postroom")) {
            if !may_know.contains(&other) {
                complaints.push(format!("{name} depends on {other}"));
            }
        }
        for other in dependencies(package, true).filter(|d| d.starts_with("postroom")) {
            if !may_know.contains(&other) && other != TESTKIT {
                complaints.push(format!("the tests of {name} depend on {other}"));
            }
        }
    }
    assert_none("mail ◄ domain ◄ store ◄ web ◄ postroom, mail ◄ sources ◄ postroom, and nothing else:", &complaints);
}

#[test]
fn every_crate_has_its_place() {
    let known: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).chain([TESTKIT]).collect();
    let strangers: Vec<String> = crate_names().into_iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert_none("a new crate needs its arrows here and its place in ARCHITECTURE.md:", &strangers);
}

#[test]
fn a_library_of_one_wall_stays_behind_it() {
    let metadata = metadata();
    let mut complaints = Vec::new();
    for package in metadata.packages.iter().filter(|p| p.name.as_str() != TESTKIT) {
        for (library, homes) in ONLY_IN {
            if dependencies(package, false).any(|d| d == *library) && !homes.contains(&package.name.as_str()) {
                complaints.push(format!("{} uses {library}, which belongs to {}", package.name, homes.join(", ")));
            }
        }
        for library in NOT_PURE.iter().filter(|_| PURE.contains(&package.name.as_str())) {
            if dependencies(package, false).any(|d| d == *library) {
                complaints.push(format!("{} is pure and uses {library}", package.name));
            }
        }
    }
    assert_none("the only SQL is in store, the only sockets to mail servers in sources, HTTP in web:", &complaints);
}

#[test]
fn every_pure_crate_forbids_files_sockets_and_clocks_to_clippy() {
    let mut complaints = Vec::new();
    for name in PURE {
        let rules = crate::text_of(&format!("crates/{name}/clippy.toml"));
        for path in
            ["std::fs::File", "std::net::TcpStream", "std::time::SystemTime", "std::time::Instant", "std::env::var"]
        {
            if !rules.contains(&format!("\"{path}\"")) {
                complaints.push(format!("crates/{name}/clippy.toml does not forbid {path}"));
            }
        }
    }
    assert_none("a pure crate takes values, the time included:", &complaints);
}
