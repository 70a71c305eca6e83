//! Code pages of DOS, which the Encoding Standard left out and old programs still send.

/// The code page with this label.
fn upper_half(label: &str) -> Option<&'static str> {
    let digits = label.trim_start_matches(|c: char| !c.is_ascii_digit());
    let prefix = label[..label.len() - digits.len()].trim_end_matches(['-', '_']);
    if !matches!(prefix, "" | "cp" | "ibm" | "oem" | "pc" | "cspc" | "dos" | "x-cp") {
        return None;
    }
    match digits {
        "437" => Some(CP437),
        "850" => Some(CP850),
        "852" => Some(CP852),
        "858" | "00858" => Some(CP858),
        _ => None,
    }
}

/// Decodes `octets`, if `label` is one of these code pages.
pub(super) fn decode(octets: &[u8], label: &str) -> Option<String> {
    let upper_half: Vec<char> = upper_half(label)?.chars().collect();
    let character = |octet: &u8| match octet.checked_sub(128) {
        None => char::from(*octet),
        Some(index) => upper_half.get(usize::from(index)).copied().unwrap_or('\u{fffd}'),
    };
    Some(octets.iter().map(character).collect())
}

const CP437: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
const CP850: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
    áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
    ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";
const CP852: &str = "\
    ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×č\
    áíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐\
    └┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀\
    ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}";
const CP858: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
    áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀\
    ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";
