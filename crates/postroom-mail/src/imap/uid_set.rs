//! Sets of UIDs as commands write them.

/// Writes `uids` as sequence sets such as `1:3,7`, each at most `max_length` octets long, so that no command line grows
/// beyond what servers take. The UIDs are sorted and repeated ones dropped; a range spans only UIDs that are in it.
// RFC 9051 §9, sequence-set
pub fn uid_sets(uids: impl IntoIterator<Item = u32>, max_length: usize) -> Vec<String> {
    let mut uids: Vec<u32> = uids.into_iter().collect();
    uids.sort_unstable();
    uids.dedup();
    let mut sets: Vec<String> = Vec::new();
    for run in uids.chunk_by(|a, b| a.checked_add(1) == Some(*b)) {
        let range = match run {
            [one] => one.to_string(),
            [first, .., last] => format!("{first}:{last}"),
            [] => continue,
        };
        match sets.last_mut() {
            Some(set) if set.len() + 1 + range.len() <= max_length => {
                set.push(',');
                set.push_str(&range);
            }
            _ => sets.push(range),
        }
    }
    sets
}
