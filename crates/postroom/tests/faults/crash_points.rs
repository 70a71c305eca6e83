//! The process dies at each named step; the next run must bring everything to its end, exactly once.

use crate::world::{Database, World, databases};
use postroom_testkit::dovecot::Dovecot;
use postroom_testkit::postgres::Postgres;
use std::os::unix::process::ExitStatusExt as _;

/// Every crash point: those of the store, and those of the floor as its sources name them.
fn crash_points() -> Vec<String> {
    let mut names: Vec<String> = postroom_store::CRASH_POINTS.iter().map(|&name| name.to_owned()).collect();
    for file in ["src/collector.rs", "src/intake.rs"] {
        let text = std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let calls = text.split("crash_point!(\"").skip(1).filter_map(|rest| rest.split('"').next());
        names.extend(calls.map(str::to_owned));
    }
    names
}

#[test]
fn a_crash_at_every_step_loses_nothing_and_repeats_nothing() {
    let Some(dovecot) = Dovecot::start() else { return };
    let postgres = Postgres::start();
    for (kind, _) in databases(postgres.as_ref()) {
        let new = |name: &str, database| World::new(&dovecot, name, database);
        crash_everywhere(&dovecot, postgres.as_ref(), kind, new);
    }
}

#[test]
fn so_it_is_over_pop3() {
    let Some(dovecot) = Dovecot::start() else { return };
    let new = |name: &str, database| World::pop3(&dovecot, &format!("pop3-{name}"), database, dovecot.pop3s_port);
    crash_everywhere(&dovecot, None, "sqlite", new);
}

fn crash_everywhere(dovecot: &Dovecot, postgres: Option<&Postgres>, kind: &str, new: impl Fn(&str, Database) -> World) {
    for point in crash_points() {
        for hit in [1, 2] {
            let name = format!("{kind}-{point}-{hit}");
            let database = databases(postgres).into_iter().find(|(k, _)| *k == kind).unwrap().1;
            let mut world = new(&name, database);
            world.send(dovecot, 9);
            let crashed =
                world.command(&["fetch"]).env("POSTROOM_CRASH_POINT", format!("{point}:{hit}")).output().unwrap();
            // Some steps come only once in a small visit; then the second hit never comes, and that run just ends.
            let aborted = crashed.status.signal() == Some(6);
            assert!(aborted || (hit > 1 && crashed.status.success()), "{name}: {crashed:?}");
            world.nothing_deleted_unfiled(dovecot);
            world.ok(&["fetch"]);
            world.ok(&["fetch"]);
            world.everything_exactly_once(dovecot);
        }
    }
}
