//! Decoded contents of attachments: usually a slice of a raw message, decoded when it is asked for.

use crate::files::Files;
use crate::tx::{Param, params};
use crate::{Store, StoreError, Tx};
use bytes::Bytes;
use postroom_mail::{Attachment, Content, RawMessage, Sha256, TransferEncoding};

/// Writes the attachments of an item or comment. Large contents that are no slice are in files already.
pub(crate) fn insert_attachments(
    tx: &mut Tx<'_>,
    files: &Files,
    item: i64,
    comment: Option<i64>,
    raw: &RawMessage,
    attachments: &[Attachment],
) -> Result<(), StoreError> {
    for (position, attachment) in attachments.iter().enumerate() {
        insert_blob(tx, files, raw, attachment)?;
        tx.execute(
            "INSERT INTO attachment (item_number, comment_id, position, blob_sha256, size, name, content_type, inline, \
             content_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                item,
                comment,
                position as i64,
                &attachment.sha256,
                attachment.size as i64,
                &attachment.name,
                &attachment.content_type,
                attachment.inline,
                attachment.content_id.as_ref()
            ],
        )?;
    }
    Ok(())
}

fn insert_blob(tx: &mut Tx<'_>, files: &Files, raw: &RawMessage, attachment: &Attachment) -> Result<(), StoreError> {
    let raw_sha256 = raw.sha256();
    let mut params: [Param<'_>; 8] = [Param::Null; 8];
    params[0] = (&attachment.sha256).into();
    params[1] = (attachment.size as i64).into();
    params[7] = false.into();
    match &attachment.content {
        Content::Slice { offset, length, encoding } => {
            params[2] = (&raw_sha256).into();
            params[3] = (*offset as i64).into();
            params[4] = (*length as i64).into();
            params[5] = encoding.as_str().into();
        }
        Content::Octets(octets) if files.takes(octets) => params[7] = true.into(),
        Content::Octets(octets) => params[6] = Param::Blob(octets),
    }
    tx.execute(
        "INSERT INTO blob (sha256, size, raw_sha256, slice_offset, slice_length, encoding, octets, in_file) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (sha256) DO NOTHING",
        &params,
    )?;
    match &attachment.content {
        Content::Octets(octets) => files.ensure(attachment.sha256, octets),
        Content::Slice { .. } => Ok(()),
    }
}

/// Where the octets of a blob come from.
pub(crate) enum Source {
    /// They are here.
    Octets(Vec<u8>),
    /// They are in a file under their own digest.
    File,
    /// They are this part of a raw message.
    Slice {
        /// The raw message.
        raw: Sha256,
        /// Which part.
        content: Content,
    },
}

/// Where the octets of the blob with this digest come from.
///
/// # Errors
/// `RAW_MISSING` when there is no such blob.
pub(crate) fn source_of(tx: &mut Tx<'_>, sha256: Sha256) -> Result<Source, StoreError> {
    let sql = "SELECT raw_sha256, slice_offset, slice_length, encoding, octets, in_file FROM blob WHERE sha256 = ?1";
    let Some(mut row) = tx.query_opt(sql, params![&sha256])? else {
        return Err(StoreError::RawMissing { sha256 });
    };
    if let Some(octets) = row.opt_blob(4)? {
        return Ok(Source::Octets(octets));
    }
    if row.bool(5)? {
        return Ok(Source::File);
    }
    let encoding = TransferEncoding::from_name(&row.text(3)?).ok_or_else(|| StoreError::bad_value("encoding"))?;
    let content = Content::Slice { offset: row.unsigned(1)?, length: row.unsigned(2)?, encoding };
    Ok(Source::Slice { raw: row.sha256(0)?, content })
}

impl Store {
    /// The decoded octets of a blob, verified.
    pub(crate) async fn blob_octets(&self, sha256: Sha256) -> Result<Bytes, StoreError> {
        let octets = match self.read(move |tx| source_of(tx, sha256)).await? {
            Source::Octets(octets) => Bytes::from(octets),
            Source::File => {
                let files = self.files().clone();
                return tokio::task::spawn_blocking(move || files.read(sha256))
                    .await
                    .unwrap_or_else(|error| Err(StoreError::Database(error.into())));
            }
            Source::Slice { raw, content } => content.octets(&self.octets_of_raw(raw).await?),
        };
        if Sha256::of(&octets) == sha256 { Ok(octets) } else { Err(StoreError::RawDamaged { sha256 }) }
    }
}
