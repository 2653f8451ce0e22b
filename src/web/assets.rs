//! Files that pages name: one style, one small script, one icon. Each is in the program; its URL changes with its bytes.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::digest::Digest;

const STYLE: &str = include_str!("../../templates/assets/style.css");
const KEYS: &str = include_str!("../../templates/assets/keys.js");
const ICON: &str = include_str!("../../templates/assets/icon.svg");

/// What stands behind an asset's URL: other bytes, another URL.
pub static VERSION: LazyLock<String> =
    LazyLock::new(|| Digest::of_parts(&[STYLE.as_bytes(), KEYS.as_bytes(), ICON.as_bytes()]).short());

pub async fn asset(Path(name): Path<String>) -> Response {
    let (kind, text) = match name.as_str() {
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "keys.js" => ("text/javascript; charset=utf-8", KEYS),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")], text)
        .into_response()
}
