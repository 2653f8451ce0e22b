//! `/keys/CHAIN.pub`: a key that signs or signed a chain, as minisign reads it.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::web::app::App;
use crate::web::page::NoPage;

pub async fn file(State(app): State<App>, Path(name): Path<String>) -> Result<Response, NoPage> {
    let wanted = name.strip_suffix(".pub").unwrap_or_default();
    let accounts = app.database().accounts(None, None).await?;
    let mut keys = accounts.values().flat_map(|account| account.keys()).map(|enrolled| enrolled.key);
    let key = keys.find(|key| !wanted.is_empty() && key.chain().to_string() == wanted);
    let key = key.ok_or_else(|| NoPage::NotFound(format!("no ledger has or had a key {name:?}")))?;
    let file = format!("attachment; filename=\"{}.pub\"", key.chain());
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, file)];
    Ok((headers, key.file()).into_response())
}

/// Where a chain's key is.
pub fn path(chain: &str) -> String {
    format!("/keys/{chain}.pub")
}
