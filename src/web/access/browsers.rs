//! Browsers: what is kept of each, in the index, behind a token that only the browser has.

use async_trait::async_trait;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

use crate::digest::Digest;
use crate::host::clock;
use crate::index::Database;

/// Where browsers' data is kept.
#[derive(Debug, Clone)]
pub struct Browsers(pub Database);

/// Who reads the index can sign in as nobody by it.
fn token(id: &Id) -> String {
    Digest::of(&id.0.to_be_bytes()).to_string()
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Backend(error.to_string())
}

impl Browsers {
    async fn write(&self, record: &Record, is_new: bool) -> Result<()> {
        let data = serde_json::to_string(record).map_err(|error| Error::Encode(error.to_string()))?;
        let (token, expires) = (token(&record.id), record.expiry_date.unix_timestamp());
        let done = match is_new {
            true => self.0.add_browser(&token, expires, &data, clock::now().unix()).await,
            false => self.0.keep_browser(&token, expires, &data).await,
        };
        done.map_err(failed)
    }
}

#[async_trait]
impl tower_sessions::SessionStore for Browsers {
    async fn create(&self, record: &mut Record) -> Result<()> {
        while self.0.browser(&token(&record.id), clock::now().unix()).await.map_err(failed)?.is_some() {
            record.id = Id::default();
        }
        self.write(record, true).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        // Not what was forgotten meanwhile: who signed out stays so.
        self.write(record, false).await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(data) = self.0.browser(&token(id), clock::now().unix()).await.map_err(failed)? else {
            return Ok(None);
        };
        serde_json::from_str(&data).map(Some).map_err(|error| Error::Decode(error.to_string()))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0.forget_browser(&token(id)).await.map_err(failed)
    }
}
