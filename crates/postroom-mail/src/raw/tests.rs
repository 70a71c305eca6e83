#![allow(clippy::unwrap_used)]

use super::{NotADigest, RawMessage, Sha256};

/// FIPS 180-4, "abc".
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn digests_and_their_text() {
    let digest = Sha256::of(b"abc");
    assert_eq!(digest.to_string(), ABC);
    assert_eq!(ABC.parse(), Ok(digest));
    assert_eq!(ABC.to_uppercase().parse(), Ok(digest));
    assert_eq!(Sha256::try_from(&digest.as_bytes()[..]), Ok(digest));
    assert_eq!(Sha256::from_bytes(*digest.as_bytes()), digest);
    assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{ABC}\""));
    assert_eq!(serde_json::from_str::<Sha256>(&format!("\"{ABC}\"")).unwrap(), digest);
    for wrong in ["", "ba78", &ABC.replace('b', "g"), &format!("{ABC}0"), &ABC.replacen("ba", "é", 1)] {
        assert_eq!(wrong.parse::<Sha256>(), Err(NotADigest), "{wrong:?}");
    }
}

#[test]
fn a_message_keeps_its_octets_and_shows_none_of_them() {
    let raw = RawMessage::new(&b"abc"[..]);
    assert_eq!(&raw.octets()[..], b"abc");
    assert_eq!(raw.size(), 3);
    assert_eq!(raw.sha256().to_string(), ABC);
    assert_eq!(format!("{raw:?}"), format!("RawMessage(3 octets, {ABC})"));
}
