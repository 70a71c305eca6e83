//! Faults on demand, for tests alone: named steps at which the process dies, and messages that do harm to whoever reads
//! them. Without the feature `crash-points` nothing of this is in the binary.

/// A named step; nothing at all without the feature `crash-points`.
macro_rules! crash_point {
    ($name:literal) => {
        #[cfg(feature = "crash-points")]
        postroom_store::crash::hit($name);
    };
}
pub(crate) use crash_point;

/// Does what the name says to a message that has the octets of that variable in it: POSTROOM_FAULT_PANIC, _ABORT,
/// _OVERFLOW (of the stack), _LOOP (without end), _MEMORY (without bounds), _HANG (without using anything) and _SLOW (30 ms).
#[cfg(feature = "crash-points")]
pub fn while_reading(raw: &postroom_mail::RawMessage) {
    let has = |name: &str| {
        std::env::var(format!("POSTROOM_FAULT_{name}")).is_ok_and(|needle| {
            !needle.is_empty() && raw.octets().windows(needle.len()).any(|window| window == needle.as_bytes())
        })
    };
    if has("ABORT") {
        std::process::abort();
    }
    if has("OVERFLOW") {
        std::hint::black_box(deeper(&[0; 1024]));
    }
    while has("LOOP") {
        std::hint::spin_loop();
    }
    while has("HANG") {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    let mut memory = Vec::new();
    while has("MEMORY") {
        memory.push(vec![1_u8; 16 << 20]);
        std::hint::black_box(&memory);
    }
    if has("SLOW") {
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
    assert!(!has("PANIC"), "a fault on demand");
}

/// How long a message may take by the clock, where a test cannot wait as long as people can: POSTROOM_FAULT_PATIENCE_MS.
#[cfg(feature = "crash-points")]
pub fn patience() -> Option<std::time::Duration> {
    let milliseconds = std::env::var("POSTROOM_FAULT_PATIENCE_MS").ok()?.parse().ok()?;
    Some(std::time::Duration::from_millis(milliseconds))
}

/// Calls itself until the stack ends.
#[cfg(feature = "crash-points")]
#[allow(unconditional_recursion)]
fn deeper(above: &[u8; 1024]) -> usize {
    let mut frame = [1; 1024];
    frame[0] = above[0];
    std::hint::black_box(deeper(std::hint::black_box(&frame))) + usize::from(frame[0])
}
