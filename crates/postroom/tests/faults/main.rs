//! Broken on purpose: crash points, kills, cut connections, poison and a full disk, against a real Dovecot, on both
//! databases. Run with `--features crash-points`.
#![cfg(feature = "crash-points")]
#![allow(clippy::unwrap_used)]

mod crash_points;
mod cuts;
mod full_disk;
mod kills;
mod poison;
mod world;
