//! The style sheet, the script and the icon: compiled in, under a path that names their content, cached for ever.

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use postroom_mail::Sha256;
use std::sync::LazyLock;

struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
}

const ASSETS: &[Asset] = &[
    Asset {
        name: "postroom.css",
        content_type: "text/css; charset=utf-8",
        content: include_str!("../assets/postroom.css"),
    },
    Asset {
        name: "live.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("../assets/live.js"),
    },
    Asset {
        name: "keys.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("../assets/keys.js"),
    },
    Asset {
        name: "pane.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("../assets/pane.js"),
    },
    Asset {
        name: "rules.js",
        content_type: "text/javascript; charset=utf-8",
        content: include_str!("../assets/rules.js"),
    },
    Asset { name: "icon.svg", content_type: "image/svg+xml", content: include_str!("../assets/icon.svg") },
];

/// The beginning of the digest over all of them: a new release has new addresses, so that no browser mixes old and new.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all: String = ASSETS.iter().map(|asset| asset.content).collect();
    Sha256::of(all.as_bytes()).to_string()[..12].to_owned()
});

/// The address of an asset.
pub(crate) fn url(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// `GET /assets/{version}/{name}`
pub(crate) async fn asset(Path((version, name)): Path<(String, String)>) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name && version == *VERSION) else {
        return crate::failure::Failure::NotFound.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, asset.content).into_response()
}
