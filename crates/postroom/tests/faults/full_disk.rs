//! A full disk stops the fetching with a clear error, loses nothing, and is forgotten once there is space.

use crate::world::{Database, World};
use postroom_testkit::dovecot::Dovecot;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system in memory, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let options = format!("size={size}");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path).status().unwrap();
        if !status.success() {
            eprintln!("SKIPPED: a file system cannot be mounted here");
            return None;
        }
        Some(Self(path.to_owned()))
    }

    fn resize(&self, size: &str) {
        let options = format!("remount,size={size}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let Some(dovecot) = Dovecot::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&directory.path().join("disk"), "6m") else { return };
    let data = Some(disk.0.join("data"));
    let mut world = World::in_directory(&dovecot, "full-disk", Database::Sqlite, data, dovecot.imaps_port);
    world.send(&dovecot, 200);
    let output = world.run(&["--json", "fetch"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stdout.contains("DATABASE_FULL") || stderr.contains("DATABASE_FULL"), "{stdout}{stderr}");
    disk.resize("300m");
    world.nothing_deleted_unfiled(&dovecot);
    world.ok(&["fetch"]);
    world.everything_exactly_once(&dovecot);
}
