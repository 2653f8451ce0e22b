//! `/sign-in` and `/sign-out`: a page shows a code, `git tracevault login` signs it with a key that a ledger has enrolled.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_sessions::{Expiry, Session};

use crate::audit_log::{Action, Event};
use crate::host::{clock, random};
use crate::index::{DeviceCode, Membership};
use crate::record::signature::PublicKey;
use crate::roster::possession::{self, CODE_SECONDS, REQUEST_SECONDS};
use crate::time::Time;
use crate::web::access::admit::{SIGNED_IN, Visitor};
use crate::web::access::{STAYS, SignedIn, oidc};
use crate::web::app::App;
use crate::web::ask::link;
use crate::web::page::{Block, Link, Links, NoPage, Page, Section, SignIn};
use crate::web::show;

/// Where a browser's data has the code that it shows.
const ASKING: &str = "asking";
/// More keys than these sign nothing at once.
const KEYS: usize = 64;

/// The paths of signing in and out.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/sign-in", get(page))
        .route("/sign-in/code/{code}", get(asked))
        .route("/sign-in/keys", post(signed))
        .route("/sign-in/provider", get(oidc::leave))
        .route("/sign-in/back", get(oidc::back))
        .route("/sign-out", post(out))
        .route("/sign-out/keys", post(out_everywhere))
}

/// Where a page leads after signing in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct To {
    pub to: String,
}

impl To {
    /// A path of this server's, and nothing else.
    pub fn path(&self) -> &str {
        let path = self.to.as_str();
        let ours = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\n', '\r', '\t']);
        if ours { path } else { "/" }
    }
}

async fn page(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    headers: HeaderMap,
    Query(to): Query<To>,
) -> Result<Response, NoPage> {
    let Some(origin) = app.door().origins.to_sign(&visitor.host) else {
        let why = "this server cannot be sure of its own name: its settings must say its url before anybody signs in";
        return Err(NoPage::Wrong(why.to_owned()));
    };
    let known: Option<String> = session.get(ASKING).await.map_err(failed)?;
    let now = clock::now().unix();
    let known = match known {
        Some(code) => app.database().code_to_sign(&code, now).await?,
        None => None,
    };
    if let Some(DeviceCode { code, keys: Some(keys), .. }) = &known {
        // Good for one browser, once.
        if app.database().forget_code(code).await? {
            let keys = keys.split(' ').map(|key| (key.to_owned(), now)).collect();
            begin(&visitor, &session, SignedIn { keys, email: None }).await?;
            return Ok(Redirect::to(to.path()).into_response());
        }
    }
    let code = match known {
        Some(known) if known.keys.is_none() => known.code,
        _ => new_code(&app, &visitor, &session, &headers).await?,
    };
    let page = Page::new("Sign in", Section::Other);
    let page = match &visitor.viewer.signed_in {
        Some(_) => page.note("pass", format!("You are signed in as {}.", visitor.viewer.actor().unwrap_or_default())),
        None => page,
    };
    let here = link("/sign-in", [("to", to.path())]);
    let page = page.block(Block::SignIn(SignIn { origin, code, minutes: CODE_SECONDS / 60, here }));
    let Some(provider) = &app.door().provider else { return Ok(page.into_response()) };
    let href = link("/sign-in/provider", [("to", to.path())]);
    let links = vec![Link { href, text: format!("Sign in with {}", show::visible(provider.name())), here: false }];
    Ok(page.block(Block::Links(Links { label: "Other ways to sign in", links })).into_response())
}

fn failed(error: impl std::fmt::Display) -> NoPage {
    NoPage::Failed(error.to_string())
}

async fn new_code(app: &App, visitor: &Visitor, session: &Session, headers: &HeaderMap) -> Result<String, NoPage> {
    limit(app, visitor)?;
    let random = random::bytes32();
    let mut first = [0; 8];
    first.copy_from_slice(&random[..8]);
    let code = possession::code(first);
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("no name");
    let now = clock::now().unix();
    let peer = visitor.peer.map_or_else(|| "an unknown address".to_owned(), |peer| peer.to_string());
    let agent = agent.chars().take(200).collect();
    let asked = DeviceCode { code: code.clone(), asked: now, peer, agent, keys: None };
    app.database().add_code_to_sign(&asked, now + CODE_SECONDS).await?;
    keep(visitor, session)?;
    session.insert(ASKING, &code).await.map_err(failed)?;
    Ok(code)
}

fn until(seconds: i64) -> Result<Expiry, NoPage> {
    tower_sessions::cookie::time::OffsetDateTime::from_unix_timestamp(seconds).map(Expiry::AtDateTime).map_err(failed)
}

/// How long what is kept of a browser stays: as long as it may be signed in, else as long as a code.
pub fn keep(visitor: &Visitor, session: &Session) -> Result<(), NoPage> {
    let span = if visitor.viewer.signed_in.is_some() { STAYS } else { CODE_SECONDS };
    session.set_expiry(Some(until(clock::now().unix() + span)?));
    Ok(())
}

/// Signs a browser in: under a new token, so that nobody knows it who knew the old one.
pub async fn begin(visitor: &Visitor, session: &Session, proven: SignedIn) -> Result<(), NoPage> {
    // Keys of another ledger are added to those that still hold.
    let before = visitor.viewer.signed_in.clone().unwrap_or_default();
    session.cycle_id().await.map_err(failed)?;
    session.remove_value(ASKING).await.map_err(failed)?;
    session.set_expiry(Some(until(clock::now().unix() + STAYS)?));
    session.insert(SIGNED_IN, before.and(proven)).await.map_err(failed)
}

pub fn limit(app: &App, visitor: &Visitor) -> Result<(), NoPage> {
    let over = visitor.peer.is_some_and(|peer| !app.door().rates.attempt(peer));
    if over { Err(NoPage::TooMany) } else { Ok(()) }
}

/// Notes that members were signed in or out, in each repository.
pub async fn note(app: &App, visitor: &Visitor, action: Action, who: &[Membership], how: &str) -> Result<(), NoPage> {
    let event = |membership: &Membership| Event {
        actor: Some(membership.member.clone()),
        proof: Some(membership.proof.clone()),
        repository: Some(membership.name.clone()),
        detail: Some(how.to_owned()),
        ..visitor.event(action, "/sign-in")
    };
    let events: Vec<Event> = who.iter().map(event).collect();
    app.log().add_all(events).await.map_err(|error| NoPage::Unlogged(error.to_string()))
}

/// What the program that signs is told, in JSON.
enum Told {
    Said(serde_json::Value),
    Wrong(StatusCode, &'static str),
    Failed(NoPage),
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        match self {
            Told::Said(value) => Json(value).into_response(),
            Told::Wrong(status, why) => (status, Json(json!({ "error": why }))).into_response(),
            Told::Failed(NoPage::TooMany) => {
                let why = "too many attempts: wait a minute, then try again";
                Told::Wrong(StatusCode::TOO_MANY_REQUESTS, why).into_response()
            }
            Told::Failed(_) => Told::Wrong(StatusCode::SERVICE_UNAVAILABLE, "the server failed").into_response(),
        }
    }
}

const NO_CODE: Told =
    Told::Wrong(StatusCode::NOT_FOUND, "no page shows this code, or not any more: load the page that showed it again");

/// Who shows a code, so that whoever signs it can tell whether that is they.
async fn asked(State(app): State<App>, Extension(visitor): Extension<Visitor>, Path(code): Path<String>) -> Told {
    if let Err(error) = limit(&app, &visitor) {
        return Told::Failed(error);
    }
    match app.database().code_to_sign(&code, clock::now().unix()).await {
        Ok(Some(found)) if found.keys.is_none() => {
            Told::Said(json!({ "asked": Time::from_unix(found.asked), "peer": found.peer, "agent": found.agent }))
        }
        Ok(_) => NO_CODE,
        Err(error) => Told::Failed(error.into()),
    }
}

/// A key, and its signature of what is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedBy {
    public_key: String,
    signature: String,
}

impl SignedBy {
    fn holds_for(&self, text: &str) -> bool {
        let (Ok(key), Ok(signature)) = (self.public_key.parse::<PublicKey>(), STANDARD.decode(&self.signature)) else {
            return false;
        };
        key.verifier().verify_text(text, &signature)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedCode {
    code: String,
    keys: Vec<SignedBy>,
}

/// The members that a proof stands for, with the keys that do; what is refused is noted.
async fn proven(
    app: &App,
    visitor: &Visitor,
    text: &str,
    keys: &[SignedBy],
    resource: &str,
) -> Result<(Vec<Membership>, Vec<String>), Told> {
    let holds = !keys.is_empty() && keys.len() <= KEYS && keys.iter().all(|key| key.holds_for(text));
    let names: Vec<String> = keys.iter().map(|key| key.public_key.clone()).collect();
    let who = match holds {
        true => app.database().members_with(&names).await.map_err(|error| Told::Failed(error.into()))?,
        false => Vec::new(),
    };
    if !who.is_empty() {
        return Ok((who, names));
    }
    let why = match holds {
        true => "no ledger here has enrolled this key",
        false => "the signature does not hold: was another address typed than the one the page names?",
    };
    let event = Event { detail: Some(why.to_owned()), ..visitor.event(Action::Refused, resource) };
    app.log().add(event).await.map_err(|error| Told::Failed(NoPage::Unlogged(error.to_string())))?;
    Err(Told::Wrong(StatusCode::FORBIDDEN, why))
}

fn members_told(who: &[Membership]) -> Told {
    let one = |m: &Membership| json!({ "repository": m.name, "member": m.member, "roles": m.roles });
    let mut told: Vec<serde_json::Value> = who.iter().map(one).collect();
    // Several keys of theirs make them no other member.
    told.dedup();
    Told::Said(json!({ "members": told }))
}

async fn signed(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Json(request): Json<SignedCode>,
) -> Result<Told, Told> {
    limit(&app, &visitor).map_err(Told::Failed)?;
    let unnamed = Told::Wrong(StatusCode::MISDIRECTED_REQUEST, "nobody can sign in under this name of the server");
    let origin = app.door().origins.to_sign(&visitor.host).ok_or(unnamed)?;
    let index = app.database();
    let found = index.code_to_sign(&request.code, clock::now().unix()).await;
    if found.map_err(|error| Told::Failed(error.into()))?.is_none_or(|code| code.keys.is_some()) {
        return Err(NO_CODE);
    }
    let text = possession::sign_in(&origin, &request.code);
    let (who, keys) = proven(&app, &visitor, &text, &request.keys, "/sign-in/keys").await?;
    let done = index.code_signed(&request.code, &keys.join(" ")).await.map_err(|error| Told::Failed(error.into()))?;
    if !done {
        return Err(NO_CODE);
    }
    note(&app, &visitor, Action::SignIn, &who, "signed with a key of theirs").await.map_err(Told::Failed)?;
    Ok(members_told(&who))
}

async fn out(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    session: Session,
    Form(_): Form<Vec<(String, String)>>,
) -> Result<Redirect, NoPage> {
    session.flush().await.map_err(failed)?;
    note(&app, &visitor, Action::SignOut, &visitor.viewer.memberships, "in this browser").await?;
    Ok(Redirect::to("/sign-in"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedOut {
    time: Time,
    keys: Vec<SignedBy>,
}

/// Ends everything that keys were signed in for, in whatever browser.
async fn out_everywhere(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Json(request): Json<SignedOut>,
) -> Result<Told, Told> {
    limit(&app, &visitor).map_err(Told::Failed)?;
    let unnamed = Told::Wrong(StatusCode::MISDIRECTED_REQUEST, "nobody can sign out under this name of the server");
    let origin = app.door().origins.to_sign(&visitor.host).ok_or(unnamed)?;
    let now = clock::now().unix();
    if (now - request.time.unix()).abs() > REQUEST_SECONDS {
        return Err(Told::Wrong(StatusCode::BAD_REQUEST, "the clocks of the two machines are not the same"));
    }
    let text = possession::sign_out(&origin, request.time);
    let (who, keys) = proven(&app, &visitor, &text, &request.keys, "/sign-out/keys").await?;
    let members = who.iter().map(Membership::place);
    let all: Vec<String> = keys.into_iter().chain(members).collect();
    app.database().sign_out(&all, now).await.map_err(|error| Told::Failed(error.into()))?;
    note(&app, &visitor, Action::SignOut, &who, "everywhere, signed with a key of theirs")
        .await
        .map_err(Told::Failed)?;
    Ok(members_told(&who))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_to_this_server_alone() {
        for (to, path) in [
            ("/sessions?member=a", "/sessions?member=a"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nX: y", "/"),
        ] {
            assert_eq!(To { to: to.to_owned() }.path(), path, "{to}");
        }
    }
}
