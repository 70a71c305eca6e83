//! Faults on demand, for tests alone: named steps at which the process dies, and messages that panic or abort whoever
//! reads them. Without the feature `crash-points` nothing of this is in the binary.

/// A named step; nothing at all without the feature `crash-points`.
macro_rules! crash_point {
    ($name:literal) => {
        #[cfg(feature = "crash-points")]
        postroom_store::crash::hit($name);
    };
}
pub(crate) use crash_point;

/// Panics if the message has the octets of POSTROOM_FAULT_PANIC in it, aborts for those of POSTROOM_FAULT_ABORT.
#[cfg(feature = "crash-points")]
pub fn while_reading(raw: &postroom_mail::RawMessage) {
    let has = |name: &str| {
        std::env::var(name).is_ok_and(|needle| {
            !needle.is_empty() && raw.octets().windows(needle.len()).any(|window| window == needle.as_bytes())
        })
    };
    if has("POSTROOM_FAULT_ABORT") {
        std::process::abort();
    }
    assert!(!has("POSTROOM_FAULT_PANIC"), "a fault on demand");
}
