//! The key under which tokens stand for personal data.

use super::session::failed;
use super::{Error, State};

impl State {
    /// Returns the key of the tokens. The first time, `fresh` becomes the key.
    pub async fn privacy_key(&self, fresh: [u8; 32]) -> Result<[u8; 32], Error> {
        let what = "read the key of the tokens";
        let session = self.session().await?;
        let client = session.client().await;
        let insert = "INSERT INTO explore.privacy (key) VALUES ($1) ON CONFLICT DO NOTHING";
        client.execute(insert, &[&fresh.as_slice()]).await.map_err(failed(what))?;
        let row = client.query_one("SELECT key FROM explore.privacy", &[]).await.map_err(failed(what))?;
        let key: Vec<u8> = row.try_get(0).map_err(failed(what))?;
        let key = key.try_into();
        key.map_err(|_| Error::Statement { what, reason: "the key has not 32 bytes".to_owned() })
    }
}
