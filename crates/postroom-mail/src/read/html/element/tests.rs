use super::super::library::CLEANER;
use super::{Kind, element, may_have};

const NAMES: &str = "html head body meta link base style title section main address article aside blockquote center \
    details div dl figcaption figure footer header hgroup nav ol summary ul h1 h2 h3 h4 h5 h6 p li dd dt \
    pre a b big code em font i s small strike strong tt u abbr acronym bdi bdo cite data del dfn ins kbd \
    mark q samp span sub sup time var br img wbr hr table tbody tr td area map script nobr";

/// What is shown and what it may have is what the library is set up for.
#[test]
fn the_library_says_the_same() {
    let (tags, generic, own) =
        (CLEANER.clone_tags(), CLEANER.clone_generic_attributes(), CLEANER.clone_tag_attributes());
    let names = NAMES.split(' ').chain(["thead", "tfoot", "th"]);
    for name in names.chain(tags.iter().copied()) {
        let Some((kind, shown)) = element(name) else { continue };
        assert_eq!(shown, tags.contains(name), "{name}");
        if kind == Kind::Raw {
            assert!(CLEANER.clone_clean_content_tags().contains(name), "{name}");
        }
        let known =
            own.values().flatten().chain(&generic).copied().chain(["id", "class", "name", "onload", "rel", "srcset"]);
        for attribute in known {
            let allowed = generic.contains(attribute) || own.get(name).is_some_and(|own| own.contains(attribute));
            assert_eq!(shown && may_have(name, attribute), shown && allowed, "{attribute} of {name}");
        }
    }
    for name in ["svg", "math", "form", "select", "template", "noscript", "plaintext", "o:p=", "ruby", "rt"] {
        assert_eq!(element(name), None, "{name}");
    }
}
