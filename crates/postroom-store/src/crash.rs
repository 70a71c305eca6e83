//! Named steps at which a test lets the process die, to see what a crash leaves behind.

/// Every crash point of the store, in the order in which a message meets them.
pub const CRASH_POINTS: &[&str] = &[
    "store.raw.file_written",
    "store.raw.file_synced",
    "store.raw.file_renamed",
    "store.raw.dir_synced",
    "store.accept.after_files",
    "store.accept.raw_inserted",
    "store.accept.before_commit",
    "store.accept.after_commit",
    "store.file.after_item",
    "store.file.after_effect",
    "store.file.before_commit",
    "store.file.after_commit",
    "store.settle.before_commit",
    "store.settle.after_commit",
];

/// Aborts the process if `POSTROOM_CRASH_POINT` names this step; `name:N` means the N-th time that it is reached.
#[cfg(feature = "crash-points")]
pub fn hit(name: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static HITS: AtomicU64 = AtomicU64::new(0);
    let Ok(wanted) = std::env::var("POSTROOM_CRASH_POINT") else { return };
    let (wanted, nth) = match wanted.split_once(':') {
        Some((wanted, nth)) => (wanted.to_owned(), nth.parse().unwrap_or(1)),
        None => (wanted, 1),
    };
    if wanted == name && HITS.fetch_add(1, Ordering::SeqCst) + 1 == nth {
        std::process::abort();
    }
}

/// A named step; nothing at all without the feature `crash-points`.
macro_rules! crash_point {
    ($name:literal) => {
        #[cfg(feature = "crash-points")]
        $crate::crash::hit($name);
    };
}
pub(crate) use crash_point;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;
    use std::path::Path;

    fn calls_in(dir: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                calls_in(&path, found);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                let calls = text.split("crash_point!(\"").skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(calls.filter(|name| name.starts_with("store.")).map(str::to_owned));
            }
        }
    }

    #[test]
    fn the_list_and_the_calls_agree() {
        let mut calls = BTreeSet::new();
        calls_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut calls);
        let listed: BTreeSet<String> = super::CRASH_POINTS.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(calls, listed);
    }
}
