//! The connection is cut after octet k, in both directions.

use crate::world::{Database, World};
use postroom_testkit::dovecot::Dovecot;
use postroom_testkit::proxy::{Cut, CutProxy};

/// Octets between two cuts; together with the kills, which fall anywhere, no phase of a visit is left out.
const STEP: u64 = 211;

#[test]
fn a_cut_after_every_so_many_octets_loses_nothing_and_repeats_nothing() {
    let Some(dovecot) = Dovecot::start() else { return };
    let proxy = CutProxy::start(dovecot.imaps_port, Cut::Never).unwrap();
    let world = World::in_directory(&dovecot, "cuts", Database::Sqlite, None, proxy.port);
    cut_everywhere(&dovecot, &proxy, world);
}

#[test]
fn so_it_is_over_pop3() {
    let Some(dovecot) = Dovecot::start() else { return };
    let proxy = CutProxy::start(dovecot.pop3s_port, Cut::Never).unwrap();
    let world = World::pop3(&dovecot, "cuts-pop3", Database::Sqlite, proxy.port);
    cut_everywhere(&dovecot, &proxy, world);
}

fn cut_everywhere(dovecot: &Dovecot, proxy: &CutProxy, mut world: World) {
    world.send(dovecot, 1);
    world.ok(&["fetch"]);
    let before = proxy.forwarded();
    // One message of each fate but the large one, whose octets would all be alike.
    world.send(dovecot, 1);
    world.send(dovecot, 5);
    world.ok(&["fetch"]);
    let after = proxy.forwarded();
    let lengths = (after.0 - before.0, after.1 - before.1);
    let large = 4000 * 82;
    let to_client = (0..lengths.0.saturating_sub(large)).step_by(STEP as usize).map(Cut::ToClient);
    let to_server = (0..lengths.1).step_by(STEP as usize / 4).map(Cut::ToServer);
    let mut cuts = 0;
    for cut in to_client.chain(to_server) {
        // The numbers that are large and held are left to the other tests: here each visit has something to settle.
        while world.sent.len() % 7 == 1 || world.sent.len() % 7 == 5 {
            world.send(dovecot, 1);
            world.ok(&["fetch"]);
        }
        world.send(dovecot, 2);
        proxy.set_cut(cut);
        let output = world.run(&["--json", "fetch"]);
        assert!(output.status.code().is_some(), "{cut:?}: {output:?}");
        proxy.set_cut(Cut::Never);
        world.ok(&["fetch"]);
        cuts += 1;
    }
    world.everything_exactly_once(dovecot);
    eprintln!("cuts: {cuts} cut connections, {} messages", world.sent.len());
}
