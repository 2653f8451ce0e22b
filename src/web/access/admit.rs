//! Letting in: who asks, whether they may, and what of it goes into the audit log. Every request comes through here.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use tower_sessions::Session;

use crate::audit_log::{Action, Event};
use crate::host::clock;
use crate::index::IndexError;
use crate::web::access::{Origins, Peers, Provider, Rates, Right, SignedIn, Viewer};
use crate::web::app::App;
use crate::web::ask::{decoded, link};
use crate::web::page::{NoPage, Page};
use crate::web::server::Form;

/// Under which key a browser's data has whom it was signed in as.
pub const SIGNED_IN: &str = "signed-in";

/// How people come in.
#[derive(Clone)]
pub struct Door {
    /// Everybody may read everything.
    pub public: bool,
    pub origins: Origins,
    pub peers: Peers,
    pub rates: Rates,
    pub provider: Option<Arc<Provider>>,
    /// What a monitor shows that reads `/metrics` from another machine.
    pub metrics_token: Option<String>,
}

/// Who asks, as far as it is known.
#[derive(Clone)]
pub struct Visitor {
    pub viewer: Arc<Viewer>,
    pub peer: Option<IpAddr>,
    /// What the request says it is for.
    pub host: String,
}

impl Visitor {
    /// Something that they did, for the audit log.
    pub fn event(&self, action: Action, resource: &str) -> Event {
        // As it is meant: a name that is spelled otherwise is the same name.
        let resource = decoded(resource);
        let repository = repository_in(&resource);
        Event {
            actor: self.viewer.actor_in(repository.as_deref()),
            proof: self.viewer.proof_in(repository.as_deref()),
            peer: self.peer.map(|peer| peer.to_string()),
            repository,
            resource: Some(resource),
            ..Event::new(action)
        }
    }
}

/// The repository that a path or its query names.
fn repository_in(resource: &str) -> Option<String> {
    let (path, query) = resource.split_once('?').unwrap_or((resource, ""));
    let of_path = path.strip_prefix("/r/").and_then(|rest| rest.split('/').next());
    let of_query = query.split('&').find_map(|pair| pair.strip_prefix("repository="));
    of_path.or(of_query).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// What a route shows, and what of it is noted.
#[derive(Debug, Clone, Copy)]
pub struct Gate {
    pub right: Right,
    /// It tells what was said in sessions.
    pub reads: bool,
    /// It is a file that is taken away.
    pub takes: bool,
}

/// Finds out who asks, before any route is looked for.
pub async fn known(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let door = app.door();
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let host = parts.uri.authority().map_or(host, |authority| authority.to_string());
    // Those who watch over servers ask by whatever name they know.
    let watched = ["/healthz", "/metrics"].contains(&parts.uri.path());
    if !watched && !door.origins.is_known(&host) {
        return NoPage::Misdirected(host).into_response();
    }
    let peer = door.peers.of(&parts);
    if peer.is_some_and(|peer| !door.rates.page(peer)) {
        return NoPage::TooMany.into_response();
    }
    let viewer = match viewer(&app, &parts).await {
        Ok(viewer) => Arc::new(viewer),
        Err(error) => return NoPage::from(error).into_response(),
    };
    parts.extensions.insert(Visitor { viewer: viewer.clone(), peer, host });
    let mut response = next.run(Request::from_parts(parts, body)).await;
    // For the head of the page: whom it is made for, and what they may read.
    response.extensions_mut().insert(viewer);
    response
}

async fn viewer(app: &App, parts: &Parts) -> Result<Viewer, IndexError> {
    let mut viewer = Viewer { public: app.door().public, ..Viewer::default() };
    let Some(session) = parts.extensions.get::<Session>() else { return Ok(viewer) };
    let Ok(Some(signed_in)) = session.get::<SignedIn>(SIGNED_IN).await else { return Ok(viewer) };
    let index = app.database();
    // What the ledgers say now counts, not what they said when somebody signed in.
    let signed_in = signed_in.at(clock::now().unix());
    let keys = index.still_signed_in(&signed_in.keys).await?;
    let names: Vec<String> = keys.iter().map(|(key, _)| key.clone()).collect();
    viewer.memberships = index.members_with(&names).await?;
    let mut email = signed_in.email;
    if let Some((address, since)) = email.clone() {
        let who = index.members_called(&address).await?;
        let is_any = !who.is_empty();
        // Who signs out everywhere with a key of theirs means this, too, where the key is theirs: whoever enrols a key of their
        // own under somebody's name signs nobody out elsewhere.
        let still = index.still_members(who, since).await?;
        if is_any && still.is_empty() {
            email = None;
        }
        viewer.memberships.extend(still);
    }
    // A repository that is not served any more lets nobody in.
    viewer.memberships.retain(|membership| app.mirror(&membership.name).is_some());
    if !viewer.memberships.is_empty() {
        viewer.signed_in = Some(SignedIn { keys, email });
    }
    Ok(viewer)
}

/// Lets in whose right the route needs; what they read or take away is noted before they get it.
pub async fn admit(State((app, gate)): State<(App, Gate)>, mut request: Request, next: Next) -> Response {
    let Some(visitor) = request.extensions().get::<Visitor>().cloned() else {
        return NoPage::Failed("nobody asked who you are".to_owned()).into_response();
    };
    let form = request.extensions().get::<Form>().copied().unwrap_or_default();
    let resource = form.path_of(request.uri());
    if !visitor.viewer.may(gate.right) {
        return match &visitor.viewer.signed_in {
            None => to_sign_in(form, &request),
            Some(_) => refused(&app, &visitor, &resource).await,
        };
    }
    request.extensions_mut().insert(gate);
    let response = next.run(request).await;
    let only_asks = response.extensions().get::<Arc<Page>>().is_some_and(|page| page.only_asks);
    let action = match (response.extensions().get::<Hidden>(), response.status().is_success() && !only_asks) {
        (Some(_), _) => Action::Refused,
        (None, true) if gate.reads && form == Form::Html => Action::Read,
        (None, true) if gate.takes || (gate.right != Right::Open && form != Form::Html) => Action::Export,
        _ => return response,
    };
    // Where everybody may read there is nobody to name.
    if visitor.viewer.public && visitor.viewer.signed_in.is_none() {
        return response;
    }
    match app.log().add(visitor.event(action, &resource)).await {
        Ok(()) => response,
        Err(error) => NoPage::Unlogged(error.to_string()).into_response(),
    }
}

/// Marks an answer that says of something that it is not there, since it is not theirs to read.
#[derive(Debug, Clone, Copy)]
pub struct Hidden;

/// What somebody gets who is not signed in.
fn to_sign_in(form: Form, request: &Request) -> Response {
    let reads = form == Form::Html && [Method::GET, Method::HEAD].contains(request.method());
    if reads {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::to(&link("/sign-in", [("to", path)])).into_response();
    }
    let mut response = (StatusCode::UNAUTHORIZED, "sign in first\n").into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Cookie"));
    response
}

/// What somebody gets whose roles have no right to it.
async fn refused(app: &App, visitor: &Visitor, resource: &str) -> Response {
    match app.log().add(visitor.event(Action::Refused, resource)).await {
        Ok(()) => NoPage::Forbidden.into_response(),
        Err(error) => NoPage::Unlogged(error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_or_its_query_names_a_repository() {
        for (resource, repository) in [
            ("/r/shop/sessions/a", Some("shop")),
            ("/r/shop", Some("shop")),
            ("/sessions.csv?member=a&repository=pay", Some("pay")),
            ("/sessions?repository=", None),
            ("/records/abc", None),
            ("/r/", None),
        ] {
            assert_eq!(repository_in(resource).as_deref(), repository, "{resource}");
        }
    }
}
