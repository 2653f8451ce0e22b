//! The words of sessions and commits, and searching for them.

use sqlx::{Any, AssertSqlSafe, Transaction};

use crate::index::columns::OUTLINE;
use crate::index::outline::{Held, Outline};
use crate::index::rows::Rows;
use crate::index::select::{Where, row};
use crate::index::{Database, Dialect, Filter, IndexError, failures};
use crate::session::failures::Failure;

row! {
    /// A session whose words are not in the index, or not all of them.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Unread {
        pub session: String,
        pub member: String,
        pub ended: i64,
        /// How many segments it has.
        pub segments: i64,
        /// How many of them were read before.
        pub read: i64,
    }
}

/// The words of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub title: String,
    pub body: String,
    /// The calls that failed, each with the number of the turn in the session, counted from 0.
    pub failures: Vec<Failure>,
    /// It was encrypted, and is for those alone who read everything.
    pub opened: bool,
    /// The records that they were read from.
    pub read: Vec<Held>,
}

row! {
    /// Something that was found.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Hit {
        pub repository: String,
        pub session: String,
        pub member: String,
        pub time: i64,
        pub title: String,
        /// Where the words stand, each between `\u{2}` and `\u{3}`.
        pub snippet: String,
    }
}

/// The words as a query of SQLite's FTS5: each is a text, and all must be there.
fn for_sqlite(text: &str) -> String {
    let word = |word: &str| format!("\"{}\"", word.replace('"', "\"\""));
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// SQLite makes all columns of whatever is found before it looks which come first: that is asked of its index alone, and the
/// rows of those that come first are read then.
const SQLITE: &str = "SELECT r.name AS repository, w.target AS session, w.owner AS member,
        CAST(w.time AS BIGINT) AS time, w.title, snippet(words, 1, char(2), char(3), '…', 24) AS snippet
    FROM (FIRST) f CROSS JOIN words w ON w.rowid = f.place CROSS JOIN repository r ON r.id = w.repository
    WHERE words MATCH $1 ORDER BY f.score, w.time DESC";
const SQLITE_FIRST: &str = "SELECT w.rowid AS place, bm25(words, 4.0, 1.0) AS score FROM words w";

const POSTGRES: &str = "SELECT r.name AS repository, w.target AS session, w.owner AS member, w.time, w.title,
        ts_headline('english', w.body, websearch_to_tsquery('english', $1), 'StartSel=' || chr(2) || ', StopSel=' || chr(3) || ', MaxWords=24, MinWords=8')
            AS snippet
    FROM words w JOIN repository r ON r.id = w.repository";

/// Whether a session has words that were not read; the index `session_unread` has those alone.
pub(super) const UNREAD: &str = "read < segments AND payloads > 0";

/// The sessions whose records were amended.
const AMENDED: &str = "SELECT r.about FROM said s JOIN record r ON r.repository = s.repository AND r.record = s.about
    WHERE s.repository = $1 AND s.kind = 'amend' AND r.kind = 'session'";

impl Database {
    /// Sessions to be read for their words, those with which anything was stored; at most `count`, but for the few of whose
    /// records others say what they should have said.
    pub async fn unread(&self, repository: i64, count: i64) -> Result<Vec<Unread>, IndexError> {
        let select = "SELECT session, member, ended, segments, read FROM session";
        let sql = format!("{select} WHERE repository = $1 AND {UNREAD} ORDER BY ended DESC LIMIT {count}");
        let mut unread: Vec<Unread> = sqlx::query_as(AssertSqlSafe(sql)).bind(repository).fetch_all(&self.pool).await?;
        if unread.is_empty() {
            let sql = format!(
                "{select} WHERE repository = $1 AND read < segments AND payloads = 0 AND session IN ({AMENDED})"
            );
            unread = sqlx::query_as(AssertSqlSafe(sql)).bind(repository).fetch_all(&self.pool).await?;
        }
        Ok(unread)
    }

    /// Notes by what sessions are read for their words; what was read by something else is read again.
    pub async fn read_by(&self, repository: i64, read_by: &str) -> Result<(), IndexError> {
        let known = sqlx::query_scalar::<_, Option<String>>("SELECT read_by FROM repository WHERE id = $1");
        if known.bind(repository).fetch_one(&self.pool).await?.as_deref() == Some(read_by) {
            return Ok(());
        }
        let mut all = self.pool.begin().await?;
        for sql in [
            "DELETE FROM words WHERE kind = 'session' AND repository = $1",
            "DELETE FROM failure WHERE repository = $1",
            "DELETE FROM outline WHERE repository = $1",
            "UPDATE session SET read = 0, title = NULL WHERE repository = $1",
        ] {
            sqlx::query(sql).bind(repository).execute(&mut *all).await?;
        }
        let note = sqlx::query("UPDATE repository SET read_by = $2 WHERE id = $1").bind(repository).bind(read_by);
        note.execute(&mut *all).await?;
        Ok(all.commit().await?)
    }

    /// The chains of a repository whose writers nobody has enrolled, one after the other: who is told in a session depends on them.
    pub async fn pending(&self, repository: i64) -> Result<String, IndexError> {
        let sql = "SELECT chain FROM chain WHERE repository = $1 AND pending = 1 ORDER BY chain";
        let all: Vec<String> = sqlx::query_scalar(sql).bind(repository).fetch_all(&self.pool).await?;
        Ok(all.concat())
    }

    /// Takes in what was said in sessions, instead of what was there of them.
    pub async fn add_words(&self, repository: i64, read: &[(Unread, Words)]) -> Result<(), IndexError> {
        let mut all = self.pool.begin().await?;
        let mut outlines = Rows::new(&OUTLINE);
        for (session, words) in read {
            add_words(repository, session, words, &mut all).await?;
            for Held { chain, seq, outline, .. } in &words.read {
                let text = outline.as_ref().and_then(Outline::to_text);
                outlines.add(vec![repository.into(), chain.as_str().into(), (*seq).into(), text.as_deref().into()]);
            }
        }
        outlines.write(&mut all).await?;
        Ok(all.commit().await?)
    }

    /// The sessions in which all of these words were said, the best first; at most `count`.
    pub async fn search(&self, filter: &Filter, text: &str, count: i64) -> Result<Vec<Hit>, IndexError> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = Where::default();
        match self.dialect {
            Dialect::Sqlite => asked.and("words MATCH ?", [for_sqlite(text).into()]),
            Dialect::Postgres => asked.and("w.vector @@ websearch_to_tsquery('english', ?)", [text.into()]),
        }
        asked.within(filter, "w.repository", Some("w.owner"));
        asked.and_if("w.owner = ?", filter.member.as_deref());
        asked.and_if("CAST(w.time AS BIGINT) >= ?", filter.since);
        asked.and_if("CAST(w.time AS BIGINT) < ?", filter.until);
        asked.and_if(
            "EXISTS (SELECT 1 FROM session s WHERE s.repository = w.repository AND s.session = w.target AND s.agent = ?)",
            filter.agent.as_deref(),
        );
        match self.dialect {
            Dialect::Sqlite => {
                let first = asked.sql(SQLITE_FIRST, &format!("ORDER BY score, w.rowid DESC LIMIT {count}"));
                self.rows_of(SQLITE.replace("FIRST", &first), asked.values().to_vec()).await
            }
            Dialect::Postgres => {
                let order = "ts_rank(w.vector, websearch_to_tsquery('english', $1)) DESC, w.time DESC";
                self.select(POSTGRES, &asked, &format!("ORDER BY {order} LIMIT {count}")).await
            }
        }
    }
}

async fn add_words(
    repository: i64,
    session: &Unread,
    words: &Words,
    all: &mut Transaction<'static, Any>,
) -> Result<(), IndexError> {
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    if session.read > 0 {
        // SQLite looks at every row for it.
        let old = sqlx::query("DELETE FROM words WHERE kind = 'session' AND repository = $1 AND target = $2");
        old.bind(repository).bind(&session.session).execute(&mut **all).await?;
        failures::forget(repository, &session.session, all).await?;
    }
    let new = "INSERT INTO words (title, body, kind, repository, target, owner, time)
            VALUES ($1, $2, 'session', $3, $4, $5, $6)";
    let query = sqlx::query(new).bind(clean(&words.title)).bind(clean(&words.body)).bind(repository);
    let owner = if words.opened { "" } else { session.member.as_str() };
    query.bind(&session.session).bind(owner).bind(session.ended).execute(&mut **all).await?;
    failures::add(repository, session, owner, &words.failures, all).await?;
    let note = "UPDATE session SET read = $3, title = CASE WHEN $4 = '' THEN title ELSE $4 END
            WHERE repository = $1 AND session = $2";
    let query = sqlx::query(note).bind(repository).bind(&session.session).bind(session.segments);
    let title = if words.opened { "" } else { words.title.as_str() };
    query.bind(clean(title)).execute(&mut **all).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sqlx::Executor;

    use super::*;
    use crate::index::Place;
    use crate::index::columns::{CHAIN, RECORD, SAID, SESSION};
    use crate::index::rows::{Table, Value};

    /// A row whose columns are 0, or nothing, but for these.
    fn row(table: &'static Table, given: &[(&str, Value)]) -> Rows {
        let mut rows = Rows::new(table);
        let value =
            |name: &str| given.iter().find(|(of, _)| *of == name).map_or(0i64.into(), |(_, value)| value.clone());
        rows.add(table.columns.iter().map(|(name, _)| value(name)).collect());
        rows
    }

    async fn index_of(rows: Vec<Rows>) -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let index = Database::open(&Place::File(folder.path().join("index"))).await.unwrap();
        let mut all = index.pool.begin().await.unwrap();
        for mut rows in rows {
            rows.write(&mut all).await.unwrap();
        }
        all.commit().await.unwrap();
        (folder, index)
    }

    fn session(name: &str, payloads: i64) -> Rows {
        let given = [("repository", 1i64.into()), ("session", name.into()), ("payloads", payloads.into())];
        row(&SESSION, &[&given[..], &[("segments", 2i64.into())]].concat())
    }

    #[tokio::test]
    async fn sessions_are_read_with_which_anything_was_stored_or_of_which_others_say_it() {
        let record =
            [("repository", 1i64.into()), ("record", "r".into()), ("kind", "session".into()), ("about", "c".into())];
        let said = [("repository", 1i64.into()), ("kind", "amend".into()), ("about", "r".into())];
        let rows = vec![session("a", 0), session("b", 3), session("c", 0), row(&RECORD, &record), row(&SAID, &said)];
        let (_folder, index) = index_of(rows).await;
        assert_eq!(index.progress(1).await.unwrap(), (1, 1));
        let mut read = Vec::new();
        loop {
            let unread = index.unread(1, 10).await.unwrap();
            if unread.is_empty() {
                break;
            }
            let words = Words {
                title: String::new(),
                body: "plum".into(),
                failures: Vec::new(),
                opened: false,
                read: Vec::new(),
            };
            read.extend(unread.iter().map(|session| session.session.clone()));
            let unread: Vec<(Unread, Words)> = unread.into_iter().map(|session| (session, words.clone())).collect();
            index.add_words(1, &unread).await.unwrap();
        }
        assert_eq!(read, ["b", "c"]);
        let plan = format!("EXPLAIN QUERY PLAN SELECT session FROM session WHERE repository = $1 AND {UNREAD}");
        let plan: Vec<(i64, i64, i64, String)> = index.rows_of(plan, vec![1i64.into()]).await.unwrap();
        assert!(plan[0].3.contains("session_unread"), "{plan:?}");
    }

    #[tokio::test]
    async fn what_was_read_by_something_else_is_read_again_with_its_outlines() {
        let chain = |name: &str, pending: i64| {
            let given = [("repository", 1i64.into()), ("chain", name.into()), ("pending", pending.into())];
            row(&CHAIN, &given)
        };
        let outline = [("repository", 1i64.into()), ("chain", "c".into()), ("text", "{}".into())];
        let rows = vec![session("b", 3), row(&OUTLINE, &outline), chain("c", 0), chain("e", 1), chain("d", 1)];
        let (_folder, index) = index_of(rows).await;
        index.pool.execute("INSERT INTO repository (id, name, url, records) VALUES (1, 'r', 'u', 0)").await.unwrap();
        index.pool.execute("UPDATE session SET read = 2").await.unwrap();
        assert_eq!(index.pending(1).await.unwrap(), "de", "in one order, whoever came first");
        let outlines = "SELECT COUNT(*) FROM outline";
        for (by, left) in [("x", 0), ("x", 1), ("y", 0)] {
            if left == 1 {
                index.pool.execute("INSERT INTO outline (repository, chain, seq) VALUES (1, 'c', 0)").await.unwrap();
            }
            index.read_by(1, by).await.unwrap();
            let there: i64 = sqlx::query_scalar(outlines).fetch_one(&index.pool).await.unwrap();
            assert_eq!(there, left, "{by}");
            assert_eq!(index.unread(1, 10).await.unwrap().len(), 1);
        }
    }

    #[test]
    fn what_somebody_types_is_words_and_no_query() {
        assert_eq!(for_sqlite(r#"a-b "c NOT (x*"#), r#""a-b" """c" "NOT" "(x*""#);
        assert_eq!(for_sqlite("  "), "");
    }
}
