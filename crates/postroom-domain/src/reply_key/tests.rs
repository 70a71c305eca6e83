#![allow(clippy::unwrap_used)]

use super::*;

const ANN: &str = "ann@example.org";
const DESK: &str = "desk@example.net";

fn keys(of: &[u8]) -> ReplyKeys {
    let keys: Vec<[u8; KEY_LEN]> = of.iter().map(|octet| [*octet; KEY_LEN]).collect();
    ReplyKeys::new(b"here", &keys)
}

fn id(keys: &ReplyKeys) -> String {
    keys.message_id(12, ANN, [7; NONCE_LEN], "example.net").unwrap()
}

fn address(keys: &ReplyKeys) -> String {
    keys.address(12, ANN, DESK).unwrap()
}

/// Whether the keys recognise it, in whichever of the forms it is.
fn recognises(keys: &ReplyKeys, text: &str) -> bool {
    let claims = [KeyClaim::of_message_id(text), KeyClaim::of_address(text)];
    claims.iter().flatten().any(|claim| keys.verify(claim).is_some())
}

#[test]
fn what_was_signed_is_recognised_in_any_case_and_at_any_host() {
    let keys = keys(&[1]);
    for text in [id(&keys), address(&keys)] {
        assert!(recognises(&keys, &text), "{text}");
        assert!(recognises(&keys, &text.to_ascii_uppercase()), "{text}");
        let elsewhere = format!("{}@gateway.example", text.rsplit_once('@').unwrap().0);
        assert!(recognises(&keys, &elsewhere), "{elsewhere}");
    }
}

#[test]
fn a_change_of_any_character_makes_it_worthless() {
    let keys = keys(&[1]);
    for text in [id(&keys), address(&keys)] {
        let end = text.rfind('@').unwrap();
        let start = text.find(".12.").unwrap() + 1;
        for at in start..end {
            let old = text.as_bytes()[at];
            for new in [b'1', b'2', b'3', b'a', b'q', b'7', b'.', b'z'] {
                if new == old {
                    continue;
                }
                let mut changed = text.clone().into_bytes();
                changed[at] = new;
                let changed = String::from_utf8(changed).unwrap();
                assert!(!recognises(&keys, &changed), "{changed}");
            }
        }
    }
}

#[test]
fn one_form_does_not_pass_for_the_other() {
    let keys = keys(&[1]);
    let claim = KeyClaim::of_address(&address(&keys)).unwrap();
    let moved = KeyClaim { purpose: Purpose::MessageId, ..claim };
    assert!(keys.verify(&moved).is_none());
}

#[test]
fn other_installations_and_other_keys_are_strangers() {
    let ours = keys(&[1]);
    let text = id(&ours);
    assert!(!recognises(&keys(&[2]), &text) && !recognises(&keys(&[]), &text));
    let twin = ReplyKeys::new(b"there", [&[1; KEY_LEN]]);
    assert!(!recognises(&twin, &text));
    assert!(keys(&[]).address(12, ANN, DESK).is_none());
}

#[test]
fn an_old_key_is_recognised_and_signs_no_more() {
    let (old, both) = (keys(&[1]), keys(&[2, 1]));
    assert!(recognises(&both, &address(&old)));
    assert!(!recognises(&old, &address(&both)));
}

#[test]
fn a_key_proves_who_writes_only_where_it_was_given_to_that_address() {
    let keys = keys(&[1]);
    for claim in [KeyClaim::of_message_id(&id(&keys)).unwrap(), KeyClaim::of_address(&address(&keys)).unwrap()] {
        let verified = keys.verify(&claim).unwrap();
        assert_eq!(claim.item, 12);
        assert!(verified.was_given_to(ANN));
        assert!(!verified.was_given_to("agent@example.org") && !verified.was_given_to(""));
    }
}

#[test]
fn the_forms_are_those_that_mail_systems_keep() {
    let keys = keys(&[1]);
    assert_eq!(address(&keys).len(), "desk+r.12.@example.net".len() + 34);
    assert!(keys.address(i64::MAX, ANN, DESK).is_some_and(|address| address.find('@') <= Some(LOCAL_MAX)));
    assert!(keys.address(12, ANN, "a-mailbox-with-a-very-long-name@example.net").is_none());
    for text in [
        "",
        "@",
        "i.@",
        "i.12@example.net",
        "i.12..@x",
        "i.012.aaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa@x",
        "i.-1.aaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa@x",
        "i.+1.aaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa@x",
        "i.99999999999999999999.aaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa@x",
        "i.12.aaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaa.a@x",
        "i.12.aaaaaaaaaaaaaaaaaaaaaaa1.aaaaaaaaaaaaaaaaaaaaaaaaaa@x",
        "i.12.aaaaaaaaaaaaaaaaaaaaaaaä.aaaaaaaaaaaaaaaaaaaaaaaaa@x",
        "desk+r.12@example.net",
        "desk+r.12.aaaa@example.net",
    ] {
        assert_eq!((KeyClaim::of_message_id(text), KeyClaim::of_address(text)), (None, None), "{text}");
    }
}

#[test]
fn base32_is_that_of_the_standard() {
    // RFC 4648 §10
    for (octets, text) in [("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foobar", "mzxw6ytboi")] {
        assert_eq!(encoded(octets.as_bytes()), text);
    }
    assert_eq!(decoded::<6>("MZXW6YTBOI"), Some(*b"foobar"));
    // Bits that are left over must be zero, or one key would have several forms.
    assert_eq!(decoded::<1>("mz"), None);
}

#[test]
fn keys_do_not_print() {
    assert_eq!(format!("{:?}", keys(&[1, 2])), "ReplyKeys(2)");
}
