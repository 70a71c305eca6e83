#![allow(clippy::unwrap_used)]

use super::*;
use jiff::SignedDuration;

fn memory() -> Memory {
    Memory {
        listed_to: 20,
        mod_seq: Some(7),
        names: None,
        octets: None,
        present: 12,
        before_start: 2,
        whole_at: Timestamp::UNIX_EPOCH,
    }
}

/// What a server shows, and how much of the folder has to be listed.
#[test]
fn no_more_is_listed_than_the_numbers_call_for() {
    let seen = |uid_next, exists, mod_seq| Folder { uid_validity: Some(9), uid_next, exists, highest_mod_seq: mod_seq };
    let as_it_was = seen(Some(21), Some(12), Some(7));
    let hour = SignedDuration::from_hours;
    for (seen, hours, in_doubt, expected) in [
        (as_it_was, 1, false, Extent::Nothing),
        (as_it_was, 25, false, Extent::Whole),
        (as_it_was, -1, false, Extent::Whole),
        (as_it_was, 1, true, Extent::Upheaval),
        (seen(Some(22), Some(12), Some(8)), 1, false, Extent::FromLast),
        (seen(Some(21), Some(13), Some(7)), 1, false, Extent::FromLast),
        // Without a MODSEQ the last message shows whether it is still the same.
        (seen(Some(21), Some(12), None), 1, false, Extent::FromLast),
        (seen(None, Some(12), Some(7)), 1, false, Extent::FromLast),
        (seen(None, None, None), 1, false, Extent::FromLast),
        (seen(Some(20), Some(12), Some(7)), 1, false, Extent::Upheaval),
        (seen(Some(21), Some(12), Some(6)), 1, false, Extent::Upheaval),
    ] {
        let now = Timestamp::UNIX_EPOCH + hour(hours);
        assert_eq!(extent(&seen, Some(&memory()), in_doubt, now), expected, "{seen:?} after {hours} h");
    }
    let now = Timestamp::UNIX_EPOCH;
    assert_eq!(extent(&as_it_was, None, false, now), Extent::Whole);
    assert_eq!(extent(&as_it_was, None, true, now), Extent::Upheaval);
}

#[test]
fn uids_that_are_there_beside_those_that_have_a_receipt() {
    for (receipted, there, vanished, unknown) in [
        (&[1, 2, 3][..], &[(1, 3)][..], &[][..], 0),
        (&[1, 2, 3], &[(1, 1), (3, 3)], &[2], 0),
        (&[2, 5, 20], &[(1, 10)], &[20], 8),
        (&[2, 25], &[(1, 3), (21, 30)], &[], 2),
        (&[], &[(15, 30)], &[], 6),
        (&[1, 4_294_967_295], &[], &[1, 4_294_967_295], 0),
        (&[], &[(1, 4_294_967_295)], &[], 20),
    ] {
        let expected = Compared { vanished: vanished.to_vec(), unknown };
        assert_eq!(compare(receipted, there, 20), expected, "{receipted:?} {there:?}");
    }
}
