//! Who is signed in: browsers, the codes that they show, and the members whose keys signed those.

use crate::index::select::{Where, row};
use crate::index::{Database, IndexError};

row! {
    /// A member as a key or an address proves one to be, with the roles that go with it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Membership {
        pub repository: i64,
        pub name: String,
        pub member: String,
        /// With a comma between.
        pub roles: String,
        /// By what: `key` and the chain that the key writes, or `e-mail` and the address.
        pub proof: String,
    }
}

impl Membership {
    /// The member of this repository, whoever is called so in another.
    pub fn place(&self) -> String {
        // No repository's name and no key has a space.
        format!("{} {}", self.name, self.member)
    }
}

row! {
    /// A code that a page shows.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct DeviceCode {
        pub code: String,
        /// Seconds since 1970.
        pub asked: i64,
        pub peer: String,
        pub agent: String,
        /// The public keys that signed it, with a space between.
        pub keys: Option<String>,
    }
}

/// Members, with an expression of ours for what proves one to be one.
fn memberships(proof: &'static str) -> String {
    format!(
        "SELECT DISTINCT m.repository, p.name, m.member, m.roles, {proof} AS proof
        FROM member m JOIN repository p ON p.id = m.repository"
    )
}

impl Database {
    /// The members for whom one of these keys speaks, in every repository whose roster has that very key; keys of closed chains speak
    /// for nobody.
    pub async fn members_with(&self, keys: &[String]) -> Result<Vec<Membership>, IndexError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = Where::default();
        asked.push(
            format!("m.closed = 0 AND m.public_key IN ({})", vec!["?"; keys.len()].join(", ")),
            keys.iter().map(|key| key.as_str().into()),
        );
        self.select(&memberships("'key ' || m.chain"), &asked, "ORDER BY 1, 3, 5").await
    }

    /// The members who are called by this e-mail address, in every repository; capitals do not matter.
    pub async fn members_called(&self, email: &str) -> Result<Vec<Membership>, IndexError> {
        let mut asked = Where::default();
        asked.and("LOWER(m.member) = ?", [email.to_ascii_lowercase().into()]);
        let mut found: Vec<Membership> = self.select(&memberships("'e-mail'"), &asked, "ORDER BY 1, 3").await?;
        found.iter_mut().for_each(|membership| membership.proof = format!("e-mail {email}"));
        Ok(found)
    }

    /// Takes in a code that a page shows, and forgets those whose time is over.
    pub async fn add_code_to_sign(&self, code: &DeviceCode, expires: i64) -> Result<(), IndexError> {
        let old = sqlx::query("DELETE FROM device_code WHERE expires < $1").bind(code.asked);
        old.execute(&self.pool).await?;
        let new = "INSERT INTO device_code (code, asked, expires, peer, agent) VALUES ($1, $2, $3, $4, $5)";
        let query = sqlx::query(new).bind(&code.code).bind(code.asked).bind(expires).bind(&code.peer);
        query.bind(&code.agent).execute(&self.pool).await?;
        Ok(())
    }

    /// The code of this name whose time is not over.
    pub async fn code_to_sign(&self, code: &str, now: i64) -> Result<Option<DeviceCode>, IndexError> {
        let mut asked = Where::default();
        asked.and("code = ? AND expires >= ?", [code.into(), now.into()]);
        let found = self.select("SELECT code, asked, peer, agent, keys FROM device_code", &asked, "").await?;
        Ok(found.into_iter().next())
    }

    /// Notes which keys signed a code; whether nothing had signed it before.
    pub async fn code_signed(&self, code: &str, keys: &str) -> Result<bool, IndexError> {
        let set = "UPDATE device_code SET keys = $2 WHERE code = $1 AND keys IS NULL";
        let done = sqlx::query(set).bind(code).bind(keys).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets a code; whether it was there: it is good for one browser, once.
    pub async fn forget_code(&self, code: &str) -> Result<bool, IndexError> {
        let done = sqlx::query("DELETE FROM device_code WHERE code = $1").bind(code).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that everything ends that these keys, or [places](Membership::place) of members, were signed in for until `time`.
    pub async fn sign_out(&self, keys: &[String], time: i64) -> Result<(), IndexError> {
        let set = "INSERT INTO signed_out (public_key, time) VALUES ($1, $2)
            ON CONFLICT (public_key) DO UPDATE SET time = EXCLUDED.time WHERE signed_out.time < EXCLUDED.time";
        for key in keys {
            sqlx::query(set).bind(key).bind(time).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Which of these keys were not signed out since they signed.
    pub async fn still_signed_in(&self, keys: &[(String, i64)]) -> Result<Vec<(String, i64)>, IndexError> {
        let names: Vec<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
        let gone = self.signed_out(&names).await?;
        let is_gone = |(key, since): &&(String, i64)| gone.iter().any(|(out, time)| out == key && time >= since);
        Ok(keys.iter().filter(|key| !is_gone(key)).cloned().collect())
    }

    /// Those of these members who have not signed out everywhere since a time.
    pub async fn still_members(&self, mut all: Vec<Membership>, since: i64) -> Result<Vec<Membership>, IndexError> {
        let places: Vec<String> = all.iter().map(Membership::place).collect();
        let gone = self.signed_out(&places.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        all.retain(|one| !gone.iter().any(|(out, time)| *out == one.place() && *time >= since));
        Ok(all)
    }

    /// When these keys, or places of members, were signed out everywhere.
    async fn signed_out(&self, names: &[&str]) -> Result<Vec<(String, i64)>, IndexError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = Where::default();
        asked.push(
            format!("public_key IN ({})", vec!["?"; names.len()].join(", ")),
            names.iter().map(|name| (*name).into()),
        );
        self.select("SELECT public_key, time FROM signed_out", &asked, "").await
    }

    /// What is kept of a browser, unless its time is over.
    pub async fn browser(&self, token: &str, now: i64) -> Result<Option<String>, IndexError> {
        let mut asked = Where::default();
        asked.and("token = ? AND expires > ?", [token.into(), now.into()]);
        let found: Vec<(String,)> = self.select("SELECT data FROM browser", &asked, "").await?;
        Ok(found.into_iter().next().map(|(data,)| data))
    }

    /// Keeps something of a new browser, and forgets those whose time is over.
    pub async fn add_browser(&self, token: &str, expires: i64, data: &str, now: i64) -> Result<(), IndexError> {
        sqlx::query("DELETE FROM browser WHERE expires <= $1").bind(now).execute(&self.pool).await?;
        let new = sqlx::query("INSERT INTO browser (token, expires, data) VALUES ($1, $2, $3)");
        new.bind(token).bind(expires).bind(data).execute(&self.pool).await?;
        Ok(())
    }

    /// Keeps something else of a browser, if it is still known.
    pub async fn keep_browser(&self, token: &str, expires: i64, data: &str) -> Result<(), IndexError> {
        let set = sqlx::query("UPDATE browser SET expires = $2, data = $3 WHERE token = $1");
        set.bind(token).bind(expires).bind(data).execute(&self.pool).await?;
        Ok(())
    }

    pub async fn forget_browser(&self, token: &str) -> Result<(), IndexError> {
        sqlx::query("DELETE FROM browser WHERE token = $1").bind(token).execute(&self.pool).await?;
        Ok(())
    }
}
