# Every command has its script; these are short names for them.

# What there is
default:
    @just --list

# Everything that a change must pass
ci:
    .ci/run

# All tests
test *parts:
    ./test {{ parts }}

# Tests of one crate, as one works: just t mail
t crate *args:
    cargo nextest run --package postroom-{{ crate }} {{ args }}

# Form
fmt:
    cargo fmt --all

# Lints, as CI runs them
lint:
    cargo clippy --workspace --locked -- -D warnings
    cargo clippy --workspace --locked --all-targets --all-features -- -D warnings -A clippy::disallowed-methods -A clippy::disallowed-types -A clippy::disallowed-macros

# Licences, bans, sources (needs cargo-deny)
deny:
    cargo deny --offline check licenses bans sources

# The demo: sample mail, a web page, nothing kept
demo:
    cargo run --release -- demo

# Fetch a mailbox of N messages from Dovecot, beside a reader that throws them away
lab n="10000":
    benches/lab {{ n }}
