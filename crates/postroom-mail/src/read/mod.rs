//! Reading: from a raw message to a [`Message`]. Never fails; what is wrong becomes a [`crate::Defect`].

pub mod inspect;
mod transfer;

use crate::{Address, Attachment, Content, Message, RawMessage, Sha256, TransferEncoding};
pub use inspect::Inspection;
use mail_parser::MimeHeaders as _;
pub use transfer::decode_transfer;

/// What can be understood of `raw`. Total, deterministic, and linear in the size of the message.
pub fn read(raw: &RawMessage) -> Message {
    let Some(parsed) = mail_parser::MessageParser::new().parse(&raw.octets()[..]) else { return Message::default() };
    let text: String = (0..parsed.text_body.len()).filter_map(|i| parsed.body_text(i)).collect();
    let text = text.replace("\r\n", "\n").replace('\0', "\u{fffd}");
    let mut message = Message {
        from: addresses(parsed.from()),
        to: addresses(parsed.to()),
        cc: addresses(parsed.cc()),
        subject: parsed.subject().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
        message_id: parsed.message_id().map(str::to_owned),
        reply_text: text.clone(),
        text,
        ..Message::default()
    };
    for (number, part) in parsed.attachments().enumerate() {
        let encoding = match part.encoding {
            mail_parser::Encoding::None => TransferEncoding::Identity,
            mail_parser::Encoding::QuotedPrintable => TransferEncoding::QuotedPrintable,
            mail_parser::Encoding::Base64 => TransferEncoding::Base64,
        };
        let (offset, end) = (u64::from(part.offset_body), u64::from(part.offset_end));
        let content = Content::Slice { offset, length: end.saturating_sub(offset), encoding };
        let octets = content.octets(raw);
        message.attachments.push(Attachment {
            name: part.attachment_name().map_or_else(|| format!("part-{}", number + 1), str::to_owned),
            content_type: "application/octet-stream".to_owned(),
            size: octets.len() as u64,
            sha256: Sha256::of(&octets),
            inline: false,
            content_id: part.content_id().map(str::to_owned),
            content,
        });
    }
    message
}

fn addresses(field: Option<&mail_parser::Address<'_>>) -> Vec<Address> {
    field
        .into_iter()
        .flat_map(mail_parser::Address::iter)
        .map(|a| Address::new(a.name().unwrap_or_default(), a.address().unwrap_or_default()))
        .collect()
}
