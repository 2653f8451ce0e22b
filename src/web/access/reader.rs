//! A reader: somebody who was let in, and what of the index is theirs to read. Pages ask the index through it alone.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;

use crate::index::{Database, Filter, Reach, Repository};
use crate::mirror::Mirror;
use crate::web::access::admit::{Gate, Visitor};
use crate::web::access::rates::network;
use crate::web::access::{Right, Viewer};
use crate::web::app::{App, Doing};
use crate::web::ask::{Ask, ROWS, ROWS_OF_DATA};
use crate::web::asof;
use crate::web::page::NoPage;
use crate::web::server::Form;

/// Whoever a page is made for.
#[derive(Clone)]
pub struct Reader {
    app: App,
    viewer: Arc<Viewer>,
    peer: Option<IpAddr>,
    reach: Reach,
    /// How many rows of a list they get at a time.
    pub rows: usize,
}

impl FromRequestParts<App> for Reader {
    type Rejection = NoPage;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, NoPage> {
        let (visitor, gate) = (parts.extensions.get::<Visitor>(), parts.extensions.get::<Gate>());
        let (Some(visitor), Some(gate)) = (visitor, gate) else {
            return Err(NoPage::Failed("this page has no gate".to_owned()));
        };
        let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        asof::answered(path, &parts.uri)?;
        let reach = visitor.viewer.reach(gate.right);
        let rows = match parts.extensions.get::<Form>() {
            None | Some(Form::Html) => ROWS,
            _ => ROWS_OF_DATA,
        };
        Ok(Reader { app: app.clone(), viewer: visitor.viewer.clone(), peer: visitor.peer, reach, rows })
    }
}

impl Reader {
    /// The index; what is asked of it for a list is narrowed by [`Reader::filter`] or [`Reader::everything`].
    pub fn index(&self) -> &Database {
        self.app.database()
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// Whom what takes long is counted for: whoever is signed in, else an address.
    pub fn who(&self) -> String {
        let address = || self.peer.map(|peer| network(peer).to_string());
        self.viewer.person().or_else(address).unwrap_or_default()
    }

    /// The repositories of which they may read anything.
    pub async fn repositories(&self) -> Result<Vec<Repository>, NoPage> {
        let mut all = self.app.database().repositories().await?;
        all.retain(|repository| self.reach.touches(repository.id));
        Ok(all)
    }

    /// The repository with this name, if they may read anything of it.
    pub async fn repository(&self, name: &str) -> Result<Repository, NoPage> {
        let none = || format!("there is no repository {name:?}");
        let all = self.app.database().repositories().await?;
        let found = all.into_iter().find(|repository| repository.name == name);
        let found = found.ok_or_else(|| NoPage::NotFound(none()))?;
        if self.reach.touches(found.id) { Ok(found) } else { Err(NoPage::Hidden(none())) }
    }

    /// What was found of a repository and a member, if it is theirs to read; `none` says that nothing is there.
    pub fn only<T>(
        &self,
        found: Option<T>,
        repository: i64,
        member: impl Fn(&T) -> Option<&str>,
        none: String,
    ) -> Result<T, NoPage> {
        let found = found.ok_or_else(|| NoPage::NotFound(none.clone()))?;
        if self.reach.has(repository, member(&found)) { Ok(found) } else { Err(NoPage::Hidden(none)) }
    }

    /// Whether what is a member's in a repository is theirs to read.
    pub fn may_read(&self, repository: i64, member: &str) -> bool {
        self.reach.has(repository, Some(member))
    }

    /// Whether all of a repository is theirs to read.
    pub fn may_read_all(&self, repository: i64) -> bool {
        self.reach.has(repository, None)
    }

    /// All that they may read.
    pub fn everything(&self) -> Filter {
        Filter { reach: self.reach.clone(), ..Filter::default() }
    }

    /// What is asked for, of what they may read, as of when it is asked for.
    pub async fn filter(&self, ask: &Ask, repositories: &[Repository]) -> Result<Filter, NoPage> {
        let asof = asof::of(ask, self.index(), &self.everything()).await?;
        Ok(Filter { reach: self.reach.clone(), asof, ..ask.filter(repositories)? })
    }

    /// How far another right of theirs goes.
    pub fn reach_of(&self, right: Right) -> Reach {
        self.viewer.reach(right)
    }

    /// The mirror of a repository that was shown to be theirs to read.
    pub fn mirror(&self, name: &str) -> Option<&Mirror> {
        self.app.mirror(name)
    }

    pub fn doing(&self, name: &str) -> Doing {
        self.app.doing(name)
    }
}
